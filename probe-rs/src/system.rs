//! Mounts, modules, BPF, limits, descriptors that are no files.
use crate::compat;
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::lookup::{AT_FDCWD, FOLLOW, MOUNTPOINT, of_new_root, want, want_none, with_names};
use crate::{flags, setting};

const MS_BIND: u32 = 0x1000;
const MS_MOVE: u32 = 0x2000;
const UMOUNT_NOFOLLOW: u32 = 8;

#[inline(always)]
pub fn mount<K: Kernel>(e: &mut Event<K>) -> Next {
    let how = e.arg(3) as u32;
    e.res();
    let bytes = e.string(0);
    // Other sources are devices, names of other machines, or words.
    if how & MS_BIND != 0 {
        want(e, 0, bytes, AT_FDCWD, FOLLOW);
    } else if how & MS_MOVE != 0 {
        want(e, 0, bytes, AT_FDCWD, FOLLOW | MOUNTPOINT);
    } else {
        want_none(e);
    }
    let bytes = e.string(1);
    want(e, 1, bytes, AT_FDCWD, FOLLOW | MOUNTPOINT);
    e.string(2);
    e.u32(flags::mount(how));
    with_names(e)
}

#[inline(always)]
pub fn umount<K: Kernel>(e: &mut Event<K>) -> Next {
    unmounted(e, 0)
}

/// The mount is gone: its name leads to what it covered.
#[inline(always)]
fn unmounted<K: Kernel>(e: &mut Event<K>, how: u32) -> Next {
    e.res();
    let bytes = e.string(0);
    let follow = if how & UMOUNT_NOFOLLOW == 0 { FOLLOW } else { 0 };
    want(e, 0, bytes, AT_FDCWD, follow | MOUNTPOINT);
    with_names(e)
}

#[inline(always)]
pub fn umount2<K: Kernel>(e: &mut Event<K>) -> Next {
    // The 32-bit umount has no flags.
    let plain = e.state().compat != 0 && e.state().number == compat::UMOUNT;
    let how = if plain { 0 } else { e.arg(1) as u32 };
    let next = unmounted(e, how);
    e.u32(flags::umount(how));
    next
}

/// The new root is the process's root after the call; its name before is not in reach any more.
#[inline(always)]
pub fn chroot<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    of_new_root(e)
}

#[inline(always)]
pub fn init_module<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, len) = (e.arg(0) as usize, e.arg(1));
    let most = setting!(e.k, snaplen) as usize;
    e.user_bytes(at, len as usize, most);
    e.u64(len);
    e.string(2);
    Next::Emit
}

#[inline(always)]
pub fn finit_module<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    let how = e.arg(2) as u32;
    e.u32(flags::finit_module(how));
    Next::Emit
}

#[inline(always)]
pub fn delete_module<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    let how = e.arg(1) as u32;
    e.u32(flags::delete_module(how));
    Next::Emit
}

#[inline(always)]
pub fn bpf<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let command = e.arg(0) as u32;
    e.u32(command);
    Next::Emit
}

#[inline(always)]
pub fn userfaultfd<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let how = e.arg(0) as u32;
    // UFFD_USER_MODE_ONLY as Falco has it, the kernel's own bit; it has no name.
    e.u32(flags::descriptor(how) | how & 1);
    Next::Emit
}

#[inline(always)]
pub fn eventfd<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let start = e.arg(0) as u32;
    e.u64(u64::from(start));
    e.u32(0);
    Next::Emit
}

#[inline(always)]
pub fn eventfd2<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (start, how) = (e.arg(0) as u32, e.int(1));
    e.u16(flags::descriptor_signed(how) as u16);
    e.u64(u64::from(start));
    Next::Emit
}

#[inline(always)]
pub fn signalfd<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.u32(0);
    e.u8(0);
    Next::Emit
}

#[inline(always)]
pub fn signalfd4<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let how = e.int(3);
    e.u16(flags::descriptor_signed(how) as u16);
    e.fd(0);
    e.u32(0);
    Next::Emit
}

#[inline(always)]
pub fn timerfd_create<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (clock, how) = (e.int(0), e.int(1));
    // Only the low byte of the flags has room.
    e.u8(clock as u8);
    e.u8(flags::descriptor_signed(how) as u8);
    Next::Emit
}

#[inline(always)]
pub fn inotify_init<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.u8(0);
    Next::Emit
}

#[inline(always)]
pub fn inotify_init1<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let how = e.int(0);
    e.u16(flags::descriptor_signed(how) as u16);
    Next::Emit
}

#[inline(always)]
pub fn epoll_create<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let size = e.arg(0) as u32;
    e.u32(size);
    Next::Emit
}

#[inline(always)]
pub fn epoll_create1<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let how = e.arg(0) as u32;
    e.u32(flags::epoll_create1(how));
    Next::Emit
}

/// struct io_uring_params, up to the features.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct RingParams {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
}

#[inline(always)]
pub fn io_uring_setup<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (entries, at) = (e.arg(0) as u32, e.arg(1) as usize);
    let params: RingParams = e.k.read_user(at).unwrap_or_default();
    e.u32(entries);
    e.u32(params.sq_entries);
    e.u32(params.cq_entries);
    e.u32(flags::io_uring_setup(params.flags));
    e.u32(params.sq_thread_cpu);
    e.u32(params.sq_thread_idle);
    e.u32(flags::io_uring_features(params.features));
    Next::Emit
}

/// Two limits of the caller, each of 64 bits.
#[inline(always)]
fn limit_pair<K: Kernel>(e: &mut Event<K>, at: usize) {
    let pair: [i64; 2] = e.k.read_user(at).unwrap_or_default();
    e.i64(pair[0]);
    e.i64(pair[1]);
}

/// struct rlimit of the caller; zeros where there is none, as with Falco. The 32-bit entry has its
/// parts in 32 bits, all of which are set where there is no limit.
#[inline(always)]
fn limits<K: Kernel>(e: &mut Event<K>, at: usize) {
    if e.state().compat == 0 {
        return limit_pair(e, at);
    }
    let pair: [u32; 2] = e.k.read_user(at).unwrap_or_default();
    for part in pair {
        e.i64(if part == u32::MAX { -1 } else { i64::from(part) });
    }
}

#[inline(always)]
pub fn getrlimit<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (resource, at) = (e.arg(0) as u32, e.arg(1) as usize);
    if e.ret() == 0 {
        limits(e, at);
    } else {
        e.i64(-1);
        e.i64(-1);
    }
    e.u8(flags::resource(resource));
    Next::Emit
}

#[inline(always)]
pub fn setrlimit<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (resource, at) = (e.arg(0) as u32, e.arg(1) as usize);
    limits(e, at);
    e.u8(flags::resource(resource));
    Next::Emit
}

#[inline(always)]
pub fn prlimit<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, resource, new, old) =
        (e.int(0), e.arg(1) as u32, e.arg(2) as usize, e.arg(3) as usize);
    limit_pair(e, new);
    if e.ret() == 0 {
        limit_pair(e, old);
    } else {
        e.i64(-1);
        e.i64(-1);
    }
    e.i64(i64::from(pid));
    e.u8(flags::resource(resource));
    Next::Emit
}
