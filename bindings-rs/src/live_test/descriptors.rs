//! What the kernel says of descriptors: every call that makes or takes one tells it.
use std::ptr;

use probe::descriptors;
use probe::files::{
    HEAD_BYTES, KIND_BPF, KIND_DIRECTORY, KIND_EVENT, KIND_EVENT_POLL, KIND_FILE, KIND_INOTIFY,
    KIND_IO_URING, KIND_IPV4, KIND_MEMFD, KIND_NONE, KIND_PIDFD, KIND_PIPE, KIND_SIGNAL,
    KIND_TIMER, KIND_UNIX, KIND_USER_FAULT, MARK_MADE,
};
use probe::fillers::FILLERS;
use probe::table as t;

use super::sockets::{address, connect};
use super::{FILES, Folder, Recorded, c, every, recorder, signed, text};

/// One record of an event.
struct Told<'a> {
    number: i64,
    kind: u8,
    made: bool,
    flags: i64,
    ino: i64,
    more: &'a [u8],
}

fn told(event: &Recorded) -> Vec<Told<'_>> {
    let (mut rest, mut records) = (event.own(FILES), Vec::new());
    while !rest.is_empty() {
        let end = HEAD_BYTES + signed(&rest[6..8]) as usize;
        records.push(Told {
            number: i64::from(i32::from_le_bytes(rest[..4].try_into().unwrap())),
            kind: rest[4],
            made: rest[5] & MARK_MADE != 0,
            flags: signed(&rest[8..12]),
            ino: signed(&rest[16..24]),
            more: &rest[HEAD_BYTES..end],
        });
        rest = &rest[end..];
    }
    records
}

/// Numbers that the child puts what it uses at.
const FILE: i32 = 100;
const FOLDER: i32 = 101;
const TCP: i32 = 102;
const LISTENER: i32 = 103;
const UNIX: i32 = 104;
const PIDFD: i32 = 105;
const NAMESPACE: i32 = 106;
const OTHER: i32 = 107;
const NOTHING: i32 = 900_000;

