//! Calls that name files without opening them.
//!
//! What is reached through a descriptor, and the working directory, have the kernel's path. A file
//! that is only named has none: when the call returns, the kernel has let go of what it looked up,
//! and a removed name leads nowhere any more. The reader joins such names with the directory that
//! they start from, whose path is the kernel's.
use crate::event::{Event, Next};
use crate::file::{file_of, with_paths};
use crate::kernel::Kernel;
use crate::scratch::Place;
use crate::{flags, offset, path};

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
