//! Data sent and received: how much, with whom, and its first bytes up to the snaplen.
use crate::address::{Direction, tuple};
use crate::event::{Event, Next};
use crate::get;
use crate::kernel::Kernel;
use crate::snaplen::settle;
use crate::vectors::{data, data_and_size, kept, kept_or};

/// The position of pread64 and pwrite64; the 32-bit entry has it in two arguments.
#[inline(always)]
pub fn position<K: Kernel>(e: &mut Event<K>) -> u64 {
    let (low, high) = (e.arg(3), e.arg(4));
    if e.state().compat != 0 { low & 0xffff_ffff | high << 32 } else { low }
}

#[inline(always)]
pub fn pread<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, size) = (e.arg(1) as usize, e.arg(2) as u32);
    let ret = e.ret();
    let bytes = kept(e, ret);
    e.data(at, bytes);
    e.fd(0);
    e.u32(size);
    let position = position(e);
    e.u64(position);
    Next::Emit
}

#[inline(always)]
pub fn pwrite<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, size) = (e.arg(1) as usize, e.arg(2) as u32);
    let bytes = kept_or(e, size);
    e.data(at, bytes);
    e.fd(0);
    e.u32(size);
    let position = position(e);
    e.u64(position);
    Next::Emit
}

#[inline(always)]
pub fn sendto<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at, size, peer) = (e.int(0), e.arg(1) as usize, e.arg(2) as u32, e.arg(4) as usize);
    let ret = e.ret();
    settle(e, peer, at, size);
    let bytes = kept_or(e, size);
    e.data(at, bytes);
    e.fd(0);
    e.u32(size);
    if ret >= 0 {
        let peer_len = e.arg(5) as u32;
        tuple(e, fd, Direction::Out, peer, peer_len as usize);
    } else {
        e.empty();
    }
    Next::Emit
}

#[inline(always)]
pub fn recvfrom<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (k, len_at) = (e.k, e.arg(5) as usize);
    let (fd, at, size, peer) = (e.int(0), e.arg(1) as usize, e.arg(2) as u32, e.arg(4) as usize);
    let ret = e.ret();
    if ret >= 0 {
        settle(e, peer, at, size);
        let bytes = kept(e, ret);
        e.data(at, bytes);
        let peer_len: u32 = k.read_user(len_at).unwrap_or(0);
        tuple(e, fd, Direction::In, peer, peer_len as usize);
    } else {
        e.empty();
        e.empty();
    }
    e.fd(0);
    e.u32(size);
    Next::Emit
}

/// The 32-bit calls without a peer's address, which come inside of socketcall.
#[inline(always)]
pub fn send<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at, size) = (e.int(0), e.arg(1) as usize, e.arg(2) as u32);
    settle(e, 0, at, size);
    let bytes = kept_or(e, size);
    e.data(at, bytes);
    ended(e, fd, size, Direction::Out)
}

#[inline(always)]
pub fn recv<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at, size, ret) = (e.int(0), e.arg(1) as usize, e.arg(2) as u32, e.ret());
    settle(e, 0, at, size);
    let bytes = kept(e, ret);
    e.data(at, bytes);
    ended(e, fd, size, Direction::In)
}

#[inline(always)]
fn ended<K: Kernel>(e: &mut Event<K>, fd: i32, size: u32, way: Direction) -> Next {
    e.fd(0);
    e.u32(size);
    if e.ret() >= 0 {
        tuple(e, fd, way, 0, 0);
    } else {
        e.empty();
    }
    Next::Emit
}

/// Members of struct user_msghdr.
const NAME: usize = 0;
const NAME_LEN: usize = 1;
const VECTORS: usize = 2;
const VECTOR_COUNT: usize = 3;
const CONTROL: usize = 4;
const CONTROL_LEN: usize = 5;
const MEMBERS: u32 = 6;

/// Copies a message's head, to be looked at with `member`; zeros where it is not in memory.
#[inline(always)]
fn look_at<K: Kernel>(e: &mut Event<K>, at: usize) {
    let to = e.copy_room(0);
    // SAFETY: a slot takes 512 bytes.
    unsafe { e.k.copy_user(to, 8 * MEMBERS, at) };
}

/// A member of the message, of half the width where it came through the 32-bit entry; without a
/// branch, as in vectors.rs.
#[inline(always)]
fn member<K: Kernel>(e: &mut Event<K>, index: usize) -> u64 {
    let compat = get!(e.state().compat);
    let at = e.bound((8 * index) >> (compat & 1));
    let value: u64 = e.copied(0, at);
    value & (u64::from(compat).wrapping_sub(1) | 0xffff_ffff)
}

