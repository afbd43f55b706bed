//! Loads the built probe, lets a child make system calls, and compares each parameter of the
//! child's events with what it did. Needs root and ebpf-rs built; says so where it has not.
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};
use std::{fs, ptr};

use probe::event::HEADER_BYTES;
use probe::fillers::FILLERS;
use probe::table::{self, PARAM_COUNTS};

use crate::loader::{Options, Probe};
use crate::merge::drain;
use crate::ring::Ring;

/// Our own parameters, counted from the first.
const PATH: usize = 0;

struct Recorder {
    probe: Probe,
    critical: Ring,
    bulk: Ring,
}

struct Recorded {
    code: u16,
    tid: u64,
    cpu: u16,
    params: Vec<Vec<u8>>,
}

impl Recorded {
    fn own(&self, which: usize) -> &[u8] {
        &self.params[PARAM_COUNTS[self.code as usize] as usize + which]
    }
    fn number(&self, index: usize) -> i64 {
        signed(&self.params[index])
    }
    /// A parameter's text without its NUL.
    fn text(&self, index: usize) -> String {
        text(&self.params[index])
    }
    fn path(&self) -> String {
        text(self.own(PATH))
    }
}

fn signed(bytes: &[u8]) -> i64 {
    match *bytes {
        [a] => i64::from(a),
        [a, b] => i64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(u32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(bytes.try_into().expect("a number has 1, 2, 4 or 8 bytes")),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned()
}

fn object() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebpf-rs/target/bpfel-unknown-none/release/probe")
}

fn options() -> Options {
    Options {
        critical_ring_bytes: 4 << 20,
        bulk_ring_bytes: 4 << 20,
        snaplen: 80,
        drop_failed: false,
        self_pid: std::process::id(),
    }
}

fn open(options: &Options, interest: &[u16]) -> Option<Recorder> {
    // SAFETY: asks for a number only.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("not run: it needs root");
        return None;
    }
    let Ok(object) = fs::read(object()) else {
        eprintln!("not run: it needs ebpf-rs built");
        return None;
    };
    let mut probe = Probe::load(&object, options, interest).expect("the probe loads");
    let critical = probe.take_ring("CRITICAL_RING", options.critical_ring_bytes).expect("a ring");
    let bulk = probe.take_ring("BULK_RING", options.bulk_ring_bytes).expect("a ring");
    Some(Recorder { probe, critical, bulk })
}

/// One probe for all tests.
fn recorder() -> Option<MutexGuard<'static, Recorder>> {
    static RECORDER: OnceLock<Option<Mutex<Recorder>>> = OnceLock::new();
    let every: Vec<u16> = FILLERS
        .iter()
        .map(|(_, code)| *code)
        .filter(|code| *code != table::GENERIC_X)
        .chain([table::PROCEXIT_1_E, crate::loader::GENERIC_CALL | sc("getcpu")])
        .collect();
    RECORDER
        .get_or_init(|| open(&options(), &every).map(Mutex::new))
        .as_ref()
        .map(|mutex| mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn sc(name: &str) -> u16 {
    table::SYSCALLS.iter().find(|call| call.name == name).expect("a known call").sc
}

impl Recorder {
    /// All that waits in the rings.
    fn take(&mut self) -> Vec<Recorded> {
        let mut buffer = vec![0; 16 << 20];
        let used = drain(&mut self.critical, &mut self.bulk, &mut buffer);
        let mut events = Vec::new();
        let mut at = 0;
        while at < used {
            let word = |at: usize| u32::from_le_bytes(buffer[at..at + 4].try_into().unwrap());
            let half = |at: usize| u16::from_le_bytes(buffer[at..at + 2].try_into().unwrap());
            let total = word(at + 4) as usize;
            assert_eq!((word(at), word(at + total - 4), total % 4), (0x216, total as u32, 0));
            let event = at + 10;
            let (bytes, code, count) =
                (word(event + 16) as usize, half(event + 20), word(event + 22) as usize);
            assert_eq!(count, PARAM_COUNTS[code as usize] as usize + 4, "code {code}");
            let mut data = event + HEADER_BYTES + 2 * count;
            let params = (0..count)
                .map(|index| {
                    let len = half(event + HEADER_BYTES + 2 * index) as usize;
                    data += len;
                    buffer[data - len..data].to_vec()
                })
                .collect();
            assert_eq!(data, event + bytes, "the lengths of code {code} add up");
            events.push(Recorded {
                code,
                tid: u64::from(word(event + 8)),
                cpu: half(at + 8),
                params,
            });
            at += total;
        }
        events
    }

    /// Runs `act` in a child and returns the child's events, its exit the last.
    fn of_child(&mut self, act: impl FnOnce() -> i32) -> (u64, Vec<Recorded>) {
        self.take();
        // SAFETY: the child only makes system calls and leaves by _exit.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid == 0 {
            let status = act();
            // SAFETY: ends the child.
            unsafe { libc::_exit(status) };
        }
        let mut status = 0;
        // SAFETY: our own child.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        let (pid, mut events) = (pid as u64, Vec::new());
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            events.extend(self.take().into_iter().filter(|event| event.tid == pid));
            if events.iter().any(|event| event.code == table::PROCEXIT_1_E) {
                break;
            }
        }
        (pid, events)
    }
}

