//! Maps, and how a finished event gets into its lane's ring.
use core::ffi::c_void;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, ProgramArray, RingBuf};
use probe::event::{Event, Next};
use probe::kernel::Kernel;
use probe::lane::CRITICAL;
use probe::scratch::SCRATCH_BYTES;
use probe::{files, lookup, path, stage};

use crate::bpf_kernel::Bpf;
use crate::budget;
use crate::sieve::{self, Fate};

/// Sizes are set by the loader.
#[map]
static CRITICAL_RING: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
static BULK_RING: RingBuf = RingBuf::with_byte_size(4096, 0);
/// One block per CPU: an ordinary array, since per-CPU values end at 32 KiB. Programs here run
/// with preemption off and never inside each other, so a block has one user at a time.
#[map]
static SCRATCH: Array<[u8; SCRATCH_BYTES]> = Array::with_max_entries(1, 0);
#[map]
static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);
/// What each call number goes to, for the 64-bit entry in the low half, for the 32-bit entry in the
/// high one: a slot in PROGRAMS (0: nobody wants it), the call's generic code above. One look tells
/// most calls that nobody wants, without asking which entry they took.
#[map]
pub static ROUTES: Array<u64> = Array::with_max_entries(CALLS, 0);
pub const CALLS: u32 = 512;
/// Programs that continue a system call's event; a program array holds one kind of programs, so
/// the start of a program (another tracepoint) has its own.
#[map]
pub static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(256, 0);
#[map]
pub static EXEC_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(16, 0);

/// Per CPU; sequence numbers rise with every event that should be recorded, lost ones included.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Counters {
    pub events: u64,
    pub lost: [u64; 2],
    pub truncated: u64,
    pub sequence: [u64; 2],
    /// Of the lost ones of the critical lane, those over the budget of their process.
    pub excess: u64,
    /// Names that were looked up, and those of them that led nowhere.
    pub named: u64,
    pub unresolved: u64,
}

/// When the reader was last woken.
#[map]
static LAST_WAKE: Array<u64> = Array::with_max_entries(1, 0);

/// Waking the reader for each event would cost more than the event. It is woken at most so often:
/// for some time after it has read something it looks by itself (READER_LOOKS in bindings-rs,
/// which must be longer), so what comes meanwhile is not forgotten.
const WAKE_NS: u64 = 10_000_000;
/// Much that waits is a reason to wake it earlier.
const WAKE_SOON_NS: u64 = 1_000_000;
const WAKE_SOON_BYTES: u64 = 256 * 1024;
const BLOCK_TYPE: u32 = 0x216;
/// Block type, block length, CPU.
const BLOCK_HEAD: usize = 10;

/// This CPU's block.
#[inline(always)]
pub fn scratch() -> Option<*mut u8> {
    // SAFETY: a helper without arguments.
    SCRATCH.get_ptr_mut(unsafe { bpf::bpf_get_smp_processor_id() }).map(|block| block.cast())
}

/// Ends the event with our parameters and hands it to the reader; counts it as lost where the
/// ring is full, its process has used up its share of it, or the event outgrew its block.
#[inline(always)]
pub fn emit(e: &mut Event<Bpf>, own: u32) {
    let Some(counters) = COUNTERS.get_ptr_mut(0) else { return };
    // SAFETY: a map's value, of this CPU alone.
    let counters = unsafe { &mut *counters };
    let critical = e.state().lane == CRITICAL;
    let lane = if critical { 0 } else { 1 };
    let sequence = counters.sequence[lane] + 1;
    counters.sequence[lane] = sequence;
    if e.state().truncated != 0 {
        counters.truncated += 1;
    }
    // SAFETY: a helper without arguments.
    let bytes = e.finish(own, sequence, unsafe { bpf::bpf_get_smp_processor_id() });
    let ring = if critical { &raw const CRITICAL_RING } else { &raw const BULK_RING };
    let failed = if bytes == 0 || !e.is_whole() {
        -1
    } else if critical && budget::refuses(e, ring) {
        counters.excess += 1;
        -1
    } else {
        // SAFETY: the ring is a map of this object, and the block holds the bytes that `finish`
        // returned.
        unsafe {
            let wake = wake(ring, e.time());
            bpf::bpf_ringbuf_output(ring as *mut _, e.block().cast(), bytes as u64, wake)
        }
    };
    if failed == 0 {
        counters.events += 1;
    } else {
        counters.lost[lane] += 1;
    }
}

