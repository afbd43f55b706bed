//! Process life: clone and its kin, execve and its kin, the end of a thread.
//!
//! Both sides of a clone return from the call and both write the event, as with Falco. The events
//! come in stages: head, cgroups, rest; for execve the path of the executable lies in between.
use crate::event::{Event, Next};
use crate::file::{Overlay, file_of, overlay};
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::scratch::{PATH_AT, Place};
use crate::{credentials, flags, get, offset, path, set, stage, table};

/// exe and args together, and env, take at most so many bytes each.
const ARGS_BYTES: usize = 4096;
const COMM_BYTES: u32 = 16;
const RLIMIT_NOFILE: usize = 7;
const RLIMIT_BYTES: usize = 16;
const PIDTYPE_TGID: usize = 1;
const PIDTYPE_PGID: usize = 2;

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
fn own_args<K: Kernel>(e: &mut Event<K>, mm: usize) {
    let k = e.k;
    let start = k.address(mm + offset!(k, mm_arg_start));
    let end = k.address(mm + offset!(k, mm_arg_end));
    let exe = e.user_string(start);
    let rest = end.wrapping_sub(start).wrapping_sub(exe);
    list(e, start + exe, rest, ARGS_BYTES - (exe & 0xfff));
}

/// Strings that lie one behind the other; the last is closed with a NUL where they are cut.
#[inline(always)]
fn list<K: Kernel>(e: &mut Event<K>, at: usize, bytes: usize, max: usize) {
    if bytes == 0 || bytes > 1 << 30 {
        e.empty();
        return;
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

/// Parameters 4 to 14 of clone and execve events.
#[inline(always)]
fn identity<K: Kernel>(e: &mut Event<K>, mm: usize) {
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
    e.u32(kib(k.word(mm + offset!(k, mm_total_vm))));
    let resident = pages(k, mm, offset!(k, rss_file))
        + pages(k, mm, offset!(k, rss_anon))
        + pages(k, mm, offset!(k, rss_shmem));
    e.u32(kib(resident));
    e.u32(kib(pages(k, mm, offset!(k, rss_swap))));
    e.kernel_string(task + offset!(k, task_comm), COMM_BYTES);
}

#[inline(always)]
fn own_mm<K: Kernel>(k: &K) -> usize {
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

/// First stage of a successful exec of either kind, in the new image.
#[inline(always)]
pub fn exec<K: Kernel>(e: &mut Event<K>) -> Next {
    e.i64(0);
    let mm = own_mm(e.k);
    own_args(e, mm);
    identity(e, mm);
    e.state().then = stage::EXEC_MIDDLE;
    Next::Stage(stage::CGROUPS)
}

const POINTERS: usize = 16;
const ARGUMENT_BYTES: u32 = 1024;

/// One pointer of a caller's array.
#[inline(always)]
fn pointer<K: Kernel>(e: &mut Event<K>, array: usize, index: usize) -> usize {
    if e.state().compat != 0 {
        e.k.read_user::<u32>(array + 4 * index).unwrap_or(0) as usize
    } else {
        e.k.read_user::<u64>(array + 8 * index).unwrap_or(0) as usize
    }
}

/// The strings of a caller's array from `first` on, one behind the other.
#[inline(always)]
fn array<K: Kernel>(e: &mut Event<K>, array: usize, first: usize, max: usize) {
    let k = e.k;
    set!(e.state().total, 0);
    for index in first..POINTERS {
        let at = pointer(e, array, index);
        if at == 0 || get!(e.state().total) as usize >= max {
            break;
        }
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe { k.copy_user_str(e.room(), ARGUMENT_BYTES, at) };
        let bytes = if got < 0 { 0 } else { got as usize & 0xfff };
        e.grow(bytes);
        e.forget();
        let total = get!(e.state().total) + bytes as u32;
        set!(e.state().total, total);
    }
    let total = get!(e.state().total) as usize;
    e.end(total);
}

/// First stage of an exec that failed: the arguments are still the caller's.
#[inline(always)]
pub fn exec_failed<K: Kernel>(e: &mut Event<K>, argv: usize) -> Next {
    if e.ret() == 0 {
        // Told by sched_process_exec, which sees each success, also those that change the ABI.
        return Next::Drop;
    }
    e.res();
    let exe = pointer(e, argv, 0);
    if exe == 0 {
        e.bytes(0u8);
        e.end(1);
        e.empty();
    } else {
        e.user_string(exe);
        array(e, argv, 1, ARGS_BYTES);
    }
    let mm = own_mm(e.k);
    identity(e, mm);
    e.state().then = stage::EXEC_MIDDLE;
    Next::Stage(stage::CGROUPS)
}

#[inline(always)]
pub fn execve<K: Kernel>(e: &mut Event<K>) -> Next {
    let argv = e.arg(1) as usize;
    exec_failed(e, argv)
}

#[inline(always)]
pub fn execveat<K: Kernel>(e: &mut Event<K>) -> Next {
    let argv = e.arg(2) as usize;
    exec_failed(e, argv)
}

/// Folders of a cgroup's path that are kept, from its end.
const FOLDERS: usize = 10;

/// `subsystem=/path` for one subsystem, its bytes added to the State's total.
#[inline(always)]
fn cgroup<K: Kernel>(e: &mut Event<K>, id: usize) {
    if id == ABSENT as usize {
        return;
    }
    let k = e.k;
    let set = k.address(k.task() + offset!(k, task_cgroups));
    let css = k.address(set + offset!(k, css_set_subsys) + 8 * id);
    let subsystem = k.address(css + offset!(k, css_ss));
    let name = k.address(subsystem + offset!(k, ss_name));
    let group = k.address(css + offset!(k, css_cgroup));
    // SAFETY: `room` takes 4 KiB.
    let got = unsafe { k.copy_kernel_str(e.room(), 32, name) };
    if got <= 1 {
        return;
    }
    text(e, got as usize & 0x3f);
    // SAFETY: the byte before the position is the NUL just written.
    unsafe { *e.room().sub(1) = b'=' };

    // The folders' names, leaf first, are noted in the path area; the root has no parent.
    // SAFETY: within the block.
    let names = unsafe { e.base().add(PATH_AT) };
    set!(e.state().node, k.address(group + offset!(k, cgroup_kn)));
    set!(e.state().count, 0);
    for _ in 0..FOLDERS {
        let node = get!(e.state().node);
        let parent = k.address(node + offset!(k, kn_parent));
        if parent == 0 {
            break;
        }
        let name = k.address(node + offset!(k, kn_name));
        let count = get!(e.state().count);
        // SAFETY: masked.
        unsafe { (names.add(8 * (count as usize & 15)) as *mut usize).write_unaligned(name) };
        set!(e.state().count, count + 1);
        set!(e.state().node, parent);
    }
    if get!(e.state().count) == 0 {
        // SAFETY: masked.
        unsafe { *e.room() = b'/' };
        text(e, 1);
    }
    for _ in 0..FOLDERS {
        let count = get!(e.state().count);
        if count == 0 {
            break;
        }
        set!(e.state().count, count - 1);
        // SAFETY: masked.
        let name = unsafe {
            (names.add(8 * ((count as usize - 1) & 15)) as *const usize).read_unaligned()
        };
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe {
            *e.room() = b'/';
            k.copy_kernel_str(e.room().add(1), 256, name)
        };
        // With the slash in front of it and without the NUL behind it.
        text(e, if got <= 0 { 1 } else { got as usize & 0x1ff });
    }
    // SAFETY: masked.
    unsafe { *e.room() = 0 };
    text(e, 1);
}

/// Counts bytes that were written at the position.
#[inline(always)]
fn text<K: Kernel>(e: &mut Event<K>, bytes: usize) {
    e.grow(bytes);
    e.forget();
    let total = get!(e.state().total) + bytes as u32;
    set!(e.state().total, total);
}

/// The stage between: cgroups of the subsystems that Falco shows, in its order.
#[inline(always)]
pub fn cgroups<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    set!(e.state().total, 0);
    cgroup(e, offset!(k, cgroup_cpuset));
    cgroup(e, offset!(k, cgroup_cpu));
    cgroup(e, offset!(k, cgroup_cpuacct));
    cgroup(e, offset!(k, cgroup_io));
    cgroup(e, offset!(k, cgroup_memory));
    let total = get!(e.state().total) as usize;
    e.end(total);
    Next::Stage(e.state().then)
}

/// The pid namespace in which a struct pid was made.
#[inline(always)]
fn namespace_of<K: Kernel>(k: &K, pid: usize) -> usize {
    let level = k.int(pid + offset!(k, pid_level)) as usize & 0x3f;
    let numbers = pid + offset!(k, pid_numbers);
    k.address(numbers + level * offset!(k, upid_size) + offset!(k, upid_ns))
}

/// The number of a struct pid as its own namespace sees it.
#[inline(always)]
fn inner_number<K: Kernel>(k: &K, pid: usize) -> i64 {
    let level = k.int(pid + offset!(k, pid_level)) as usize & 0x3f;
    i64::from(k.int(pid + offset!(k, pid_numbers) + level * offset!(k, upid_size)))
}

#[inline(always)]
fn thread_pid<K: Kernel>(k: &K) -> usize {
    k.address(k.task() + offset!(k, task_thread_pid))
}

#[inline(always)]
fn signal_pid<K: Kernel>(k: &K, kind: usize) -> usize {
    let signal = k.address(k.task() + offset!(k, task_signal));
    k.address(signal + offset!(k, signal_pids) + 8 * kind)
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
    let flags = match e.state().code {
        table::SYSCALL_CLONE_20_X | table::SYSCALL_CLONE3_X => clone_flags(e),
        _ => clone_flags(e),
    };
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
    Next::Emit
}

/// A time of an inode in nanoseconds since the epoch.
#[inline(always)]
fn nanoseconds<K: Kernel>(k: &K, seconds_at: usize, nanoseconds_at: usize) -> u64 {
    let seconds = k.word(seconds_at) as i64;
    if seconds < 0 {
        return 0;
    }
    // The topmost bit is no part of the time: it says that somebody asked for it (6.13).
    seconds as u64 * 1_000_000_000 + u64::from(k.int(nanoseconds_at) & 0x7fff_ffff)
}

/// Whether the executable lives in memory only (memfd_create).
#[inline(always)]
fn from_memfd<K: Kernel>(k: &K, file: usize) -> bool {
    let dentry = k.address(file + offset!(k, file_dentry));
    let parent = k.address(dentry + offset!(k, dentry_parent));
    if dentry == 0 || parent != dentry {
        return false;
    }
    let name = k.address(dentry + offset!(k, dentry_name) + 8);
    let head: [u8; 6] = k.read(name);
    head == *b"memfd:"
}

/// The terminal in the form of a device number.
#[inline(always)]
fn tty<K: Kernel>(k: &K) -> u32 {
    let signal = k.address(k.task() + offset!(k, task_signal));
    let tty = k.address(signal + offset!(k, signal_tty));
    let driver = k.address(tty + offset!(k, tty_driver));
    if driver == 0 {
        return 0;
    }
    let major = k.int(driver + offset!(k, tty_driver_major));
    let minor = k.int(driver + offset!(k, tty_driver_minor));
    let index = k.int(tty + offset!(k, tty_index));
    crate::file::encode_dev(((major & 0xfff) << 20 | minor) + index)
}

/// Stage of execve after the cgroups: environment, credentials, executable.
#[inline(always)]
pub fn exec_middle<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    let task = k.task();
    let mm = own_mm(k);
    if e.ret() == 0 {
        let start = k.address(mm + offset!(k, mm_env_start));
        let end = k.address(mm + offset!(k, mm_env_end));
        list(e, start, end.wrapping_sub(start), ARGS_BYTES);
    } else {
        let index = if e.state().code == table::SYSCALL_EXECVEAT_X { 3 } else { 2 };
        let envp = if index == 3 { e.arg(3) } else { e.arg(2) } as usize;
        array(e, envp, 0, ARGS_BYTES);
    }
    e.u32(tty(k));
    e.i64(inner_number(k, signal_pid(k, PIDTYPE_PGID)));
    let loginuid = offset!(k, task_loginuid);
    e.u32(if loginuid == ABSENT as usize { u32::MAX } else { k.int(task + loginuid) });

    let file = k.address(mm + offset!(k, mm_exe_file));
    let inode = k.address(file + offset!(k, file_inode));
    let mut exe = 0;
    if credentials::may_write(k, inode) {
        exe |= flags::EXE_WRITABLE;
    }
    match overlay(k, file) {
        Overlay::Upper => exe |= flags::EXE_UPPER_LAYER,
        Overlay::Lower => exe |= flags::EXE_LOWER_LAYER,
        Overlay::No => {}
    }
    if from_memfd(k, file) {
        exe |= flags::EXE_FROM_MEMFD;
    }
    e.u32(exe);
    credentials::capability_params(e);
    e.u64(k.word(inode + offset!(k, inode_ino)));
    let changed =
        nanoseconds(k, inode + offset!(k, inode_ctime_sec), inode + offset!(k, inode_ctime_nsec));
    e.u64(changed);
    let modified =
        nanoseconds(k, inode + offset!(k, inode_mtime_sec), inode + offset!(k, inode_mtime_nsec));
    e.u64(modified);
    e.u32(credentials::euid(k));
    let place = Place {
        mnt: k.address(file + offset!(k, file_mnt)),
        dentry: k.address(file + offset!(k, file_dentry)),
    };
    path::of_place(e, place);
    let state = e.state();
    state.place = 0;
    state.then = stage::EXEC_END;
    Next::Walk
}

/// Last stage of execve, behind trusted_exepath; our own path is that path again.
#[inline(always)]
pub fn exec_end<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    let group = signal_pid(k, PIDTYPE_PGID);
    e.i64(i64::from(k.int(group + offset!(k, pid_numbers))));
    e.u32(credentials::egid(k));
    if e.state().code == table::SYSCALL_EXECVE_19_X {
        let bprm = e.state().bprm;
        if bprm != 0 {
            let name = k.address(bprm + offset!(k, bprm_filename));
            e.kernel_string(name, 4096);
        } else {
            e.string(0);
        }
    }
    if e.ret() == 0 {
        path::write_again(e);
    } else {
        // The process's executable is not what it failed to start.
        e.empty();
    }
    Next::EmitOne
}