/// Runs `act` in a child and hands its events of `code` to `check`.
fn expect(code: u16, act: impl FnOnce() -> i32, check: impl FnOnce(u64, &[Recorded])) {
    let Some(mut recorder) = recorder() else { return };
    let (pid, events) = recorder.of_child(act);
    drop(recorder);
    let named: Vec<Recorded> = events.into_iter().filter(|event| event.code == code).collect();
    assert!(!named.is_empty(), "no event of code {code}");
    check(pid, &named);
}

fn c(text: impl AsRef<Path>) -> CString {
    CString::new(text.as_ref().as_os_str().as_bytes()).expect("no NUL inside")
}

/// A directory of its own for each test, removed when it ends.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("saker-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(fs::canonicalize(path).unwrap())
    }
    fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, b"x").unwrap();
        path
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn openat(path: &CString, flags: i32) -> i32 {
    // SAFETY: a valid path.
    unsafe { libc::openat(libc::AT_FDCWD, path.as_ptr(), flags, 0o640) }
}

#[test]
fn an_open_through_links_shows_the_file_that_the_kernel_opened() {
    let folder = Folder::new("links");
    let target = folder.file("target");
    std::os::unix::fs::symlink(&target, folder.0.join("link")).unwrap();
    fs::create_dir(folder.0.join("deep")).unwrap();
    std::os::unix::fs::symlink(folder.0.join("deep"), folder.0.join("dir")).unwrap();
    let root = PathBuf::from(format!("/proc/self/root{}", target.display()));
    for asked in [folder.0.join("link"), folder.0.join("dir/../target"), root] {
        let path = c(&asked);
        expect(
            table::SYSCALL_OPENAT_2_X,
            || openat(&path, libc::O_RDONLY),
            |_, events| {
                let event = events.last().unwrap();
                assert_eq!(event.text(2), asked.display().to_string());
                assert_eq!(event.path(), target.display().to_string());
            },
        );
    }
}

#[test]
fn an_open_that_makes_a_file_has_all_parameters() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = Folder::new("made");
    let path = folder.0.join("new");
    let asked = c(&path);
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC;
    expect(
        table::SYSCALL_OPENAT_2_X,
        || openat(&asked, flags).min(0),
        |_, events| {
            let event = events.last().unwrap();
            let stat = fs::metadata(&path).unwrap();
            assert!(event.number(0) >= 0);
            assert_eq!(event.number(1), -100);
            let expected = 1 << 1 | 1 << 2 | 1 << 8 | 1 << 12 | 1 << 14;
            // The overlay's layers depend on where the temporary directory lies.
            assert_eq!(event.number(3) & !(3 << 15), expected);
            assert_eq!(event.number(4), 0o640);
            assert_eq!(event.number(5), (stat.dev() & 0xffff_ffff) as i64);
            assert_eq!(event.number(6), stat.ino() as i64);
            assert_eq!(event.own(3), [0], "a write is critical");
        },
    );
}

#[test]
fn an_open_that_fails_has_its_error_and_no_path() {
    let asked = c("/nowhere/at/all");
    expect(
        table::SYSCALL_OPENAT_2_X,
        || openat(&asked, 0) & 1,
        |_, events| {
            let event = events.last().unwrap();
            assert_eq!(event.number(0), i64::from(-libc::ENOENT));
            assert_eq!(event.text(2), "/nowhere/at/all");
            assert_eq!((event.number(5), event.number(6), event.path()), (0, 0, String::new()));
        },
    );
}

