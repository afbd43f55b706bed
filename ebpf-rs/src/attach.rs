//! The programs that are attached; the one on forks stands in births.rs.
//!
//! `sys_exit` serves every call of both entries, 64-bit and 32-bit (int 0x80 works in any
//! process, so a 32-bit call can come at any time). A tracepoint of each wanted call alone
//! (syscalls/sys_exit_openat ...) costs the unwanted calls less, but it does not see the 32-bit
//! entry nor x32; with a guard for that beside it, it costs more. What a call takes that nobody
//! wants, as a ratio to the same call unwatched, and the nanoseconds (reads of 500 bytes of
//! /dev/zero and writes to /dev/null, pairs of 8,000 in turn, medians of 36; 6.18, a busy guest):
//!
//!     tp_btf or raw_tp on sys_exit, a program that returns at once    1.45   140
//!     the same with this program's look at a route, by helper         1.44   140
//!     the same with a look straight into the array's memory           1.45   140
//!     a tracepoint of another call                                    1.26    84
//!     a tracepoint of the call itself, which returns at once          1.69   223
//!     another call's tracepoint, and the guard on sys_exit            1.62   199
//!
//! So the look itself costs nothing that can be measured: the price is the kernel's, 84 ns for
//! leaving the short way out of a call (any tracepoint on calls does that, for all processes) and
//! some 55 for running a program. A cheaper dispatcher cannot be written, only another place than
//! sys_exit could be: fexit on each call's own functions leaves unwanted calls alone, where a
//! kernel allows it (this one answers EPERM). Closing 32 tracepoints of single calls takes the
//! kernel 2.4 s, closing this one 0.08 s.
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use probe::counters::row;
use probe::event::{Event, Next};
use probe::kernel::Kernel;
use probe::registers::{BP, BX, COMPAT, CX, DI, DX, ORIG_AX, R8, R9, R10, SI, X32};
use probe::routes::{self, CALLS, IA32, SOCKETCALL};
use probe::scratch::State;
use probe::socket::EINPROGRESS;
use probe::{compat, exec, exit, lane, offset, setting, table};

use crate::bpf_kernel::Bpf;
use crate::record::{
    EXEC_PROGRAMS, PROGRAMS, ROUTES, UNKNOWN_CODE, count_lost, emit, is_self, scratch,
};
use crate::stages::follow;

#[btf_tracepoint(function = "sys_exit")]
fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    // The argument is a typed pointer: its members are loaded directly, without a helper.
    let regs: *const u64 = ctx.arg(0);
    // SAFETY: the registers of the call are the tracepoint's typed argument.
    let number = unsafe { regs.add(ORIG_AX).read_volatile() } & !X32;
    if number >= u64::from(CALLS) {
        return 0;
    }
    let Some(routes) = ROUTES.get(number as u32) else { return 0 };
    let routes = *routes;
    if routes == 0 {
        return 0;
    }
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf::bpf_get_current_task_btf() } as *const u8;
    let status =
        unsafe { (task.add(offset!(Bpf, task_thread_status)) as *const u32).read_volatile() };
    if status & COMPAT != 0 {
        return compat_exit(&ctx, regs, number, (routes >> IA32) as u32);
    }
    let route = routes as u32;
    if route == 0 || is_self() {
        return 0;
    }
    let Some(block) = scratch(row::CALLS) else { return 0 };
    // SAFETY: the block begins with the State, and this CPU has it alone.
    let state = unsafe { &mut *(block as *mut State) };
    unsafe {
        state.args = [
            regs.add(DI).read_volatile(),
            regs.add(SI).read_volatile(),
            regs.add(DX).read_volatile(),
            regs.add(R10).read_volatile(),
            regs.add(R8).read_volatile(),
            regs.add(R9).read_volatile(),
        ];
    }
    go(&ctx, state, route, number, false)
}

/// Notes the rest of the call and goes on to its program.
#[inline(always)]
fn go(ctx: &BtfTracePointContext, state: &mut State, route: u32, number: u64, compat: bool) -> i32 {
    state.ret = ctx.arg(1);
    if state.ret < 0 && state.ret != EINPROGRESS && setting!(Bpf, drop_failed) != 0 {
        return 0;
    }
    routes::take(state, route, number, compat);
    let slot = state.slot;
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = PROGRAMS.tail_call(ctx, slot);
    }
    // The program is not there: somebody took it out of its slot. Which lane it would have been is
    // not known here; what may have mattered counts as what did.
    count_lost(row::CALLS, lane::CRITICAL, UNKNOWN_CODE, 1);
    0
}

#[inline(always)]
fn compat_exit(ctx: &BtfTracePointContext, regs: *const u64, number: u64, route: u32) -> i32 {
    if route == 0 || is_self() {
        return 0;
    }
    let (mut number, mut route) = (number, route);
    let Some(block) = scratch(row::CALLS) else { return 0 };
    // SAFETY: the registers of the call are the tracepoint's typed argument.
    let state = unsafe { &mut *(block as *mut State) };
    let low = |register: usize| unsafe { regs.add(register).read_volatile() } & 0xffff_ffff;
    state.args = [low(BX), low(CX), low(DX), low(SI), low(DI), low(BP)];
    if number == SOCKETCALL as u64 {
        let Some(inner) = compat::socketcall(&Bpf, state) else { return 0 };
        number = inner;
        let Some(routes) = ROUTES.get(inner as u32) else { return 0 };
        route = (*routes >> IA32) as u32;
        if route == 0 {
            return 0;
        }
    }
    go(ctx, state, route, number, true)
}

/// Every successful exec of either kind, whatever the ABI of the new program.
#[btf_tracepoint(function = "sched_process_exec")]
fn started(ctx: BtfTracePointContext) -> i32 {
    if is_self() {
        return 0;
    }
    let Some(block) = scratch(row::STARTS) else { return 0 };
    // SAFETY: the block begins with the State, and this CPU has it alone.
    let state = unsafe { &mut *(block as *mut State) };
    state.args = [0; 6];
    state.ret = 0;
    state.compat = 0;
    (state.via, state.also) = (0, 0);
    state.bprm = ctx.arg::<*const u8>(2) as usize;
    const CODE: u16 = table::SYSCALL_EXECVE_19_X;
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::begin(&Bpf, block, CODE, lane::of(CODE)) };
    let next = exec::exec(&mut e);
    follow(&ctx, &EXEC_PROGRAMS, &mut e, next);
    0
}

#[btf_tracepoint(function = "sched_process_exit")]
fn ended(_: BtfTracePointContext) -> i32 {
    const PF_KTHREAD: u32 = 0x0020_0000;
    if is_self() || Bpf.int(Bpf.task() + offset!(Bpf, task_flags)) & PF_KTHREAD != 0 {
        return 0;
    }
    let Some(block) = scratch(row::ENDS) else { return 0 };
    // SAFETY: the block begins with the State, and this CPU has it alone.
    unsafe { (*(block as *mut State)).via = 0 };
    const CODE: u16 = table::PROCEXIT_1_E;
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::begin(&Bpf, block, CODE, lane::of(CODE)) };
    // The end of a process is whole here and always told: no stage, no sieve.
    if exit::exit(&mut e) == Next::Emit {
        emit(&mut e, 0);
    }
    0
}
