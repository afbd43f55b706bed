//! The eBPF driver. In: returns of system calls, starts and ends of programs. Out: finished
//! .scap event blocks in two rings.
//!
//! One program sits on `sys_exit` and looks the call up in a table; a call that nobody wants
//! leaves there. A wanted one goes on by tail call to the small program of its event, and from
//! there to the stages that several events share (path walk, cgroups). See attach.rs for why it is
//! this tracepoint and not one of each call.
#![no_std]
#![no_main]
#![expect(unsafe_op_in_unsafe_fn, reason = "bodies of BPF programs are unsafe throughout")]

mod attach;
mod births;
mod block;
mod bpf_kernel;
mod budget;
mod gate;
mod long;
mod loops;
mod makers;
mod named;
mod programs;
mod reader;
mod record;
mod ring_kernel;
mod rings;
mod sieve;
mod stages;
mod traced;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
