//! Sockets. Addresses come from the kernel's socket where it has them, so that a caller cannot
//! change them after the call; only an unconnected datagram's peer is the caller's word.
//!
//!     SOCKADDR   u8 family, then unix: path; IPv4: 4 bytes, u16 port; IPv6: 16 bytes, u16 port
//!     SOCKTUPLE  u8 family, then unix: u64 source, u64 destination, path; IP: source, port,
//!                destination, port
//!
//! Addresses are in network order, ports in the host's.
use crate::event::{Event, Next};
use crate::file::file_of;
use crate::kernel::Kernel;
use crate::scratch::PATH_AT;
use crate::{flags, get, offset, set, setting};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const S_IFSOCK: u16 = 0o140_000;
/// sun_path and a NUL.
const UNIX_PATH_BYTES: u32 = 109;
const EINPROGRESS: i64 = -115;

#[inline(always)]
pub fn is_socket<K: Kernel>(k: &K, file: usize) -> bool {
    let inode = k.address(file + offset!(k, file_inode));
    k.read::<u16>(inode + offset!(k, inode_mode)) & 0o170_000 == S_IFSOCK
}

/// The struct sock behind a descriptor; 0 where it is no socket.
#[inline(always)]
fn sock_of<K: Kernel>(k: &K, fd: i32) -> usize {
    let file = file_of(k, fd);
    if file == 0 || !is_socket(k, file) {
        return 0;
    }
    let socket = k.address(file + offset!(k, file_private));
    k.address(socket + offset!(k, socket_sk))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The socket is the source.
    Out,
    /// The socket is the destination.
    In,
}

#[derive(Clone, Copy, Default)]
struct V4 {
    address: u32,
    port: u16,
}

/// struct sockaddr_in, as far as it is used.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Inet {
    family: u16,
    port: u16,
    address: u32,
}

/// struct sockaddr_in6, as far as it is used.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Inet6 {
    family: u16,
    port: u16,
    flow: u32,
    address: [u32; 4],
}

#[inline(always)]
fn tuple4<K: Kernel>(e: &mut Event<K>, sock: usize, way: Direction, peer: usize) {
    let k = e.k;
    let own = V4 {
        address: k.int(sock + offset!(k, inet_saddr)),
        port: u16::from_be(k.read(sock + offset!(k, inet_sport))),
    };
    let mut other = V4 {
        address: k.int(sock + offset!(k, sock_daddr)),
        port: u16::from_be(k.read(sock + offset!(k, sock_dport))),
    };
    if other.port == 0 && peer != 0 {
        let told: Inet = k.read_user(peer).unwrap_or_default();
        other = V4 { address: told.address, port: u16::from_be(told.port) };
    }
    let (source, target) = if way == Direction::Out { (own, other) } else { (other, own) };
    e.bytes(AF_INET as u8);
    e.bytes(source.address);
    e.bytes(source.port);
    e.bytes(target.address);
    e.bytes(target.port);
    e.end(13);
}

#[inline(always)]
fn tuple6<K: Kernel>(e: &mut Event<K>, sock: usize, way: Direction, peer: usize) {
    let k = e.k;
    let inet6 = k.address(sock + offset!(k, inet_pinet6));
    let own: [u32; 4] = k.read(inet6 + offset!(k, pinet6_saddr));
    let own_port = u16::from_be(k.read(sock + offset!(k, inet_sport)));
    let mut other: [u32; 4] = k.read(sock + offset!(k, sock_v6_daddr));
    let mut other_port = u16::from_be(k.read(sock + offset!(k, sock_dport)));
    if other_port == 0 && peer != 0 {
        let told: Inet6 = k.read_user(peer).unwrap_or_default();
        other = told.address;
        other_port = u16::from_be(told.port);
    }
    e.bytes(AF_INET6 as u8);
    if way == Direction::Out {
        e.bytes(own);
        e.bytes(own_port);
        e.bytes(other);
        e.bytes(other_port);
    } else {
        e.bytes(other);
        e.bytes(other_port);
        e.bytes(own);
        e.bytes(own_port);
    }
    e.end(37);
}

/// The name of a unix socket from the kernel; an abstract one without its leading NUL.
#[inline(always)]
fn unix_name<K: Kernel>(e: &mut Event<K>, sock: usize) -> usize {
    let k = e.k;
    let address = k.address(sock + offset!(k, unix_addr));
    if address == 0 {
        return unix_text(e, 0);
    }
    let mut at = address + offset!(k, unix_addr_name) + 2;
    if k.read::<u8>(at) == 0 {
        at += 1;
    }
    unix_text(e, at)
}

#[inline(always)]
fn unix_text<K: Kernel>(e: &mut Event<K>, at: usize) -> usize {
    let k = e.k;
    // SAFETY: `room` takes 4 KiB.
    let got = unsafe { k.copy_kernel_str(e.room(), UNIX_PATH_BYTES, at) };
    let bytes = if got < 0 { 0 } else { got as usize & 0x7f };
    e.grow(bytes);
    bytes
}

