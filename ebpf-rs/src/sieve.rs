//! The sieve before the rings (probe-rs/src/sieve): an event that no rule can use is not written.
//! In: an event with its parameters, later with its paths. Out: whether it goes on.
//!
//! Numbers are asked before a path is walked, names in a stage of their own before the event is
//! written. An open has two names, the kernel's and the caller's: it is kept where the rules can
//! use either. What is not known here, such as the directory of a relative name, keeps the event.
use core::ffi::c_void;

use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray};
use probe::event::{Event, HEADER_BYTES, OWN_PARAMS};
use probe::lane::CRITICAL;
use probe::scratch::{EVENT_AT, EVENT_MASK, SCRATCH_BYTES, STRING_BYTES, State};
use probe::sieve::guard::{self, ALL_MARKS, Params as _, TESTS, number_of, text};
use probe::sieve::names::{IRREGULAR, STRIDE};
use probe::sieve::{Guard, Names, Verdict, Walk, admits};
use probe::{get, set, table};

use crate::bpf_kernel::Bpf;

/// One guard for each event code. The loader fills them before anything is attached: zeros would
/// drop everything.
#[map]
static GUARDS: Array<Guard> = Array::with_max_entries(CODES, 0);
/// The automaton over names; exchanged only while every guard keeps everything.
#[map]
static NAMES: Array<Names> = Array::with_max_entries(1, 0);
/// Events that were kept back, by code.
#[map]
static SIFTED: PerCpuArray<u64> = PerCpuArray::with_max_entries(CODES, 0);
const CODES: u32 = table::PARAM_COUNTS.len() as u32;

/// How far the sieve is with an event: `State::sift`, 0 at first.
const NAMES_ASKED: u8 = 1;
const KEPT: u8 = 2;

#[inline(always)]
pub fn guard_of(code: u16) -> Option<&'static Guard> {
    // SAFETY: a map's value lives as long as the map.
    GUARDS.get_ptr(u32::from(code)).map(|guard| unsafe { &*guard })
}

/// Whether an event's numbers are to be asked before its path is walked.
#[inline(always)]
pub fn asks(e: &mut Event<Bpf>) -> bool {
    let code = e.state().code;
    guard_of(code).is_some_and(|guard| guard.verdict == ASK)
}

#[inline(always)]
pub fn names() -> Option<&'static Names> {
    // SAFETY: as above.
    NAMES.get_ptr(0).map(|names| unsafe { &*names })
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
pub fn fate(e: &mut Event<Bpf>) -> Fate {
    let code = e.state().code;
    let Some(guard) = guard_of(code) else { return Fate::Written };
    match guard.verdict {
        DROP => {
            count(code);
            Fate::Dropped
        }
        ASK if e.state().sift != KEPT => Fate::Asked,
        _ => Fate::Written,
    }
}

/// The stage that decides: whether the event is kept, and counts it where not. Its names are asked
/// once `State::own` of our parameters are written (`is_whole`).
#[inline(always)]
pub fn keeps(e: &mut Event<Bpf>, is_whole: bool) -> bool {
    let (code, own) = (e.state().code, e.state().own);
    let Some(guard) = guard_of(code) else { return true };
    let mut kept = e.state().sift != 0 || ask_numbers(e, guard);
    if kept && is_whole && e.state().sift != KEPT {
        kept = names_admit(e, guard, own);
        e.state().sift = KEPT;
    }
    if !kept {
        count(code);
    }
    kept
}

#[inline(always)]
pub fn count(code: u16) {
    if let Some(counter) = SIFTED.get_ptr_mut(u32::from(code)) {
        // SAFETY: a map's value, of this CPU alone.
        unsafe { *counter += 1 };
    }
}

/// The parameters as they stand in the event.
struct Written {
    base: *const u8,
}

impl guard::Params for Written {
    #[inline(always)]
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
        let (at, length) = place(self.base, param);
        // SAFETY: masked, and more than eight bytes lie behind.
        number_of(length, form, || unsafe {
            (self.base.add(EVENT_AT + at) as *const u64).read_unaligned()
        })
    }
}

