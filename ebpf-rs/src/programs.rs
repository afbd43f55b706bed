//! One program per event, and the stages that events share.
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use probe::counters::row;
use probe::event::Event;
use probe::{cgroup, exec, files, further, lane, open, process, table};

use crate::bpf_kernel::{Bpf, Short};
use crate::record::{EXEC_PROGRAMS, PROGRAMS, scratch};
use crate::stages::{
    end, end_of_start, follow_filler, look_up, sift, stage, start, walk, walk_far,
};
use crate::{gate, long, loops};

macro_rules! programs {
    ($($name:ident $code:ident $function:path;)*) => {
        $(
            #[btf_tracepoint(function = "sys_exit")]
            fn $name(ctx: BtfTracePointContext) -> i32 {
                if let Some(block) = scratch(row::CALLS) {
                    const LANE: u8 = probe::lane::of(table::$code);
                    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
                    let mut e = unsafe { Event::begin(&Bpf, block, table::$code, LANE) };
                    if !lane::is_life(table::$code) && gate::dropped(&ctx, &mut e, table::$code) {
                        return 0;
                    }
                    let message = e.state().index;
                    let next = $function(&mut e);
                    files::note(&mut e, table::$code, message);
                    follow_filler(&ctx, &PROGRAMS, &mut e, message, next);
                }
                0
            }
        )*
    };
}
probe::with_fillers!(programs);

macro_rules! stages {
    ($point:literal $programs:ident: $($name:ident $function:expr;)*) => {
        $(
            #[btf_tracepoint(function = $point)]
            fn $name(ctx: BtfTracePointContext) -> i32 {
                stage(&ctx, &$programs, $function);
                0
            }
        )*
    };
}

stages! { "sys_exit" PROGRAMS:
    stage_cgroups |e| cgroup::cgroups(e);
    stage_clone_end |e| process::clone_end(e);
    stage_exec_middle |e| exec::exec_middle(e);
    stage_exec_end |e| exec::exec_end(e);
    stage_handle_end |e| open::handle_end(e);
    stage_files |e| files::files(e);
    stage_further |e| further::further(e);
}
stages! { "sched_process_exec" EXEC_PROGRAMS:
    started_cgroups |e| cgroup::cgroups(e);
    started_exec_middle |e| exec::exec_middle(e);
    started_exec_end |e| exec::exec_end(e);
    started_further |e| further::further(e);
}

macro_rules! short_programs {
    ($($name:ident $code:ident $function:path;)*) => {
        $(
            #[btf_tracepoint(function = "sys_exit")]
            fn $name(ctx: BtfTracePointContext) -> i32 {
                if let Some(block) = scratch(row::CALLS) {
                    const LANE: u8 = probe::lane::of(table::$code);
                    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
                    let mut e = unsafe { Event::begin(&Short, block, table::$code, LANE) };
                    let message = e.state().index;
                    let next = $function(&mut e);
                    files::note(&mut e, table::$code, message);
                    e.save();
                    // SAFETY: as above.
                    let mut e = unsafe { Event::resume(&Bpf, block) };
                    follow_filler(&ctx, &PROGRAMS, &mut e, message, next);
                }
                0
            }
        )*
    };
}
probe::with_short_fillers!(short_programs);

#[btf_tracepoint(function = "sys_exit")]
fn stage_sent(_: BtfTracePointContext) -> i32 {
    loops::messages::<true>();
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_received(_: BtfTracePointContext) -> i32 {
    loops::messages::<false>();
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_walk(ctx: BtfTracePointContext) -> i32 {
    walk(&ctx, &PROGRAMS);
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
fn started_walk(ctx: BtfTracePointContext) -> i32 {
    walk(&ctx, &EXEC_PROGRAMS);
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_far(ctx: BtfTracePointContext) -> i32 {
    walk_far(&ctx, &PROGRAMS);
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
fn started_far(ctx: BtfTracePointContext) -> i32 {
    walk_far(&ctx, &EXEC_PROGRAMS);
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_look_up(ctx: BtfTracePointContext) -> i32 {
    look_up(&ctx, &PROGRAMS);
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_sift(ctx: BtfTracePointContext) -> i32 {
    sift(&ctx, &PROGRAMS);
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_end(ctx: BtfTracePointContext) -> i32 {
    end(&ctx, &PROGRAMS);
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
fn started_end(ctx: BtfTracePointContext) -> i32 {
    end_of_start(&ctx);
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
fn started_long(_: BtfTracePointContext) -> i32 {
    long::end();
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_gate(ctx: BtfTracePointContext) -> i32 {
    gate::stage(&ctx);
    0
}

#[btf_tracepoint(function = "sys_exit")]
fn stage_start(ctx: BtfTracePointContext) -> i32 {
    start(&ctx, &PROGRAMS);
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
fn started_start(ctx: BtfTracePointContext) -> i32 {
    start(&ctx, &EXEC_PROGRAMS);
    0
}
