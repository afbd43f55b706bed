//! Constants of the event table, made by build.rs from events.json.

/// A system call that an architecture lacks.
pub const NONE: u16 = u16::MAX;

/// One system call: its code in generic events, its numbers, and the event of its return (1, the
/// generic event, where it has none of its own).
pub struct Syscall {
    pub sc: u16,
    pub name: &'static str,
    pub x86_64: u16,
    pub ia32: u16,
    pub exit: u16,
}

include!(concat!(env!("OUT_DIR"), "/events.rs"));