/// Calls each filler's system call once, or what of it the kernel allows.
#[expect(clippy::too_many_lines, reason = "one line for each call")]
#[expect(clippy::many_single_char_names, reason = "names of files in the test's own folder")]
fn calls(folder: &Folder) -> i32 {
    let (file, new) = (c(folder.file("file")), c(folder.0.join("new")));
    let (dir, empty) = (c(&folder.0), ptr::null_mut::<libc::c_void>());
    // SAFETY: valid arguments; what the calls answer does not matter here.
    unsafe {
        let put = |fd: i32, to: i32| {
            libc::dup2(fd, to);
            libc::close(fd);
        };
        put(libc::open(file.as_ptr(), libc::O_RDWR), FILE);
        put(libc::open(dir.as_ptr(), libc::O_RDONLY), FOLDER);
        put(libc::open(file.as_ptr(), libc::O_RDONLY), OTHER);
        put(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0), LISTENER);
        let (mut at, mut length) = (address(0), 16);
        libc::bind(LISTENER, (&raw const at).cast(), 16);
        libc::listen(LISTENER, 5);
        libc::getsockname(LISTENER, (&raw mut at).cast(), &raw mut length);
        put(connect(&at), TCP);
        libc::accept(LISTENER, ptr::null_mut(), ptr::null_mut());
        connect(&at);
        libc::accept4(LISTENER, ptr::null_mut(), ptr::null_mut(), 0);
        let mut pair = [0; 2];
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        put(pair[0], UNIX);
        let call = |number: libc::c_long, args: [i64; 6]| -> i32 {
            libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) as i32
        };
        let name = |text: &std::ffi::CString| text.as_ptr() as i64;
        let here = i64::from(FOLDER);
        put(call(libc::SYS_pidfd_open, [i64::from(libc::getpid()), 0, 0, 0, 0, 0]), PIDFD);
        put(libc::open(c"/proc/self/ns/uts".as_ptr(), libc::O_RDONLY), NAMESPACE);
        let relative = [c("file"), c("a"), c("b"), c("d"), c("n"), c("l")];
        let [file_name, a, b, d, n, l] = &relative;
        let (target, rw) = (c("t"), i64::from(libc::O_RDWR));
        call(libc::SYS_open, [name(&new), rw | i64::from(libc::O_CREAT), 0o600, 0, 0, 0]);
        call(libc::SYS_creat, [name(&new), 0o600, 0, 0, 0, 0]);
        call(libc::SYS_openat, [here, name(file_name), rw, 0, 0, 0]);
        let how = [rw as u64, 0, 0];
        call(libc::SYS_openat2, [here, name(file_name), how.as_ptr() as i64, 24, 0, 0]);
        let mut handle = [0u32; 40];
        handle[0] = 128;
        let handle_at = handle.as_mut_ptr() as i64;
        let mut mount = 0;
        libc::syscall(
            libc::SYS_name_to_handle_at,
            FOLDER,
            file_name.as_ptr(),
            handle_at,
            &raw mut mount,
            0,
        );
        call(libc::SYS_open_by_handle_at, [here, handle_at, rw, 0, 0, 0]);
        libc::dup(FILE);
        libc::syscall(libc::SYS_dup2, FILE, 150);
        libc::dup3(FILE, 151, libc::O_CLOEXEC);
        libc::fcntl(FILE, libc::F_DUPFD, 160);
        libc::fchdir(FOLDER);
        call(libc::SYS_linkat, [here, name(file_name), here, name(a), 0, 0]);
        call(libc::SYS_renameat, [here, name(a), here, name(b), 0, 0]);
        call(libc::SYS_renameat2, [here, name(b), here, name(a), 0, 0]);
        call(libc::SYS_symlinkat, [name(&target), here, name(l), 0, 0, 0]);
        call(libc::SYS_mkdirat, [here, name(d), 0o700, 0, 0, 0]);
        call(libc::SYS_mknodat, [here, name(n), 0o010_600, 0, 0, 0]);
        call(libc::SYS_fchmodat, [here, name(a), 0o600, 0, 0, 0]);
        let mut stat: libc::stat = std::mem::zeroed();
        call(libc::SYS_newfstatat, [here, name(a), (&raw mut stat) as i64, 0, 0, 0]);
        call(libc::SYS_fchownat, [here, name(a), -1, -1, 0, 0]);
        call(libc::SYS_unlinkat, [here, name(a), 0, 0, 0, 0]);
        libc::fchmod(FILE, 0o640);
        libc::fchown(FILE, u32::MAX, u32::MAX);
        call(libc::SYS_memfd_create, [name(a), 1, 0, 0, 0, 0]);
        call(libc::SYS_pipe, [pair.as_mut_ptr() as i64, 0, 0, 0, 0, 0]);
        call(libc::SYS_pipe2, [pair.as_mut_ptr() as i64, 0, 0, 0, 0, 0]);
        call(libc::SYS_setns, [i64::from(NAMESPACE), 0, 0, 0, 0, 0]);
        call(libc::SYS_pidfd_getfd, [i64::from(PIDFD), i64::from(FILE), 0, 0, 0, 0]);
        let mut byte = [0u8; 4];
        libc::pread(FILE, byte.as_mut_ptr().cast(), 4, 0);
        libc::pwrite(FILE, b"x".as_ptr().cast(), 1, 0);
        libc::send(UNIX, b"x".as_ptr().cast(), 1, 0);
        libc::recv(TCP, empty, 0, libc::MSG_DONTWAIT);
        let mut message: libc::msghdr = std::mem::zeroed();
        libc::sendmsg(UNIX, &raw const message, libc::MSG_DONTWAIT);
        libc::recvmsg(UNIX, &raw mut message, libc::MSG_DONTWAIT);
        let mut batch: [libc::mmsghdr; 2] = std::mem::zeroed();
        libc::sendmmsg(UNIX, batch.as_mut_ptr(), 2, libc::MSG_DONTWAIT);
        libc::recvmmsg(TCP, batch.as_mut_ptr(), 2, libc::MSG_DONTWAIT, ptr::null_mut());
        let (mut value, mut size) = (0i32, 4);
        let value_at = (&raw mut value).cast::<libc::c_void>();
        libc::getsockopt(TCP, 1, libc::SO_REUSEADDR, value_at, &raw mut size);
        libc::setsockopt(TCP, 1, libc::SO_REUSEADDR, value_at, 4);
        libc::shutdown(TCP, 0);
        call(libc::SYS_finit_module, [i64::from(FILE), name(a), 0, 0, 0, 0]);
        let map = [2u32, 4, 4, 1, 0, 0, 0, 0];
        call(libc::SYS_bpf, [0, map.as_ptr() as i64, 32, 0, 0, 0]);
        call(libc::SYS_userfaultfd, [1, 0, 0, 0, 0, 0]);
        call(libc::SYS_eventfd, [0; 6]);
        call(libc::SYS_eventfd2, [0; 6]);
        let mask = 0u64;
        call(libc::SYS_signalfd, [-1, (&raw const mask) as i64, 8, 0, 0, 0]);
        call(libc::SYS_signalfd4, [-1, (&raw const mask) as i64, 8, 0, 0, 0]);
        call(libc::SYS_timerfd_create, [1, 0, 0, 0, 0, 0]);
        call(libc::SYS_inotify_init, [0; 6]);
        call(libc::SYS_inotify_init1, [0; 6]);
        call(libc::SYS_epoll_create, [1, 0, 0, 0, 0, 0]);
        call(libc::SYS_epoll_create1, [0; 6]);
        let mut ring = [0u32; 30];
        call(libc::SYS_io_uring_setup, [1, ring.as_mut_ptr() as i64, 0, 0, 0, 0]);
    }
    0
}

