//! What clone and execve tell of a process, and clone with its kin.
//!
//! Both sides of a clone return from the call and both write the event, as with Falco. The event
//! comes in stages: head, cgroups, end.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::pid::{PIDTYPE_TGID, inner_number, namespace_of, signal_pid, thread_pid};
use crate::{credentials, flags, namespaces, offset, stage, table};

/// exe and args together, and env, take at most so many bytes each.
pub const ARGS_BYTES: usize = 4096;
const COMM_BYTES: u32 = 16;
/// The process that made one, and when.
const MAKER_BYTES: usize = 16;
const RLIMIT_NOFILE: usize = 7;
const RLIMIT_BYTES: usize = 16;

/// A number of pages in KiB.
const fn kib(pages: u64) -> u32 {
    (pages << 2) as u32
}

/// The pages that `MM_…` counter `which` counts.
#[inline(always)]
fn pages<K: Kernel>(k: &K, mm: usize, which: usize) -> u64 {
    let (stride, count) = if offset!(k, rss_old) == ABSENT as usize {
        (offset!(k, rss_stride), offset!(k, rss_count))
    } else {
        (8, 0)
    };
    k.word(mm + offset!(k, mm_rss) + which * stride + count)
}

/// exe and args from the process's own memory.
#[inline(always)]
pub fn own_args<K: Kernel>(e: &mut Event<K>, mm: usize) {
    let k = e.k;
    let start = k.address(mm + offset!(k, mm_arg_start));
    let end = k.address(mm + offset!(k, mm_arg_end));
    let exe = e.user_string(start);
    let rest = end.wrapping_sub(start).wrapping_sub(exe);
    list(e, start + exe, rest, ARGS_BYTES - (exe & 0xfff));
}

/// Strings that lie one behind the other; the last is closed with a NUL where they are cut.
#[inline(always)]
pub fn list<K: Kernel>(e: &mut Event<K>, at: usize, bytes: usize, max: usize) {
    if bytes == 0 || bytes > 1 << 30 {
        e.empty();
        return;
    }
    if bytes > max || bytes > 4095 {
        e.state().long = 1;
    }
    let wanted = if bytes > max {
        e.state().truncated += 1;
        max
    } else {
        bytes
    };
    let wanted = e.bound(if wanted > 4095 { 4095 } else { wanted });
    let k = e.k;
    // SAFETY: `room` takes 4 KiB.
    if unsafe { k.copy_user(e.room(), wanted as u32, at) } {
        e.grow(wanted);
        if wanted > 0 {
            close_text(e);
        }
        e.end(wanted);
    } else {
        e.empty();
    }
}

/// Makes the byte before the position a NUL.
#[inline(always)]
fn close_text<K: Kernel>(e: &mut Event<K>) {
    // SAFETY: the position is behind the header, and `room` is masked.
    unsafe { *e.room().sub(1) = 0 };
}

/// KiB of address space, in memory, in swap.
#[inline(always)]
pub fn sizes<K: Kernel>(e: &mut Event<K>, mm: usize) {
    let k = e.k;
    e.u32(kib(k.word(mm + offset!(k, mm_total_vm))));
    let resident = pages(k, mm, offset!(k, rss_file))
        + pages(k, mm, offset!(k, rss_anon))
        + pages(k, mm, offset!(k, rss_shmem));
    e.u32(kib(resident));
    e.u32(kib(pages(k, mm, offset!(k, rss_swap))));
}

/// Parameters 4 to 14 of clone and execve events.
#[inline(always)]
pub fn identity<K: Kernel>(e: &mut Event<K>, mm: usize) {
    let k = e.k;
    let task = k.task();
    e.i64(i64::from(k.int(task + offset!(k, task_pid))));
    e.i64(i64::from(k.int(task + offset!(k, task_tgid))));
    let parent = k.address(task + offset!(k, task_real_parent));
    e.i64(i64::from(k.int(parent + offset!(k, task_pid))));
    // cwd: left to the reader, who keeps it, as Falco does.
    e.empty();
    let signal = k.address(task + offset!(k, task_signal));
    e.u64(k.word(signal + offset!(k, signal_rlim) + RLIMIT_NOFILE * RLIMIT_BYTES));
    e.u64(k.word(task + offset!(k, task_maj_flt)));
    e.u64(k.word(task + offset!(k, task_min_flt)));
    sizes(e, mm);
    e.kernel_string(task + offset!(k, task_comm), COMM_BYTES);
}

#[inline(always)]
pub fn own_mm<K: Kernel>(k: &K) -> usize {
    k.address(k.task() + offset!(k, task_mm))
}

/// First stage of clone, clone3, fork, vfork; the child's side returns 0.
#[inline(always)]
pub fn clone<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let mm = own_mm(e.k);
    if e.ret() >= 0 {
        own_args(e, mm);
    } else {
        e.empty();
        e.empty();
    }
    identity(e, mm);
    e.state().then = stage::CLONE_END;
    Next::Stage(stage::CGROUPS)
}

#[inline(always)]
fn clone_flags<K: Kernel>(e: &mut Event<K>) -> u32 {
    let first = e.arg(0);
    let raw = match e.state().code {
        table::SYSCALL_CLONE3_X => e.k.read_user::<u64>(first as usize).unwrap_or(0) as u32,
        table::SYSCALL_CLONE_20_X => first as u32,
        _ => 0,
    };
    let mut ours = flags::clone(raw);
    let k = e.k;
    let namespace = namespace_of(k, thread_pid(k));
    let proxy = k.address(k.task() + offset!(k, task_nsproxy));
    // The first says it of a child inside, the second of a parent whose children go inside.
    if k.int(namespace + offset!(k, pidns_level)) != 0
        || k.address(proxy + offset!(k, nsproxy_pid_children)) != namespace
    {
        ours |= flags::CL_CHILD_IN_PIDNS;
    }
    ours
}

/// Last stage of clone and its kin.
#[inline(always)]
pub fn clone_end<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    let flags = clone_flags(e);
    e.u32(flags);
    e.u32(credentials::euid(k));
    e.u32(credentials::egid(k));
    e.i64(inner_number(k, thread_pid(k)));
    e.i64(inner_number(k, signal_pid(k, PIDTYPE_TGID)));
    let mut started = 0;
    if e.ret() == 0 {
        let namespace = namespace_of(k, signal_pid(k, PIDTYPE_TGID));
        let reaper = k.address(namespace + offset!(k, pidns_reaper));
        started = k.word(reaper + offset!(k, task_start_time));
    }
    e.u64(started);
    if e.ret() < 0 {
        return Next::Emit;
    }
    // Who made it, and where it lives, stand where the second path of other events does.
    e.empty();
    let mut bytes = namespaces::BYTES;
    if e.ret() == 0
        && let Some(maker) = k.made_by()
    {
        e.bytes(maker.tgid);
        e.bytes(maker.time);
        bytes += MAKER_BYTES;
    }
    namespaces::bytes(e);
    e.end(bytes);
    e.state().own = 2;
    Next::EmitOwn
}