#[test]
fn openat2_and_creat_and_open_have_their_paths() {
    let folder = Folder::new("kinds");
    let path = folder.file("f");
    let asked = c(&path);
    let how: [u64; 3] = [0, 0, 4];
    let act = || unsafe {
        // SAFETY: valid arguments.
        libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, asked.as_ptr(), how.as_ptr(), 24);
        libc::syscall(libc::SYS_creat, asked.as_ptr(), 0o600);
        libc::syscall(libc::SYS_open, asked.as_ptr(), libc::O_RDWR, 0);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    for (code, name) in
        [(table::SYSCALL_OPENAT2_X, 2), (table::SYSCALL_CREAT_X, 1), (table::SYSCALL_OPEN_X, 1)]
    {
        let event = events.iter().find(|event| event.code == code).expect("an event");
        assert!(event.number(0) >= 0);
        assert_eq!(event.text(name), path.display().to_string());
        assert_eq!(event.path(), path.display().to_string());
    }
    let opened = events.iter().find(|event| event.code == table::SYSCALL_OPENAT2_X).unwrap();
    assert_eq!((opened.number(3) & 0xfff, opened.number(5)), (1, 1 << 3));
}

#[test]
fn a_path_of_hundreds_of_folders_is_whole_and_a_longer_one_is_marked() {
    let folder = Folder::new("deep");
    let folders = |count: usize| {
        let act = {
            let root = c(&folder.0);
            let (step, file) = (c("d"), c("f"));
            move || unsafe {
                // SAFETY: valid paths.
                libc::chdir(root.as_ptr());
                for _ in 0..count {
                    libc::mkdir(step.as_ptr(), 0o700);
                    libc::chdir(step.as_ptr());
                }
                openat(&file, libc::O_CREAT | libc::O_WRONLY).min(0)
            }
        };
        let mut recorder = recorder()?;
        let (_, events) = recorder.of_child(act);
        let event = events.into_iter().rfind(|event| event.code == table::SYSCALL_OPENAT_2_X);
        Some(event.expect("an open").path())
    };
    let Some(path) = folders(300) else { return };
    assert_eq!(path, format!("{}{}/f", folder.0.display(), "/d".repeat(300)));
    let path = folders(2500).unwrap();
    assert!(path.starts_with('.') && path.ends_with("/d/d/f") && path.len() > 1900, "{path}");
}

#[test]
fn a_path_is_as_seen_from_the_root_of_the_process_and_through_mounts() {
    let folder = Folder::new("root");
    folder.file("inside");
    fs::create_dir(folder.0.join("at")).unwrap();
    fs::create_dir(folder.0.join("from")).unwrap();
    fs::write(folder.0.join("from/f"), b"x").unwrap();
    let (root, inside) = (c(&folder.0), c("/inside"));
    let act = || unsafe {
        // SAFETY: valid paths.
        libc::chroot(root.as_ptr());
        openat(&inside, 0).min(0)
    };
    expect(table::SYSCALL_OPENAT_2_X, act, |_, events| {
        assert_eq!(events.last().unwrap().path(), "/inside");
    });
    let (from, at, file) =
        (c(folder.0.join("from")), c(folder.0.join("at")), c(folder.0.join("at/f")));
    let act = || unsafe {
        // SAFETY: valid paths; the mount is in a namespace that ends with the child.
        libc::unshare(libc::CLONE_NEWNS);
        let none = c"none";
        libc::mount(
            none.as_ptr(),
            c"/".as_ptr(),
            ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            ptr::null(),
        );
        libc::mount(from.as_ptr(), at.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null());
        openat(&file, 0).min(0)
    };
    expect(table::SYSCALL_OPENAT_2_X, act, |_, events| {
        let event = events.last().unwrap();
        assert!(event.number(0) >= 0);
        assert_eq!(event.path(), folder.0.join("at/f").display().to_string());
    });
}

