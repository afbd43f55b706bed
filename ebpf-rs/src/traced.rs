//! Signals that are delivered, page faults, switches of threads: attached while somebody wants
//! them. Their tracepoints fire at any time, in the middle of another program as well (a page that
//! it reads may be missing), so they have a row of their own on each CPU, which one takes at a
//! time.
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::PerCpuArray;
use aya_ebpf::programs::BtfTracePointContext;
use probe::counters::row;
use probe::event::Event;
use probe::kernel::Kernel as _;
use probe::scratch::State;
use probe::sieve::ask as sieve;
use probe::{lane, offset, table, traced};

use crate::bpf_kernel::Bpf;
use crate::record::{count_lost, emit, is_self, scratch};

/// Whether this CPU's block of the row is in use.
#[map]
static TAKEN: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);
/// The instruction in struct pt_regs on x86_64, as 8-byte words.
const IP: usize = 16;

/// Writes one event; one that comes while another is being written is lost, and counted.
#[inline(always)]
fn tell(code: u16, fill: impl FnOnce(&mut Event<Bpf>)) {
    let (Some(block), Some(taken)) = (scratch(row::ASIDE), TAKEN.get_ptr_mut(0)) else { return };
    if is_self() {
        return;
    }
    // SAFETY: a map's value, of this CPU alone.
    unsafe {
        if taken.read_volatile() != 0 {
            return count_lost(row::ASIDE, lane::of(code), code, 1);
        }
        taken.write_volatile(1);
    }
    // SAFETY: the block begins with the State, and this CPU has it alone.
    let state = unsafe { &mut *(block as *mut State) };
    (state.via, state.also, state.ret) = (0, 0, 0);
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::begin(&Bpf, block, code, lane::of(code)) };
    fill(&mut e);
    e.save();
    if sieve::keeps_message(&mut e) {
        emit(&mut e, 0);
    }
    // SAFETY: as above.
    unsafe { taken.write_volatile(0) };
}

#[btf_tracepoint(function = "signal_deliver")]
fn signalled(ctx: BtfTracePointContext) -> i32 {
    let (signal, info): (i32, usize) = (ctx.arg(0), ctx.arg::<*const u8>(1) as usize);
    tell(table::SIGNALDELIVER_E, |e| traced::signal(e, signal as u32, info));
    0
}

#[inline(always)]
fn fault(ctx: &BtfTracePointContext) {
    let (address, error): (u64, u64) = (ctx.arg(0), ctx.arg(2));
    let regs = ctx.arg::<*const u8>(1) as usize;
    let instruction = Bpf.word(regs + 8 * IP);
    tell(table::PAGE_FAULT_E, |e| traced::page_fault(e, address, instruction, error));
}

#[btf_tracepoint(function = "page_fault_user")]
fn faulted(ctx: BtfTracePointContext) -> i32 {
    fault(&ctx);
    0
}

#[btf_tracepoint(function = "page_fault_kernel")]
fn faulted_in_kernel(ctx: BtfTracePointContext) -> i32 {
    fault(&ctx);
    0
}

#[btf_tracepoint(function = "sched_switch")]
fn switched(ctx: BtfTracePointContext) -> i32 {
    let next = ctx.arg::<*const u8>(2) as usize;
    let next = Bpf.int(next + offset!(Bpf, task_pid));
    tell(table::SCHEDSWITCH_6_E, |e| traced::switch(e, next));
    0
}