/// Where a parameter begins in the event, and its bytes.
#[inline(always)]
fn place(base: *const u8, param: u8) -> (usize, usize) {
    let param = (param & 31) as usize;
    // SAFETY: the State and the lengths lie in the block, see scratch.rs.
    unsafe {
        let state = base as *const State;
        let at = (&raw const (*state).starts).cast::<u16>().add(param).read_volatile();
        let lengths = base.add(EVENT_AT + HEADER_BYTES) as *const u16;
        (at as usize & EVENT_MASK, lengths.add(param).read_unaligned() as usize)
    }
}

/// Whether an event may be of use by its numbers; notes whether its names are to be asked.
#[inline(always)]
fn ask_numbers(e: &mut Event<Bpf>, guard: &Guard) -> bool {
    if !note_facts(e, guard) {
        e.state().sift = KEPT;
        return true;
    }
    let state = e.state();
    let facts = get!(state.facts);
    if guard.texts[0].kind == text::NONE {
        (state.sift, state.lane) = (KEPT, CRITICAL);
        return admits(guard, facts, 0);
    }
    let some = admits(guard, facts, ALL_MARKS);
    // Only opens are asked for their names: they are the ones that come in masses.
    state.sift = if is_open(state.code) { NAMES_ASKED } else { KEPT };
    if guard::admits_any(guard, facts) {
        // What a rule can match is what must not be lost.
        (state.sift, state.lane) = (KEPT, CRITICAL);
    }
    some
}

