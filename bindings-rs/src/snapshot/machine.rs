//! Blocks about the machine as a whole: what it is, its interfaces, its users and groups.

use super::block::{Blocks, INTERFACE_LIST, MACHINE_INFO, Put, TEXT_MAX, USER_LIST};
use super::proc_dir::decimal;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;
use procfs::{FromRead, FromReadSI, KernelStats, LocalSystemInfo, Meminfo};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

const HOSTNAME_BYTES: usize = 128;
/// Bytes read of the users' and the groups' file of the host, and of a container: whoever is root
/// there may make it as long as he likes, and have it read again and again.
pub const HOST_ACCOUNTS_MAX: u64 = 16 << 20;
pub const CONTAINER_ACCOUNTS_MAX: u64 = 1 << 20;
const NAME_MAX: usize = 255;
const USER: u8 = 0;
const GROUP: u8 = 1;
const INTERFACE_IPV4: u16 = 1;
const INTERFACE_IPV6: u16 = 2;
const SECOND_NS: u64 = 1_000_000_000;

/// Processors, memory, host name, boot time. What cannot be read is 0.
pub fn write_machine(blocks: &mut Blocks, host_root: &Path) {
    let proc = host_root.join("proc");
    let stats = KernelStats::from_file(proc.join("stat"), &LocalSystemInfo);
    let (cpus, boot) =
        stats.map_or((0, 0), |stats| (stats.cpu_time.len() as u32, stats.btime * SECOND_NS));
    let memory = Meminfo::from_file(proc.join("meminfo")).map_or(0, |info| info.mem_total);
    let pid_max = std::fs::read(proc.join("sys/kernel/pid_max")).unwrap_or_default();
    let uname = rustix::system::uname();
    let mut hostname = [0; HOSTNAME_BYTES];
    let name = uname.nodename().to_bytes();
    let length = name.len().min(HOSTNAME_BYTES - 1);
    hostname[..length].copy_from_slice(&name[..length]);

    blocks.begin(MACHINE_INFO);
    let body = blocks.body();
    body.u32(cpus);
    body.u64(memory);
    body.u64(decimal(pid_max.trim_ascii()).unwrap_or(0));
    body.extend_from_slice(&hostname);
    body.u64(boot);
    // Flags and two reserved words.
    body.extend_from_slice(&[0; 24]);
    blocks.end();
}

/// The addresses of our network namespace's interfaces, IPv4 before IPv6 as other readers expect.
pub fn write_interfaces(blocks: &mut Blocks) {
    blocks.begin(INTERFACE_LIST);
    let body = blocks.body();
    let interfaces: Vec<_> = getifaddrs().map_or(Vec::new(), Iterator::collect);
    for interface in &interfaces {
        if let Some(address) = ipv4(interface.address) {
            let mask = ipv4(interface.netmask).unwrap_or(Ipv4Addr::UNSPECIFIED);
            let broadcast = ipv4(interface.broadcast.or(interface.destination));
            let ends = [address, mask, broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED)];
            let ends: Vec<u8> = ends.iter().flat_map(Ipv4Addr::octets).collect();
            put_interface(body, INTERFACE_IPV4, &ends, interface.interface_name.as_bytes());
        }
    }
    for interface in &interfaces {
        if let Some(address) = ipv6(interface.address) {
            let mask = ipv6(interface.netmask).unwrap_or(Ipv6Addr::UNSPECIFIED);
            let ends = [address, mask, Ipv6Addr::UNSPECIFIED];
            let ends: Vec<u8> = ends.iter().flat_map(Ipv6Addr::octets).collect();
            put_interface(body, INTERFACE_IPV6, &ends, interface.interface_name.as_bytes());
        }
    }
    blocks.end();
}

/// This entry's length does not count itself, unlike those of the other lists.
fn put_interface(body: &mut Vec<u8>, kind: u16, ends: &[u8], name: &[u8]) {
    body.u32((2 + 2 + ends.len() + 8 + name.len()) as u32);
    body.u16(kind);
    body.u16(name.len() as u16);
    body.extend_from_slice(ends);
    // The link's speed: not told.
    body.u64(0);
    body.extend_from_slice(name);
}

fn ipv4(address: Option<SockaddrStorage>) -> Option<Ipv4Addr> {
    Some(address?.as_sockaddr_in()?.ip())
}

fn ipv6(address: Option<SockaddrStorage>) -> Option<Ipv6Addr> {
    Some(address?.as_sockaddr_in6()?.ip())
}

