//! Which fillers tell a system call, and where each call number goes. In: the codes that somebody
//! wants, and the call. Out: places in the list of fillers; a table of routes.
use crate::compat;
use crate::fillers::{FILLERS, SHORT_FILLERS};
use crate::scratch::State;
use crate::stage::FILLERS_AT;
use crate::table::{GENERIC_X, SYSCALLS, Syscall};

/// An interest at or above this asks for one call without an event of its own: the rest of the
/// number is the call's `sc`. GENERIC_X alone asks for all of them.
pub const GENERIC_CALL: u16 = 0x8000;

/// Call numbers; a route for each entry in the halves of one word: the 64-bit entry's in the low
/// one. A route is the slot of the call's filler (0: nobody wants it), the slot of a second event
/// (8 bits each), the call's generic code (9 bits), how a younger call is told as an older one
/// (`VIA_*`).
pub const CALLS: u32 = 512;
/// Where the 32-bit entry's route begins.
pub const IA32: u32 = 32;
/// The 32-bit call that carries others.
pub const SOCKETCALL: usize = 102;

pub type Routes = [u64; CALLS as usize];

/// A filler's place in the list, and how the call is told (`VIA_*`).
pub type Told = (usize, u8);

/// The fillers of a call: its own, or of a younger call both, the generic one and that of the
/// older call.
pub fn fillers_of(wanted: impl Fn(u16) -> bool, call: &Syscall) -> [Option<Told>; 2] {
    let own = filler_of(&wanted, call).map(|index| (index, 0));
    let older = compat::older_of(call).filter(|(code, _)| wanted(*code));
    let older = older.and_then(|(code, via)| {
        let index = FILLERS.iter().position(|(_, filled)| *filled == code)?;
        Some((index, via))
    });
    if own.is_some() { [own, older] } else { [older, None] }
}

/// The filler of a call and the code under which it is recorded, where somebody wants it.
fn filler_of(wanted: impl Fn(u16) -> bool, call: &Syscall) -> Option<usize> {
    let event = compat::event_of(call);
    let own = FILLERS.iter().position(|(_, code)| *code == event && *code != GENERIC_X);
    if own.is_some() && (wanted(event) || call.exit != GENERIC_X) {
        return own.filter(|_| wanted(event));
    }
    // An event of its own that has no filler yet is told by the generic event.
    let named = call.exit != GENERIC_X && wanted(call.exit);
    if named || wanted(GENERIC_X) || wanted(GENERIC_CALL | call.sc) {
        return FILLERS.iter().position(|(_, code)| *code == GENERIC_X);
    }
    None
}

/// The program that kernels without loops take in the place of another, where there is one.
pub fn short_of(name: &str) -> Option<&'static str> {
    let short = SHORT_FILLERS.iter().find(|(short, _)| short.strip_prefix("short_") == Some(name));
    short.map(|(short, _)| *short)
}

/// Fills the table for what is wanted, with those fillers alone that the driver has.
pub fn fill(routes: &mut Routes, wanted: impl Fn(u16) -> bool, has: impl Fn(usize) -> bool) {
    routes.fill(0);
    for call in &SYSCALLS {
        let mut fillers = fillers_of(&wanted, call).into_iter().flatten();
        let mut fillers = core::iter::from_fn(|| fillers.find(|(index, _)| has(*index)));
        let Some((index, via)) = fillers.next() else { continue };
        let mut route = u64::from(FILLERS_AT + index as u32) | u64::from(call.sc) << 16;
        let mut told = via;
        if let Some((also, via)) = fillers.next() {
            route |= u64::from(FILLERS_AT + also as u32) << 8;
            told = via;
        }
        route |= u64::from(told) << 25;
        if let Some(entry) = routes.get_mut(usize::from(call.x86_64)) {
            *entry |= route;
        }
        if let Some(entry) = routes.get_mut(usize::from(compat::number_of(call))) {
            *entry |= route << IA32;
        }
    }
    let inner = (359..=373)
        .chain([compat::SEND.into(), compat::RECV.into()])
        .any(|call: usize| routes[call] >> IA32 != 0);
    routes[SOCKETCALL] |= u64::from(inner) << IA32;
}

/// Notes in the State what a route says of the call, beside its arguments.
#[inline(always)]
pub fn take(state: &mut State, route: u32, number: u64, compat: bool) {
    state.index = 0;
    let (slot, also, via) = (route & 0xff, route >> 8 & 0xff, (route >> 25 & 7) as u8);
    state.slot = slot;
    (state.also, state.also_via) = (also, via);
    state.via = if also == 0 { via } else { 0 };
    state.compat = u8::from(compat);
    state.sc = (route >> 16 & 0x1ff) as u16;
    state.number = number as u16;
    state.bprm = 0;
    state.gated = 0;
}
