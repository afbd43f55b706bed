//! Who may still write into the critical ring when it fills up. In: an event that is about to be
//! written. Out: whether its process has used up its share, which is then counted by process.
//!
//! While the ring is less than half full nobody is asked. From there on each process has a purse
//! on each CPU: so many events at once, and as many again with time; where only a quarter of the
//! ring is left, an event costs more. A process that floods thus pays with its own events only,
//! and one that does a single thing is told. Starts and ends of processes are never refused.
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{LruPerCpuHashMap, PerCpuHashMap, RingBuf};
use probe::event::Event;
use probe::kernel::Kernel as _;
use probe::{lane, setting};

use crate::bpf_kernel::Bpf;

/// Events of one process on one CPU that a filling ring takes at once.
const PURSE: u64 = 512;
/// Nanoseconds in which an event more may be written.
const REFILL_NS: u64 = 100_000;
/// What an event costs where little room is left: 32 of a process fit then.
const DEAR: u64 = 16;

#[repr(C)]
#[derive(Clone, Copy)]
struct Purse {
    tokens: u64,
    at_ns: u64,
}

/// What a process lost over its purse on one CPU. The name is that of the thread that lost first,
/// and stands with the CPU on which it did.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Excess {
    pub lost: u64,
    pub comm: [u8; 16],
}

/// By process; those that were not seen for the longest time start anew.
#[map]
static PURSES: LruPerCpuHashMap<u32, Purse> = LruPerCpuHashMap::with_max_entries(1024, 0);
/// By process, taken out by the reader. What finds no room here is counted in the sum alone.
#[map]
static EXCESS: PerCpuHashMap<u32, Excess> = PerCpuHashMap::with_max_entries(256, 0);

/// Whether the critical ring has no room for this event of its process.
#[inline(always)]
pub fn refuses(e: &mut Event<Bpf>, ring: *const RingBuf) -> bool {
    // SAFETY: the ring is a map of this object.
    let waiting = unsafe { bpf::bpf_ringbuf_query(ring as *mut _, 0) };
    let bytes = u64::from(setting!(Bpf, critical_ring_bytes));
    if waiting < bytes / 2 || lane::is_life(e.state().code) {
        return false;
    }
    let cost = if waiting < bytes / 4 * 3 { 1 } else { DEAR };
    let process = (Bpf.tgid_tid() >> 32) as u32;
    let now = e.time();
    let Some(purse) = PURSES.get_ptr_mut(&process) else {
        let full = Purse { tokens: PURSE - cost, at_ns: now };
        return PURSES.insert(&process, &full, 0).is_err();
    };
    // SAFETY: a map's value, of this CPU alone.
    let purse = unsafe { &mut *purse };
    let refill = now.wrapping_sub(purse.at_ns) / REFILL_NS;
    if refill > 0 {
        purse.tokens = if refill >= PURSE { PURSE } else { (purse.tokens + refill).min(PURSE) };
        purse.at_ns = now;
    }
    if purse.tokens < cost {
        note(process);
        return true;
    }
    purse.tokens -= cost;
    false
}

/// Counts an event that its process lost.
#[inline(always)]
fn note(process: u32) {
    if let Some(excess) = EXCESS.get_ptr_mut(&process) {
        // SAFETY: a map's value; other CPUs count in it too, and a lost count only tells less.
        unsafe { (*excess).lost += 1 };
        return;
    }
    let mut first = Excess { lost: 1, comm: [0; 16] };
    // SAFETY: the field has the sixteen bytes.
    unsafe { bpf::bpf_get_current_comm(first.comm.as_mut_ptr().cast(), 16) };
    // Full, or another CPU was first: the sum has it.
    let _ = EXCESS.insert(&process, &first, 1);
}