/// Whether an event of this time wakes the reader. Two CPUs may both say yes: that is harmless.
#[inline(always)]
unsafe fn wake(ring: *const RingBuf, now: u64) -> u64 {
    let Some(last) = LAST_WAKE.get_ptr_mut(0) else { return 0 };
    let since = now.wrapping_sub(*last);
    if since > WAKE_NS
        || since > WAKE_SOON_NS && bpf::bpf_ringbuf_query(ring as *mut _, 0) > WAKE_SOON_BYTES
    {
        *last = now;
        return u64::from(aya_ebpf::bindings::BPF_RB_FORCE_WAKEUP);
    }
    u64::from(aya_ebpf::bindings::BPF_RB_NO_WAKEUP)
}

/// Goes on with an event as its filler said.
#[inline(always)]
pub fn follow<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>, next: Next) {
    match next {
        Next::Emit => finish(ctx, programs, e, 0),
        Next::EmitOne => finish(ctx, programs, e, 1),
        Next::EmitAndRepeat => {
            e.state().repeats = 1;
            write_out(ctx, programs, e, 0);
        }
        Next::EmitOwn => {
            let own = e.state().own;
            emit(e, own);
            repeat(ctx, programs, e);
        }
        Next::Drop => {}
        Next::Walk => {
            e.save();
            // SAFETY: the context is the one that this program was given.
            unsafe {
                let _ = programs.tail_call(ctx, stage::START);
            }
            if e.state().then == stage::FILES {
                return without_rest(e);
            }
            lose(e);
        }
        Next::LookUp => {
            e.save();
            // SAFETY: the context is the one that this program was given.
            unsafe {
                let _ = programs.tail_call(ctx, stage::LOOK_UP);
            }
            // This kernel cannot: the reader joins the names, as far as that leads.
            finish(ctx, programs, e, 0);
        }
        Next::Stage(number) => {
            e.save();
            // SAFETY: the context is the one that this program was given.
            unsafe {
                let _ = programs.tail_call(ctx, number);
            }
            if number == stage::FILES {
                return without_rest(e);
            }
            lose(e);
        }
    }
}

/// Hands a finished event to the reader, unless the sieve keeps it back. `own` of our parameters
/// are written.
#[inline(always)]
fn finish<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>, own: u32) {
    match sieve::fate(e) {
        Fate::Written => write_out(ctx, programs, e, own),
        Fate::Dropped => {}
        Fate::Asked => {
            e.state().own = own;
            e.save();
            // SAFETY: the context is the one that this program was given.
            unsafe {
                let _ = programs.tail_call(ctx, stage::SIFT);
            }
            // The kernel allows no further stage: what was not asked is kept.
            write_out(ctx, programs, e, own);
        }
    }
}

/// The stage in which the sieve looks at names.
#[inline(always)]
pub fn sift<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch() else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if sieve::keeps(&mut e) {
        let own = e.state().own;
        write_out(ctx, programs, &mut e, own);
    }
}

/// Writes an event that is whole but for our own parameters behind the first `own`. What the kernel
/// knows of its descriptors, where it has some, is put behind those by a stage of its own.
#[inline(always)]
fn write_out<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>, own: u32) {
    if e.state().file_count != 0 {
        e.state().own = own;
        e.save();
        // SAFETY: the context is the one that this program was given.
        unsafe {
            let _ = programs.tail_call(ctx, stage::FILES);
        }
        // The kernel allows no further stage: the reader has to do without.
    }
    emit(e, own);
    repeat(ctx, programs, e);
}