#[test]
fn an_exec_has_arguments_environment_and_executable() {
    use std::os::unix::fs::MetadataExt as _;
    let program = fs::canonicalize("/bin/true").unwrap();
    let asked = c("/proc/self/root/bin/true");
    let args = [c("name"), c("one"), c("two words")];
    let argv = [args[0].as_ptr(), args[1].as_ptr(), args[2].as_ptr(), ptr::null()];
    let variable = c("A=b");
    let envp = [variable.as_ptr(), ptr::null()];
    let act = || unsafe {
        // SAFETY: arrays that end with a null pointer.
        libc::execve(asked.as_ptr(), argv.as_ptr(), envp.as_ptr())
    };
    expect(table::SYSCALL_EXECVE_19_X, act, |pid, events| {
        assert_eq!(events.len(), 1);
        let event = &events[0];
        assert_eq!(event.number(0), 0);
        assert_eq!(event.text(1), "name");
        assert_eq!(event.params[2], b"one\0two words\0");
        assert_eq!(event.number(3), pid as i64);
        assert_eq!(event.number(4), pid as i64);
        assert_eq!(event.params[6], b"");
        assert_eq!(event.text(13), "true");
        assert!(event.text(14).contains("memory=/"), "{}", event.text(14));
        assert_eq!(event.params[15], b"A=b\0");
        assert_eq!(event.number(26), 0);
        assert_eq!(event.text(27), program.display().to_string());
        assert_eq!(event.path(), program.display().to_string());
        assert_eq!(event.number(29), 0);
        assert_eq!(event.text(30), "/proc/self/root/bin/true");
        let stat = fs::metadata(&program).unwrap();
        assert_eq!(event.number(23), stat.ino() as i64);
        assert_eq!(event.number(24), stat.ctime() * 1_000_000_000 + stat.ctime_nsec());
        assert_eq!(event.number(25), stat.mtime() * 1_000_000_000 + stat.mtime_nsec());
        // SAFETY: asks for numbers.
        let group = unsafe { libc::getpgid(0) };
        assert_eq!(event.number(28), i64::from(group));
        assert_eq!(event.number(19) & 1, 1, "root may write it");
    });
}

#[test]
fn an_exec_that_fails_has_the_callers_arguments() {
    let asked = c("/nowhere/program");
    let args = [c("zero"), c("one")];
    let argv = [args[0].as_ptr(), args[1].as_ptr(), ptr::null()];
    let envp = [ptr::null()];
    let act = || unsafe {
        // SAFETY: as above.
        libc::execve(asked.as_ptr(), argv.as_ptr(), envp.as_ptr());
        0
    };
    expect(table::SYSCALL_EXECVE_19_X, act, |_, events| {
        let event = &events[0];
        assert_eq!(event.number(0), i64::from(-libc::ENOENT));
        assert_eq!((event.text(1), event.text(2)), ("zero".into(), "one".into()));
        assert_eq!(event.text(30), "/nowhere/program");
        assert_eq!(event.path(), "");
    });
}

#[test]
fn a_program_that_lives_in_memory_only_is_marked() {
    let program = fs::read("/bin/true").unwrap();
    let argv = [c("ghost"), c("x")];
    let pointers = [argv[0].as_ptr(), argv[1].as_ptr(), ptr::null()];
    let act = || unsafe {
        // SAFETY: valid arguments.
        let fd = libc::memfd_create(c"hidden".as_ptr(), libc::MFD_CLOEXEC);
        libc::write(fd, program.as_ptr().cast(), program.len());
        let envp: [*const libc::c_char; 1] = [ptr::null()];
        libc::syscall(
            libc::SYS_execveat,
            fd,
            c"".as_ptr(),
            pointers.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        ) as i32
    };
    expect(table::SYSCALL_EXECVE_19_X, act, |_, events| {
        let event = &events[0];
        assert_eq!(event.number(19) & 4, 4);
        assert_eq!(event.text(27), "memfd:hidden");
        assert_eq!(event.text(1), "ghost");
    });
}

#[test]
fn both_sides_of_a_fork_and_the_exit_are_told() {
    let Some(mut recorder) = recorder() else { return };
    let act = || unsafe {
        // SAFETY: the grandchild leaves at once.
        let child = libc::syscall(libc::SYS_fork);
        if child == 0 {
            libc::_exit(7);
        }
        libc::waitpid(child as i32, ptr::null_mut(), 0);
        3
    };
    recorder.take();
    // SAFETY: as in of_child; here the grandchild's events are wanted too.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let status = act();
        // SAFETY: ends the child.
        unsafe { libc::_exit(status) };
    }
    // SAFETY: our own child.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
    let events = recorder.take();
    drop(recorder);
    let of = |tid: i64, code: u16| {
        events.iter().find(move |event| event.tid == tid as u64 && event.code == code)
    };
    let parent = of(i64::from(pid), table::SYSCALL_FORK_20_X).expect("the parent's side");
    let child = parent.number(0);
    assert!(child > 0);
    let side = of(child, table::SYSCALL_FORK_20_X).expect("the child's side");
    assert_eq!((side.number(0), side.number(5)), (0, i64::from(pid)));
    assert_eq!((side.number(3), side.number(4)), (child, child));
    assert_eq!(side.number(18), child);
    let exit = of(child, table::PROCEXIT_1_E).expect("the child's exit");
    assert_eq!((exit.number(0), exit.number(1), exit.number(2)), (7 << 8, 7, 0));
    let exit = of(i64::from(pid), table::PROCEXIT_1_E).expect("the parent's exit");
    assert_eq!(exit.number(1), 3);
}

