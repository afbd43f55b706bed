//! How an event goes from its filler to the ring: the stages between, and what follows each. In: an
//! event in this CPU's block. Out: the next program of it, until it is written, kept back or lost.
use core::ffi::c_void;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::maps::ProgramArray;
use probe::counters::row;
use probe::event::{Event, Next};
use probe::sieve::ask::{self as sieve, Fate};
use probe::{further, lookup, path, stage, table};

use crate::bpf_kernel::Bpf;
use crate::record::{COUNTERS, EXEC_PROGRAMS, count_lost, emit, lose, row_of, scratch};

/// Goes on with an event as its filler said. Only the last stage writes it, so that the other
/// programs stay small.
#[inline(always)]
pub fn follow<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>, next: Next) {
    let stage = match next {
        Next::Drop => return,
        Next::Emit => stage::END,
        Next::EmitOne => {
            e.state().own = 1;
            stage::END
        }
        Next::EmitOwn => {
            e.state().told = 1;
            stage::END
        }
        Next::EmitAndRepeat => {
            e.state().repeats = 1;
            stage::END
        }
        Next::Walk => stage::START,
        Next::LookUp => stage::LOOK_UP,
        Next::Stage(number) => number,
    };
    e.save();
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, stage);
    }
    if stage == stage::FURTHER {
        // The event is told without them.
        (e.state().further, e.state().told) = (0, 1);
    }
    if stage == stage::LOOK_UP || stage == stage::FURTHER {
        // This kernel cannot: the reader joins the names, as far as that leads.
        // SAFETY: as above.
        unsafe {
            let _ = programs.tail_call(ctx, stage::END);
        }
    }
    lose(e);
}

/// As `follow`, from an event's own filler: what the sieve can say before paths are walked, it says
/// here.
#[inline(always)]
pub fn follow_filler<C: EbpfContext>(
    ctx: &C,
    programs: &ProgramArray,
    e: &mut Event<Bpf>,
    message: u32,
    next: Next,
) {
    match next {
        Next::EmitAndRepeat if message != 0 => {
            // Nothing else is told of it, and each stage is one message less.
            if sieve::keeps_message(e) {
                emit(e, 0);
            }
            e.state().repeats = 1;
            return repeat(ctx, programs, e);
        }
        Next::Walk | Next::LookUp if e.state().then == stage::EMIT_WITH_PATHS => {
            if sieve::asks(e) {
                let stage = if next == Next::Walk { stage::START } else { stage::LOOK_UP };
                e.state().after = stage;
                e.save();
                // SAFETY: the context is the one that this program was given.
                unsafe {
                    let _ = programs.tail_call(ctx, stage::SIFT);
                }
            }
        }
        _ => {}
    }
    follow(ctx, programs, e, next);
}

/// The last stage of a call's event: hands it to the reader, unless the sieve keeps it back. What
/// the kernel knows of its descriptors, where it has some, is put behind it by a stage before.
#[inline(always)]
pub fn end<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch(row_of(programs)) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if e.state().told == 0 {
        match sieve::fate(&mut e) {
            Fate::Written => {}
            Fate::Dropped => return,
            Fate::Asked => {
                e.state().after = stage::END;
                // SAFETY: the context is the one that this program was given.
                unsafe {
                    let _ = programs.tail_call(ctx, stage::SIFT);
                }
                // It is not there: what was not asked is kept.
            }
        }
        if e.state().file_count != 0 || e.state().further != 0 {
            // SAFETY: as above.
            unsafe {
                let _ = programs.tail_call(ctx, stage::FILES);
            }
            // It is not there: the reader has to do without.
        }
    }
    let own = e.state().own;
    emit(&mut e, own);
    repeat(ctx, programs, &mut e);
}

/// The last stage of a program's start, which is always told.
#[inline(always)]
pub fn end_of_start<C: EbpfContext>(ctx: &C) {
    let Some(block) = scratch(row::STARTS) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if e.state().further != 0 {
        // It comes back here.
        // SAFETY: the context is the one that this program was given.
        unsafe {
            let _ = EXEC_PROGRAMS.tail_call(ctx, stage::FURTHER);
        }
    }
    if e.state().long != 0 {
        // SAFETY: as above.
        unsafe {
            let _ = EXEC_PROGRAMS.tail_call(ctx, stage::LONG);
        }
        // It is not there: the lists stay cut.
    }
    let own = e.state().own;
    emit(&mut e, own);
}

/// The stage in which the sieve is asked; it comes back to where the event was.
#[inline(always)]
pub fn sift<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch(row_of(programs)) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    let after = e.state().after;
    if !sieve::keeps(&mut e) {
        return;
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, after);
    }
    if after == stage::LOOK_UP {
        // SAFETY: as above.
        unsafe {
            let _ = programs.tail_call(ctx, stage::END);
        }
    }
    lose(&mut e);
}