/// The kernel allows no further stage: what is written of the descriptors must do.
#[inline(always)]
fn without_rest(e: &mut Event<Bpf>) {
    files::close(e);
    let own = e.state().own;
    emit(e, own);
}

/// Goes on with the next message of a batch, where there is one.
#[inline(always)]
fn repeat<C: EbpfContext>(ctx: &C, programs: &ProgramArray, e: &mut Event<Bpf>) {
    if e.state().repeats == 0 {
        return;
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, e.state().slot);
    }
    // The kernel lets a program go on 33 times: the messages behind are counted as lost.
    let left = e.state().ret - i64::from(e.state().index);
    let lane = e.state().lane;
    count_lost(lane, if left > 0 { left as u64 } else { 0 });
}

/// A stage that is not there: the event is lost, and counted.
#[inline(always)]
pub fn lose(e: &mut Event<Bpf>) {
    count_lost(e.state().lane, 1);
}

/// Counts events of a lane that the reader will not get.
#[inline(always)]
pub fn count_lost(lane: u8, events: u64) {
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        let lane = if lane == CRITICAL { 0 } else { 1 };
        // SAFETY: this CPU's own counters, and nothing else runs on it meanwhile.
        unsafe {
            (*counters).lost[lane] += events;
            (*counters).sequence[lane] += events;
        }
    }
}

/// The program before the walk of each path.
#[inline(always)]
pub fn start<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch() else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if e.state().place == 0
        && e.state().then == stage::EMIT_WITH_PATHS
        && sieve::drops_early(&mut e)
    {
        return;
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
    let Some(block) = scratch() else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if !path::pass(&mut e) {
        // SAFETY: the context is the one that this program was given.
        unsafe {
            let _ = programs.tail_call(ctx, stage::WALK);
        }
        // The kernel allows no further pass: what there is must do.
        path::cut(&mut e);
    }
    path::write(&mut e);
    match path::next(&mut e) {
        Next::Stage(stage::EMIT_WITH_PATHS) => {
            let paths = e.state().place_count;
            finish(ctx, programs, &mut e, paths);
        }
        next => follow(ctx, programs, &mut e, next),
    }
}

/// Looks the call's names up, then has their paths written.
#[inline(always)]
pub fn look_up<C: EbpfContext>(ctx: &C, programs: &ProgramArray) {
    let Some(block) = scratch() else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if sieve::drops_early(&mut e) {
        return;
    }
    lookup::start(&mut e);
    // SAFETY: the kernel calls the step back while this program runs.
    unsafe {
        let step = look_up_step as *const () as *mut c_void;
        bpf::bpf_loop(lookup::STEPS, step, core::ptr::null_mut(), 0);
    }
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        // SAFETY: a map's value, of this CPU alone.
        unsafe {
            (*counters).named += u64::from(e.state().place_count);
            (*counters).unresolved += u64::from(lookup::unknown(&mut e));
        }
    }
    path::start(&mut e);
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = programs.tail_call(ctx, stage::WALK);
    }
    lose(&mut e);
}

/// One step of a look-up; 1 ends the loop. Linux 5.17 and later have the loop.
unsafe extern "C" fn look_up_step(_index: u64, _none: *mut c_void) -> i64 {
    let Some(block) = scratch() else { return 1 };
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
    let Some(block) = scratch() else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    let next = filler(&mut e);
    follow(ctx, programs, &mut e, next);
}

/// Whether the current task is the one that reads the events.
#[inline(always)]
pub fn is_self() -> bool {
    (Bpf.tgid_tid() >> 32) as u32 == probe::setting!(Bpf, self_tgid)
}

const _: () = assert!(BLOCK_HEAD == probe::event::BLOCK_HEAD && BLOCK_TYPE == probe::event::BLOCK);