#[test]
fn a_death_by_signal_is_told() {
    let act = || unsafe {
        // SAFETY: kills the child itself.
        libc::kill(libc::getpid(), libc::SIGKILL);
        0
    };
    expect(table::PROCEXIT_1_E, act, |_, events| {
        assert_eq!((events[0].number(0), events[0].number(2)), (9, 9));
    });
}

/// A listening socket on the loopback, and its port.
fn listener() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn address(port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    }
}

fn connect(to: &libc::sockaddr_in) -> i32 {
    // SAFETY: a valid address.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        libc::connect(fd, ptr::from_ref(to).cast(), 16);
        fd
    }
}

#[test]
fn a_connection_has_its_tuple_from_the_kernel() {
    let (listening, port) = listener();
    let to = address(port);
    expect(
        table::SOCKET_CONNECT_X,
        || connect(&to).min(0),
        |_, events| {
            let event = &events[0];
            assert_eq!(event.number(0), 0);
            let tuple = &event.params[1];
            assert_eq!(tuple.len(), 13);
            assert_eq!(
                (tuple[0], &tuple[1..5], &tuple[7..11]),
                (2, &[127, 0, 0, 1][..], &[127, 0, 0, 1][..])
            );
            assert_ne!(signed(&tuple[5..7]), 0);
            assert_eq!(signed(&tuple[11..13]), i64::from(port));
            let mut told = vec![2, 127, 0, 0, 1];
            told.extend_from_slice(&port.to_le_bytes());
            assert_eq!(event.params[3], told);
            assert_eq!(event.own(3), [0]);
        },
    );
    drop(listening);
    expect(
        table::SOCKET_CONNECT_X,
        || connect(&to).min(0),
        |_, events| {
            assert_eq!(events[0].number(0), i64::from(-libc::ECONNREFUSED));
            assert!(events[0].params[1].is_empty());
        },
    );
    expect(
        table::SOCKET_SOCKET_X,
        || connect(&to).min(0),
        |_, events| {
            let event = &events[0];
            assert_eq!((event.number(1), event.number(4)), (2, 1 << 12));
        },
    );
}

#[test]
fn an_accepted_connection_has_its_tuple_and_queue() {
    let act = || unsafe {
        // SAFETY: valid addresses; one process is both ends.
        let listener = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let mut at = address(0);
        libc::bind(listener, (&raw const at).cast(), 16);
        libc::listen(listener, 5);
        let mut len = 16;
        libc::getsockname(listener, (&raw mut at).cast(), &raw mut len);
        connect(&at);
        libc::accept4(listener, ptr::null_mut(), ptr::null_mut(), libc::SOCK_NONBLOCK);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let (connect, accept) = (of(table::SOCKET_CONNECT_X), of(table::SOCKET_ACCEPT4_6_X));
    assert_eq!(accept.params[1], connect.params[1], "both ends see the same tuple");
    assert_eq!((accept.number(4), accept.number(5)), (5, 1 << 6));
    let listen = of(table::SOCKET_LISTEN_X);
    assert_eq!((listen.number(0), listen.number(2)), (0, 5));
    let bind = of(table::SOCKET_BIND_X);
    assert_eq!((bind.number(0), &bind.params[1][..]), (0, &[2, 127, 0, 0, 1, 0, 0][..]));
}

#[test]
fn unix_sockets_have_their_path() {
    let folder = Folder::new("unix");
    let path = folder.0.join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let bytes = path.as_os_str().as_bytes();
    let mut to = libc::sockaddr_un { sun_family: libc::AF_UNIX as u16, sun_path: [0; 108] };
    for (to, from) in to.sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    let len = 2 + bytes.len() as u32;
    let act = || unsafe {
        // SAFETY: a valid address.
        let fd = libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
        libc::connect(fd, (&raw const to).cast(), len);
        0
    };
    expect(table::SOCKET_CONNECT_X, act, |_, events| {
        let event = &events[0];
        assert_eq!(event.number(0), 0);
        assert_eq!(text(&event.params[1][17..]), path.display().to_string());
        assert_eq!(
            (event.params[3][0], text(&event.params[3][1..])),
            (1, path.display().to_string())
        );
    });
}

#[test]
fn ipv6_addresses_are_whole() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
        eprintln!("not run: no IPv6 here");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let mut to: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    to.sin6_family = libc::AF_INET6 as u16;
    to.sin6_port = port.to_be();
    to.sin6_addr.s6_addr[15] = 1;
    let act = || unsafe {
        // SAFETY: a valid address.
        let fd = libc::socket(libc::AF_INET6, libc::SOCK_STREAM, 0);
        libc::connect(fd, (&raw const to).cast(), 28);
        0
    };
    expect(table::SOCKET_CONNECT_X, act, |_, events| {
        let tuple = &events[0].params[1];
        assert_eq!((tuple.len(), tuple[0]), (37, 10));
        assert_eq!((tuple[16], tuple[34]), (1, 1));
        assert_eq!(signed(&tuple[35..37]), i64::from(port));
    });
}