/// Goes on with the next message of a batch, where there is one.
#[inline(always)]
fn repeat<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>) {
    if e.state().repeats == 0 {
        return also(ctx, programs, e);
    }
    let sent = e.state().code == table::SOCKET_SENDMMSG_X;
    // SAFETY: the context is the one that this program was given.
    unsafe {
        if e.state().index == 1 {
            let _ = programs.tail_call(ctx, if sent { stage::SENT } else { stage::RECEIVED });
        }
        // A kernel without loops.
        let _ = programs.tail_call(ctx, e.state().slot);
    }
    // It lets a program go on 33 times: the messages behind are counted as lost.
    let left = e.state().ret - i64::from(e.state().index);
    let (lane, code) = (e.state().lane, e.state().code);
    count_lost(row_of(programs), lane, code, if left > 0 { left as u64 } else { 0 });
}

/// Goes on with the second event of a call that is told as an older one too.
#[inline(always)]
fn also<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>) {
    let slot = e.state().also;
    if slot == 0 {
        return;
    }
    let state = e.state();
    state.also = 0;
    state.slot = slot;
    state.via = state.also_via;
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, slot);
    }
    lose(e);
}

/// The program before the walk of each path.
#[inline(always)]
pub fn start<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch(row_of(programs)) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    path::start(&mut e);
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, stage::WALK);
    }
    lose(&mut e);
}

/// The walk's program: a pass, then another, the next path, or the end of the event.
#[inline(always)]
pub fn walk<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch(row_of(programs)) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if !path::pass(&mut e) {
        let passes = e.state().passes + 1;
        e.state().passes = passes;
        if passes < path::most(&mut e) {
            // SAFETY: the context is the one that this program was given.
            unsafe {
                let _ = programs.tail_call(ctx, stage::WALK);
            }
        }
        // SAFETY: as above.
        unsafe {
            let _ = programs.tail_call(ctx, stage::FAR);
        }
        // No further pass: what there is must do.
        path::cut(&mut e);
    }
    walked(ctx, programs, &mut e);
}

/// Goes on with a path that has more components than the passes are for.
#[inline(always)]
pub fn walk_far<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let mut row = row_of(programs);
    let Some(block) = scratch(row) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    // SAFETY: the kernel calls the step back while this program runs.
    let steps = unsafe {
        let step = climb_step as *const () as *mut c_void;
        bpf::bpf_loop(path::FAR, step, (&raw mut row).cast(), 0)
    };
    if steps >= i64::from(path::FAR) {
        path::cut(&mut e);
    }
    walked(ctx, programs, &mut e);
}

/// One step of a walk; 1 ends the loop.
unsafe extern "C" fn climb_step(_index: u64, row: *mut c_void) -> i64 {
    // SAFETY: the row that the loop was given.
    let row = unsafe { *row.cast::<u32>() };
    let Some(block) = scratch(row) else { return 1 };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if path::climb(&mut e) { 1 } else { 0 }
}

/// Writes the path and goes on with what follows it.
#[inline(always)]
fn walked<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>) {
    path::write(e);
    let next = match path::next(e) {
        Next::Stage(stage::EMIT_WITH_PATHS) => {
            let paths = e.state().place_count;
            e.state().own = paths;
            Next::Stage(stage::END)
        }
        next => next,
    };
    follow(ctx, programs, e, next);
}

/// Looks the call's names up, then has their paths written.
#[inline(always)]
pub fn look_up<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch(row_of(programs)) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    lookup::start(&mut e);
    let mut row = row_of(programs);
    // SAFETY: the kernel calls the step back while this program runs.
    unsafe {
        let step = look_up_step as *const () as *mut c_void;
        bpf::bpf_loop(lookup::STEPS, step, (&raw mut row).cast(), 0);
    }
    if let Some(counters) = COUNTERS.get_ptr_mut(row_of(programs)) {
        // SAFETY: a map's value, of this CPU alone.
        unsafe {
            (*counters).named += u64::from(e.state().place_count);
            (*counters).unresolved += u64::from(lookup::unknown(&mut e));
        }
    }
    let moved = lookup::entry(&e);
    further::note_looked_up(&mut e, moved);
    path::start(&mut e);
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, stage::WALK);
    }
    lose(&mut e);
}

/// One step of a look-up; 1 ends the loop. Linux 5.17 and later have the loop.
unsafe extern "C" fn look_up_step(_index: u64, row: *mut c_void) -> i64 {
    // SAFETY: the row that the loop was given.
    let row = unsafe { *row.cast::<u32>() };
    let Some(block) = scratch(row) else { return 1 };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if lookup::step(&mut e) { 1 } else { 0 }
}

/// A stage in the middle of an event.
#[inline(always)]
pub fn stage<C: EbpfContext>(
    ctx: &C,
    programs: &ProgramArray,
    filler: impl Fn(&mut Event<Bpf>) -> Next,
) {
    let Some(block) = scratch(row_of(programs)) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    let next = filler(&mut e);
    follow(ctx, programs, &mut e, next);
}