/// The first record of each call's event: what it takes, by number, or the kind of what it makes.
const FIRST: &[(u16, i32, u8)] = &[
    (t::SYSCALL_OPEN_X, -1, KIND_FILE),
    (t::SYSCALL_CREAT_X, -1, KIND_FILE),
    (t::SYSCALL_OPENAT_2_X, -1, KIND_FILE),
    (t::SYSCALL_OPENAT2_X, -1, KIND_FILE),
    (t::SYSCALL_OPEN_BY_HANDLE_AT_X, -1, KIND_FILE),
    (t::SYSCALL_DUP_1_X, -1, KIND_FILE),
    (t::SYSCALL_DUP2_X, -1, KIND_FILE),
    (t::SYSCALL_DUP3_X, -1, KIND_FILE),
    (t::SYSCALL_FCNTL_X, -1, KIND_FILE),
    (t::SYSCALL_FCHDIR_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_LINKAT_2_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_RENAMEAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_RENAMEAT2_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_SYMLINKAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_MKDIRAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_MKNODAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_FCHMODAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_FCHOWNAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_UNLINKAT_2_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_NEWFSTATAT_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_FCHMOD_X, FILE, KIND_FILE),
    (t::SYSCALL_FCHOWN_X, FILE, KIND_FILE),
    (t::SYSCALL_MEMFD_CREATE_X, -1, KIND_MEMFD),
    (t::SYSCALL_PIPE_X, -1, KIND_PIPE),
    (t::SYSCALL_PIPE2_X, -1, KIND_PIPE),
    (t::SYSCALL_SETNS_X, NAMESPACE, KIND_FILE),
    (t::SYSCALL_PIDFD_OPEN_X, -1, KIND_PIDFD),
    (t::SYSCALL_PIDFD_GETFD_X, -1, KIND_FILE),
    (t::SOCKET_SOCKET_X, -1, KIND_IPV4),
    (t::SOCKET_BIND_X, LISTENER, KIND_IPV4),
    (t::SOCKET_LISTEN_X, LISTENER, KIND_IPV4),
    (t::SOCKET_CONNECT_X, -1, KIND_IPV4),
    (t::SOCKET_ACCEPT_5_X, -1, KIND_IPV4),
    (t::SOCKET_ACCEPT4_6_X, -1, KIND_IPV4),
    (t::SOCKET_SOCKETPAIR_X, -1, KIND_UNIX),
    (t::SYSCALL_PREAD_X, FILE, KIND_FILE),
    (t::SYSCALL_PWRITE_X, FILE, KIND_FILE),
    (t::SOCKET_SENDTO_X, UNIX, KIND_UNIX),
    (t::SOCKET_RECVFROM_X, TCP, KIND_IPV4),
    (t::SOCKET_SENDMSG_X, UNIX, KIND_UNIX),
    (t::SOCKET_RECVMSG_X, UNIX, KIND_UNIX),
    (t::SOCKET_SENDMMSG_X, UNIX, KIND_UNIX),
    (t::SOCKET_RECVMMSG_X, TCP, KIND_IPV4),
    (t::SOCKET_GETSOCKOPT_X, TCP, KIND_IPV4),
    (t::SOCKET_SETSOCKOPT_X, TCP, KIND_IPV4),
    (t::SOCKET_SHUTDOWN_X, TCP, KIND_IPV4),
    (t::SYSCALL_FINIT_MODULE_X, FILE, KIND_FILE),
    (t::SYSCALL_BPF_2_X, -1, KIND_BPF),
    (t::SYSCALL_USERFAULTFD_X, -1, KIND_USER_FAULT),
    (t::SYSCALL_EVENTFD_X, -1, KIND_EVENT),
    (t::SYSCALL_EVENTFD2_X, -1, KIND_EVENT),
    (t::SYSCALL_SIGNALFD_X, -1, KIND_SIGNAL),
    (t::SYSCALL_SIGNALFD4_X, -1, KIND_SIGNAL),
    (t::SYSCALL_TIMERFD_CREATE_X, -1, KIND_TIMER),
    (t::SYSCALL_INOTIFY_INIT_X, -1, KIND_INOTIFY),
    (t::SYSCALL_INOTIFY_INIT1_X, -1, KIND_INOTIFY),
    (t::SYSCALL_EPOLL_CREATE_X, -1, KIND_EVENT_POLL),
    (t::SYSCALL_EPOLL_CREATE1_X, -1, KIND_EVENT_POLL),
    (t::SYSCALL_IO_URING_SETUP_X, -1, KIND_IO_URING),
    (t::SYSCALL_READ_X, FILE, KIND_FILE),
    (t::SYSCALL_WRITE_X, FILE, KIND_FILE),
    (t::SYSCALL_READV_X, FILE, KIND_FILE),
    (t::SYSCALL_WRITEV_X, FILE, KIND_FILE),
    (t::SYSCALL_PREADV_X, FILE, KIND_FILE),
    (t::SYSCALL_PWRITEV_X, FILE, KIND_FILE),
    (t::SYSCALL_SENDFILE_X, UNIX, KIND_UNIX),
    (t::SYSCALL_SPLICE_X, FILE, KIND_FILE),
    (t::SYSCALL_COPY_FILE_RANGE_X, FILE, KIND_FILE),
    (t::SYSCALL_MMAP_X, FILE, KIND_FILE),
    (t::SYSCALL_LSEEK_X, FILE, KIND_FILE),
    (t::SYSCALL_IOCTL_3_X, TCP, KIND_IPV4),
    (t::SYSCALL_FSTAT_X, UNIX, KIND_UNIX),
    (t::SYSCALL_GETDENTS_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_GETDENTS64_X, FOLDER, KIND_DIRECTORY),
    (t::SYSCALL_FLOCK_X, FILE, KIND_FILE),
    (t::SYSCALL_IO_URING_ENTER_X, FILE, KIND_FILE),
    (t::SYSCALL_IO_URING_REGISTER_X, FILE, KIND_FILE),
    (t::SYSCALL_FSCONFIG_X, FILE, KIND_FILE),
];

