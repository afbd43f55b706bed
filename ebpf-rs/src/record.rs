//! Maps, and how a finished event gets into its lane's ring.
use aya_ebpf::bindings::{
    BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP, BPF_RB_RING_SIZE,
};
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, ProgramArray, RingBuf};
use probe::counters::{self, Counters, ROWS, row};
use probe::event::Event;
use probe::kernel::Kernel;
use probe::lane::CRITICAL;
use probe::routes::CALLS;
use probe::scratch::{EVENT_AT, VIA_IO_URING};
use probe::wake;

pub use crate::block::scratch;
use crate::bpf_kernel::Bpf;
use crate::budget;
use crate::sieve::CODES;

/// Sizes are set by the loader.
#[map]
static CRITICAL_RING: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
static BULK_RING: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(ROWS, 0);
/// Events that were lost, by row and code.
#[map]
static LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(ROWS * CODES, 0);
/// What each call number goes to (probe::routes). One look tells most calls that nobody wants,
/// without asking which entry they took.
#[map]
pub static ROUTES: Array<u64> = Array::with_max_entries(CALLS, 0);
/// Programs that continue a system call's event; a program array holds one kind of programs, so
/// the start of a program (another tracepoint) has its own.
#[map]
pub static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(256, 0);
#[map]
pub static EXEC_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(256, 0);
/// Programs of io_uring's events, in the slots of `PROGRAMS` as far as they are stages.
#[map]
pub static RING_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(256, 0);

/// By the clock of events: when the reader was last woken or has last read, which it tells itself,
/// and when it was last woken for what hurries.
#[map]
static LAST_WAKE: Array<u64> = Array::with_max_entries(2, 0);

const BLOCK_TYPE: u32 = 0x216;
/// Block type, block length, CPU.
const BLOCK_HEAD: usize = 10;

/// The row of what a tail call into these programs goes on with.
#[inline(always)]
pub fn row_of(programs: &ProgramArray) -> u32 {
    if core::ptr::eq(programs, &raw const EXEC_PROGRAMS) {
        row::STARTS
    } else if core::ptr::eq(programs, &raw const RING_PROGRAMS) {
        row::RINGS
    } else {
        row::CALLS
    }
}

/// Ends the event with our own parameters and hands it to the reader; counts it as lost where the
/// ring is full, its process has used up its share of it, or the event outgrew its block.
#[inline(always)]
pub fn emit(e: &mut Event<Bpf>, own: u32) {
    emit_as(e, |e, sequence, cpu| {
        let bytes = e.finish(own, sequence, cpu);
        (e.block(), bytes, e.time())
    });
}

/// The same, where `finish` makes the block: where it is, its bytes (0: it outgrew its room), the
/// event's time.
#[inline(always)]
pub fn emit_as(
    e: &mut Event<Bpf>,
    finish: impl FnOnce(&mut Event<Bpf>, u64, u32) -> (*mut u8, usize, u64),
) {
    let row = counters::row_of(e.state());
    let Some(counters) = COUNTERS.get_ptr_mut(row) else { return };
    // SAFETY: a map's value, of this CPU and row alone.
    let counters = unsafe { &mut *counters };
    let critical = e.state().lane == CRITICAL;
    let lane = if critical { 0 } else { 1 };
    let sequence = counters.sequence[lane] + 1;
    counters.sequence[lane] = sequence;
    if e.state().truncated != 0 {
        counters.truncated += 1;
    }
    // SAFETY: a helper without arguments.
    let cpu = unsafe { bpf::bpf_get_smp_processor_id() };
    let (block, bytes, time) = finish(e, sequence | u64::from(row) << row::AT, cpu);
    let ring = if critical { &raw const CRITICAL_RING } else { &raw const BULK_RING };
    let whole = bytes != 0 && e.is_whole();
    if e.state().via == VIA_IO_URING {
        let asker = e.state().asker;
        // SAFETY: the header lies in the block.
        unsafe { (e.base().add(EVENT_AT + 8) as *mut u64).write_unaligned(asker) };
    }
    let failed = if !whole {
        -1
    } else if critical && budget::refuses(e, ring) {
        counters.excess += 1;
        -1
    } else {
        // SAFETY: the ring is a map of this object, and the block holds the bytes that `finish`
        // returned.
        unsafe {
            let wake = how_to_wake(ring, time, wake::hurries(e.state().lane, e.state().code));
            bpf::bpf_ringbuf_output(ring as *mut _, block.cast(), bytes as u64, wake)
        }
    };
    if failed == 0 {
        counters.events += 1;
    } else {
        counters.lost[lane] += 1;
        count_code(row, e.state().code, 1);
    }
}

/// Whether an event of this time wakes the reader. Two CPUs may both say yes: that is harmless. The
/// reader may have read after the event began: then it looks again soon enough.
#[inline(always)]
unsafe fn how_to_wake(ring: *const RingBuf, now: u64, hurries: bool) -> u64 {
    let (Some(last), Some(hurried)) = (LAST_WAKE.get_ptr_mut(0), LAST_WAKE.get_ptr_mut(1)) else {
        return 0;
    };
    let since = now.saturating_sub(*last);
    let is_pressing = hurries && now.saturating_sub(*hurried) > wake::WAKE_NS;
    let waits_much = || {
        let ask = |what: u32| bpf::bpf_ringbuf_query(ring as *mut _, u64::from(what));
        wake::is_much(ask(BPF_RB_AVAIL_DATA), ask(BPF_RB_RING_SIZE))
    };
    if is_pressing || wake::is_due(since, wake::PATIENT_NS, waits_much) {
        *last = now;
        if hurries {
            *hurried = now;
        }
        return u64::from(BPF_RB_FORCE_WAKEUP);
    }
    u64::from(BPF_RB_NO_WAKEUP)
}

/// A stage that is not there: the event is lost, and counted.
#[inline(always)]
pub fn lose(e: &mut Event<Bpf>) {
    let (row, code) = (counters::row_of(e.state()), e.state().code);
    count_lost(row, e.state().lane, code, 1);
}

/// The code under which losses count whose event is not known.
pub const UNKNOWN_CODE: u16 = 0;

#[inline(always)]
fn count_code(row: u32, code: u16, events: u64) {
    if let Some(lost) = LOST.get_ptr_mut(row * CODES + u32::from(code)) {
        // SAFETY: a map's value, of this CPU and row alone.
        unsafe { *lost += events };
    }
}

/// Counts events of a row, lane and code that the reader will not get.
#[inline(always)]
pub fn count_lost(row: u32, lane: u8, code: u16, events: u64) {
    count_code(row, code, events);
    if let Some(counters) = COUNTERS.get_ptr_mut(row) {
        let lane = if lane == CRITICAL { 0 } else { 1 };
        // SAFETY: counters of this CPU and row, and nothing else of the row runs on it meanwhile.
        unsafe {
            (*counters).lost[lane] += events;
            (*counters).sequence[lane] += events;
        }
    }
}

/// Whether the current task is the one that reads the events.
#[inline(always)]
pub fn is_self() -> bool {
    (Bpf.tgid_tid() >> 32) as u32 == probe::setting!(Bpf, self_tgid)
}

const _: () = assert!(BLOCK_HEAD == probe::event::BLOCK_HEAD && BLOCK_TYPE == probe::event::BLOCK);
