//! The sieve before the rings: an event that no rule can use is not written.
//! In: an event with its parameters, later with its paths. Out: whether it goes on.
//!
//! Numbers are asked before a path is walked, the names of opens (opens.rs) in the same stage
//! before the event is written. What is not known here keeps the event.
use super::effect::TRANSFER;
use super::guard::{self, ALL_MARKS, Params as _, TESTS, number_of, text};
use super::tables::Sifter;
use super::text::place;
use super::{Guard, Verdict, admits, opens};
use crate::event::Event;
use crate::lane::CRITICAL;
use crate::scratch::EVENT_AT;
use crate::{get, set, table};

/// The sieve has kept an event: `State::sift`, 0 at first.
const KEPT: u8 = 1;

/// Whether the sieve is asked before an event's path is walked: not of opens, which are asked for
/// their names as well.
#[inline(always)]
pub fn asks<K: Sifter>(e: &mut Event<K>) -> bool {
    let code = e.state().code;
    !is_open(code) && e.k.guard(code).is_some_and(|guard| guard.verdict == ASK)
}

pub const DROP: u8 = Verdict::Drop as u8;
pub const ASK: u8 = Verdict::Ask as u8;

/// What is to be done with a finished event.
pub enum Fate {
    Written,
    /// It is counted already.
    Dropped,
    /// The stage has to decide.
    Asked,
}

/// What the guard of a finished event says, as far as it was asked.
#[inline(always)]
pub fn fate<K: Sifter>(e: &mut Event<K>) -> Fate {
    let code = e.state().code;
    let Some(guard) = e.k.guard(code) else { return Fate::Written };
    match guard.verdict {
        DROP => {
            e.k.count_sifted(code);
            Fate::Dropped
        }
        ASK if e.state().sift != KEPT => Fate::Asked,
        _ => {
            // All is written; what an event that uses the file is asked for, it is asked later.
            if is_open(code) {
                opens::note_kept(e);
            }
            Fate::Written
        }
    }
}

/// The stage that decides: whether the event is kept, and counts it where not.
#[inline(always)]
pub fn keeps<K: Sifter>(e: &mut Event<K>) -> bool {
    let code = e.state().code;
    let Some(guard) = e.k.guard(code) else { return true };
    let kept = if e.state().sift == KEPT {
        opens::keeps_used(e, guard)
    } else {
        !note_facts(e, guard)
            || if is_open(code) {
                opens::keeps(e, guard)
            } else {
                numbers_admit(e, guard) || transfers(e, guard)
            }
    };
    e.state().sift = KEPT;
    if !kept {
        e.k.count_sifted(code);
    }
    kept
}

/// Whether a message behind the first of its batch is kept; it is counted where not.
#[inline(always)]
pub fn keeps_message<K: Sifter>(e: &mut Event<K>) -> bool {
    let code = e.state().code;
    let Some(guard) = e.k.guard(code) else { return true };
    let kept = match guard.verdict {
        DROP => false,
        ASK => !note_facts(e, guard) || numbers_admit(e, guard),
        _ => true,
    };
    if !kept {
        e.k.count_sifted(code);
    }
    kept
}

/// The parameters as they stand in the event.
struct Written {
    base: *const u8,
}

impl guard::Params for Written {
    #[inline(always)]
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
        // SAFETY: the base is that of an event's block.
        let (at, length) = unsafe { place(self.base, param) };
        // SAFETY: masked, and more than eight bytes lie behind.
        number_of(length, form, || unsafe {
            (self.base.add(EVENT_AT + at) as *const u64).read_unaligned()
        })
    }
}

/// Whether an event may be of use by its numbers, whatever its names are; where it is by them
/// alone, the event is critical.
#[inline(always)]
pub fn numbers_admit<K: Sifter>(e: &mut Event<K>, guard: &Guard) -> bool {
    let facts = get!(e.state().facts);
    if guard::admits_any(guard, facts) {
        // What a rule can match is what must not be lost.
        e.state().lane = CRITICAL;
        return true;
    }
    let kept = guard.texts[0].kind != text::NONE && admits(guard, facts, ALL_MARKS);
    if kept && guard.texts[0].kind == text::DESCRIPTOR && guard.texts[1].kind == text::NONE {
        e.state().by_name = 1;
    }
    kept
}

/// Whether the event moves data, which tells the tables of sockets: it is asked by what its file
/// is, once that is known.
#[inline(always)]
fn transfers<K: Sifter>(e: &mut Event<K>, guard: &Guard) -> bool {
    let moves = guard.effect == TRANSFER;
    if moves {
        e.state().by_name = 1;
    }
    moves
}

/// Notes the facts of an event; false where it has odd parameters. All is kept in the block: in
/// registers, each answer would double the ways that a verifier follows.
#[inline(always)]
pub fn note_facts<K: Sifter>(e: &mut Event<K>, guard: &Guard) -> bool {
    let written = Written { base: e.base() };
    set!(e.state().facts, 0);
    for at in 0..TESTS {
        let Some(test) = guard.test(at) else { break };
        let Some((value, present)) = written.number(test.param, test.form) else { return false };
        let state = e.state();
        set!(state.value, value);
        set!(state.present, u32::from(present));
        if test.holds(get!(state.value), get!(state.present) != 0) {
            set!(state.facts, get!(state.facts) | 1 << (test.bit & 31));
        }
    }
    true
}

#[inline(always)]
pub fn is_open(code: u16) -> bool {
    matches!(
        code,
        table::SYSCALL_OPEN_X
            | table::SYSCALL_OPENAT_2_X
            | table::SYSCALL_OPENAT2_X
            | table::SYSCALL_CREAT_X
    )
}
