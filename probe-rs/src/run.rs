//! A whole event in one go, for drivers that no verifier cuts into programs. In: a call that has
//! returned, in the State of a block, or what a tracepoint hands over. Out: its events, each
//! handed to the driver or kept back by the sieve.
//!
//! ebpf-rs/src/stages.rs does the same by tail calls; the stages are those of stage.rs.
use crate::event::{Event, Next};
use crate::gate::{Gate, drops, of};
use crate::scratch::State;
use crate::sieve::ask::{self as sieve, Fate};
use crate::sieve::tables::Sifter;
use crate::stage::{
    CGROUPS, CLONE_END, EMIT_WITH_PATHS, END, EXEC_END, EXEC_MIDDLE, FILES, FILLERS_AT, FURTHER,
    HANDLE_END, LOOK_UP, SIFT, START, WALK,
};
use crate::{cgroup, exec, exit, files, further, lane, lookup, open, path, process, table};

/// What becomes of events, and what is counted.
pub trait Driver: Sifter + Sized {
    /// Ends the event with our own parameters, of which the first `own` are written, and hands it
    /// to the reader; counts it as lost where that cannot be.
    fn emit(&self, e: &mut Event<Self>, own: u32);
    /// The same of a program's start whose arguments or environment are long (long.rs).
    fn emit_long(&self, e: &mut Event<Self>) {
        let own = e.state().own;
        self.emit(e, own);
    }
    /// Events of this lane and code will not come to the reader.
    fn count_lost(&self, lane: u8, code: u16, events: u64);
    /// So many names were looked up, and so many of them led nowhere.
    fn count_names(&self, named: u64, unresolved: u64);
    /// Whether a message behind the first of its batch is kept; it is counted where not.
    #[inline(always)]
    fn keeps_message(&self, e: &mut Event<Self>) -> bool {
        sieve::keeps_message(e)
    }
    /// Looks up what the call named (lookup.rs), for the places in the State; how many names led
    /// nowhere, and the inode of an entry that was moved (`lookup::entry`).
    #[inline(always)]
    fn look_up(&self, e: &mut Event<Self>) -> (u32, usize) {
        lookup::start(e);
        let _ = (0..lookup::STEPS).any(|_| lookup::step(e));
        (lookup::unknown(e), lookup::entry(e))
    }
}

/// No stage follows.
const DONE: u32 = 0;
/// Stages that an event can have, with room: a driver's memory may be anything.
const STAGES_MAX: u32 = 64;
/// Events of one call: a batch has 1024 messages (UIO_MAXIOV), and a younger call two events.
const EVENTS_MAX: u32 = 1100;

/// A call that has returned; its arguments, result and route (`routes::take`) stand in the State.
///
/// # Safety
/// `base` must be valid for SCRATCH_BYTES and used by nobody else meanwhile.
#[inline(never)]
pub unsafe fn call<K: Driver>(k: &K, base: *mut u8) {
    for _ in 0..EVENTS_MAX {
        // SAFETY: as the caller promises.
        unsafe {
            let slot = (*(base as *mut State)).slot;
            go_on(k, base, filler(k, base, slot));
            let state = &mut *(base as *mut State);
            if state.repeats != 0 {
                continue;
            }
            if state.also == 0 {
                return;
            }
            state.slot = state.also;
            state.via = state.also_via;
            state.also = 0;
            state.gated = 0;
        }
    }
}

/// A program was started (sched_process_exec), of which the kernel has `bprm`.
///
/// # Safety
/// As for `call`.
#[inline(never)]
pub unsafe fn started<K: Driver>(k: &K, base: *mut u8, bprm: usize) {
    const CODE: u16 = table::SYSCALL_EXECVE_19_X;
    // SAFETY: as the caller promises.
    let mut e = unsafe {
        let state = &mut *(base as *mut State);
        state.args = [0; 6];
        state.ret = 0;
        state.compat = 0;
        (state.via, state.also) = (0, 0);
        state.bprm = bprm;
        Event::begin(k, base, CODE, lane::of(CODE))
    };
    let next = exec::exec(&mut e);
    let stage = follow(&mut e, next);
    // SAFETY: as the caller promises.
    unsafe { go_on(k, base, stage) };
}