#[test]
fn descriptor_calls_have_their_numbers() {
    let act = || unsafe {
        // SAFETY: plain descriptors.
        libc::dup2(1, 60);
        libc::dup3(1, 61, libc::O_CLOEXEC);
        let fd = libc::dup(1);
        libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 70);
        libc::close(fd);
        let mut pair = [0; 2];
        libc::pipe2(pair.as_mut_ptr(), libc::O_CLOEXEC);
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::memfd_create(c"m".as_ptr(), libc::MFD_CLOEXEC);
        libc::syscall(libc::SYS_getcpu, ptr::null_mut::<u32>(), ptr::null_mut::<u32>(), 0);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let numbers = |code: u16, count: usize| -> Vec<i64> {
        (0..count).map(|index| of(code).number(index)).collect()
    };
    assert_eq!(numbers(table::SYSCALL_DUP2_X, 3), [60, 1, 60]);
    assert_eq!(numbers(table::SYSCALL_DUP3_X, 4), [61, 1, 61, 1 << 12]);
    assert_eq!(of(table::SYSCALL_DUP_1_X).number(1), 1);
    assert_eq!(numbers(table::SYSCALL_FCNTL_X, 4)[1..], [1, 26, 70]);
    assert!(of(table::SYSCALL_FCNTL_X).number(0) >= 70);
    assert_eq!(of(table::SYSCALL_CLOSE_X).number(0), 0);
    let pipe = of(table::SYSCALL_PIPE2_X);
    assert!(pipe.number(1) > 2 && pipe.number(2) > 2 && pipe.number(3) > 0);
    assert_eq!(pipe.number(4), 1 << 12);
    let pair = of(table::SOCKET_SOCKETPAIR_X);
    assert!(pair.number(3) != 0 && pair.number(4) != 0 && pair.number(5) == 1);
    let memory = of(table::SYSCALL_MEMFD_CREATE_X);
    assert_eq!((memory.text(1), memory.number(2)), ("m".into(), 1));
    let generic = of(table::GENERIC_X);
    assert_eq!(numbers(table::GENERIC_X, 2), [i64::from(sc("getcpu")), libc::SYS_getcpu]);
    assert_eq!(generic.own(3), [1]);
}

