//! The gate before an event is made (probe-rs/src/gate.rs), as programs. An open is looked at in a
//! stage of its own, which comes back where it is not dropped.
use aya_ebpf::EbpfContext;
use probe::counters::row;
use probe::event::Event;
use probe::gate::{Gate, drops, of};
use probe::stage::GATE;

use crate::bpf_kernel::Bpf;
use crate::record::{PROGRAMS, lose, scratch};

/// Whether an event is dropped before it is made.
#[inline(always)]
pub fn dropped<C: EbpfContext>(ctx: &C, e: &mut Event<Bpf>, code: u16) -> bool {
    match of(e, code) {
        Gate::Open => return false,
        Gate::Closed => return true,
        Gate::Asked => {}
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = PROGRAMS.tail_call(ctx, GATE);
    }
    false
}

/// The stage of opens: their names are looked at where they are.
#[inline(always)]
pub fn stage<C: EbpfContext>(ctx: &C) {
    let Some(block) = scratch(row::CALLS) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if drops(&mut e) {
        return;
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = PROGRAMS.tail_call(ctx, e.state().slot);
    }
    lose(&mut e);
}
