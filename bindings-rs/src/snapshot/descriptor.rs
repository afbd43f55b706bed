//! The descriptors of a process as entries of a descriptor list, from the links in
//! `/proc/<pid>/fd`.

use super::block::{Put, TEXT_MAX};
use super::proc_dir::{ProcDir, bracketed, link_buffer, radix};
use super::socket::{Socket, Sockets, read_sockets};
use rustix::fs::{FileType, OFlags, Statx};
use std::collections::HashMap;

/// Descriptors listed of one process.
const DESCRIPTORS_MAX: usize = 65_536;
/// Network namespaces remembered during one scan.
const NAMESPACES_MAX: usize = 1024;

/// Kinds of descriptors in the format's lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Directory = 2,
    Ipv4 = 3,
    Ipv6 = 4,
    Ipv4Local = 5,
    Ipv6Local = 6,
    Fifo = 7,
    Unix = 8,
    Event = 9,
    Unsupported = 10,
    Signal = 11,
    EventPoll = 12,
    Inotify = 13,
    Timer = 14,
    Netlink = 15,
    File = 16,
    Bpf = 17,
    UserFault = 18,
    IoUring = 19,
    Memfd = 20,
    Pidfd = 21,
}

/// Reads descriptors; remembers the socket tables of the namespaces that it met.
#[derive(Default)]
pub struct Descriptors {
    sockets: HashMap<u64, Sockets>,
    info: Vec<u8>,
}

impl Descriptors {
    /// Puts an entry for each descriptor of the process. Returns whether they could be listed.
    pub fn put_all(&mut self, process: &ProcDir, list: &mut Vec<u8>) -> bool {
        let Ok(links) = process.dir("fd") else { return false };
        let mut buffer = link_buffer();
        let mut namespace = None;
        let mut name = String::new();
        for number in links.numbers(DESCRIPTORS_MAX) {
            name.clear();
            name.push_str(itoa(number, &mut [0; 10]));
            let link = links.link(&name, &mut buffer);
            if let Some(ino) = bracketed(link, b"socket:") {
                let namespace = *namespace
                    .get_or_insert_with(|| process.stat("ns/net").map_or(0, |facts| facts.stx_ino));
                if let Some(socket) = self.sockets_of(process, namespace).get(&ino) {
                    put_socket(list, number, ino, socket);
                }
            } else if let Some(ino) = bracketed(link, b"pipe:") {
                put_named(list, number, ino, Kind::Fifo, link);
            } else if let Some(inode) = link.strip_prefix(b"anon_inode:") {
                put_named(list, number, 0, anonymous(inode), b"");
            } else if !link.is_empty() {
                self.put_file(process, &links, list, number, link);
            }
        }
        true
    }

    fn sockets_of(&mut self, process: &ProcDir, namespace: u64) -> &Sockets {
        if self.sockets.len() >= NAMESPACES_MAX {
            self.sockets.clear();
        }
        self.sockets.entry(namespace).or_insert_with(|| read_sockets(process))
    }

    fn put_file(
        &mut self,
        process: &ProcDir,
        links: &ProcDir,
        list: &mut Vec<u8>,
        number: u32,
        link: &[u8],
    ) {
        let mut digits = [0; 10];
        let digits = itoa(number, &mut digits);
        let Some(facts) = links.stat(digits) else { return };
        let kind = match FileType::from_raw_mode(facts.stx_mode.into()) {
            FileType::Directory => Kind::Directory,
            FileType::Fifo => Kind::Fifo,
            FileType::RegularFile if link.starts_with(b"/memfd:") && facts.stx_nlink == 0 => {
                Kind::Memfd
            }
            FileType::RegularFile
            | FileType::BlockDevice
            | FileType::CharacterDevice
            | FileType::Symlink => Kind::File,
            _ => Kind::Unsupported,
        };
        if kind != Kind::File {
            put_named(list, number, facts.stx_ino, kind, link);
            return;
        }
        let flags = self.open_flags(process, digits);
        let at = begin(list, number, facts.stx_ino, kind);
        list.u32(flags);
        list.text(link, TEXT_MAX);
        list.u32(device(&facts));
        list.close_length(at);
    }

    fn open_flags(&mut self, process: &ProcDir, digits: &str) -> u32 {
        let mut path = String::with_capacity(18);
        path.push_str("fdinfo/");
        path.push_str(digits);
        if process.read_record(&path, &mut self.info).is_err() {
            return 0;
        }
        self.info
            .split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(b"flags:"))
            .and_then(|value| radix(value.trim_ascii(), 8))
            .map_or(0, |flags| open_flags(OFlags::from_bits_retain(flags as u32)))
    }
}