const PF_EXITING: u32 = 4;
const THREADS: usize = 8;
const ANCESTORS: usize = 16;

/// A thread of the group that lives on: its id, 0 where there is none, -1 where there are too
/// many to look at.
#[inline(always)]
fn living_thread<K: Kernel>(k: &K, task: usize) -> i32 {
    let signal = k.address(task + offset!(k, task_signal));
    let head = signal + offset!(k, signal_thread_head);
    let mut node = k.address(head);
    for _ in 0..THREADS {
        if node == head || node == 0 {
            return 0;
        }
        let thread = node.wrapping_sub(offset!(k, task_thread_node));
        if k.int(thread + offset!(k, task_flags)) & PF_EXITING == 0 {
            return k.int(thread + offset!(k, task_pid)) as i32;
        }
        node = k.address(node);
    }
    -1
}

#[inline(always)]
fn signal_bit<K: Kernel>(k: &K, task: usize, bit: usize) -> bool {
    let signal = k.address(task + offset!(k, task_signal));
    let byte: u8 = k.read(signal + bit / 8);
    byte >> (bit % 8) & 1 != 0
}

/// Who inherits the children of a thread that ends, as the kernel chooses: a thread of the group,
/// the nearest ancestor that asked for it, the first process of the namespace.
#[inline(always)]
fn reaper<K: Kernel>(k: &K, task: usize) -> i32 {
    let thread = living_thread(k, task);
    if thread != 0 {
        return thread;
    }
    let pid = k.address(task + offset!(k, task_thread_pid));
    let first = k.address(namespace_of(k, pid) + offset!(k, pidns_reaper));
    if first == task {
        return 0;
    }
    let first_id = k.int(first + offset!(k, task_pid)) as i32;
    if !signal_bit(k, task, offset!(k, signal_has_subreaper_bit)) {
        return first_id;
    }
    let level = k.int(pid + offset!(k, pid_level));
    let mut ancestor = k.address(task + offset!(k, task_real_parent));
    for _ in 0..ANCESTORS {
        let its_pid = k.address(ancestor + offset!(k, task_thread_pid));
        if ancestor == first || k.int(its_pid + offset!(k, pid_level)) != level {
            return first_id;
        }
        if signal_bit(k, ancestor, offset!(k, signal_subreaper_bit)) {
            let thread = living_thread(k, ancestor);
            if thread != 0 {
                return thread;
            }
        }
        ancestor = k.address(ancestor + offset!(k, task_real_parent));
    }
    -1
}

