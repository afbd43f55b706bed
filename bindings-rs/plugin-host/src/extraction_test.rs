//! Answers to questions for values that cannot be true.
use std::ffi::c_char;

use super::*;
use crate::abi::{ByteBuffer, FIELD_U64, Values};

fn answer(kind: u32, values: *const c_void, count: u64) -> ExtractField {
    // SAFETY: numbers and pointers, for which 0 is a value.
    let mut field: ExtractField = unsafe { zeroed() };
    field.kind = kind;
    field.values = Values { any: values };
    field.count = count;
    field
}

fn put(field: &ExtractField, is_list: bool) -> Result<Column, &'static str> {
    let mut column = Column::default();
    // SAFETY: the tests' own arrays.
    unsafe { put_values(field, is_list, &mut column)? };
    column.end_event();
    Ok(column)
}

#[test]
fn values_of_every_type_are_taken() {
    let numbers = [7_u64, u64::MAX];
    let column = put(&answer(FIELD_U64, numbers.as_ptr().cast(), 2), true).expect("values");
    assert_eq!((column.counts, column.ends), (vec![2], vec![8, 16]));
    let texts: [*const c_char; 2] = [c"ab".as_ptr(), c"".as_ptr()];
    let column = put(&answer(FIELD_STRING, texts.as_ptr().cast(), 2), true).expect("values");
    assert_eq!((&column.ends[..], &column.bytes[..]), (&[2, 2][..], &b"ab"[..]));
    let flags = [0_u32, 5];
    let column = put(&answer(FIELD_BOOL, flags.as_ptr().cast(), 2), true).expect("values");
    assert_eq!(column.bytes, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    let four = [10_u8, 0, 0, 1];
    let buffer = ByteBuffer { len: 4, bytes: four.as_ptr().cast() };
    let column = put(&answer(FIELD_IPNET, (&raw const buffer).cast(), 1), false).expect("values");
    assert_eq!(column.bytes, [10, 0, 0, 1, 32]);
}

#[test]
fn lies_are_refused() {
    let number = 1_u64;
    let one = (&raw const number).cast();
    assert!(put(&answer(FIELD_U64, one, 2), false).is_err());
    assert!(put(&answer(FIELD_U64, one, u64::MAX), true).is_err());
    assert!(put(&answer(FIELD_U64, null(), 1), false).is_err());
    let texts: [*const c_char; 1] = [null()];
    assert!(put(&answer(FIELD_STRING, texts.as_ptr().cast(), 1), false).is_err());
    for (len, bytes) in [(5, one), (u32::MAX, one), (4, null())] {
        let buffer = ByteBuffer { len, bytes };
        assert!(put(&answer(FIELD_IPADDR, (&raw const buffer).cast(), 1), false).is_err());
    }
    assert_eq!(put(&answer(FIELD_U64, null(), 0), false), Ok(Column::none(1)));
}

#[test]
fn a_list_beyond_all_bounds_is_refused() {
    let long = std::ffi::CString::new(vec![b'x'; 1 << 20]).expect("no NUL");
    let texts: Vec<*const c_char> = vec![long.as_ptr(); 64];
    assert!(put(&answer(FIELD_STRING, texts.as_ptr().cast(), 64), true).is_err());
}
