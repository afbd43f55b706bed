//! Data sent and received: how much, with whom, and its first bytes up to the snaplen.
use crate::address::{Direction, tuple};
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::{get, set, setting};

/// Bytes of the data to keep: no more than were moved, no more than the snaplen.
#[inline(always)]
fn kept<K: Kernel>(e: &mut Event<K>, moved: i64) -> usize {
    let most = setting!(e.k, snaplen) as usize;
    if moved < 0 {
        0
    } else if (moved as usize) < most {
        moved as usize
    } else {
        most
    }
}

/// The position of pread64 and pwrite64; the 32-bit entry has it in two arguments.
#[inline(always)]
fn position<K: Kernel>(e: &mut Event<K>) -> u64 {
    let (low, high) = (e.arg(3), e.arg(4));
    if e.state().compat != 0 { low & 0xffff_ffff | high << 32 } else { low }
}

#[inline(always)]
pub fn pread<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, size) = (e.arg(1) as usize, e.arg(2) as u32);
    let ret = e.ret();
    let bytes = kept(e, ret);
    e.user_bytes(at, bytes, 4095);
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
    let ret = e.ret();
    let bytes = kept(e, if ret > 0 { ret } else { i64::from(size) });
    e.user_bytes(at, bytes, 4095);
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
    let bytes = kept(e, if ret > 0 { ret } else { i64::from(size) });
    e.user_bytes(at, bytes, 4095);
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
        let bytes = kept(e, ret);
        e.user_bytes(at, bytes, 4095);
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

/// struct user_msghdr, as far as it is used.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Message {
    name: u64,
    name_len: u64,
    vectors: u64,
    vector_count: u64,
    control: u64,
    control_len: u64,
}

#[inline(always)]
fn message<K: Kernel>(e: &mut Event<K>, at: usize) -> Message {
    let k = e.k;
    if e.state().compat == 0 {
        return k.read_user(at).unwrap_or_default();
    }
    let short: [u32; 6] = k.read_user(at).unwrap_or_default();
    Message {
        name: u64::from(short[0]),
        name_len: u64::from(short[1]),
        vectors: u64::from(short[2]),
        vector_count: u64::from(short[3]),
        control: u64::from(short[4]),
        control_len: u64::from(short[5]),
    }
}

/// Address and length of one buffer of a message.
#[inline(always)]
fn vector<K: Kernel>(e: &mut Event<K>, at: usize, index: usize) -> (usize, usize) {
    let k = e.k;
    let compat = e.state().compat != 0;
    let step = if compat { 8 } else { 16 };
    // A 32-bit pair is half as long: the rest of what is read belongs to its neighbour.
    let words: [u32; 4] = k.read_user(at + step * index).unwrap_or_default();
    let wide = |low: usize| u64::from(words[low]) | u64::from(words[low + 1]) << 32;
    if compat {
        (words[0] as usize, words[1] as usize)
    } else {
        (wide(0) as usize, wide(2) as usize)
    }
}

/// Buffers of which the data is kept, and of which the lengths are added up.
const DATA_VECTORS: usize = 3;
const SIZE_VECTORS: usize = 8;

#[inline(always)]
fn message_data<K: Kernel>(e: &mut Event<K>, message: &Message, most: usize) {
    let k = e.k;
    let most = if most > 4095 { 4095 } else { most };
    set!(e.state().total, 0);
    for index in 0..DATA_VECTORS {
        let total = get!(e.state().total) as usize;
        if index as u64 >= message.vector_count || total >= most {
            break;
        }
        let (at, len) = vector(e, message.vectors as usize, index);
        let left = most - total;
        let bytes = e.bound(if len < left { len } else { left });
        // SAFETY: `room` takes 4 KiB.
        if !unsafe { k.copy_user(e.room(), bytes as u32, at) } {
            break;
        }
        e.grow(bytes);
        e.forget();
        set!(e.state().total, (total + bytes) as u32);
    }
    let total = get!(e.state().total) as usize;
    e.end(total);
}

