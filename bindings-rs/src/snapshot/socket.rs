//! The sockets of a network namespace by inode, from `/proc/<pid>/net`.

use super::proc_dir::{ProcDir, decimal, radix, words};
use std::collections::HashMap;

/// Bytes read of one table, and sockets held of one namespace.
const TABLE_MAX: usize = 64 << 20;
const SOCKETS_MAX: usize = 1 << 20;

/// Protocol numbers of the format's descriptor lists.
const L4_TCP: u8 = 2;
const L4_UDP: u8 = 3;
const L4_RAW: u8 = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// Addresses in network order.
    Ipv4 {
        source: [u8; 4],
        destination: [u8; 4],
        ports: (u16, u16),
        l4: u8,
    },
    Ipv6 {
        source: [u8; 16],
        destination: [u8; 16],
        ports: (u16, u16),
        l4: u8,
    },
    /// A local end only: the socket listens, or is not connected.
    Ipv4Local {
        address: [u8; 4],
        port: u16,
        l4: u8,
    },
    Ipv6Local {
        address: [u8; 16],
        port: u16,
        l4: u8,
    },
    Unix {
        source: u64,
        path: Vec<u8>,
    },
    Netlink,
}

pub type Sockets = HashMap<u64, Socket>;

/// Reads one line of a table.
type ParseLine<'p> = &'p dyn Fn(&[u8]) -> Option<(u64, Socket)>;

/// Reads the tables that the process sees. A table that is missing is an empty one.
pub fn read_sockets(process: &ProcDir) -> Sockets {
    let mut sockets = Sockets::new();
    let mut text = Vec::new();
    let mut table = |path: &str, parse: ParseLine| {
        if process.read(path, &mut text, TABLE_MAX).is_err() {
            return;
        }
        // The first line is the table's head.
        for line in text.split(|&byte| byte == b'\n').skip(1) {
            if sockets.len() < SOCKETS_MAX
                && let Some((ino, socket)) = parse(line)
                && ino != 0
            {
                sockets.insert(ino, socket);
            }
        }
    };
    for (name, l4) in [("tcp", L4_TCP), ("udp", L4_UDP), ("raw", L4_RAW)] {
        table(&format!("net/{name}"), &|line| ip_socket(line, l4, ipv4));
        table(&format!("net/{name}6"), &|line| ip_socket(line, l4, ipv6));
    }
    table("net/unix", &unix_socket);
    table("net/netlink", &netlink_socket);
    sockets
}

/// `sl: local remote st queues timer retransmits uid timeout inode …`
fn ip_socket<const N: usize>(
    line: &[u8],
    l4: u8,
    make: impl Fn([u8; N], [u8; N], (u16, u16), u8) -> Socket,
) -> Option<(u64, Socket)> {
    let mut words = words(line).skip(1);
    let (source, source_port) = end(words.next()?)?;
    let (destination, destination_port) = end(words.next()?)?;
    let ino = decimal(words.nth(6)?)?;
    Some((ino, make(source, destination, (source_port, destination_port), l4)))
}

fn ipv4(source: [u8; 4], destination: [u8; 4], ports: (u16, u16), l4: u8) -> Socket {
    if destination == [0; 4] {
        return Socket::Ipv4Local { address: source, port: ports.0, l4 };
    }
    Socket::Ipv4 { source, destination, ports, l4 }
}

fn ipv6(source: [u8; 16], destination: [u8; 16], ports: (u16, u16), l4: u8) -> Socket {
    if destination == [0; 16] {
        return Socket::Ipv6Local { address: source, port: ports.0, l4 };
    }
    Socket::Ipv6 { source, destination, ports, l4 }
}

/// `0100007F:1F90`: the address as words of 32 bits, each printed as a number of this machine's
/// byte order; the port as a number.
fn end<const N: usize>(word: &[u8]) -> Option<([u8; N], u16)> {
    let colon = word.iter().position(|&byte| byte == b':')?;
    let (digits, port) = (&word[..colon], &word[colon + 1..]);
    if digits.len() != N * 2 {
        return None;
    }
    let mut address = [0; N];
    for (bytes, digits) in address.chunks_exact_mut(4).zip(digits.chunks_exact(8)) {
        bytes.copy_from_slice(&(radix(digits, 16)? as u32).to_ne_bytes());
    }
    Some((address, radix(port, 16)? as u16))
}

/// `address: references protocol flags type state inode [path]`; a path may hold anything but a
/// newline, and an abstract one begins with `@`.
fn unix_socket(line: &[u8]) -> Option<(u64, Socket)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let source = radix(&line[..colon], 16)?;
    let mut rest = &line[colon + 1..];
    let mut ino = None;
    for _ in 0..6 {
        rest = rest.trim_ascii_start();
        let length = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        ino = decimal(&rest[..length]);
        rest = &rest[length..];
    }
    let path = rest.strip_prefix(b" ").unwrap_or(rest).to_vec();
    Some((ino?, Socket::Unix { source, path }))
}

/// `sk protocol pid groups rmem wmem dump locks drops inode`
fn netlink_socket(line: &[u8]) -> Option<(u64, Socket)> {
    Some((decimal(words(line).nth(9)?)?, Socket::Netlink))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tcp_table_gives_both_ends_or_the_local_one() {
        let line = b"   1: 0100007F:1F90 0200007F:A1B2 01 00000000:00000000 00:00000000 00000000  \
                    1000        0 4242 1 0000000000000000 20 4 30 10 -1";
        let expected = Socket::Ipv4 {
            source: [127, 0, 0, 1],
            destination: [127, 0, 0, 2],
            ports: (0x1f90, 0xa1b2),
            l4: L4_TCP,
        };
        assert_eq!(ip_socket(line, L4_TCP, ipv4), Some((4242, expected)));
        let line = b"  11: 00000000000000000000000001000000:0035 00000000000000000000000000000000:\
                    0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1 0 100 0 0 10 0";
        let mut address = [0; 16];
        address[15] = 1;
        let expected = Socket::Ipv6Local { address, port: 53, l4: L4_TCP };
        assert_eq!(ip_socket(line, L4_TCP, ipv6), Some((77, expected)));
    }

    #[test]
    fn a_line_of_the_unix_table_keeps_blanks_and_odd_bytes_of_its_path() {
        let line = b"00000000deadbeef: 00000002 00000000 00010000 0001 01  5555 /run/a b\xff";
        let expected = Socket::Unix { source: 0xdead_beef, path: b"/run/a b\xff".to_vec() };
        assert_eq!(unix_socket(line), Some((5555, expected)));
        let line = b"00000000deadbeef: 00000002 00000000 00000000 0002 01 5556";
        let expected = Socket::Unix { source: 0xdead_beef, path: Vec::new() };
        assert_eq!(unix_socket(line), Some((5556, expected)));
    }

    #[test]
    fn lines_that_are_cut_give_nothing() {
        let lines: [&[u8]; 5] = [b"", b":", b"0:", b"  1: 0100007F:1F90", b"zz: 1 1 1 1 1 x"];
        for line in lines {
            assert_eq!(ip_socket(line, L4_TCP, ipv4), None);
            assert_eq!(unix_socket(line), None);
            assert_eq!(netlink_socket(line), None);
        }
    }
}
