//! Files: opens, and all calls that name one.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::lane::CRITICAL;
use crate::scratch::Place;
use crate::stage::EMIT_WITH_PATHS;
use crate::{flags, offset, path};

const FMODE_CREATED: u32 = 1 << 20;
const OVERLAY_MAGIC: u64 = 0x794c_7630;

/// The open file behind a descriptor of the current process; 0 where there is none.
#[inline(always)]
pub fn file_of<K: Kernel>(k: &K, fd: i32) -> usize {
    let (count, array) = k.descriptors();
    if fd < 0 || fd as u32 >= count {
        return 0;
    }
    k.address(array + 8 * fd as usize)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    No,
    Upper,
    Lower,
}

/// On which layer of an overlay the file lies.
#[inline(always)]
pub fn overlay<K: Kernel>(k: &K, file: usize) -> Overlay {
    let dentry = k.address(file + offset!(k, file_dentry));
    let sb = k.address(dentry + offset!(k, dentry_sb));
    if k.word(sb + offset!(k, sb_magic)) != OVERLAY_MAGIC {
        return Overlay::No;
    }
    // struct ovl_inode: the vfs inode, then the dentry of the upper layer.
    let inode = k.address(dentry + offset!(k, dentry_inode));
    let upper = k.address(inode + offset!(k, inode_size));
    let upper_inode = k.address(upper + offset!(k, dentry_inode));
    if upper != 0 && k.word(upper_inode + offset!(k, inode_ino)) != 0 {
        Overlay::Upper
    } else {
        Overlay::Lower
    }
}

/// The device in the form that stat shows (new_encode_dev).
#[inline(always)]
pub const fn encode_dev(dev: u32) -> u32 {
    let (major, minor) = (dev >> 20, dev & 0xf_ffff);
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

struct Opened {
    dev: u32,
    ino: u64,
    flags: u32,
}

/// Device, inode and what the flags say beyond the call's own; notes the path for our parameters.
#[inline(always)]
fn opened<K: Kernel>(event: &mut Event<K>, call_flags: u32) -> Opened {
    let k = event.k;
    let ret = event.ret();
    let file = if ret < 0 { 0 } else { file_of(k, ret as i32) };
    if file == 0 {
        return Opened { dev: 0, ino: 0, flags: 0 };
    }
    // struct file, inode and super_block have what is asked for in their first 256 bytes, in an
    // order that changed with time.
    let last = offset!(k, file_dentry).max(offset!(k, file_inode)).max(offset!(k, file_mode));
    event.copy(FILE, file, last);
    let inode: usize = event.copied(FILE, offset!(k, file_inode));
    event.copy(INODE, inode, offset!(k, inode_ino).max(offset!(k, inode_sb)));
    let sb: usize = event.copied(INODE, offset!(k, inode_sb));
    event.copy(SB, sb, offset!(k, sb_magic).max(offset!(k, sb_dev)));
    let mut more = 0;
    if event.copied::<u32>(FILE, offset!(k, file_mode)) & FMODE_CREATED != 0 {
        more |= flags::O_F_CREATED;
    }
    if event.copied::<u64>(SB, offset!(k, sb_magic)) == OVERLAY_MAGIC {
        match overlay(k, file) {
            Overlay::Upper => more |= flags::FD_UPPER_LAYER,
            Overlay::Lower => more |= flags::FD_LOWER_LAYER,
            Overlay::No => {}
        }
    }
    let place = Place {
        mnt: event.copied(FILE, offset!(k, file_mnt)),
        dentry: event.copied(FILE, offset!(k, file_dentry)),
    };
    path::of_place(event, place);
    if call_flags & 3 != 0 || more & flags::O_F_CREATED != 0 {
        event.state().lane = CRITICAL;
    }
    Opened {
        dev: encode_dev(event.copied(SB, offset!(k, sb_dev))),
        ino: event.copied(INODE, offset!(k, inode_ino)),
        flags: more,
    }
}

const FILE: usize = 0;
const INODE: usize = 1;
const SB: usize = 2;

/// The paths go behind the table's parameters, where there are any.
#[inline(always)]
pub fn with_paths<K: Kernel>(event: &mut Event<K>) -> Next {
    let state = event.state();
    if state.place_count == 0 {
        return Next::Emit;
    }
    state.place = 0;
    state.then = EMIT_WITH_PATHS;
    Next::Walk
}

#[inline(always)]
pub fn open<K: Kernel>(e: &mut Event<K>) -> Next {
    let call_flags = e.arg(1) as u32;
    let opened = opened(e, call_flags);
    e.res();
    e.string(0);
    e.u32(flags::open(call_flags) | opened.flags);
    let mode = e.arg(2) as u32;
    e.u32(flags::open_mode(call_flags, mode));
    e.u32(opened.dev);
    e.u64(opened.ino);
    with_paths(e)
}

#[inline(always)]
pub fn openat<K: Kernel>(e: &mut Event<K>) -> Next {
    let call_flags = e.arg(2) as u32;
    let opened = opened(e, call_flags);
    e.res();
    e.fd(0);
    e.string(1);
    e.u32(flags::open(call_flags) | opened.flags);
    let mode = e.arg(3) as u32;
    e.u32(flags::open_mode(call_flags, mode));
    e.u32(opened.dev);
    e.u64(opened.ino);
    with_paths(e)
}

/// struct open_how of openat2.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

#[inline(always)]
pub fn openat2<K: Kernel>(e: &mut Event<K>) -> Next {
    let at = e.arg(2) as usize;
    let how: How = if let Some(how) = e.k.read_user(at) {
        how
    } else {
        // Paged out: the kernel's own note of what was asked for.
        let ret = e.ret();
        let k = e.k;
        let file = file_of(k, ret as i32);
        How { flags: u64::from(k.int(file + offset!(k, file_flags))), mode: 0, resolve: 0 }
    };
    let opened = opened(e, how.flags as u32);
    e.res();
    e.fd(0);
    e.string(1);
    e.u32(flags::open(how.flags as u32) | opened.flags);
    e.u32(flags::open_mode(how.flags as u32, how.mode as u32));
    e.u32(flags::resolve(how.resolve as u32));
    e.u32(opened.dev);
    e.u64(opened.ino);
    with_paths(e)
}

#[inline(always)]
pub fn creat<K: Kernel>(e: &mut Event<K>) -> Next {
    let opened = opened(e, 1);
    e.res();
    e.string(0);
    let mode = e.arg(1) as u32;
    e.u32(flags::mode(mode));
    e.u32(opened.dev);
    e.u64(opened.ino);
    let mut layer = 0;
    if opened.flags & flags::FD_UPPER_LAYER != 0 {
        layer = flags::CREAT_UPPER_LAYER;
    } else if opened.flags & flags::FD_LOWER_LAYER != 0 {
        layer = flags::CREAT_LOWER_LAYER;
    }
    e.u16(layer);
    with_paths(e)
}

#[inline(always)]
pub fn close<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    Next::Emit
}