/// A thread has ended (sched_process_exit).
///
/// # Safety
/// As for `call`.
#[inline(never)]
pub unsafe fn ended<K: Driver>(k: &K, base: *mut u8) {
    const CODE: u16 = table::PROCEXIT_1_E;
    // SAFETY: as the caller promises.
    let mut e = unsafe {
        (*(base as *mut State)).via = 0;
        Event::begin(k, base, CODE, lane::of(CODE))
    };
    if exit::exit(&mut e) == Next::Emit {
        k.emit(&mut e, 0);
    }
}

/// What a tracepoint beside calls tells (traced.rs): `fill` writes the parameters.
///
/// # Safety
/// As for `call`.
#[inline(always)]
pub unsafe fn aside<K: Driver>(k: &K, base: *mut u8, code: u16, fill: impl FnOnce(&mut Event<K>)) {
    // SAFETY: as the caller promises.
    let mut e = unsafe {
        let state = &mut *(base as *mut State);
        (state.via, state.also, state.ret) = (0, 0, 0);
        Event::begin(k, base, code, lane::of(code))
    };
    fill(&mut e);
    e.save();
    if sieve::keeps_message(&mut e) {
        k.emit(&mut e, 0);
    }
}

/// From a stage to the end of the event.
unsafe fn go_on<K: Driver>(k: &K, base: *mut u8, first: u32) {
    let mut stage = first;
    for _ in 0..STAGES_MAX {
        if stage == DONE {
            return;
        }
        // SAFETY: as the caller promises.
        let mut e = unsafe { Event::resume(k, base) };
        stage = one(&mut e, stage);
    }
    // SAFETY: as the caller promises.
    let mut e = unsafe { Event::resume(k, base) };
    lose(&mut e);
}

fn lose<K: Driver>(e: &mut Event<K>) {
    let (lane, code) = (e.state().lane, e.state().code);
    e.k.count_lost(lane, code, 1);
}

/// What follows, as a filler said.
#[inline(always)]
fn follow<K: Driver>(e: &mut Event<K>, next: Next) -> u32 {
    let stage = match next {
        Next::Drop => DONE,
        Next::Emit => END,
        Next::EmitOne => {
            e.state().own = 1;
            END
        }
        Next::EmitOwn => {
            e.state().told = 1;
            END
        }
        Next::EmitAndRepeat => {
            e.state().repeats = 1;
            END
        }
        Next::Walk => START,
        Next::LookUp => LOOK_UP,
        Next::Stage(number) => number,
    };
    e.save();
    stage
}

/// The same of an event's own filler: what the sieve can say before paths are walked, it says here.
#[inline(always)]
fn follow_filler<K: Driver>(e: &mut Event<K>, message: u32, next: Next) -> u32 {
    if message != 0 && matches!(next, Next::Emit | Next::EmitAndRepeat) {
        // A message behind the first of its batch; of the descriptor the first has told.
        e.save();
        e.state().repeats = u32::from(next == Next::EmitAndRepeat);
        if e.k.keeps_message(e) {
            e.k.emit(e, 0);
        }
        return DONE;
    }
    let stage = follow(e, next);
    let walks = matches!(next, Next::Walk | Next::LookUp);
    if walks && e.state().then == EMIT_WITH_PATHS && sieve::asks(e) {
        e.state().after = stage;
        return SIFT;
    }
    stage
}

/// Whether the event is dropped before it is made.
#[inline(always)]
fn is_gated<K: Driver>(e: &mut Event<K>, code: u16) -> bool {
    match of(e, code) {
        Gate::Open => false,
        Gate::Closed => true,
        Gate::Asked => drops(e),
    }
}