/// The data of a message; returns how long its buffers are together.
#[inline(always)]
fn message_data<K: Kernel>(e: &mut Event<K>, most: usize) -> u32 {
    let (at, count) = (member(e, VECTORS) as usize, member(e, VECTOR_COUNT));
    data_and_size(e, at, count, most)
}

/// How much of the message is kept.
#[inline(always)]
fn settle_message<K: Kernel>(e: &mut Event<K>) {
    let peer = member(e, NAME) as usize;
    settle(e, peer, 0, 0);
}

/// The ends of the socket, with the peer that the message names.
#[inline(always)]
fn message_tuple<K: Kernel>(e: &mut Event<K>, way: Direction) {
    let (fd, peer, len) = (e.int(0), member(e, NAME), member(e, NAME_LEN));
    tuple(e, fd, way, peer as usize, len as usize);
}

#[inline(always)]
fn message_control<K: Kernel>(e: &mut Event<K>) {
    let (at, len) = (member(e, CONTROL) as usize, member(e, CONTROL_LEN) as usize);
    if at != 0 && len <= 0xffff {
        e.user_bytes(at, len, 4095);
    } else {
        e.empty();
    }
}

#[inline(always)]
pub fn sendmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, ret) = (e.arg(1) as usize, e.ret());
    look_at(e, at);
    settle_message(e);
    let most = if ret > 0 { kept(e, ret) } else { get!(e.state().most) as usize };
    let size = message_data(e, most);
    e.fd(0);
    e.u32(size);
    if get!(e.state().ret) >= 0 {
        message_tuple(e, Direction::Out);
    } else {
        e.empty();
    }
    Next::Emit
}

#[inline(always)]
pub fn recvmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, ret) = (e.arg(1) as usize, e.ret());
    if ret >= 0 {
        e.u32(ret as u32);
        look_at(e, at);
        settle_message(e);
        let most = kept(e, ret);
        let (list, count) = (member(e, VECTORS) as usize, member(e, VECTOR_COUNT));
        data(e, list, count, most);
        message_tuple(e, Direction::In);
        message_control(e);
    } else {
        e.u32(0);
        e.empty();
        e.empty();
        e.empty();
    }
    e.fd(0);
    Next::Emit
}

/// Looks at message `index` of a batch. Returns the bytes of it that were moved.
#[inline(always)]
fn batch_message<K: Kernel>(e: &mut Event<K>, index: u32) -> u32 {
    let compat = get!(e.state().compat) & 1;
    let (step, len_at) = (64 >> compat, 56 >> compat);
    let at = e.arg(1) as usize + step * index as usize;
    look_at(e, at);
    e.k.read_user(at + len_at).unwrap_or(0)
}

/// One event for each message of the batch, as far as the kernel lets a program go on.
#[inline(always)]
fn repeat<K: Kernel>(e: &mut Event<K>) -> Next {
    let index = get!(e.state().index);
    if i64::from(index) + 1 < e.ret() {
        e.state().index = index + 1;
        Next::EmitAndRepeat
    } else {
        Next::Emit
    }
}

#[inline(always)]
pub fn sendmmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    if e.ret() <= 0 {
        e.res();
        e.fd(0);
        e.u32(0);
        e.empty();
        e.empty();
        return Next::Emit;
    }
    let index = e.state().index;
    let len = batch_message(e, index);
    e.i64(i64::from(len));
    e.fd(0);
    let at = e.position();
    e.u32(0);
    settle_message(e);
    let most = kept(e, i64::from(len));
    let size = message_data(e, most);
    e.change(at, size);
    message_tuple(e, Direction::Out);
    repeat(e)
}

#[inline(always)]
pub fn recvmmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    if e.ret() <= 0 {
        e.res();
        e.fd(0);
        e.u32(0);
        e.empty();
        e.empty();
        e.empty();
        return Next::Emit;
    }
    let index = e.state().index;
    let len = batch_message(e, index);
    e.i64(i64::from(len));
    e.fd(0);
    e.u32(len);
    settle_message(e);
    let most = kept(e, i64::from(len));
    let (list, count) = (member(e, VECTORS) as usize, member(e, VECTOR_COUNT));
    data(e, list, count, most);
    message_tuple(e, Direction::In);
    message_control(e);
    repeat(e)
}