/// Calls that only the 32-bit entry has: `narrow.rs` makes them.
const OF_32_BITS: &[u16] = &[t::SOCKET_SEND_X, t::SOCKET_RECV_X];

/// The calls that move data and ask questions.
fn more_calls() -> i32 {
    let mut bytes = [0u8; 512];
    let at = bytes.as_mut_ptr() as i64;
    let list = [at, 4];
    let (vectors, file, other) = (list.as_ptr() as i64, i64::from(FILE), i64::from(OTHER));
    let (unix, tcp, folder) = (i64::from(UNIX), i64::from(TCP), i64::from(FOLDER));
    let calls = [
        (libc::SYS_read, [file, at, 4, 0, 0, 0]),
        (libc::SYS_write, [file, at, 4, 0, 0, 0]),
        (libc::SYS_readv, [file, vectors, 1, 0, 0, 0]),
        (libc::SYS_writev, [file, vectors, 1, 0, 0, 0]),
        (libc::SYS_preadv, [file, vectors, 1, 0, 0, 0]),
        (libc::SYS_pwritev, [file, vectors, 1, 0, 0, 0]),
        (libc::SYS_sendfile, [unix, file, 0, 1, 0, 0]),
        (libc::SYS_splice, [other, 0, file, 0, 1, 2]),
        (libc::SYS_copy_file_range, [other, 0, file, 0, 1, 0]),
        (libc::SYS_mmap, [0, 4096, 1, 2, file, 0]),
        (libc::SYS_lseek, [file, 0, 0, 0, 0, 0]),
        (libc::SYS_ioctl, [tcp, 0x541b, at, 0, 0, 0]),
        (libc::SYS_fstat, [unix, at, 0, 0, 0, 0]),
        (libc::SYS_getdents, [folder, at, 512, 0, 0, 0]),
        (libc::SYS_getdents64, [folder, at, 512, 0, 0, 0]),
        (libc::SYS_flock, [file, 8, 0, 0, 0, 0]),
        (libc::SYS_io_uring_enter, [file, 0, 0, 0, 0, 0]),
        (libc::SYS_io_uring_register, [file, 8, at, 0, 0, 0]),
        (libc::SYS_fsconfig, [file, 6, 0, 0, 0, 0]),
    ];
    for (number, [a, b, c, d, e, f]) in calls {
        // SAFETY: `bytes` is larger than any of them writes; what they answer does not matter.
        unsafe { libc::syscall(number, a, b, c, d, e, f) };
    }
    0
}