#[inline(always)]
fn message_size<K: Kernel>(e: &mut Event<K>, message: &Message) -> u32 {
    set!(e.state().total, 0);
    for index in 0..SIZE_VECTORS {
        if index as u64 >= message.vector_count {
            break;
        }
        let len = vector(e, message.vectors as usize, index).1 as u32;
        let total = get!(e.state().total).wrapping_add(len);
        set!(e.state().total, total);
    }
    get!(e.state().total)
}

#[inline(always)]
pub fn sendmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at) = (e.int(0), e.arg(1) as usize);
    let message = message(e, at);
    let ret = e.ret();
    let most = setting!(e.k, snaplen) as usize;
    let bytes = if ret > 0 { kept(e, ret) } else { most };
    message_data(e, &message, bytes);
    e.fd(0);
    let size = message_size(e, &message);
    e.u32(size);
    if ret >= 0 {
        tuple(e, fd, Direction::Out, message.name as usize, message.name_len as usize);
    } else {
        e.empty();
    }
    Next::Emit
}

#[inline(always)]
pub fn recvmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at) = (e.int(0), e.arg(1) as usize);
    let ret = e.ret();
    if ret >= 0 {
        e.u32(ret as u32);
        let message = message(e, at);
        let bytes = kept(e, ret);
        message_data(e, &message, bytes);
        tuple(e, fd, Direction::In, message.name as usize, message.name_len as usize);
        if message.control != 0 && message.control_len <= 0xffff {
            e.user_bytes(message.control as usize, message.control_len as usize, 4095);
        } else {
            e.empty();
        }
    } else {
        e.u32(0);
        e.empty();
        e.empty();
        e.empty();
    }
    e.fd(0);
    Next::Emit
}

/// Message `index` of a batch, and the bytes of it that were moved.
#[inline(always)]
fn batch_message<K: Kernel>(e: &mut Event<K>, index: u32) -> (Message, u32) {
    let k = e.k;
    let compat = e.state().compat != 0;
    let (step, len_at) = if compat { (32, 28) } else { (64, 56) };
    let at = e.arg(1) as usize + step * index as usize;
    let len = k.read_user(at + len_at).unwrap_or(0);
    (message(e, at), len)
}

/// One event for each message of the batch, as far as the kernel lets a program go on.
#[inline(always)]
fn repeat<K: Kernel>(e: &mut Event<K>, index: u32) -> Next {
    if i64::from(index) + 1 < e.ret() {
        e.state().index = index + 1;
        Next::EmitAndRepeat
    } else {
        Next::Emit
    }
}

#[inline(always)]
pub fn sendmmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    let fd = e.int(0);
    if e.ret() <= 0 {
        e.res();
        e.fd(0);
        e.u32(0);
        e.empty();
        e.empty();
        return Next::Emit;
    }
    let index = e.state().index;
    let (message, len) = batch_message(e, index);
    e.i64(i64::from(len));
    e.fd(0);
    let size = message_size(e, &message);
    e.u32(size);
    let bytes = kept(e, i64::from(len));
    message_data(e, &message, bytes);
    tuple(e, fd, Direction::Out, message.name as usize, message.name_len as usize);
    repeat(e, index)
}

#[inline(always)]
pub fn recvmmsg<K: Kernel>(e: &mut Event<K>) -> Next {
    let fd = e.int(0);
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
    let (message, len) = batch_message(e, index);
    e.i64(i64::from(len));
    e.fd(0);
    e.u32(len);
    let bytes = kept(e, i64::from(len));
    message_data(e, &message, bytes);
    tuple(e, fd, Direction::In, message.name as usize, message.name_len as usize);
    if message.control != 0 && message.control_len <= 0xffff {
        e.user_bytes(message.control as usize, message.control_len as usize, 4095);
    } else {
        e.empty();
    }
    repeat(e, index)
}
