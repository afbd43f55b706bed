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
fn tuple4<K: Kernel>(e: &mut Event<K>, sock: usize, way: Direction, peer: usize) -> usize {
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
    13
}

#[inline(always)]
fn tuple6<K: Kernel>(e: &mut Event<K>, sock: usize, way: Direction, peer: usize) -> usize {
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
    37
}

/// Whose memory an address is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Kernel,
    User,
}

/// The name of a unix socket from the kernel.
#[inline(always)]
fn unix_name<K: Kernel>(e: &mut Event<K>, sock: usize) -> usize {
    let k = e.k;
    let address = k.address(sock + offset!(k, unix_addr));
    let len = if address == 0 { 0 } else { k.int(address + offset!(k, unix_addr_len)) as usize };
    unix_text(e, Memory::Kernel, address + offset!(k, unix_addr_name), len)
}

/// The name in a unix address of `len` bytes, family included, and a NUL. Nothing behind the
/// address is read. The NUL before an abstract name becomes an "@"; those inside stay.
#[inline(always)]
fn unix_text<K: Kernel>(e: &mut Event<K>, memory: Memory, at: usize, len: usize) -> usize {
    let k = e.k;
    let len = if len > 110 { 108 } else { len.saturating_sub(2) };
    let len = e.bound(len) & 0x7f;
    // The name need not end with a NUL: it is copied to zeroed memory first.
    // SAFETY: the path area has far more room, and `room` takes 4 KiB.
    unsafe {
        let area = e.base().add(PATH_AT);
        for word in 0..16 {
            area.cast::<u64>().add(word).write_unaligned(0);
        }
        if memory == Memory::User {
            k.copy_user(area, len as u32, at + 2);
        } else {
            k.copy_kernel(area, len as u32, at + 2);
        }
        if *area == 0 && len != 0 {
            *area = b'@';
            k.copy_kernel(e.room(), UNIX_PATH_BYTES, area as usize);
            e.grow(len + 1);
            return len + 1;
        }
        let got = k.copy_kernel_str(e.room(), UNIX_PATH_BYTES, area as usize);
        let bytes = if got < 0 { 0 } else { got as usize & 0x7f };
        e.grow(bytes);
        bytes
    }
}

#[inline(always)]
fn tuple_unix<K: Kernel>(
    e: &mut Event<K>,
    sock: usize,
    way: Direction,
    told: usize,
    told_len: usize,
) -> usize {
    let k = e.k;
    let peer = k.address(sock + offset!(k, unix_peer));
    e.bytes(AF_UNIX as u8);
    let bytes = if way == Direction::Out {
        e.bytes(peer as u64);
        e.bytes(sock as u64);
        if peer == 0 && told != 0 {
            unix_text(e, Memory::User, told, told_len)
        } else {
            unix_name(e, peer)
        }
    } else {
        e.bytes(sock as u64);
        e.bytes(peer as u64);
        unix_name(e, sock)
    };
    17 + bytes
}

/// The tuple of the socket `fd`; `peer` is where the caller said whom it talks to, or 0, and
/// `peer_len` how long that address is.
#[inline(always)]
pub fn tuple<K: Kernel>(e: &mut Event<K>, fd: i32, way: Direction, peer: usize, peer_len: usize) {
    let k = e.k;
    let sock = sock_of(k, fd);
    let family: u16 = if sock == 0 { 0 } else { k.read(sock + offset!(k, sock_family)) };
    let bytes = match family {
        AF_INET => tuple4(e, sock, way, peer),
        AF_INET6 => tuple6(e, sock, way, peer),
        AF_UNIX => tuple_unix(e, sock, way, peer, peer_len),
        _ => 0,
    };
    e.end(bytes);
    e.forget();
}

/// What a descriptor's record has of its socket: protocol, type, state, and the tuple, of IP with
/// the socket's own end first. Returns the bytes.
#[inline(always)]
pub fn ends<K: Kernel>(e: &mut Event<K>, sock: usize) -> usize {
    let k = e.k;
    e.bytes::<u16>(k.read(sock + offset!(k, sock_protocol)));
    e.bytes::<u8>(k.read(sock + offset!(k, sock_type)));
    e.bytes::<u8>(k.read(sock + offset!(k, sock_state)));
    let family: u16 = k.read(sock + offset!(k, sock_family));
    let bytes = match family {
        AF_INET => tuple4(e, sock, Direction::Out, 0),
        AF_INET6 => tuple6(e, sock, Direction::Out, 0),
        AF_UNIX => {
            let peer = k.address(sock + offset!(k, unix_peer));
            // A client has no name of its own mostly: its peer's is the one that tells. The end
            // that has the name is Falco's source.
            let named = k.address(sock + offset!(k, unix_addr)) != 0 || peer == 0;
            let (source, target) = if named { (sock, peer) } else { (peer, sock) };
            e.bytes(AF_UNIX as u8);
            e.bytes(source as u64);
            e.bytes(target as u64);
            17 + unix_name(e, source)
        }
        _ => {
            e.bytes(family as u8);
            1
        }
    };
    e.forget();
    4 + bytes
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
            e.bytes(AF_UNIX as u8);
            let bytes = unix_text(e, Memory::User, at, len);
            e.end(1 + bytes);
        }
        _ => e.empty(),
    }
    e.forget();
}