/// Calls that a kernel may refuse to make: then there is no such descriptor to tell of.
const MAY_FAIL: &[u16] =
    &[t::SYSCALL_IO_URING_SETUP_X, t::SYSCALL_USERFAULTFD_X, t::SYSCALL_OPEN_BY_HANDLE_AT_X];

#[test]
fn every_call_tells_its_descriptors() {
    let folder = Folder::new("descriptors");
    let Some(mut recorder) = recorder() else { return };
    recorder.route(&every());
    let (_, events) = recorder.of_child(|| calls(&folder) + more_calls());
    drop(recorder);
    for (name, code) in FILLERS {
        if descriptors::of(*code).is_none() || OF_32_BITS.contains(code) {
            continue;
        }
        let &(_, taken, kind) =
            FIRST.iter().find(|(of, ..)| of == code).unwrap_or_else(|| panic!("{name} is untried"));
        let event = events
            .iter()
            .rfind(|event| event.code == *code && !event.own(FILES).is_empty())
            .or_else(|| events.iter().find(|event| event.code == *code))
            .unwrap_or_else(|| panic!("no event of {name}"));
        let records = told(event);
        if records.is_empty() && MAY_FAIL.contains(code) && event.number(0) < 0 {
            eprintln!("{name}: this kernel refuses it");
            continue;
        }
        let first = records.first().unwrap_or_else(|| panic!("{name} tells nothing"));
        assert_eq!(first.kind, kind, "{name}");
        if taken >= 0 {
            assert_eq!((first.number, first.made), (i64::from(taken), false), "{name}");
        }
    }
}

#[test]
fn a_record_has_flags_inode_and_path() {
    let folder = Folder::new("record");
    let path = folder.file("a");
    let ino = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&path).unwrap());
    let (name, dir, relative) = (c(&path), c(&folder.0), c("a"));
    let act = || unsafe {
        // SAFETY: valid paths.
        let fd = libc::open(name.as_ptr(), libc::O_RDWR | libc::O_APPEND | libc::O_CLOEXEC);
        libc::dup2(fd, 140);
        let at = libc::open(dir.as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY);
        libc::syscall(libc::SYS_fchmodat, at, relative.as_ptr(), 0o600);
        libc::fchmod(NOTHING, 0o600);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let dup = of(t::SYSCALL_DUP2_X);
    let records = told(dup);
    assert_eq!(dup.path(), path.display().to_string());
    let (read_write, append, close_on_exec) = (3, 1 << 3, 1 << 12);
    assert_eq!((records[0].number, records[0].made), (140, true));
    assert_eq!((records[0].flags, records[0].ino), (read_write | append, ino as i64));
    assert_eq!(records[1].flags, read_write | append | close_on_exec);
    assert!(!records[1].made && records[1].more.is_empty());
    let named = told(of(t::SYSCALL_FCHMODAT_X));
    assert_eq!(
        (named[0].kind, text(named[0].more)),
        (KIND_DIRECTORY, folder.0.display().to_string())
    );
    let nothing = told(of(t::SYSCALL_FCHMOD_X));
    assert_eq!((nothing[0].number, nothing[0].kind), (i64::from(NOTHING), KIND_NONE));
}

#[test]
fn a_socket_that_was_received_tells_its_ends() {
    let act = || unsafe {
        // SAFETY: valid addresses; one process is both ends.
        let listener = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let (mut at, mut length) = (address(0), 16);
        libc::bind(listener, (&raw const at).cast(), 16);
        libc::listen(listener, 5);
        libc::getsockname(listener, (&raw mut at).cast(), &raw mut length);
        libc::dup2(connect(&at), 141);
        libc::dup2(listener, 142);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let connected = events.iter().find(|event| event.code == t::SOCKET_CONNECT_X).unwrap();
    let dups: Vec<_> = events.iter().filter(|event| event.code == t::SYSCALL_DUP2_X).collect();
    let record = &told(dups[0])[0];
    assert_eq!((record.number, record.kind), (141, KIND_IPV4));
    assert_eq!(record.more[..4], [6, 0, 1, 1], "TCP, a stream, established");
    assert_eq!(record.more[4..], connected.params[1][..]);
    let waits = &told(dups[1])[0];
    assert_eq!((waits.number, waits.more[3]), (142, 10), "it listens");
}
