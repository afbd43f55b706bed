//! The messages of a batch (sendmmsg, recvmmsg), each with an event of its own: a loop whose bound
//! is a number at run time (bpf_loop, Linux 5.17). In: the first event in this CPU's block,
//! written. Out: the others in the ring.
use core::ffi::c_void;

use probe::counters::row;
use probe::event::{Event, Next};
use probe::sieve::ask as sieve;
use probe::{lane, table, transfer};

use crate::bpf_kernel::{Bpf, repeat};
use crate::record::{count_lost, emit, scratch};

/// The messages of a batch behind the first, each with an event of its own.
#[inline(always)]
pub fn messages<const SENT: bool>() {
    let Some(block) = scratch(row::CALLS) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    let left = e.ret() - i64::from(e.state().index);
    let (lane, code) = (e.state().lane, e.state().code);
    let times = if left > 0 { left as u32 } else { 0 };
    let done = repeat(times, message::<SENT>);
    if done < i64::from(times) {
        count_lost(row::CALLS, lane, code, (i64::from(times) - done) as u64);
    }
}

unsafe extern "C" fn message<const SENT: bool>(_index: u64, _none: *mut c_void) -> i64 {
    let Some(block) = scratch(row::CALLS) else { return 1 };
    let code = if SENT { table::SOCKET_SENDMMSG_X } else { table::SOCKET_RECVMMSG_X };
    // SAFETY: as above.
    let mut e = unsafe { Event::begin(&Bpf, block, code, lane::of(code)) };
    let next = if SENT { transfer::sendmmsg(&mut e) } else { transfer::recvmmsg(&mut e) };
    e.save();
    if sieve::keeps_message(&mut e) {
        // Of the batch's descriptor its first event tells.
        emit(&mut e, 0);
    }
    i64::from(next != Next::EmitAndRepeat)
}