/// The accounts in `/etc/passwd` and `/etc/group` below a root, at most so many bytes of each.
pub fn write_users(blocks: &mut Blocks, root: &Path, max: u64) {
    let passwd = read_limited(root, "etc/passwd", max);
    let groups = read_limited(root, "etc/group", max);
    blocks.begin(USER_LIST);
    put_users(blocks.body(), &passwd);
    put_groups(blocks.body(), &groups);
    blocks.end();
}

fn put_users(body: &mut Vec<u8>, passwd: &[u8]) {
    for line in passwd.split(|&byte| byte == b'\n') {
        let fields: Vec<_> = line.splitn(7, |&byte| byte == b':').collect();
        if let [name, _, uid, gid, _, home, shell] = fields[..]
            && let (Some(uid), Some(gid)) = (decimal(uid), decimal(gid))
        {
            let at = body.open_length();
            body.u8(USER);
            body.u32(uid);
            body.u32(gid);
            body.text(name, NAME_MAX);
            body.text(home, TEXT_MAX);
            body.text(shell, TEXT_MAX);
            body.close_length(at);
        }
    }
}

fn put_groups(body: &mut Vec<u8>, groups: &[u8]) {
    for line in groups.split(|&byte| byte == b'\n') {
        let mut fields = line.split(|&byte| byte == b':');
        if let (Some(name), Some(_), Some(gid)) = (fields.next(), fields.next(), fields.next())
            && let Some(gid) = decimal(gid)
        {
            let at = body.open_length();
            body.u8(GROUP);
            body.u32(gid);
            body.text(name, NAME_MAX);
            body.close_length(at);
        }
    }
}

/// A file below a root that its container may have prepared: links lead nowhere outside of the
/// root, and nothing but a regular file is read (a pipe would keep the reader waiting).
fn read_limited(root: &Path, path: &str, max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(file) = open_in_root(root, path)
        && file.take(max).read_to_end(&mut bytes).is_err()
    {
        bytes.clear();
    }
    if bytes.len() as u64 == max {
        // What was cut off within a line would be another account.
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
    }
    bytes
}

fn open_in_root(root: &Path, path: &str) -> Option<File> {
    let root = File::open(root).ok()?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(root, path, flags, Mode::empty(), resolve).ok()?);
    file.metadata().ok()?.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_listed_and_broken_lines_left_out() {
        let mut body = Vec::new();
        put_users(&mut body, b"a:x:1:2:A:/home/a:/bin/sh\n+::::::\nbroken\n#c:x:y:2::/:\n");
        let mut expected = Vec::new();
        expected.u32(36);
        expected.extend_from_slice(&[USER, 1, 0, 0, 0, 2, 0, 0, 0]);
        expected.extend_from_slice(b"\x01\0a\x07\0/home/a\x07\0/bin/sh");
        assert_eq!(body[4..], expected[4..]);
        assert_eq!(body[..4], (body.len() as u32).to_ne_bytes());
        body.clear();
        put_groups(&mut body, b"g:x:7:a,b\n\nh\n");
        assert_eq!(body, b"\x0c\0\0\0\x01\x07\0\0\0\x01\0g");
    }

    #[test]
    fn accounts_of_a_prepared_root_are_its_own_and_never_a_pipe() {
        let root = std::env::temp_dir().join(format!("saker-accounts-{}", std::process::id()));
        std::fs::create_dir_all(root.join("etc")).expect("a directory");
        std::os::unix::fs::symlink("/etc/real", root.join("etc/passwd")).expect("a link");
        std::fs::write(root.join("etc/real"), "inside").expect("a file");
        assert_eq!(read_limited(&root, "etc/passwd", 100), b"inside");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("etc/group"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .expect("a pipe");
        assert_eq!(read_limited(&root, "etc/group", 100), b"");
        std::fs::remove_dir_all(&root).expect("the directory goes");
    }

    #[test]
    fn accounts_without_an_end_are_read_up_to_the_bound_in_whole_lines() {
        let root = std::env::temp_dir().join(format!("saker-many-{}", std::process::id()));
        std::fs::create_dir_all(root.join("etc")).expect("a directory");
        std::fs::write(root.join("etc/passwd"), "a::0:0:::\nb::1:1:::\n").expect("a file");
        assert_eq!(read_limited(&root, "etc/passwd", 15), b"a::0:0:::\n");
        let file = File::create(root.join("etc/group")).expect("a file");
        file.set_len(1 << 40).expect("a length");
        assert_eq!(read_limited(&root, "etc/group", CONTAINER_ACCOUNTS_MAX), b"");
        std::fs::remove_dir_all(&root).expect("the directory goes");
    }
}
