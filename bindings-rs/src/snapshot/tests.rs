//! The snapshot of a child that the test starts: everything read back from the blocks.

use super::block::NAMESPACES_MARK;
use super::{account_blocks, machine_blocks, process_blocks};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Reads values in the order in which they were put.
struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> &'b [u8] {
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        taken
    }

    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.take(2).try_into().unwrap())
    }

    fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.take(4).try_into().unwrap())
    }

    fn u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.take(8).try_into().unwrap())
    }

    fn text(&mut self) -> &'b [u8] {
        let length = self.u16();
        self.take(length.into())
    }

    /// The part of an entry that its leading length covers.
    fn entry(&mut self) -> Reader<'b> {
        let length = self.u32() as usize;
        Reader { bytes: self.take(length - 4) }
    }
}

/// Types and bodies of whole blocks; fails where their lengths do not add up.
fn blocks(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let mut reader = Reader { bytes };
    let mut blocks = Vec::new();
    while !reader.bytes.is_empty() {
        let (kind, length) = (reader.u32(), reader.u32());
        assert_eq!(length % 4, 0, "blocks are padded");
        blocks.push((kind, reader.take(length as usize - 12)));
        assert_eq!(reader.u32(), length, "a block ends with its length");
    }
    blocks
}

fn block(bytes: &[u8], kind: u32) -> Reader<'_> {
    let found = blocks(bytes).into_iter().find(|(other, _)| *other == kind);
    Reader { bytes: found.expect("a block of this kind").1 }
}

#[derive(Debug)]
struct Entry {
    tid: u64,
    pid: u64,
    ptid: u64,
    comm: String,
    exe: String,
    exepath: String,
    args: String,
    cwd: String,
    fd_limit: u64,
    flags: u32,
    uid: u32,
    env: String,
    vtid: u64,
    vpid: u64,
    cgroups: Vec<u8>,
    root: String,
    pid_namespace_start: u64,
    writable: u8,
    effective: u64,
    ino: u64,
    memfd: u8,
    pgid: u64,
    started: u64,
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The entries of the process list, by thread.
fn entries(bytes: &[u8]) -> HashMap<u64, Entry> {
    let mut list = block(bytes, 0x215);
    let mut entries = HashMap::new();
    while list.bytes.len() >= 4 {
        let mut from = list.entry();
        let [tid, pid, ptid, _sid, _vpgid] = std::array::from_fn(|_| from.u64());
        let [comm, exe, exepath, args, cwd] = std::array::from_fn(|_| from.text());
        let fd_limit = from.u64();
        let [flags, uid, _gid, _size, _rss, _swap] = std::array::from_fn(|_| from.u32());
        let [_major, _minor] = std::array::from_fn(|_| from.u64());
        let env = from.text();
        let [vtid, vpid] = std::array::from_fn(|_| from.u64());
        let (cgroups, root) = (from.text().to_vec(), from.text());
        let pid_namespace_start = from.u64();
        let [_tty, _loginuid] = std::array::from_fn(|_| from.u32());
        let writable = from.u8();
        let [_inheritable, _permitted, effective] = std::array::from_fn(|_| from.u64());
        let _upper = from.u8();
        let [ino, _ctime, _mtime] = std::array::from_fn(|_| from.u64());
        let [memfd, _lower] = std::array::from_fn(|_| from.u8());
        let [pgid, started] = std::array::from_fn(|_| from.u64());
        assert_eq!(from.u32(), NAMESPACES_MARK);
        let lives: [u32; 3] = std::array::from_fn(|_| from.u32());
        assert!(from.bytes.is_empty(), "nothing behind the last field");
        // Ours and the test's are on the host, or nobody may look; nobody lives nowhere.
        assert!(lives[0] & !15 == 0 && (lives[0] == 0 || lives[0] & 1 == 1));
        // Names of processes that are not ours may be anything: only text is kept for ours.
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = Entry {
            tid,
            pid,
            ptid,
            comm: lossy(comm),
            exe: lossy(exe),
            exepath: lossy(exepath),
            args: lossy(args),
            cwd: lossy(cwd),
            fd_limit,
            flags,
            uid,
            env: lossy(env),
            vtid,
            vpid,
            cgroups,
            root: lossy(root),
            pid_namespace_start,
            writable,
            effective,
            ino,
            memfd,
            pgid,
            started,
        };
        assert!(entries.insert(tid, entry).is_none(), "one entry for each thread");
    }
    entries
}

/// Number, kind and what follows, of each descriptor of the process.
fn descriptors(bytes: &[u8], pid: u64) -> HashMap<u64, (u64, u8, Vec<u8>)> {
    for (kind, body) in blocks(bytes) {
        let mut list = Reader { bytes: body };
        if kind != 0x218 || list.u64() != pid {
            continue;
        }
        let mut found = HashMap::new();
        while list.bytes.len() >= 4 {
            let mut entry = list.entry();
            found.insert(entry.u64(), (entry.u64(), entry.u8(), entry.bytes.to_vec()));
        }
        return found;
    }
    panic!("no descriptor list for {pid}");
}

/// A child of the test; ended when the test ends.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// Starts `sh -c script` with a pipe as standard input and output; the script says `ready`.
fn start(command: &mut Command) -> (Started, u64) {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut child = Started(child);
    let mut line = String::new();
    BufReader::new(child.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = child.0.id().into();
    (child, pid)
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "marker", "second argument"]);
    command
}

