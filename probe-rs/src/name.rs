//! Calls that name files without opening them.
//!
//! What is reached through a descriptor, and the working directory, have the kernel's path. When
//! the call returns, the kernel has let go of what it looked up by a name, so that is looked up
//! once more (lookup.rs): the file itself, or the directory in which the name was made or removed.
//! Where that leads nowhere, the reader joins the name with the directory that it starts from.
//! docs/names.md has the table of all calls.
use crate::event::{Event, Next};
use crate::file::with_paths;
use crate::kernel::Kernel;
use crate::lookup::{AT_FDCWD, EMPTY, ENTRY, FOLLOW, PARENT, want, with_names};
use crate::scratch::{Place, VIA_FCHMODAT2};
use crate::{flags, get, offset, path};

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
    Next::Emit
}

/// The call's first name, from the working directory.
#[inline(always)]
fn first<K: Kernel>(e: &mut Event<K>, index: usize, how: u32) {
    let bytes = e.string(index);
    want(e, 0, bytes, AT_FDCWD, how);
}

/// The same, its directory's descriptor before it.
#[inline(always)]
fn first_at<K: Kernel>(e: &mut Event<K>, index: usize, how: u32) {
    let fd = e.int(index);
    e.fd(index);
    let bytes = e.string(index + 1);
    want(e, 0, bytes, fd, how);
}

/// The second name, from the working directory.
#[inline(always)]
fn second<K: Kernel>(e: &mut Event<K>, index: usize, how: u32) {
    let bytes = e.string(index);
    want(e, 1, bytes, AT_FDCWD, how);
}

#[inline(always)]
fn second_at<K: Kernel>(e: &mut Event<K>, index: usize, how: u32) {
    let fd = e.int(index);
    e.fd(index);
    let bytes = e.string(index + 1);
    want(e, 1, bytes, fd, how);
}

const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
const AT_SYMLINK_FOLLOW: u32 = 0x400;
const AT_EMPTY_PATH: u32 = 0x1000;

/// How a call with these flags reads its name, where links are followed unless it says otherwise.
#[inline(always)]
pub fn follows_unless(flags: u32) -> u32 {
    let follow = if flags & AT_SYMLINK_NOFOLLOW == 0 { FOLLOW } else { 0 };
    follow | if flags & AT_EMPTY_PATH != 0 { EMPTY } else { 0 }
}

#[inline(always)]
pub fn follows_if(flags: u32) -> u32 {
    let follow = if flags & AT_SYMLINK_FOLLOW != 0 { FOLLOW } else { 0 };
    follow | if flags & AT_EMPTY_PATH != 0 { EMPTY } else { 0 }
}

#[inline(always)]
pub fn unlink<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, PARENT);
    with_names(e)
}

#[inline(always)]
pub fn unlinkat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first_at(e, 0, PARENT);
    let how = e.arg(2) as u32;
    e.u32(flags::unlinkat(how));
    with_names(e)
}

#[inline(always)]
pub fn rename<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, PARENT);
    second(e, 1, PARENT | ENTRY);
    with_names(e)
}

#[inline(always)]
pub fn renameat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first_at(e, 0, PARENT);
    second_at(e, 2, PARENT | ENTRY);
    with_names(e)
}

#[inline(always)]
pub fn renameat2<K: Kernel>(e: &mut Event<K>) -> Next {
    let next = renameat(e);
    let how = e.arg(4) as u32;
    e.u32(how);
    next
}

/// The old name is that of the file, the new one an entry.
#[inline(always)]
pub fn link<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, 0);
    second(e, 1, PARENT);
    with_names(e)
}

#[inline(always)]
pub fn linkat<K: Kernel>(e: &mut Event<K>) -> Next {
    let how = e.arg(4) as u32;
    e.res();
    first_at(e, 0, follows_if(how));
    second_at(e, 2, PARENT);
    e.u32(flags::linkat(how));
    with_names(e)
}

/// What a symbolic link says is a text: only the link's own name is looked up.
#[inline(always)]
pub fn symlink<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    first(e, 1, PARENT);
    with_names(e)
}

#[inline(always)]
pub fn symlinkat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.string(0);
    first_at(e, 1, PARENT);
    with_names(e)
}

#[inline(always)]
pub fn mkdir<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, PARENT);
    let mode = e.arg(1) as u32;
    e.u32(mode);
    with_names(e)
}

#[inline(always)]
pub fn mkdirat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first_at(e, 0, PARENT);
    let mode = e.arg(2) as u32;
    e.u32(mode);
    with_names(e)
}

#[inline(always)]
pub fn chmod<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, FOLLOW);
    let mode = e.arg(1) as u32;
    e.u32(flags::mode(mode));
    with_names(e)
}

#[inline(always)]
pub fn fchmod<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let mode = e.arg(1) as u32;
    e.u32(flags::mode(mode));
    Next::Emit
}

#[inline(always)]
pub fn fchmodat<K: Kernel>(e: &mut Event<K>) -> Next {
    // Only the younger call has flags.
    let flags = if get!(e.state().via) == VIA_FCHMODAT2 { e.arg(3) as u32 } else { 0 };
    e.res();
    first_at(e, 0, follows_unless(flags));
    let mode = e.arg(2) as u32;
    e.u32(flags::mode(mode));
    with_names(e)
}

#[inline(always)]
fn owned<K: Kernel>(e: &mut Event<K>, how: u32) -> Next {
    e.res();
    first(e, 0, how);
    let (uid, gid) = (e.arg(1) as u32, e.arg(2) as u32);
    e.u32(uid);
    e.u32(gid);
    with_names(e)
}

#[inline(always)]
pub fn chown<K: Kernel>(e: &mut Event<K>) -> Next {
    owned(e, FOLLOW)
}

#[inline(always)]
pub fn lchown<K: Kernel>(e: &mut Event<K>) -> Next {
    owned(e, 0)
}

#[inline(always)]
pub fn fchown<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (uid, gid) = (e.arg(1) as u32, e.arg(2) as u32);
    e.u32(uid);
    e.u32(gid);
    Next::Emit
}

#[inline(always)]
pub fn fchownat<K: Kernel>(e: &mut Event<K>) -> Next {
    let (uid, gid, how) = (e.arg(2) as u32, e.arg(3) as u32, e.arg(4) as u32);
    e.res();
    first_at(e, 0, follows_unless(how));
    e.u32(uid);
    e.u32(gid);
    e.u32(flags::fchownat(how));
    with_names(e)
}

#[inline(always)]
pub fn stat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, FOLLOW);
    with_names(e)
}

#[inline(always)]
pub fn lstat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, 0);
    with_names(e)
}

#[inline(always)]
pub fn newfstatat<K: Kernel>(e: &mut Event<K>) -> Next {
    let how = e.arg(3) as u32;
    e.res();
    first_at(e, 0, follows_unless(how));
    e.u32(flags::newfstatat(how));
    with_names(e)
}

#[inline(always)]
pub fn access<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, FOLLOW);
    let mode = e.arg(1) as u32;
    e.u32(flags::access(mode));
    with_names(e)
}

#[inline(always)]
pub fn mknod<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first(e, 0, PARENT);
    let (mode, dev) = (e.arg(1) as u32, e.arg(2) as u32);
    e.u32(flags::mknod_mode(mode));
    e.u32(dev);
    with_names(e)
}

#[inline(always)]
pub fn mknodat<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    first_at(e, 0, PARENT);
    let (mode, dev) = (e.arg(2) as u32, e.arg(3) as u32);
    e.u32(flags::mknod_mode(mode));
    e.u32(dev);
    with_names(e)
}