/// The end of a thread (sched_process_exit).
#[inline(always)]
pub fn exit<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    let task = k.task();
    let code = k.int(task + offset!(k, task_exit_code));
    e.i64(i64::from(code as i32));
    e.i64(i64::from(code >> 8 & 0xff));
    let signal = code & 0x7f;
    e.u8(if signal != 0 && signal != 0x7f { signal as u8 } else { 0 });
    e.u8(u8::from(code & 0x80 != 0));
    let children = task + offset!(k, task_children);
    let mut heir = 0;
    if k.address(children) != children {
        heir = reaper(k, task);
    }
    e.i64(i64::from(heir));
    Next::Emit
}

/// ptrace: address and data are shown by what the request makes of them.
#[inline(always)]
pub fn ptrace<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (request, pid) = (e.arg(0), e.int(1));
    let (address, data) = (e.arg(2), e.arg(3));
    let ours = flags::ptrace(request);
    let worked = e.ret() >= 0;
    e.bytes(0u8);
    e.bytes(if worked { address } else { 0 });
    e.end(9);
    match ours {
        // CONT, SINGLESTEP, DETACH, SYSCALL carry a signal.
        8 | 10 | 12 | 13 if worked => {
            e.bytes(1u8);
            e.bytes(data as u8);
            e.end(2);
        }
        _ => {
            // PEEK* answer where `data` points.
            let value = match ours {
                _ if !worked => 0,
                2..=4 => e.k.read_user::<u64>(data as usize).unwrap_or(0),
                _ => data,
            };
            e.bytes(0u8);
            e.bytes(value);
            e.end(9);
        }
    }
    e.u16(ours);
    e.i64(i64::from(pid));
    Next::Emit
}