#[inline(always)]
fn tuple_unix<K: Kernel>(e: &mut Event<K>, sock: usize, way: Direction, told: usize) {
    let k = e.k;
    let peer = k.address(sock + offset!(k, unix_peer));
    e.bytes(AF_UNIX as u8);
    let bytes = if way == Direction::Out {
        e.bytes(peer as u64);
        e.bytes(sock as u64);
        if peer == 0 && told != 0 {
            let first: u8 = k.read_user(told + 2).unwrap_or(0);
            let at = if first == 0 { told + 3 } else { told + 2 };
            // SAFETY: `room` takes 4 KiB.
            let got = unsafe { k.copy_user_str(e.room(), UNIX_PATH_BYTES, at) };
            let bytes = if got < 0 { 0 } else { got as usize & 0x7f };
            e.grow(bytes);
            bytes
        } else {
            unix_name(e, peer)
        }
    } else {
        e.bytes(sock as u64);
        e.bytes(peer as u64);
        unix_name(e, sock)
    };
    e.end(17 + bytes);
}

/// The tuple of the socket `fd`; `peer` is where the caller said whom it talks to, or 0.
#[inline(always)]
fn tuple<K: Kernel>(e: &mut Event<K>, fd: i32, way: Direction, peer: usize) {
    let k = e.k;
    let sock = sock_of(k, fd);
    let family: u16 = if sock == 0 { 0 } else { k.read(sock + offset!(k, sock_family)) };
    match family {
        AF_INET => tuple4(e, sock, way, peer),
        AF_INET6 => tuple6(e, sock, way, peer),
        AF_UNIX => tuple_unix(e, sock, way, peer),
        _ => e.empty(),
    }
    e.forget();
}

/// An address that the caller passed.
#[inline(always)]
fn sockaddr<K: Kernel>(e: &mut Event<K>, at: usize, len: usize) {
    let k = e.k;
    let family: u16 = if at == 0 || len < 2 { 0 } else { k.read_user(at).unwrap_or(0) };
    match family {
        AF_INET => {
            let told: Inet = k.read_user(at).unwrap_or_default();
            e.bytes(AF_INET as u8);
            e.bytes(told.address);
            e.bytes(u16::from_be(told.port));
            e.end(7);
        }
        AF_INET6 => {
            let told: Inet6 = k.read_user(at).unwrap_or_default();
            e.bytes(AF_INET6 as u8);
            e.bytes(told.address);
            e.bytes(u16::from_be(told.port));
            e.end(19);
        }
        AF_UNIX => {
            // The path need not end with a NUL: it is copied to zeroed memory first.
            let area = unsafe { e.base().add(PATH_AT) };
            let path_bytes = if len > 110 { 108 } else { len - 2 } & 0x7f;
            // SAFETY: the path area has far more room.
            unsafe {
                for word in 0..16 {
                    (area as *mut u64).add(word).write_unaligned(0);
                }
                k.copy_user(area, path_bytes as u32, at + 2);
            }
            let skip = usize::from(unsafe { *area } == 0);
            e.bytes(AF_UNIX as u8);
            let bytes = unix_text(e, area as usize + skip);
            e.end(1 + bytes);
        }
        _ => e.empty(),
    }
    e.forget();
}

#[inline(always)]
pub fn socket<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (domain, kind, protocol) = (e.arg(0) as u8, e.arg(1) as u32, e.arg(2) as u32);
    e.u32(u32::from(flags::family(domain)));
    e.u32(kind);
    e.u32(protocol);
    e.u32(flags::descriptor(kind));
    Next::Emit
}

#[inline(always)]
pub fn bind<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, len) = (e.arg(1) as usize, e.arg(2) as u16);
    sockaddr(e, at, len as usize);
    e.fd(0);
    Next::Emit
}

#[inline(always)]
pub fn connect<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at, len) = (e.int(0), e.arg(1) as usize, e.arg(2) as u16);
    let ret = e.ret();
    if ret == 0 || ret == EINPROGRESS {
        tuple(e, fd, Direction::Out, at);
    } else {
        e.empty();
    }
    e.fd(0);
    sockaddr(e, at, len as usize);
    Next::Emit
}

#[inline(always)]
pub fn listen<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let backlog = e.int(1);
    e.u32(backlog as u32);
    Next::Emit
}

#[inline(always)]
pub fn accept<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let k = e.k;
    let (mut queued, mut most, mut percent) = (0u32, 0u32, 0u8);
    let ret = e.ret();
    if ret >= 0 {
        tuple(e, ret as i32, Direction::In, 0);
        let listener = sock_of(k, e.int(0));
        if listener != 0 {
            queued = k.int(listener + offset!(k, sock_backlog));
            most = k.int(listener + offset!(k, sock_max_backlog));
            if queued != 0 && most != 0 {
                percent = (u64::from(queued) * 100 / u64::from(most)) as u8;
            }
        }
    } else {
        e.empty();
    }
    e.u8(percent);
    e.u32(queued);
    e.u32(most);
    Next::Emit
}

