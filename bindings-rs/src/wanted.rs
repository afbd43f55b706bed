//! Which fillers tell a system call. In: the codes that somebody wants, and the call. Out: places
//! in the list of fillers.
use std::collections::BTreeSet;

use probe::compat;
use probe::fillers::{FILLERS, SHORT_FILLERS};
use probe::table::{GENERIC_X, Syscall};

/// An interest at or above this asks for one call without an event of its own: the rest of the
/// number is the call's `sc`. GENERIC_X alone asks for all of them.
pub const GENERIC_CALL: u16 = 0x8000;

/// The fillers of a call: its own, or of a younger call both, the generic one and that of the
/// older call.
pub fn fillers_of(wanted: &BTreeSet<u16>, call: &Syscall) -> Vec<(usize, u8)> {
    let own = filler_of(wanted, call).map(|index| (index, 0));
    let older = compat::older_of(call).filter(|(code, _)| wanted.contains(code));
    let older = older.and_then(|(code, via)| {
        let index = FILLERS.iter().position(|(_, filled)| *filled == code)?;
        Some((index, via))
    });
    own.into_iter().chain(older).collect()
}

/// The filler of a call and the code under which it is recorded, where somebody wants it.
fn filler_of(wanted: &BTreeSet<u16>, call: &Syscall) -> Option<usize> {
    let event = compat::event_of(call);
    let own = FILLERS.iter().position(|(_, code)| *code == event && *code != GENERIC_X);
    if own.is_some() && (wanted.contains(&event) || call.exit != GENERIC_X) {
        return own.filter(|_| wanted.contains(&event));
    }
    // An event of its own that has no filler yet is told by the generic event.
    let named = call.exit != GENERIC_X && wanted.contains(&call.exit);
    if named || wanted.contains(&GENERIC_X) || wanted.contains(&(GENERIC_CALL | call.sc)) {
        return FILLERS.iter().position(|(_, code)| *code == GENERIC_X);
    }
    None
}

/// The program that kernels without loops take in the place of another, where there is one.
pub fn short_of(name: &str) -> Option<&'static str> {
    let short = SHORT_FILLERS.iter().find(|(short, _)| short.strip_prefix("short_") == Some(name));
    short.map(|(short, _)| *short)
}