const PR_SET_NAME: u32 = 15;
const PR_GET_NAME: u32 = 16;
const PR_GET_CHILD_SUBREAPER: u32 = 37;

#[inline(always)]
pub fn prctl<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (option, value) = (e.arg(0) as u32, e.arg(1));
    e.u32(option);
    if option == PR_SET_NAME || option == PR_GET_NAME {
        e.string(1);
        e.i64(0);
    } else {
        e.empty();
        let shown = if option == PR_GET_CHILD_SUBREAPER {
            i64::from(e.k.read_user::<i32>(value as usize).unwrap_or(0))
        } else {
            value as i64
        };
        e.i64(shown);
    }
    Next::Emit
}

#[inline(always)]
pub fn setns<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let kind = e.arg(1) as u32;
    e.u32(flags::clone(kind));
    Next::Emit
}

#[inline(always)]
pub fn unshare<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let what = e.arg(0) as u32;
    e.u32(flags::clone(what));
    Next::Emit
}

#[inline(always)]
pub fn kill<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, signal) = (e.int(0), e.arg(1) as u8);
    e.i64(i64::from(pid));
    e.u8(signal);
    Next::Emit
}

#[inline(always)]
pub fn tgkill<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, tid, signal) = (e.int(0), e.int(1), e.arg(2) as u8);
    e.i64(i64::from(pid));
    e.i64(i64::from(tid));
    e.u8(signal);
    Next::Emit
}

/// pidfd_open and pidfd_getfd.
#[inline(always)]
pub fn pidfd_open<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, how) = (e.int(0), e.arg(1) as u32);
    e.i64(i64::from(pid));
    e.u32(flags::pidfd_open(how));
    Next::Emit
}

#[inline(always)]
pub fn pidfd_getfd<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.fd(1);
    let how = e.arg(2) as u32;
    e.u32(how);
    // What was taken: the file now behind the new descriptor.
    let ret = e.ret();
    let file = if ret < 0 { 0 } else { file_of(e.k, ret as i32) };
    if file != 0 && !crate::socket::is_socket(e.k, file) {
        path::of_file(e, file);
    }
    crate::file::with_paths(e)
}