#[inline(always)]
pub fn accept4<K: Kernel>(e: &mut Event<K>) -> Next {
    accept(e);
    let how = e.arg(3) as u32;
    e.u32(flags::descriptor(how));
    Next::Emit
}

#[inline(always)]
pub fn socketpair<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let k = e.k;
    let at = e.arg(3) as usize;
    let pair: [i32; 2] = if e.ret() == 0 { k.read_user(at).unwrap_or([-1, -1]) } else { [-1, -1] };
    e.i64(i64::from(pair[0]));
    e.i64(i64::from(pair[1]));
    let source = sock_of(k, pair[0]);
    let peer = if source == 0 { 0 } else { k.address(source + offset!(k, unix_peer)) };
    e.u64(source as u64);
    e.u64(peer as u64);
    let (domain, kind, protocol) = (e.arg(0) as u8, e.arg(1) as u32, e.arg(2) as u32);
    e.u32(u32::from(flags::family(domain)));
    e.u32(kind);
    e.u32(protocol);
    Next::Emit
}

#[inline(always)]
pub fn shutdown<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let how = e.arg(1) as u32;
    e.u8(flags::shutdown(how));
    Next::Emit
}

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
        tuple(e, fd, Direction::Out, peer);
    } else {
        e.empty();
    }
    Next::Emit
}

#[inline(always)]
pub fn recvfrom<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at, size, peer) = (e.int(0), e.arg(1) as usize, e.arg(2) as u32, e.arg(4) as usize);
    let ret = e.ret();
    if ret >= 0 {
        let bytes = kept(e, ret);
        e.user_bytes(at, bytes, 4095);
        tuple(e, fd, Direction::In, peer);
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
        tuple(e, fd, Direction::Out, message.name as usize);
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
        tuple(e, fd, Direction::In, message.name as usize);
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
    tuple(e, fd, Direction::Out, message.name as usize);
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
    tuple(e, fd, Direction::In, message.name as usize);
    if message.control != 0 && message.control_len <= 0xffff {
        e.user_bytes(message.control as usize, message.control_len as usize, 4095);
    } else {
        e.empty();
    }
    repeat(e, index)
}

const SOL_SOCKET: i32 = 1;
const SO_ERROR: i32 = 4;
const SO_COOKIE: i32 = 57;

/// The value of an option, by what the option is: u8 kind, then its bytes.
#[inline(always)]
fn option<K: Kernel>(e: &mut Event<K>, level: i32, name: i32, at: usize, len: usize) {
    let k = e.k;
    match (level, name) {
        (SOL_SOCKET, SO_ERROR) => {
            let value: i32 = k.read_user(at).unwrap_or(0);
            e.bytes(1u8);
            e.bytes(-i64::from(value));
            e.end(9);
        }
        (SOL_SOCKET, 20 | 21 | 66 | 67) => {
            let [seconds, micros]: [u64; 2] = k.read_user(at).unwrap_or_default();
            e.bytes(4u8);
            e.bytes(seconds.wrapping_mul(1_000_000_000).wrapping_add(micros.wrapping_mul(1000)));
            e.end(9);
        }
        (SOL_SOCKET, SO_COOKIE) => {
            let value: u64 = k.read_user(at).unwrap_or(0);
            e.bytes(3u8);
            e.bytes(value);
            e.end(9);
        }
        (SOL_SOCKET, 1..=12 | 14..=16 | 18 | 19 | 22..=25 | 27 | 29..=49) => {
            let value: u32 = k.read_user(at).unwrap_or(0);
            e.bytes(2u8);
            e.bytes(value);
            e.end(5);
        }
        _ => {
            e.bytes(0u8);
            let bytes = e.bound(if len > 4095 { 0 } else { len });
            // SAFETY: `room` takes 4 KiB.
            let bytes = if unsafe { k.copy_user(e.room(), bytes as u32, at) } { bytes } else { 0 };
            e.grow(bytes);
            e.end(1 + bytes);
        }
    }
    e.forget();
}

#[inline(always)]
fn option_head<K: Kernel>(e: &mut Event<K>) -> (i32, i32) {
    e.res();
    e.fd(0);
    let (level, name) = (e.int(1), e.int(2));
    e.u8(flags::sockopt_level(level));
    e.u8(flags::sockopt_name(level, name));
    (level, name)
}

#[inline(always)]
pub fn getsockopt<K: Kernel>(e: &mut Event<K>) -> Next {
    let (level, name) = option_head(e);
    let (at, len_at) = (e.arg(3) as usize, e.arg(4) as usize);
    let len: u32 = e.k.read_user(len_at).unwrap_or(0);
    option(e, level, name, at, len as usize);
    e.u32(len);
    Next::Emit
}

#[inline(always)]
pub fn setsockopt<K: Kernel>(e: &mut Event<K>) -> Next {
    let (level, name) = option_head(e);
    let (at, len) = (e.arg(3) as usize, e.arg(4) as u32);
    option(e, level, name, at, len as usize);
    e.u32(len);
    Next::Emit
}
