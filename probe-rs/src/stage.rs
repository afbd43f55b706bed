//! The stages of events that take more than one filler: where a driver cuts an event into
//! several programs (verifiers want small ones), these are their numbers.

pub const WALK: u32 = 1;
/// Not a program of its own: the walk ends the event with our own parameters.
pub const EMIT_WITH_PATHS: u32 = 2;
pub const CGROUPS: u32 = 3;
pub const CLONE_END: u32 = 4;
pub const EXEC_MIDDLE: u32 = 5;
pub const EXEC_END: u32 = 6;
pub const HANDLE_END: u32 = 7;
/// Gets a walk ready.
pub const START: u32 = 8;
/// Looks up what was named; where it is missing, events of names come without the kernel's paths.
pub const LOOK_UP: u32 = 9;
/// The sieve before the rings: numbers are asked, then names. It goes on at `State::after`.
pub const SIFT: u32 = 255;
/// What the kernel knows of the call's descriptors.
pub const FILES: u32 = 10;
/// The names of opens, before an event is made of them.
pub const GATE: u32 = 254;
/// Further names of the event's files (further.rs).
pub const FURTHER: u32 = 253;
/// The rest of a walk that has more components than its passes; kernels before 5.17 lack the loop.
pub const FAR: u32 = 250;
/// The messages of a batch behind the first, sent and received; kernels before 5.17 lack the loop.
pub const SENT: u32 = 252;
pub const RECEIVED: u32 = 251;
/// The event goes to the reader.
pub const END: u32 = 11;
/// The end of a program's start with long arguments or environment (among the starts' programs).
pub const LONG: u32 = 13;
/// Slots from here on belong to the fillers of `with_fillers!`, in its order.
pub const FILLERS_AT: u32 = 12;
