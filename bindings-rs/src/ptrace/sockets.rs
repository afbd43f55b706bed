//! What the kernel says of a tracee's socket. The descriptor is copied to us for a moment
//! (pidfd_getfd, Linux 5.6), and the socket itself is asked; where that is not allowed, the tables
//! below /proc/net are looked through. In: thread, descriptor, inode. Out: its ends.
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use super::facts::{ProcPath, read};

/// Tables of /proc/net are looked at so far.
const TABLE_MAX: usize = 1 << 20;
const AF_UNIX: u16 = libc::AF_UNIX as u16;
const AF_INET: u16 = libc::AF_INET as u16;
const AF_INET6: u16 = libc::AF_INET6 as u16;

/// One end of a connection; ports in network order, as the kernel has them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct End {
    pub v4: [u8; 4],
    pub v6: [u8; 16],
    pub port: [u8; 2],
}

/// The state of a socket that has a peer, of TCP and as it is said here of others.
pub const ESTABLISHED: u8 = 1;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Ends {
    pub family: u16,
    pub kind: u16,
    pub protocol: u16,
    /// TCP_*.
    pub state: u8,
    pub own: End,
    pub other: End,
    /// The address of a unix socket, family included; empty where it has no name. The second is
    /// its peer's.
    pub unix: [Vec<u8>; 2],
    /// Connections that wait to be accepted, and how many may.
    pub backlog: (u32, u32),
}

/// Copies a descriptor of a process to us. A thread that is no leader has no pidfd before 6.9, but
/// shares its descriptors with the leader.
fn copied(tid: i32, tgid: i32, fd: i32) -> Option<OwnedFd> {
    const PIDFD_THREAD: libc::c_uint = libc::O_EXCL as libc::c_uint;
    // SAFETY: no memory is involved; what is made is owned at once.
    unsafe {
        let open =
            |pid: i32, how: libc::c_uint| libc::syscall(libc::SYS_pidfd_open, pid, how) as i32;
        let mut pidfd = if tid == tgid { -1 } else { open(tid, PIDFD_THREAD) };
        if pidfd < 0 {
            pidfd = open(tgid, 0);
        }
        if pidfd < 0 {
            return None;
        }
        let pidfd = OwnedFd::from_raw_fd(pidfd);
        let got = libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) as i32;
        (got >= 0).then(|| OwnedFd::from_raw_fd(got))
    }
}

fn option<T: Copy>(socket: &OwnedFd, level: i32, name: i32) -> Option<T> {
    // SAFETY: any bytes are a T of the kinds that are asked for here; zeros where less is written.
    unsafe {
        let mut value: T = zeroed();
        let mut len = size_of::<T>() as libc::socklen_t;
        let to = (&raw mut value).cast();
        let failed = libc::getsockopt(socket.as_raw_fd(), level, name, to, &raw mut len);
        (failed == 0).then_some(value)
    }
}

type Asker = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32;

/// An address in the bytes that the kernel gives.
fn name(socket: &OwnedFd, ask: Asker) -> Option<Vec<u8>> {
    let mut room = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: room and length belong together; what is not written is zeros.
    unsafe {
        if ask(socket.as_raw_fd(), room.as_mut_ptr().cast(), &raw mut len) != 0 {
            return None;
        }
        let bytes = std::slice::from_raw_parts(room.as_ptr().cast::<u8>(), size_of_val(&room));
        Some(bytes[..(len as usize).min(bytes.len())].to_vec())
    }
}

fn end(address: Option<Vec<u8>>) -> End {
    let address = address.unwrap_or_default();
    let family = address.first_chunk::<2>().map_or(0, |bytes| u16::from_le_bytes(*bytes));
    let mut end = End::default();
    match (family, address.len()) {
        (AF_INET, 8..) => {
            end.port.copy_from_slice(&address[2..4]);
            end.v4.copy_from_slice(&address[4..8]);
        }
        (AF_INET6, 24..) => {
            end.port.copy_from_slice(&address[2..4]);
            end.v6.copy_from_slice(&address[8..24]);
        }
        _ => {}
    }
    end
}

/// The name of a unix socket; one that has none answers with its family alone.
fn unix(address: Option<Vec<u8>>) -> Vec<u8> {
    address.filter(|bytes| bytes.len() > 2).unwrap_or_default()
}

pub fn ends(tid: i32, tgid: i32, fd: i32, ino: u64) -> Option<Ends> {
    match copied(tid, tgid, fd) {
        Some(socket) => asked(&socket),
        None => listed(tid, ino),
    }
}

