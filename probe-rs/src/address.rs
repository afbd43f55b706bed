//! Addresses of sockets. They come from the kernel's socket where it has them, so that a caller
//! cannot change them after the call; only an unconnected datagram's peer is the caller's word.
//!
//!     SOCKADDR   u8 family, then unix: path; IPv4: 4 bytes, u16 port; IPv6: 16 bytes, u16 port
//!     SOCKTUPLE  u8 family, then unix: u64 source, u64 destination, path; IP: source, port,
//!                destination, port
//!
//! Addresses are in network order, ports in the host's.
use crate::event::Event;
use crate::file::file_of;
use crate::kernel::Kernel;
use crate::offset;
use crate::scratch::PATH_AT;

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const S_IFSOCK: u16 = 0o140_000;

/// sun_path and a NUL.
const UNIX_PATH_BYTES: u32 = 109;

#[inline(always)]
pub fn is_socket<K: Kernel>(k: &K, file: usize) -> bool {
    let inode = k.address(file + offset!(k, file_inode));
    k.read::<u16>(inode + offset!(k, inode_mode)) & 0o170_000 == S_IFSOCK
}

/// The struct sock behind a descriptor; 0 where it is no socket.
#[inline(always)]
pub fn sock_of<K: Kernel>(k: &K, fd: i32) -> usize {
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
pub fn tuple<K: Kernel>(e: &mut Event<K>, fd: i32, way: Direction, peer: usize) {
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
pub fn sockaddr<K: Kernel>(e: &mut Event<K>, at: usize, len: usize) {
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
