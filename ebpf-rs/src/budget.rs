//! The purses of processes (probe-rs/src/budget.rs) in maps. In: an event that is about to be
//! written. Out: whether its process has used up its share, which is then counted by process.
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{LruPerCpuHashMap, PerCpuHashMap, RingBuf};
use probe::budget::{Purse, cost};
use probe::event::Event;
use probe::kernel::Kernel as _;
use probe::{lane, setting};

use crate::bpf_kernel::Bpf;

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
    let cost = cost(waiting, u64::from(setting!(Bpf, critical_ring_bytes)));
    if cost == 0 || lane::is_life(e.state().code) {
        return false;
    }
    let process = (Bpf.tgid_tid() >> 32) as u32;
    let now = e.time();
    let Some(purse) = PURSES.get_ptr_mut(&process) else {
        return PURSES.insert(&process, &Purse::full(cost, now), 0).is_err();
    };
    // SAFETY: a map's value, of this CPU alone.
    let paid = unsafe { (*purse).pay(cost, now) };
    if !paid {
        note(process);
    }
    !paid
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