/// The open flags in the format's own bits (PPM_O_*).
fn open_flags(flags: OFlags) -> u32 {
    const BITS: [(OFlags, u32); 10] = [
        (OFlags::CREATE, 1 << 2),
        (OFlags::APPEND, 1 << 3),
        (OFlags::DSYNC, 1 << 4),
        (OFlags::EXCL, 1 << 5),
        (OFlags::NONBLOCK, 1 << 6),
        (OFlags::SYNC, 1 << 7),
        (OFlags::TRUNC, 1 << 8),
        (OFlags::DIRECT, 1 << 9),
        (OFlags::DIRECTORY, 1 << 10),
        (OFlags::CLOEXEC, 1 << 12),
    ];
    let access = match flags & OFlags::RWMODE {
        OFlags::WRONLY => 2,
        OFlags::RDWR => 3,
        _ => 1,
    };
    let set = BITS.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, bit)| bit);
    let temporary = u32::from(flags.contains(OFlags::TMPFILE)) << 13;
    set.fold(access | temporary, |all, bit| all | bit)
}

/// The device number as the kernel gives it to user space in 32 bits.
fn device(facts: &Statx) -> u32 {
    let (major, minor) = (facts.stx_dev_major, facts.stx_dev_minor);
    (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12
}

fn anonymous(inode: &[u8]) -> Kind {
    match inode {
        b"[eventfd]" => Kind::Event,
        b"[eventpoll]" => Kind::EventPoll,
        b"inotify" => Kind::Inotify,
        b"[signalfd]" => Kind::Signal,
        b"[timerfd]" => Kind::Timer,
        b"[io_uring]" => Kind::IoUring,
        b"[userfaultfd]" => Kind::UserFault,
        b"[pidfd]" => Kind::Pidfd,
        b"bpf-map" | b"bpf-prog" | b"bpf-link" | b"bpf_link" | b"bpf_iter" => Kind::Bpf,
        _ => Kind::Unsupported,
    }
}

/// Opens an entry: length, number, inode, kind. Returns where its length goes.
fn begin(list: &mut Vec<u8>, number: u32, ino: u64, kind: Kind) -> usize {
    let at = list.open_length();
    list.u64(number.into());
    list.u64(ino);
    list.u8(kind as u8);
    at
}

fn put_named(list: &mut Vec<u8>, number: u32, ino: u64, kind: Kind, name: &[u8]) {
    let at = begin(list, number, ino, kind);
    list.text(name, TEXT_MAX);
    list.close_length(at);
}

fn put_socket(list: &mut Vec<u8>, number: u32, ino: u64, socket: &Socket) {
    let kind = match socket {
        Socket::Ipv4 { .. } => Kind::Ipv4,
        Socket::Ipv6 { .. } => Kind::Ipv6,
        Socket::Ipv4Local { .. } => Kind::Ipv4Local,
        Socket::Ipv6Local { .. } => Kind::Ipv6Local,
        Socket::Unix { .. } => Kind::Unix,
        Socket::Netlink => Kind::Netlink,
    };
    let at = begin(list, number, ino, kind);
    match socket {
        Socket::Ipv4 { source, destination, ports, l4 } => {
            put_ends(list, source, destination, *ports, *l4);
        }
        Socket::Ipv6 { source, destination, ports, l4 } => {
            put_ends(list, source, destination, *ports, *l4);
        }
        Socket::Ipv4Local { address, port, l4 } => put_end(list, address, *port, *l4),
        Socket::Ipv6Local { address, port, l4 } => put_end(list, address, *port, *l4),
        Socket::Unix { source, path } => {
            list.u64(*source);
            list.u64(0);
            list.text(path, TEXT_MAX);
        }
        Socket::Netlink => list.text(b"", TEXT_MAX),
    }
    list.close_length(at);
}

fn put_ends(list: &mut Vec<u8>, source: &[u8], destination: &[u8], ports: (u16, u16), l4: u8) {
    list.extend_from_slice(source);
    list.extend_from_slice(destination);
    list.u16(ports.0);
    list.u16(ports.1);
    list.u8(l4);
}

fn put_end(list: &mut Vec<u8>, address: &[u8], port: u16, l4: u8) {
    list.extend_from_slice(address);
    list.u16(port);
    list.u8(l4);
}

/// The number as text, without an allocation: this runs once for every open file of the machine.
fn itoa(mut number: u32, digits: &mut [u8; 10]) -> &str {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    std::str::from_utf8(&digits[at..]).unwrap_or("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 4_294_967_295] {
            assert_eq!(itoa(number, &mut [0; 10]), number.to_string());
        }
    }

    #[test]
    fn open_flags_are_told_in_the_bits_of_the_format() {
        assert_eq!(open_flags(OFlags::RDONLY), 1);
        assert_eq!(open_flags(OFlags::RDWR | OFlags::CLOEXEC), 3 | 1 << 12);
        assert_eq!(open_flags(OFlags::WRONLY | OFlags::DIRECTORY), 2 | 1 << 10);
        assert_eq!(open_flags(OFlags::RDWR | OFlags::TMPFILE), 3 | 1 << 10 | 1 << 13);
    }
}