macro_rules! fillers {
    ($($name:ident $code:ident $function:path;)*) => {
        #[allow(non_camel_case_types, reason = "fillers' own names")]
        #[repr(u32)]
        enum Place { $($name,)* }
        #[allow(non_upper_case_globals, reason = "fillers' own names")]
        mod place {
            $(pub const $name: u32 = super::Place::$name as u32;)*
        }
        /// Runs a filler; the stage that follows. Each is a function of its own, so that no frame
        /// on the stack is larger than one of them needs.
        unsafe fn filler<K: Driver>(k: &K, base: *mut u8, slot: u32) -> u32 {
            $(
                #[inline(never)]
                unsafe fn $name<K: Driver>(k: &K, base: *mut u8) -> u32 {
                    const CODE: u16 = table::$code;
                    // SAFETY: as the caller promises.
                    let mut e = unsafe { Event::begin(k, base, CODE, lane::of(CODE)) };
                    if !lane::is_life(CODE) && e.state().index == 0 {
                        if is_gated(&mut e, CODE) {
                            return DONE;
                        }
                        // SAFETY: as the caller promises.
                        e = unsafe { Event::begin(k, base, CODE, lane::of(CODE)) };
                    }
                    let message = e.state().index;
                    let next = $function(&mut e);
                    files::note(&mut e, CODE, message);
                    follow_filler(&mut e, message, next)
                }
            )*
            // SAFETY: as the caller promises.
            match slot.wrapping_sub(FILLERS_AT) {
                $(place::$name => unsafe { $name(k, base) },)*
                _ => DONE,
            }
        }
    };
}
crate::with_fillers!(fillers);

/// Stages that are one filler.
macro_rules! stages {
    ($($name:ident $function:path;)*) => {
        $(
            #[inline(never)]
            fn $name<K: Driver>(e: &mut Event<K>) -> u32 {
                let next = $function(e);
                follow(e, next)
            }
        )*
    };
}
stages! {
    cgroups cgroup::cgroups;
    clone_end process::clone_end;
    exec_middle exec::exec_middle;
    exec_end exec::exec_end;
    handle_end open::handle_end;
    descriptors files::files;
    further_names further::further;
}

/// Runs one stage; the one that follows.
fn one<K: Driver>(e: &mut Event<K>, stage: u32) -> u32 {
    match stage {
        START => {
            path::start(e);
            WALK
        }
        WALK => walk(e),
        LOOK_UP => look_up(e),
        SIFT => {
            let after = e.state().after;
            if sieve::keeps(e) { after } else { DONE }
        }
        CGROUPS => cgroups(e),
        CLONE_END => clone_end(e),
        EXEC_MIDDLE => exec_middle(e),
        EXEC_END => exec_end(e),
        HANDLE_END => handle_end(e),
        FILES => descriptors(e),
        FURTHER => further_names(e),
        END if e.state().bprm != 0 => end_of_start(e),
        END => end(e),
        _ => {
            lose(e);
            DONE
        }
    }
}

#[inline(never)]
fn walk<K: Driver>(e: &mut Event<K>) -> u32 {
    if !(0..path::FAR).any(|_| path::climb(e)) {
        path::cut(e);
    }
    path::write(e);
    let next = match path::next(e) {
        Next::Stage(EMIT_WITH_PATHS) => {
            let paths = e.state().place_count;
            e.state().own = paths;
            Next::Stage(END)
        }
        next => next,
    };
    follow(e, next)
}

#[inline(never)]
fn look_up<K: Driver>(e: &mut Event<K>) -> u32 {
    let k = e.k;
    let (unresolved, moved) = k.look_up(e);
    k.count_names(u64::from(e.state().place_count), u64::from(unresolved));
    further::note_looked_up(e, moved);
    START
}

/// The end of a call's event: handed over, unless the sieve keeps it back. What the kernel knows of
/// its descriptors, where it has some, comes before.
#[inline(never)]
fn end<K: Driver>(e: &mut Event<K>) -> u32 {
    if e.state().told == 0 {
        match sieve::fate(e) {
            Fate::Written => {}
            Fate::Dropped => return DONE,
            Fate::Asked => {
                e.state().after = END;
                return SIFT;
            }
        }
        if e.state().file_count != 0 || e.state().further != 0 {
            return FILES;
        }
    }
    let own = e.state().own;
    e.k.emit(e, own);
    DONE
}

/// The end of a program's start, which is always told.
fn end_of_start<K: Driver>(e: &mut Event<K>) -> u32 {
    if e.state().further != 0 && e.state().told == 0 {
        // It comes back here.
        return FURTHER;
    }
    if e.state().long != 0 {
        e.k.emit_long(e);
    } else {
        let own = e.state().own;
        e.k.emit(e, own);
    }
    DONE
}