#[test]
fn names_and_directories_are_told() {
    let folder = Folder::new("names");
    folder.file("a");
    let (home, a, b, d) = (c(&folder.0), c("a"), c("b"), c("d"));
    let act = || unsafe {
        // SAFETY: valid paths.
        libc::chdir(home.as_ptr());
        libc::mkdir(d.as_ptr(), 0o750);
        let fd = libc::open(d.as_ptr(), libc::O_RDONLY);
        libc::renameat(libc::AT_FDCWD, a.as_ptr(), libc::AT_FDCWD, b.as_ptr());
        libc::symlink(b.as_ptr(), a.as_ptr());
        libc::chmod(b.as_ptr(), 0o4755);
        libc::fchmod(fd, 0o700);
        libc::unlinkat(libc::AT_FDCWD, b.as_ptr(), 0);
        libc::fchdir(fd);
        libc::syscall(libc::SYS_rmdir, c"/nowhere".as_ptr());
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    assert_eq!(of(table::SYSCALL_CHDIR_X).path(), folder.0.display().to_string());
    assert_eq!(of(table::SYSCALL_FCHDIR_X).path(), folder.0.join("d").display().to_string());
    assert_eq!(of(table::SYSCALL_FCHMOD_X).path(), folder.0.join("d").display().to_string());
    let made = of(table::SYSCALL_MKDIR_2_X);
    assert_eq!((made.number(0), made.text(1), made.number(2)), (0, "d".into(), 0o750));
    let renamed = of(table::SYSCALL_RENAMEAT_X);
    assert_eq!(
        (renamed.number(0), renamed.number(1), renamed.text(2), renamed.number(3), renamed.text(4)),
        (0, -100, "a".into(), -100, "b".into())
    );
    let linked = of(table::SYSCALL_SYMLINK_X);
    assert_eq!((linked.text(1), linked.text(2)), ("b".into(), "a".into()));
    assert_eq!(of(table::SYSCALL_CHMOD_X).number(2), 0o4755);
    let removed = of(table::SYSCALL_UNLINKAT_2_X);
    assert_eq!((removed.number(0), removed.text(2), removed.number(3)), (0, "b".into(), 0));
    assert_eq!(of(table::SYSCALL_RMDIR_2_X).number(0), i64::from(-libc::ENOENT));
}

#[test]
fn credential_calls_have_their_numbers() {
    let act = || unsafe {
        // SAFETY: the child gives its rights away.
        libc::setsid();
        libc::syscall(libc::SYS_setresgid, 11, 12, 13);
        libc::syscall(libc::SYS_setreuid, -1, 0);
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
        libc::mount(
            c"dev".as_ptr(),
            c"/nowhere".as_ptr(),
            c"tmpfs".as_ptr(),
            0xc0ed_0001,
            ptr::null(),
        );
        libc::umount2(c"/nowhere".as_ptr(), libc::MNT_DETACH);
        libc::prctl(libc::PR_SET_NAME, c"renamed".as_ptr());
        libc::syscall(libc::SYS_setuid, 65534);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (pid, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    assert_eq!(of(table::SYSCALL_SETSID_X).number(0), pid as i64);
    let groups = of(table::SYSCALL_SETRESGID_X);
    assert_eq!([groups.number(1), groups.number(2), groups.number(3)], [11, 12, 13]);
    let users = of(table::SYSCALL_SETREUID_X);
    assert_eq!((users.number(1), users.number(2)), (0xffff_ffff, 0));
    let trace = of(table::SYSCALL_PTRACE_X);
    assert_eq!((trace.number(0), trace.number(3), trace.number(4)), (0, 1, 0));
    assert_eq!((trace.params[1].len(), trace.params[2].len()), (9, 9));
    let mount = of(table::SYSCALL_MOUNT_X);
    assert_eq!(
        (mount.text(1), mount.text(2), mount.text(3)),
        ("dev".into(), "/nowhere".into(), "tmpfs".into())
    );
    assert_eq!(mount.number(4), 1);
    assert_eq!(of(table::SYSCALL_UMOUNT2_X).number(2), 2);
    assert_eq!(of(table::SYSCALL_PRCTL_X).text(2), "renamed");
    assert_eq!(of(table::SYSCALL_SETUID_X).number(1), 65534);
}

#[test]
fn sent_and_received_data_is_kept_to_the_snaplen() {
    let data = [b'x'; 200];
    let act = || unsafe {
        // SAFETY: valid buffers.
        let mut pair = [0; 2];
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::sendto(pair[0], data.as_ptr().cast(), 200, 0, ptr::null(), 0);
        let mut got = [0u8; 300];
        libc::recvfrom(pair[1], got.as_mut_ptr().cast(), 300, 0, ptr::null_mut(), ptr::null_mut());
        let mut vectors = [
            libc::iovec { iov_base: data.as_ptr() as *mut _, iov_len: 3 },
            libc::iovec { iov_base: data.as_ptr() as *mut _, iov_len: 100 },
        ];
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = vectors.as_mut_ptr();
        message.msg_iovlen = 2;
        libc::sendmsg(pair[0], &raw const message, 0);
        let mut batch: [libc::mmsghdr; 3] = std::mem::zeroed();
        for (index, one) in batch.iter_mut().enumerate() {
            one.msg_hdr.msg_iov = vectors.as_mut_ptr();
            one.msg_hdr.msg_iovlen = index + 1;
        }
        libc::sendmmsg(pair[0], batch.as_mut_ptr(), 2, 0);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let sent = of(table::SOCKET_SENDTO_X);
    assert_eq!((sent.number(0), sent.params[1].len(), sent.number(3)), (200, 80, 200));
    let got = of(table::SOCKET_RECVFROM_X);
    assert_eq!((got.number(0), got.params[1].len(), got.number(4)), (200, 80, 300));
    let batch: Vec<_> = events
        .iter()
        .filter(|event| event.code == table::SOCKET_SENDMMSG_X)
        .map(|event| (event.number(0), event.number(2), event.params[3].len()))
        .collect();
    assert_eq!(batch, [(3, 3, 3), (103, 103, 80)], "one event for each message");
    let message = of(table::SOCKET_SENDMSG_X);
    assert_eq!((message.number(0), message.params[1].len(), message.number(3)), (103, 80, 103));
}

/// A call through the 32-bit entry.
#[cfg(target_arch = "x86_64")]
unsafe fn int80(number: u32, args: [u32; 4]) -> i32 {
    let ret: i32;
    // SAFETY: the kernel saves all registers; rbx is swapped, since the compiler keeps it.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {b}",
            "int 0x80",
            "xchg rbx, {b}",
            b = inout(reg) u64::from(args[0]) => _,
            inlateout("eax") number => ret,
            in("ecx") args[1],
            in("edx") args[2],
            in("esi") args[3],
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    ret
}

#[test]
fn calls_through_the_32_bit_entry_are_told_like_others() {
    // SAFETY: a page below 4 GiB for strings that 32-bit pointers reach.
    let page = unsafe {
        libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
            -1,
            0,
        )
    };
    let name = b"/proc/self/root/etc/hostname\0";
    // SAFETY: the page has room.
    unsafe {
        ptr::copy_nonoverlapping(name.as_ptr(), page.cast(), name.len());
        let args = page.cast::<u32>().add(64);
        args.write(2);
        args.add(1).write(1);
        args.add(2).write(0);
    }
    let at = page as usize as u32;
    let act = || unsafe {
        // SAFETY: 295 is openat, 102 socketcall, 20 getpid.
        if int80(20, [0; 4]) < 0 {
            return 1;
        }
        int80(295, [-100i32 as u32, at, 0, 0]);
        int80(102, [1, at + 256, 0, 0]);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let opened = events.iter().find(|event| event.code == table::SYSCALL_OPENAT_2_X);
    let exit = events.iter().find(|event| event.code == table::PROCEXIT_1_E).expect("an exit");
    if exit.number(2) == i64::from(libc::SIGSEGV) {
        eprintln!("not run: this kernel has no 32-bit entry");
        return;
    }
    let opened = opened.expect("the open is seen");
    assert_eq!((opened.number(1), opened.text(2)), (-100, "/proc/self/root/etc/hostname".into()));
    assert_eq!(opened.path(), fs::canonicalize("/etc/hostname").unwrap().display().to_string());
    let socket = events.iter().find(|event| event.code == table::SOCKET_SOCKET_X);
    assert_eq!(socket.expect("the socket is seen").number(1), 2);
}

#[test]
fn losses_are_counted_exactly_and_sequence_numbers_tell_them() {
    let mut small = options();
    (small.critical_ring_bytes, small.bulk_ring_bytes) = (4096, 4096);
    let codes = [table::SYSCALL_DUP_1_X, table::PROCEXIT_1_E];
    let Some(mut recorder) = open(&small, &codes) else { return };
    let act = || unsafe {
        // SAFETY: plain descriptors that are closed again.
        for _ in 0..1000 {
            libc::close(libc::dup(1));
        }
        0
    };
    // SAFETY: as in of_child, but nothing is read while the child runs.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let status = act();
        // SAFETY: ends the child.
        unsafe { libc::_exit(status) };
    }
    // SAFETY: our own child.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
    // From here on nothing is recorded in the bulk lane, by nobody.
    recorder.probe.route(&[]).expect("the routes can be changed");
    let counters = recorder.probe.counters();
    let read = recorder.take();
    let (should, lost) = (counters.sequence[1], counters.lost[1]);
    assert!(should >= 1000 && lost > 0);
    let bulk = read.iter().filter(|event| event.own(3) == [1]).count() as u64;
    assert_eq!(bulk + lost, should);
}

#[test]
fn sequence_numbers_have_no_gap_where_nothing_is_lost() {
    let Some(mut recorder) = recorder() else { return };
    recorder.take();
    let lost = recorder.probe.counters().lost;
    let (_, _) = recorder.of_child(|| connect(&address(9)).min(0));
    let mut next = std::collections::HashMap::new();
    for _ in 0..5 {
        for event in recorder.take() {
            let lane = event.own(3)[0];
            let sequence = signed(event.own(2));
            if let Some(expected) = next.insert((event.cpu, lane), sequence + 1) {
                assert_eq!(sequence, expected);
            }
        }
    }
    assert_eq!(recorder.probe.counters().lost, lost);
}

#[test]
fn every_program_is_attached_and_a_theft_is_noticed() {
    let Some(recorder) = open(&options(), &[table::SYSCALL_DUP_1_X]) else { return };
    let plan = recorder.probe.plan();
    assert!(plan.iter().all(|planned| planned.reason.is_empty()));
    recorder.probe.unroute_for_test();
    assert!(recorder.probe.plan()[0].reason.contains("route"));
}
