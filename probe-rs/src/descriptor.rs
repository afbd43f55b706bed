//! Calls that make, copy or close descriptors of no file by name.
use crate::event::{Event, Next};
use crate::file::file_of;
use crate::kernel::Kernel;
use crate::{flags, offset};

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
    e.state().pair = pair;
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