#[inline(always)]
pub fn close_range<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (first, last, how) = (e.arg(0) as u32, e.arg(1) as u32, e.arg(2) as u32);
    e.u32(first);
    e.u32(last);
    e.u32(flags::close_range(how));
    Next::Emit
}

#[inline(always)]
pub fn dup<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    Next::Emit
}

#[inline(always)]
pub fn dup2<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.fd(1);
    Next::Emit
}

#[inline(always)]
pub fn dup3<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.fd(1);
    let how = e.arg(2) as u32;
    e.u32(flags::dup3(how));
    Next::Emit
}

/// Only the two commands that make a descriptor change what is known of the process; the others
/// are as frequent as they are idle.
#[inline(always)]
pub fn fcntl<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let command = e.arg(1) as u32;
    e.u8(flags::fcntl(command));
    let value = e.arg(2);
    e.u64(value);
    Next::Emit
}

/// The process's working directory after the call, as the kernel has it.
#[inline(always)]
fn place_cwd<K: Kernel>(e: &mut Event<K>) {
    if e.ret() < 0 {
        return;
    }
    let k = e.k;
    let fs = k.address(k.task() + offset!(k, task_fs));
    let place = Place {
        mnt: k.address(fs + offset!(k, fs_pwd_mnt)),
        dentry: k.address(fs + offset!(k, fs_pwd_dentry)),
    };
    path::of_place(e, place);
}

#[inline(always)]
pub fn chdir<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    place_cwd(e);
    with_paths(e)
}

#[inline(always)]
pub fn fchdir<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    place_cwd(e);
    with_paths(e)
}

#[inline(always)]
pub fn unlink<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    Next::Emit
}