fn asked(socket: &OwnedFd) -> Option<Ends> {
    const LISTEN: u8 = 10;
    const CLOSED: u8 = 7;
    let number = |name| option::<i32>(socket, libc::SOL_SOCKET, name);
    let mut ends = Ends {
        family: number(libc::SO_DOMAIN)? as u16,
        kind: number(libc::SO_TYPE).unwrap_or(0) as u16,
        protocol: number(libc::SO_PROTOCOL).unwrap_or(0) as u16,
        ..Ends::default()
    };
    let (own, other) = (name(socket, libc::getsockname), name(socket, libc::getpeername));
    let connected = other.is_some();
    if ends.family == AF_UNIX {
        ends.unix = [unix(own), unix(other)];
    } else {
        (ends.own, ends.other) = (end(own), end(other));
    }
    let listens = number(libc::SO_ACCEPTCONN) == Some(1);
    ends.state = if listens { LISTEN } else { CLOSED };
    if connected && !listens {
        ends.state = ESTABLISHED;
    }
    if ends.protocol == libc::IPPROTO_TCP as u16
        && let Some(info) = option::<[u32; 26]>(socket, libc::IPPROTO_TCP, libc::TCP_INFO)
    {
        ends.state = info[0] as u8;
        if listens {
            // tcpi_unacked and tcpi_sacked of a socket that listens.
            ends.backlog = (info[6], info[7]);
        }
    }
    Some(ends)
}

/// Looks a socket up in the tables of its network namespace.
fn listed(tid: i32, ino: u64) -> Option<Ends> {
    const TABLES: [(&str, u16, i32, i32); 4] = [
        ("net/tcp", AF_INET, libc::SOCK_STREAM, libc::IPPROTO_TCP),
        ("net/udp", AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDP),
        ("net/tcp6", AF_INET6, libc::SOCK_STREAM, libc::IPPROTO_TCP),
        ("net/udp6", AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP),
    ];
    for (table, family, kind, protocol) in TABLES {
        let text = read_all(tid, table);
        let found = text.lines().find_map(|line| inet_line(line, ino));
        if let Some((own, other, state)) = found {
            let (kind, protocol) = (kind as u16, protocol as u16);
            return Some(Ends { family, kind, protocol, state, own, other, ..Ends::default() });
        }
    }
    let text = read_all(tid, "net/unix");
    text.lines().find_map(|line| {
        // Num, references, protocol, flags, type, state, inode, path.
        let mut words = line.split_ascii_whitespace().skip(4);
        let kind = u16::from_str_radix(words.next()?, 16).ok()?;
        let of_line = words.nth(1)?.parse::<u64>().ok()?;
        let path = words.next().unwrap_or("");
        let mut name = Vec::new();
        if !path.is_empty() {
            name.extend_from_slice(&AF_UNIX.to_le_bytes());
            let is_abstract = path.starts_with('@');
            name.extend_from_slice(if is_abstract { b"\0" } else { b"" });
            name.extend_from_slice(&path.as_bytes()[usize::from(is_abstract)..]);
        }
        let unix = [name, Vec::new()];
        (of_line == ino).then(|| Ends { family: AF_UNIX, kind, unix, ..Ends::default() })
    })
}

fn read_all(tid: i32, table: &str) -> String {
    let path = ProcPath::of(tid, table);
    // The kernel hands tables over in pieces.
    // SAFETY: the path is NUL-ended.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return String::from_utf8_lossy(&read(&path, 0).unwrap_or_default()).into_owned();
    }
    // SAFETY: opened just now.
    let file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(file) });
    let mut text = Vec::new();
    let _ = std::io::Read::read_to_end(&mut std::io::Read::take(file, TABLE_MAX as u64), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// `sl local remote state … inode …`; None where it is of another socket.
fn inet_line(line: &str, ino: u64) -> Option<(End, End, u8)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    if words.get(9)?.parse::<u64>().ok()? != ino {
        return None;
    }
    let state = u8::from_str_radix(words[3], 16).ok()?;
    Some((inet_end(words[1])?, inet_end(words[2])?, state))
}

/// Words of the address as this machine has them, then the port.
fn inet_end(text: &str) -> Option<End> {
    let (address, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for word in address.as_bytes().chunks(8) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let mut end = End { port: u16::from_str_radix(port, 16).ok()?.to_be_bytes(), ..End::default() };
    match bytes.len() {
        4 => end.v4.copy_from_slice(&bytes),
        16 => end.v6.copy_from_slice(&bytes),
        _ => return None,
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_connection_is_the_same_by_its_descriptor_and_by_the_table() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let stream = TcpStream::connect(listener.local_addr().unwrap()).expect("a connection");
        let own = std::process::id() as i32;
        let fd = stream.as_raw_fd();
        let facts = super::super::facts::Asker::default().descriptor(own, fd).expect("facts");
        let by_table = listed(own, facts.ino).expect("it is listed");
        let duplicate = OwnedFd::from(stream.try_clone().expect("a copy"));
        let by_socket = asked(&duplicate).expect("it answers");
        assert_eq!(by_table, by_socket);
        assert_eq!(by_socket.other.port, listener.local_addr().unwrap().port().to_be_bytes());
        assert_eq!((by_socket.state, by_socket.own.v4), (1, [127, 0, 0, 1]));
    }
}
