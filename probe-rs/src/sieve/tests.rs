//! The walk and the clauses on a table small enough to be written by hand.
extern crate std;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use super::guard::{Clause, Guard, Params, TESTS, Test, Verdict, form, number_of, test};
use super::names::{IRREGULAR, Names, Walk};
use super::table::{MAGIC, VERSION, parts};
use super::{admits, admits_any, facts};

/// Knows the prefix `/e` (mark 0), the whole text `/e` (mark 1) and the part `//` (irregular).
/// States: 0 start, 1 behind `/`, 2 behind `/e`, 3 behind anything else, 4 behind its `/`, 5 `//`.
fn table() -> Vec<u8> {
    const SLASH: u8 = 1;
    const LETTER: u8 = 2;
    let mut class = [0u8; 256];
    (class[0], class[usize::from(b'/')], class[usize::from(b'e')]) = (3, SLASH, LETTER);
    let marks: [u64; 6] = [0, 0, 1, 0, 0, IRREGULAR];
    let ends: [u64; 6] = [0, 0, 2, 0, 0, 0];
    // Classes: others, slash, e, NUL.
    let next: [[u16; 4]; 6] =
        [[3, 1, 3, 0], [3, 5, 2, 1], [3, 4, 3, 2], [3, 4, 3, 3], [3, 5, 3, 4], [3, 5, 3, 5]];
    let mut guard = Guard::KEEP;
    guard.verdict = Verdict::Ask as u8;
    (guard.tests_used, guard.clauses_used) = (3, 2);
    let make = |kind, param, inverted, bit, value| Test {
        kind,
        param,
        form: form::RESULT,
        inverted,
        bit,
        pad: [0; 3],
        value,
    };
    guard.tests[0] = make(test::LESS, 0, 1, 0, 0);
    guard.tests[1] = make(test::ANY_BIT, 1, 0, 1, 2);
    guard.tests[2] = make(test::EQUAL, 1, 0, 1, 1);
    guard.clauses[0] = Clause { all: 0b11, none: 0, marks: 1, without: 0 };
    guard.clauses[1] = Clause { all: 0, none: 0b11, marks: 2, without: 1 << 5 };
    let mut bytes = Vec::new();
    for word in [MAGIC, VERSION, 1, 6, 4, 2] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([3u64.to_le_bytes(), 0u64.to_le_bytes()].concat());
    // SAFETY: a Guard is plain bytes without holes.
    bytes.extend(unsafe {
        std::slice::from_raw_parts((&raw const guard).cast::<u8>(), size_of::<Guard>())
    });
    bytes.extend(class);
    marks.iter().chain(&ends).for_each(|bits| bytes.extend(bits.to_le_bytes()));
    next.iter().flatten().for_each(|state| bytes.extend(state.to_le_bytes()));
    bytes
}

fn loaded() -> (Box<Names>, Guard) {
    let bytes = table();
    let parts = parts(&bytes).expect("it is sound");
    // SAFETY: all bytes of a Names may be zero.
    let mut names: Box<Names> = unsafe { Box::<Names>::new_zeroed().assume_init() };
    parts.fill(&mut names);
    (names, parts.guard(0))
}

fn marks(names: &Names, text: &[u8]) -> u64 {
    let mut walk = Walk::begin(names);
    text.iter().for_each(|byte| walk.byte(names, *byte));
    walk.end(names)
}

#[test]
fn a_walk_finds_what_holds_on_the_way_and_at_the_end() {
    let (names, _) = loaded();
    assert_eq!(marks(&names, b"/e"), 3);
    assert_eq!(marks(&names, b"/ex"), 1);
    assert_eq!(marks(&names, b"/x/e"), 0);
    assert_eq!(marks(&names, b""), 0);
    assert_eq!(marks(&names, b"/x//e"), u64::MAX);
}

#[test]
fn strides_and_a_walk_in_two_parts_find_the_same_as_bytes() {
    let (names, _) = loaded();
    for text in [&b"/e"[..], b"/ex", b"/xxxxxxxx/e", b"/xxxxxx//yyyyyyyyyyyyy"] {
        let mut walk = Walk::begin(&names);
        for (index, part) in text.chunks(8).enumerate() {
            let mut bytes = [b'/'; 8];
            bytes[..part.len()].copy_from_slice(part);
            walk.last_stride(&names, u64::from_le_bytes(bytes), text.len() - index * 8);
        }
        assert_eq!(walk.end(&names), marks(&names, text));
        let (directory, name) = text.split_at(1);
        let mut walk = Walk::begin(&names);
        directory.iter().chain(name).for_each(|byte| walk.byte(&names, *byte));
        assert_eq!(walk.end(&names), marks(&names, text));
    }
}

struct Given(Vec<(usize, u64)>);
impl Params for Given {
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
        let (length, value) = *self.0.get(usize::from(param)).unwrap_or(&(0, 0));
        number_of(length, form, || value)
    }
}

#[test]
fn a_guard_keeps_an_event_whose_facts_and_marks_satisfy_a_clause() {
    let (_, guard) = loaded();
    let of = |result: i64, flags: u64| facts(&guard, &Given(vec![(8, result as u64), (8, flags)]));
    assert_eq!(of(3, 2), Some(3));
    assert_eq!(of(3, 1), Some(3));
    assert_eq!(of(-1, 4), Some(0));
    assert!(admits(&guard, 3, 1) && admits(&guard, 0, 2));
    assert!(!admits(&guard, 3, 2) && !admits(&guard, 1, 3));
    assert!(!admits(&guard, 0, 2 | 1 << 5) && admits(&guard, 0, u64::MAX));
    assert!(!admits_any(&guard, 0) && !admits_any(&guard, 3));
    // Four bytes are a result too; other sizes are odd, nothing is 0.
    assert_eq!(facts(&guard, &Given(vec![(4, 0xffff_ffff)])), Some(0));
    assert_eq!(facts(&guard, &Given(vec![(2, 1)])), None);
    assert_eq!(facts(&guard, &Given(vec![])), Some(1));
}

#[test]
fn a_table_that_does_not_fit_its_maps_is_refused() {
    let sound = table();
    let changed = |at: usize, byte: u8| {
        let mut bytes = sound.clone();
        bytes[at] = byte;
        parts(&bytes).is_err()
    };
    assert!(changed(0, 0) && changed(4, 2) && changed(12, 7) && changed(20, 3));
    let next = sound.len() - 2;
    assert!(changed(next, 6) && !changed(next, 5));
    assert!(parts(&sound[..sound.len() - 1]).is_err() && parts(&[]).is_err());
    let class = 40 + size_of::<Guard>();
    assert!(changed(class, 4));
    assert_eq!(TESTS, 16);
}
