//! Values of state tables: between the interface's union and what is kept here. In and out: numbers
//! in the width of their type, texts.
use std::ffi::CStr;

use crate::abi::{
    STATE_BOOL, STATE_I8, STATE_I16, STATE_I32, STATE_I64, STATE_STRING, STATE_TABLE, STATE_U8,
    STATE_U16, STATE_U32, STATE_U64, StateData, StateType,
};

/// What a key is told by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Number(i64),
    Text(Box<[u8]>),
}

pub fn is_type(kind: StateType) -> bool {
    matches!(kind, STATE_I8..=STATE_TABLE | STATE_BOOL)
}

pub fn type_name(kind: StateType) -> &'static str {
    match kind {
        STATE_I8 => "int8",
        STATE_I16 => "int16",
        STATE_I32 => "int32",
        STATE_I64 => "int64",
        STATE_U8 => "uint8",
        STATE_U16 => "uint16",
        STATE_U32 => "uint32",
        STATE_U64 => "uint64",
        STATE_STRING => "string",
        STATE_TABLE => "table",
        STATE_BOOL => "bool",
        _ => "no type",
    }
}

/// A number as the type's width takes it.
pub fn put_number(out: &mut StateData, kind: StateType, number: u64) {
    *out = StateData { u64: 0 };
    match kind {
        STATE_I8 | STATE_U8 => out.u8 = number as u8,
        STATE_I16 | STATE_U16 => out.u16 = number as u16,
        STATE_I32 | STATE_U32 => out.u32 = number as u32,
        STATE_BOOL => out.boolean = u32::from(number != 0),
        _ => out.u64 = number,
    }
}

/// The number of a value of this type; what is signed is extended.
pub fn number(data: StateData, kind: StateType) -> u64 {
    // SAFETY: every member is a number, and all bits of it are valid.
    unsafe {
        match kind {
            STATE_I8 => i64::from(data.s8) as u64,
            STATE_I16 => i64::from(data.s16) as u64,
            STATE_I32 => i64::from(data.s32) as u64,
            STATE_U8 => u64::from(data.u8),
            STATE_U16 => u64::from(data.u16),
            STATE_U32 => u64::from(data.u32),
            STATE_BOOL => u64::from(data.boolean != 0),
            _ => data.u64,
        }
    }
}

/// The text of a value that is one; None where there is none.
///
/// # Safety
/// It is NULL, or ends with a NUL.
pub unsafe fn text<'a>(data: StateData) -> Option<&'a CStr> {
    // SAFETY: as above.
    unsafe { if data.text.is_null() { None } else { Some(CStr::from_ptr(data.text)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_width_and_sign() {
        let through = |kind, value: i64| {
            let mut data = StateData { u64: u64::MAX };
            put_number(&mut data, kind, value as u64);
            number(data, kind) as i64
        };
        for kind in [STATE_I8, STATE_I16, STATE_I32, STATE_I64] {
            assert_eq!(through(kind, -3), -3, "{}", type_name(kind));
        }
        assert_eq!(through(STATE_U8, -1), 255);
        assert_eq!(through(STATE_U16, -1), 65535);
        assert_eq!(through(STATE_U32, -1), 0xffff_ffff);
        assert_eq!(through(STATE_U64, -1), -1);
        assert_eq!((through(STATE_BOOL, 8), through(STATE_BOOL, 0)), (1, 0));
    }

    #[test]
    fn types_are_those_of_the_interface() {
        let types: Vec<_> = (0..=30).filter(|&kind| is_type(kind)).collect();
        assert_eq!(types, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 25]);
    }
}