/// Notes the facts of an event; false where it has odd parameters. All is kept in the block: in
/// registers, each answer would double the ways that a verifier follows.
#[inline(always)]
fn note_facts(e: &mut Event<Bpf>, guard: &Guard) -> bool {
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

/// Whether the names of an event may be of use to a rule; where they are known to be, the event is
/// critical.
#[inline(always)]
fn names_admit(e: &mut Event<Bpf>, guard: &Guard, own: u32) -> bool {
    let State { facts, truncated, .. } = *e.state();
    if guard.texts[0].kind != text::PATH || guard.texts[1].kind != text::NONE {
        return true;
    }
    let Some(names) = NAMES.get_ptr(0) else { return true };
    let base = e.base().cast_const();
    let (at, length) = place(base, guard.texts[0].param);
    // A name that could not be read, or that was cut; and one whose directory is not known here.
    if length < 2 || length >= STRING_BYTES as usize || truncated != 0 {
        return true;
    }
    let caller = Text::of_event(base, at, length - 1);
    // SAFETY: masked.
    if unsafe { *base.add(EVENT_AT + at) } != b'/' {
        return true;
    }
    // SAFETY: a map's value.
    let (joined, raw) = unsafe { ((*names).joined, (*names).raw) };
    let mut is_same = false;
    let mut raw_marks = 0;
    if raw != 0 {
        let marks = caller.walk(names);
        raw_marks = marks & raw;
        if marks & IRREGULAR != 0 {
            return true;
        }
    }
    if own > 0 {
        // SAFETY: the header lies in the block.
        let count = unsafe { (base.add(EVENT_AT + 22) as *const u32).read_unaligned() };
        let (at, length) = place(base, (count as usize - OWN_PARAMS) as u8);
        if length < 2 {
            return true;
        }
        let kernel = Text::of_event(base, at, length - 1);
        let marks = kernel.walk(names);
        if marks & IRREGULAR != 0 {
            return true;
        }
        if admits(guard, facts, marks & joined | raw_marks) {
            e.state().lane = CRITICAL;
            return true;
        }
        is_same = kernel.is(&caller);
    }
    if is_same {
        return false;
    }
    // Walked anew where it was walked for the raw marks: to keep them until here is more than the
    // verifier of 6.1 can follow.
    let marks = caller.walk(names);
    if marks & IRREGULAR != 0 {
        return true;
    }
    let admitted = admits(guard, facts, marks & joined | raw_marks);
    if admitted {
        e.state().lane = CRITICAL;
    }
    admitted
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

/// Bytes in a window of the block, without their NUL.
#[derive(Clone, Copy)]
pub struct Text {
    /// Where the window begins.
    base: *const u8,
    at: u32,
    bytes: u32,
}

/// The last window of the block in which a masked position and eight bytes find room.
const BEHIND_AT: usize = SCRATCH_BYTES - EVENT_MASK - 1 - STRIDE;

/// What a step of a loop works on. The kernel's own loop calls back for each stride, so that
/// verifiers look at a step a few times only, however long a name may be.
struct Reading {
    walk: Walk,
    names: *const Names,
    base: *const u8,
    at: u32,
    other: u32,
    left: u32,
    differs: u64,
}

#[inline(always)]
fn stride(reading: &Reading, at: u32, index: u64) -> u64 {
    let at = at as usize + index as usize * STRIDE;
    // SAFETY: masked, and more than eight bytes lie behind.
    unsafe { (reading.base.add(at & EVENT_MASK) as *const u64).read_unaligned() }
}

unsafe extern "C" fn walk_on(index: u64, reading: *mut c_void) -> i64 {
    // SAFETY: the reading of the loop's caller.
    unsafe {
        let reading = &mut *reading.cast::<Reading>();
        let bytes = stride(reading, reading.at, index);
        let left = (reading.left as usize).wrapping_sub(index as usize * STRIDE);
        reading.walk.last_stride(&*reading.names, bytes, left);
    }
    0
}

unsafe extern "C" fn compare_on(index: u64, reading: *mut c_void) -> i64 {
    // SAFETY: the reading of the loop's caller.
    unsafe {
        let reading = &mut *reading.cast::<Reading>();
        let left = (reading.left as usize).wrapping_sub(index as usize * STRIDE);
        let bits = (left as u32 & 7) * 8;
        let mask = if left >= STRIDE { u64::MAX } else { (1 << bits) - 1 };
        let (a, b) = (stride(reading, reading.at, index), stride(reading, reading.other, index));
        reading.differs |= (a ^ b) & mask;
    }
    0
}

impl Text {
    #[inline(always)]
    fn of_event(block: *const u8, at: usize, bytes: usize) -> Self {
        // SAFETY: within the block.
        let base = unsafe { block.add(EVENT_AT) };
        Self { base, at: at as u32, bytes: bytes as u32 }
    }

    /// Bytes in the areas behind the event; `at` is counted from the block's start.
    #[inline(always)]
    pub fn behind_event(block: *const u8, at: usize, bytes: usize) -> Self {
        // SAFETY: within the block.
        let base = unsafe { block.add(BEHIND_AT) };
        Self { base, at: at.wrapping_sub(BEHIND_AT) as u32, bytes: bytes as u32 }
    }

    #[inline(always)]
    pub fn walk(&self, names: *const Names) -> u64 {
        // SAFETY: a map's value.
        let walk = Walk::begin(unsafe { &*names });
        let (at, left) = (self.at, self.bytes);
        let mut reading = Reading { walk, names, base: self.base, at, other: 0, left, differs: 0 };
        repeat(walk_on, &mut reading);
        // SAFETY: as above.
        reading.walk.end(unsafe { &*names })
    }

    #[inline(always)]
    pub fn is(&self, other: &Text) -> bool {
        if self.bytes != other.bytes {
            return false;
        }
        let mut reading = Reading {
            walk: Walk::default(),
            names: core::ptr::null(),
            base: self.base,
            at: self.at,
            other: other.at,
            left: self.bytes,
            differs: 0,
        };
        repeat(compare_on, &mut reading);
        reading.differs == 0
    }
}

#[inline(always)]
fn repeat(step: unsafe extern "C" fn(u64, *mut c_void) -> i64, reading: &mut Reading) {
    let times = reading.left.div_ceil(STRIDE as u32);
    // SAFETY: the step takes a Reading.
    unsafe { bpf::bpf_loop(times, step as *mut c_void, (&raw mut *reading).cast(), 0) };
}