/// An empty directory of the test's own.
fn directory(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("saker-snapshot-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path.canonicalize().unwrap()
}

#[test]
fn a_child_is_found_with_its_program_arguments_environment_and_directory() {
    let cwd = directory("program");
    let mut command = shell("echo ready; read -r line");
    command.current_dir(&cwd).env_clear().env("SAKER_TEST", "a value").process_group(0);
    let (child, pid) = start(&mut command);
    let bytes = machine_blocks(Path::new("/"), 0).unwrap();
    let entries = entries(&bytes);
    let entry = &entries[&pid];
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    assert_eq!((entry.tid, entry.pid, entry.ptid), (pid, pid, std::process::id().into()));
    assert_eq!((entry.vtid, entry.vpid, entry.pgid), (pid, pid, pid));
    assert_eq!((entry.comm.as_str(), entry.exe.as_str()), ("sh", "/bin/sh"));
    assert_eq!(Path::new(&entry.exepath), shell);
    assert_eq!(entry.args, "-c\0echo ready; read -r line\0marker\0second argument\0");
    assert!(entry.env.split('\0').any(|variable| variable == "SAKER_TEST=a value"));
    assert_eq!(Path::new(&entry.cwd), cwd);
    assert_eq!((entry.root.as_str(), entry.flags, entry.memfd), ("/", 0, 0));
    assert_eq!(entry.ino, std::fs::metadata(shell).unwrap().ino());
    let us = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    assert_eq!(entry.cgroups.is_empty(), us.is_empty());
    assert!(entry.fd_limit > 2);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    assert!(entry.started <= now && now - entry.started < 3_600_000_000_000);
    assert!(entry.pid_namespace_start < entry.started);
    if entry.uid == 0 {
        assert_eq!(entry.writable, 1);
        assert_ne!(entry.effective, 0);
    }
    drop(child);
    std::fs::remove_dir_all(cwd).unwrap();
}

#[test]
fn descriptors_are_told_with_what_they_lead_to() {
    let cwd = directory("descriptors");
    let file = cwd.join("a file");
    let path = cwd.join("socket");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let unix = UnixListener::bind(&path).unwrap();
    let script = format!("exec 7>'{}'; exec 8<.; echo ready; read -r line", file.display());
    let mut command = shell(&script);
    command.current_dir(&cwd);
    let sockets = [(4, fd(&listener)), (5, fd(&client)), (6, fd(&unix))];
    // SAFETY: between fork and exec the closure only duplicates descriptors.
    unsafe {
        command.pre_exec(move || {
            // First out of the way: one of them may have the number that another is to get.
            let kept = sockets.map(|(_, fd)| nix::libc::fcntl(fd, nix::libc::F_DUPFD_CLOEXEC, 100));
            for ((number, _), fd) in sockets.iter().zip(kept) {
                if fd < 0 || nix::libc::dup2(fd, *number) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    let (child, pid) = start(&mut command);
    let bytes = machine_blocks(Path::new("/"), 0).unwrap();
    let found = descriptors(&bytes, pid);

    let (_, kind, rest) = &found[&0];
    assert_eq!((*kind, &rest[2..7]), (7, b"pipe:".as_slice()));
    let port = listener.local_addr().unwrap().port();
    let local = [[127, 0, 0, 1].as_slice(), &port.to_ne_bytes(), &[2]].concat();
    assert_eq!((found[&4].1, &found[&4].2), (5, &local));
    let own = client.local_addr().unwrap().port();
    let ends = [127, 0, 0, 1, 127, 0, 0, 1];
    let ends = [ends.as_slice(), &own.to_ne_bytes(), &port.to_ne_bytes(), &[2]].concat();
    assert_eq!((found[&5].1, &found[&5].2), (3, &ends));
    assert_eq!(found[&6].1, 8);
    assert_eq!(found[&6].2[18..], *path.to_str().unwrap().as_bytes());
    let (ino, kind, rest) = &found[&7];
    let facts = std::fs::metadata(&file).unwrap();
    let mut rest = Reader { bytes: rest };
    assert_eq!((*ino, *kind), (facts.ino(), 16));
    // PPM_O_WRONLY alone: O_CREAT and O_TRUNC are not kept by the kernel.
    assert_eq!(rest.u32(), 2);
    assert_eq!(rest.text(), file.to_str().unwrap().as_bytes());
    assert_eq!(u64::from(rest.u32()), facts.dev());
    assert_eq!(found[&8].1, 2);
    assert_eq!(found[&8].2[2..], *cwd.to_str().unwrap().as_bytes());
    drop(child);
    std::fs::remove_dir_all(cwd).unwrap();
}

fn fd(of: &impl std::os::fd::AsRawFd) -> i32 {
    of.as_raw_fd()
}

#[test]
fn one_thread_comes_with_its_process_and_nothing_else() {
    let (to_thread, from_test) = std::sync::mpsc::channel::<()>();
    let (to_test, from_thread) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        to_test.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
        from_test.recv().unwrap();
    });
    let tid = from_thread.recv().unwrap() as u32;
    let bytes = process_blocks(Path::new("/"), tid).unwrap();
    to_thread.send(()).unwrap();
    thread.join().unwrap();
    let entries = entries(&bytes);
    let pid: u64 = std::process::id().into();
    assert_eq!(entries.len(), 2);
    let thread = &entries[&tid.into()];
    assert_eq!((thread.pid, thread.flags), (pid, 1 | 1 << 13));
    assert!(thread.env.is_empty());
    assert_eq!(entries[&pid].flags, 0);
    assert!(descriptors(&bytes, pid).contains_key(&0));
}

#[test]
fn a_thread_that_is_gone_gives_nothing() {
    let (child, pid) = start(&mut shell("echo ready; read -r line"));
    drop(child);
    assert!(process_blocks(Path::new("/"), pid as u32).unwrap().is_empty());
}

#[test]
fn the_process_that_asks_not_to_be_watched_is_left_out() {
    let bytes = machine_blocks(Path::new("/"), std::process::id()).unwrap();
    assert!(!entries(&bytes).contains_key(&std::process::id().into()));
}

#[test]
fn processes_that_come_and_go_do_not_disturb_the_scan() {
    let (_child, pid) = start(&mut shell("echo ready; while :; do /bin/true; done"));
    for _ in 0..20 {
        let bytes = machine_blocks(Path::new("/"), 0).unwrap();
        assert!(entries(&bytes).contains_key(&pid));
    }
}

#[test]
fn a_host_root_without_processes_is_an_error() {
    let root = directory("empty");
    assert!(machine_blocks(&root, 0).is_err());
    std::fs::create_dir(root.join("proc")).unwrap();
    assert!(machine_blocks(&root, 0).is_err());
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn the_machine_its_loopback_address_and_its_root_user_are_told() {
    let bytes = machine_blocks(Path::new("/"), 0).unwrap();
    let kinds: Vec<u32> = blocks(&bytes).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[..4], [0x201, 0x219, 0x220, 0x215]);
    assert!(kinds[4..].iter().all(|kind| *kind == 0x218));
    let mut machine = block(&bytes, 0x201);
    assert!(machine.u32() > 0 && machine.u64() > 0 && machine.u64() > 0);
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(string(machine.take(128)).trim_end_matches('\0'), hostname.trim_end());
    assert!(machine.u64() > 1_000_000_000_000_000_000);

    let mut interfaces = block(&bytes, 0x219);
    let mut loopback = false;
    while interfaces.bytes.len() >= 4 {
        let length = interfaces.u32() as usize;
        let mut entry = Reader { bytes: interfaces.take(length) };
        let (kind, name) = (entry.u16(), entry.u16());
        let address = entry.take(if kind == 1 { 12 } else { 48 });
        entry.u64();
        assert_eq!(entry.bytes.len(), usize::from(name));
        loopback |= kind == 1 && address == [127, 0, 0, 1, 255, 0, 0, 0, 0, 0, 0, 0];
        loopback |= kind == 1 && address == [127, 0, 0, 1, 255, 0, 0, 0, 127, 0, 0, 1];
    }
    assert!(loopback);

    let mut users = block(&bytes, 0x220);
    let mut entry = users.entry();
    assert_eq!((entry.u8(), entry.u32(), entry.u32(), entry.text()), (0, 0, 0, b"root".as_slice()));
}

#[test]
fn users_seen_by_a_process_are_those_of_its_root() {
    let host = account_blocks(Path::new("/"), 0);
    assert!(host.windows(4).any(|word| word == b"root"));
    assert_eq!(account_blocks(Path::new("/"), std::process::id()), host);
    let nobody = account_blocks(Path::new("/"), u32::MAX);
    assert_eq!(nobody.len(), 12, "an empty block");
}
