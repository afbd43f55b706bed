//! execve and execveat: arguments, environment, credentials, and the executable that the kernel
//! took. The event comes in stages: head, cgroups, middle, path, end.
use crate::event::{Event, Next};
use crate::file::{Overlay, encode_dev, overlay};
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::pid::{PIDTYPE_PGID, inner_number, signal_pid};
use crate::process::{ARGS_BYTES, identity, list, own_args, own_mm};
use crate::scratch::Place;
use crate::{credentials, files, flags, further, get, namespaces, offset, path, set, stage, table};

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

/// Pointers of a caller's array that are looked at, where the kernel has no loops or the stage is
/// one of all kernels.
const POINTERS: usize = 16;
/// Where it has them.
const POINTERS_MAX: u32 = 4096;
const ARGUMENT_BYTES: u32 = 1024;
/// Of the arguments of an exec that failed, so much stands at the head, and of the last so much
/// behind what was left out.
const HEAD_BYTES: usize = 4095;
const LAST_BYTES: usize = 1024;
const LEFT_OUT: [u8; 4] = *b"\xe2\x80\xa6\0";

/// One pointer of a caller's array.
#[inline(always)]
fn pointer<K: Kernel>(e: &mut Event<K>, array: usize, index: usize) -> usize {
    if e.state().compat != 0 {
        e.k.read_user::<u32>(array + 4 * index).unwrap_or(0) as usize
    } else {
        e.k.read_user::<u64>(array + 8 * index).unwrap_or(0) as usize
    }
}

/// The strings of a caller's array, one behind the other, as far as a few go.
#[inline(always)]
fn array<K: Kernel>(e: &mut Event<K>, array: usize, max: usize) {
    let k = e.k;
    set!(e.state().total, 0);
    for index in 0..POINTERS {
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

/// The arguments behind the first: the head of them, and where that is not all, "…" and the last.
#[inline(always)]
fn arguments<K: Kernel>(e: &mut Event<K>, argv: usize) {
    let state = e.state();
    set!(state.at.mnt, argv);
    set!(state.total, 0);
    set!(state.free, 0);
    set!(state.count, 0);
    if K::LOOPS {
        e.save();
        e.k.take_arguments(POINTERS_MAX);
        e.reload();
    } else {
        for index in 0..POINTERS {
            if take_argument(e, index) {
                break;
            }
        }
    }
    let state = e.state();
    let (total, last, left_out) = (get!(state.total), get!(state.free), get!(state.count));
    if left_out != 0 {
        state.truncated += 1;
    }
    e.end((total + last) as usize);
}

/// Takes one argument; whether it was the last. Those for which the head has no room are written
/// behind it, each over the one before.
#[inline(always)]
pub fn take_argument<K: Kernel>(e: &mut Event<K>, index: usize) -> bool {
    let k = e.k;
    let argv = get!(e.state().at.mnt);
    let at = pointer(e, argv, index + 1);
    if at == 0 {
        return true;
    }
    let total = get!(e.state().total) as usize;
    let is_head = get!(e.state().count) == 0 && total < HEAD_BYTES;
    if !is_head && get!(e.state().count) == 0 {
        e.bytes(LEFT_OUT);
        e.forget();
        let state = e.state();
        set!(state.total, total as u32 + LEFT_OUT.len() as u32);
        set!(state.count, 1);
    }
    let last = get!(e.state().free) as usize;
    if !is_head {
        let at = e.position();
        set!(e.state().data, at.wrapping_sub(last) as u32);
        e.reload();
    }
    let room = e.bound(if is_head { HEAD_BYTES - total } else { LAST_BYTES });
    // SAFETY: `room` takes 4 KiB.
    let got = unsafe { k.copy_user_str(e.room(), room as u32, at) };
    let bytes = if got < 0 { 0 } else { got as usize & 0xfff };
    e.grow(bytes);
    e.forget();
    if bytes == room && bytes != 0 {
        e.state().truncated += 1;
    }
    let state = e.state();
    if is_head {
        set!(state.total, (total + bytes) as u32);
    } else {
        set!(state.free, bytes as u32);
    }
    e.save();
    false
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
        arguments(e, argv);
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
    encode_dev(((major & 0xfff) << 20 | minor) + index)
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
        // Long environments are usual: that they are cut is not worth a count.
        let truncated = e.state().truncated;
        list(e, start, end.wrapping_sub(start), ARGS_BYTES);
        e.state().truncated = truncated;
    } else {
        let index = if e.state().code == table::SYSCALL_EXECVEAT_X { 3 } else { 2 };
        let envp = if index == 3 { e.arg(3) } else { e.arg(2) } as usize;
        array(e, envp, ARGS_BYTES);
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
    if e.ret() == 0 {
        files::look(e, file);
        further::note_layer(e);
    }
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
        e.state().own = 1;
        namespaces::write(e);
        return Next::EmitOwn;
    }
    // The process's executable is not what it failed to start.
    e.state().further = 0;
    e.empty();
    Next::EmitOne
}