#[inline(always)]
pub fn unlinkat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    let how = e.arg(2) as u32;
    e.u32(flags::unlinkat(how));
    Next::Emit
}

/// rename, link, symlink: two names.
#[inline(always)]
pub fn two_names<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    e.string(1);
    Next::Emit
}

#[inline(always)]
pub fn renameat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    e.fd(2);
    e.string(3);
    Next::Emit
}

#[inline(always)]
pub fn renameat2<K: Kernel>(e: &mut Event<K>) -> Next {
    renameat(e);
    let how = e.arg(4) as u32;
    e.u32(how);
    Next::Emit
}

#[inline(always)]
pub fn linkat<K: Kernel>(e: &mut Event<K>) -> Next {
    renameat(e);
    let how = e.arg(4) as u32;
    e.u32(flags::linkat(how));
    Next::Emit
}

#[inline(always)]
pub fn symlinkat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    e.fd(1);
    e.string(2);
    Next::Emit
}

#[inline(always)]
pub fn mkdir<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    let mode = e.arg(1) as u32;
    e.u32(mode);
    Next::Emit
}

#[inline(always)]
pub fn mkdirat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    let mode = e.arg(2) as u32;
    e.u32(mode);
    Next::Emit
}

#[inline(always)]
pub fn chmod<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    let mode = e.arg(1) as u32;
    e.u32(flags::mode(mode));
    Next::Emit
}

/// The path of a file that the call reached through a descriptor.
#[inline(always)]
fn place_fd<K: Kernel>(e: &mut Event<K>, index: usize) {
    let fd = e.int(index);
    let file = file_of(e.k, fd);
    if file != 0 {
        path::of_file(e, file);
    }
}

#[inline(always)]
pub fn fchmod<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let mode = e.arg(1) as u32;
    e.u32(flags::mode(mode));
    place_fd(e, 0);
    with_paths(e)
}

#[inline(always)]
pub fn fchmodat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    let mode = e.arg(2) as u32;
    e.u32(flags::mode(mode));
    Next::Emit
}

#[inline(always)]
pub fn chown<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    let (uid, gid) = (e.arg(1) as u32, e.arg(2) as u32);
    e.u32(uid);
    e.u32(gid);
    Next::Emit
}

#[inline(always)]
pub fn fchown<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (uid, gid) = (e.arg(1) as u32, e.arg(2) as u32);
    e.u32(uid);
    e.u32(gid);
    place_fd(e, 0);
    with_paths(e)
}

#[inline(always)]
pub fn fchownat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    let (uid, gid, how) = (e.arg(2) as u32, e.arg(3) as u32, e.arg(4) as u32);
    e.u32(uid);
    e.u32(gid);
    e.u32(flags::fchownat(how));
    Next::Emit
}

#[inline(always)]
pub fn mknod<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    let (mode, dev) = (e.arg(1) as u32, e.arg(2) as u32);
    e.u32(flags::mknod_mode(mode));
    e.u32(dev);
    Next::Emit
}

#[inline(always)]
pub fn mknodat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.string(1);
    let (mode, dev) = (e.arg(2) as u32, e.arg(3) as u32);
    e.u32(flags::mknod_mode(mode));
    e.u32(dev);
    Next::Emit
}

#[inline(always)]
pub fn memfd_create<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    let how = e.arg(1) as u32;
    e.u32(flags::memfd(how));
    Next::Emit
}

#[inline(always)]
fn inode_of<K: Kernel>(k: &K, fd: i32) -> u64 {
    let file = file_of(k, fd);
    let inode = k.address(file + offset!(k, file_inode));
    k.word(inode + offset!(k, inode_ino))
}

#[inline(always)]
pub fn pipe<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let at = e.arg(0) as usize;
    let pair: [i32; 2] =
        if e.ret() == 0 { e.k.read_user(at).unwrap_or([-1, -1]) } else { [-1, -1] };
    e.i64(i64::from(pair[0]));
    e.i64(i64::from(pair[1]));
    let ino = inode_of(e.k, pair[0]);
    e.u64(ino);
    Next::Emit
}

#[inline(always)]
pub fn pipe2<K: Kernel>(e: &mut Event<K>) -> Next {
    pipe(e);
    let how = e.int(1);
    e.u32(flags::pipe2(how));
    Next::Emit
}
