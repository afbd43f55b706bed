//! Operations of io_uring are events of the one that asked, with and without a thread that polls.
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, ptr};

use probe::ring::DIRECT;
use probe::scratch::VIA_IO_URING;
use probe::table as t;

use super::sockets::address;
use super::{Folder, LANE, Recorded, c, of, record};

const ENTRIES: u32 = 64;
const SQPOLL: u32 = 2;
const ENOENT: i64 = -2;
const SKIP_SUCCESS: u8 = 1 << 6;
const FIXED_FILE: u8 = 1;

/// struct io_uring_sqe.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Request {
    opcode: u8,
    flags: u8,
    priority: u16,
    fd: i32,
    off: u64,
    addr: u64,
    len: u32,
    how: u32,
    user_data: u64,
    buffer: u16,
    personality: u16,
    slot: u32,
    rest: [u64; 2],
}

/// struct io_uring_params.
#[repr(C)]
#[derive(Default)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    cpu: u32,
    idle: u32,
    features: u32,
    wq_fd: u32,
    resv: [u32; 3],
    sq: [u32; 10],
    cq: [u32; 10],
}

struct Uring {
    fd: i32,
    flags: u32,
    rings: usize,
    requests: *mut Request,
    params: Params,
}

impl Uring {
    /// None where the kernel has none, or forbids it.
    fn new(flags: u32) -> Option<Self> {
        let mut params = Params { flags, idle: 50, ..Params::default() };
        // SAFETY: the call writes the parameters.
        let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, ENTRIES, &raw mut params) };
        if fd < 0 {
            return None;
        }
        // SAFETY: new mappings of the ring: one holds both queues, the other the requests.
        let map = |bytes: usize, at: i64| unsafe {
            let rights = libc::PROT_READ | libc::PROT_WRITE;
            libc::mmap(ptr::null_mut(), bytes, rights, libc::MAP_SHARED, fd as i32, at)
        };
        let rings = map(16384, 0) as usize;
        let requests = map(64 * ENTRIES as usize, 0x1000_0000).cast();
        Some(Self { fd: fd as i32, flags, rings, requests, params })
    }

    fn word(&self, at: u32) -> &AtomicU32 {
        // SAFETY: in the mapping of the queues.
        unsafe { &*((self.rings + at as usize) as *const AtomicU32) }
    }

    /// Asks for one thing and waits until it is done; returns its result, if it has one.
    fn ask(&self, request: Request) -> i32 {
        let (sq, cq) = (&self.params.sq, &self.params.cq);
        let tail = self.word(sq[1]).load(Ordering::Acquire);
        let at = tail & self.word(sq[2]).load(Ordering::Relaxed);
        // SAFETY: `at` is masked.
        unsafe { self.requests.add(at as usize).write_volatile(request) };
        self.word(sq[6] + 4 * at).store(at, Ordering::Release);
        self.word(sq[1]).store(tail.wrapping_add(1), Ordering::Release);
        let silent = request.flags & SKIP_SUCCESS != 0;
        let (submit, wait) = if self.flags & SQPOLL != 0 { (0, 2) } else { (1, 0) };
        for _ in 0..2000 {
            // SAFETY: the ring is ours.
            unsafe {
                libc::syscall(libc::SYS_io_uring_enter, self.fd, submit, 0, wait | 1, 0, 0);
            }
            let (head, end) = (self.word(cq[0]), self.word(cq[1]));
            let seen = head.load(Ordering::Relaxed);
            if seen != end.load(Ordering::Acquire) {
                let place = seen & self.word(cq[2]).load(Ordering::Relaxed);
                let result = self.word(cq[5] + 16 * place + 8).load(Ordering::Relaxed) as i32;
                head.store(seen.wrapping_add(1), Ordering::Release);
                return result;
            }
            if silent && self.flags & SQPOLL == 0 {
                return 0;
            }
            // SAFETY: sleeps.
            unsafe { libc::usleep(1000) };
        }
        -1
    }
}

fn via_ring(event: &Recorded) -> bool {
    event.own(LANE)[0] >> 1 == VIA_IO_URING
}

fn openat(path: &std::ffi::CStr, flags: i32) -> Request {
    Request {
        opcode: 18,
        fd: libc::AT_FDCWD,
        addr: path.as_ptr() as u64,
        how: flags as u32,
        ..Request::default()
    }
}

#[test]
fn every_program_of_operations_is_accepted() {
    let Some(mut recorder) = super::open(&super::options(), &super::every()) else { return };
    let plan: Vec<_> = recorder.probe().rings.plan().collect();
    assert!(plan.len() > 20 || plan.iter().any(|(name, ..)| *name == "ring_done"));
    for (name, _, reason) in plan {
        assert!(reason.is_empty() || reason.contains("before 5.19"), "{name}: {reason}");
    }
}

/// Files are opened, made, renamed and removed, then data goes through a descriptor.
fn files_through(flags: u32) {
    let folder = Folder::new(if flags == 0 { "ring" } else { "ring-polled" });
    let name = |name: &str| c(folder.0.join(name));
    let (link, missing) = (c("/proc/self/root/etc/hostname"), name("missing"));
    let (made, moved, written) = (name("made"), name("moved"), name("written"));
    let (symbolic, hard) = (name("symbolic"), name("hard"));
    let codes = [
        t::SYSCALL_OPENAT_2_X,
        t::SYSCALL_OPENAT2_X,
        t::SYSCALL_MKDIRAT_X,
        t::SYSCALL_RENAMEAT2_X,
        t::SYSCALL_UNLINKAT_2_X,
        t::SYSCALL_SYMLINKAT_X,
        t::SYSCALL_LINKAT_2_X,
        t::SYSCALL_WRITE_X,
        t::SYSCALL_READ_X,
    ];
    let act = || {
        let Some(ring) = Uring::new(flags) else { return 9 };
        let at = |text: &std::ffi::CStr| text.as_ptr() as u64;
        let here = libc::AT_FDCWD;
        let base = Request { fd: here, ..Request::default() };
        ring.ask(openat(&link, libc::O_RDONLY));
        ring.ask(openat(&missing, libc::O_RDONLY));
        let how = [libc::O_RDONLY as u64, 0, 0];
        let wide = Request { opcode: 28, addr: at(&link), len: 24, ..base };
        ring.ask(Request { off: how.as_ptr() as u64, ..wide });
        ring.ask(Request { opcode: 37, addr: at(&made), len: 0o750, ..base });
        let renamed = Request { opcode: 35, addr: at(&made), off: at(&moved), ..base };
        ring.ask(Request { len: here as u32, ..renamed });
        ring.ask(Request { opcode: 36, addr: at(&moved), how: 0x200, ..base });
        let to = libc::O_CREAT | libc::O_RDWR;
        let fd = ring.ask(Request { len: 0o600, ..openat(&written, to) });
        let text = b"through a ring";
        let data = Request { fd, addr: text.as_ptr() as u64, len: 14, ..base };
        ring.ask(Request { opcode: 23, ..data });
        let mut back = [0u8; 32];
        let data = Request { fd, addr: back.as_mut_ptr() as u64, len: 32, ..base };
        ring.ask(Request { opcode: 22, ..data });
        ring.ask(Request { opcode: 38, addr: at(&written), off: at(&symbolic), ..base });
        let second = Request { opcode: 39, addr: at(&written), off: at(&hard), ..base };
        ring.ask(Request { len: here as u32, ..second });
        0
    };
    let events = record(&codes, act);
    let events: Vec<Recorded> = events.into_iter().filter(via_ring).collect();
    if !fs::exists(folder.0.join("written")).unwrap_or(false) {
        eprintln!("not run: no io_uring here");
        return;
    }
    let hostname = fs::canonicalize("/etc/hostname").unwrap().display().to_string();
    let opened = of(&events, t::SYSCALL_OPENAT_2_X);
    assert!(opened.len() >= 3, "{}", opened.len());
    assert!(opened[0].number(0) > 2, "{}", opened[0].number(0));
    assert_eq!(
        (opened[0].number(1), opened[0].text(2)),
        (-100, "/proc/self/root/etc/hostname".into())
    );
    assert_eq!(opened[0].path(), hostname);
    assert_eq!((opened[1].number(0), opened[1].text(2)), (ENOENT, super::text(missing.to_bytes())));
    assert_eq!(opened[2].number(4), 0o600);
    let wide = of(&events, t::SYSCALL_OPENAT2_X);
    assert_eq!(
        (wide[0].text(2), wide[0].path()),
        ("/proc/self/root/etc/hostname".into(), hostname)
    );
    let path = |name: &std::ffi::CStr| super::text(name.to_bytes());
    let directory = of(&events, t::SYSCALL_MKDIRAT_X)[0];
    assert_eq!((directory.number(0), directory.number(3)), (0, 0o750));
    assert_eq!((directory.text(2), directory.path()), (path(&made), path(&made)));
    let renamed = of(&events, t::SYSCALL_RENAMEAT2_X)[0];
    assert_eq!((renamed.text(2), renamed.text(4)), (path(&made), path(&moved)));
    assert_eq!(renamed.path(), path(&made));
    let removed = of(&events, t::SYSCALL_UNLINKAT_2_X)[0];
    assert_eq!((removed.number(0), removed.path()), (0, path(&moved)));
    let wrote = of(&events, t::SYSCALL_WRITE_X)[0];
    assert_eq!((wrote.number(0), &wrote.params[1][..]), (14, &b"through a ring"[..]));
    assert_eq!(wrote.path(), path(&written));
    let read = of(&events, t::SYSCALL_READ_X)[0];
    assert_eq!((read.number(0), &read.params[1][..]), (14, &b"through a ring"[..]));
    assert_eq!(read.path(), path(&written));
    let linked = of(&events, t::SYSCALL_SYMLINKAT_X)[0];
    assert_eq!((linked.text(1), linked.path()), (path(&written), path(&symbolic)));
    let hard_linked = of(&events, t::SYSCALL_LINKAT_2_X)[0];
    assert_eq!((hard_linked.text(2), hard_linked.text(4)), (path(&written), path(&hard)));
}

#[test]
fn operations_of_a_ring_on_files_are_told_as_calls() {
    if super::is_traced() {
        // No call tells of it.
        return;
    }
    files_through(0);
}

#[test]
fn operations_that_a_thread_of_the_ring_takes_up_are_those_of_its_process() {
    if super::is_traced() {
        // No call tells of it.
        return;
    }
    files_through(SQPOLL);
}

#[test]
fn a_ring_s_sockets_have_their_ends() {
    if super::is_traced() {
        // No call tells of it.
        return;
    }
    let codes = [
        t::SOCKET_SOCKET_X,
        t::SOCKET_CONNECT_X,
        t::SOCKET_ACCEPT4_6_X,
        t::SOCKET_SENDTO_X,
        t::SOCKET_SENDMSG_X,
        t::SOCKET_RECVFROM_X,
    ];
    let act = || unsafe {
        // SAFETY: valid addresses; one process is both ends.
        let Some(ring) = Uring::new(0) else { return 9 };
        let listener = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let (mut to, mut length) = (address(0), 16);
        libc::bind(listener, (&raw const to).cast(), 16);
        libc::listen(listener, 3);
        libc::getsockname(listener, (&raw mut to).cast(), &raw mut length);
        let made = Request {
            opcode: 45,
            fd: libc::AF_INET,
            off: libc::SOCK_STREAM as u64,
            ..Request::default()
        };
        let socket = ring.ask(made);
        let base = Request { fd: socket, ..Request::default() };
        ring.ask(Request { opcode: 16, addr: (&raw const to) as u64, off: 16, ..base });
        let accepted = ring.ask(Request { opcode: 13, fd: listener, ..Request::default() });
        let text = b"needle";
        ring.ask(Request { opcode: 26, addr: text.as_ptr() as u64, len: 6, ..base });
        let mut vector = libc::iovec { iov_base: text.as_ptr() as *mut _, iov_len: 6 };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut vector;
        message.msg_iovlen = 1;
        ring.ask(Request { opcode: 9, addr: (&raw const message) as u64, len: 1, ..base });
        let mut back = [0u8; 32];
        let got = Request { opcode: 27, fd: accepted, len: 32, ..Request::default() };
        ring.ask(Request { addr: back.as_mut_ptr() as u64, ..got });
        0
    };
    let events = record(&codes, act);
    let events: Vec<Recorded> = events.into_iter().filter(via_ring).collect();
    let Some(made) = of(&events, codes[0]).first().copied() else {
        assert!(Uring::new(0).is_none() || super::recorder().is_none(), "no socket is told");
        return;
    };
    assert_eq!((made.number(1), made.number(2)), (2, 1));
    let connected = of(&events, codes[1])[0];
    assert_eq!((connected.number(0), connected.number(2)), (0, made.number(0)));
    assert_eq!((connected.params[1].len(), connected.params[3].len()), (13, 7));
    let accepted = of(&events, codes[2])[0];
    assert!(accepted.number(0) > 2 && accepted.params[1].len() == 13);
    let sent = of(&events, codes[3])[0];
    assert_eq!((sent.number(0), &sent.params[1][..]), (6, &b"needle"[..]));
    assert_eq!((sent.number(2), sent.params[4].len()), (made.number(0), 13));
    let message = of(&events, codes[4])[0];
    assert_eq!(&message.params[1][..], b"needle");
    let got = of(&events, codes[5])[0];
    assert!(got.params[1].starts_with(b"needle"));
}

#[test]
fn what_a_ring_keeps_to_itself_is_told_all_the_same() {
    if super::is_traced() {
        // No call tells of it.
        return;
    }
    let folder = Folder::new("ring-own");
    let file = folder.file("kept");
    let codes = [t::SYSCALL_OPENAT_2_X, t::SYSCALL_WRITE_X];
    let path = c(&file);
    let act = || unsafe {
        // SAFETY: the table of descriptors is read by the call.
        let Some(ring) = Uring::new(0) else { return 9 };
        let table = [-1i32; 4];
        let register = libc::SYS_io_uring_register;
        libc::syscall(register, ring.fd, 2, table.as_ptr(), table.len());
        let opened = openat(&path, libc::O_RDWR);
        ring.ask(Request { slot: 3, ..opened });
        let data = Request { opcode: 23, fd: 2, flags: FIXED_FILE, ..Request::default() };
        ring.ask(Request { addr: b"own".as_ptr() as u64, len: 3, ..data });
        ring.ask(Request { flags: SKIP_SUCCESS, ..opened });
        0
    };
    let events = record(&codes, act);
    let opened = of(&events, codes[0]);
    let opened: Vec<_> = opened.into_iter().filter(|event| via_ring(event)).collect();
    if opened.is_empty() && (Uring::new(0).is_none() || super::recorder().is_none()) {
        return;
    }
    let direct = i64::from(DIRECT);
    assert_eq!((opened[0].number(0), opened[0].path()), (direct + 2, file.display().to_string()));
    let wrote = of(&events, codes[1])[0];
    assert_eq!((wrote.number(2), wrote.path()), (direct + 2, file.display().to_string()));
    assert_eq!(&wrote.params[1][..], b"own");
    assert_eq!((opened[1].number(0), opened[1].path()), (direct, file.display().to_string()));
}

#[test]
fn memory_of_the_kernel_that_a_caller_names_is_not_told() {
    // The table of interrupts, which x86 has there for everybody who is in the kernel.
    const OF_THE_KERNEL: u64 = 0xffff_fe00_0000_0000;
    let folder = Folder::new("ring-kernel");
    let file = folder.file("kept");
    let path = c(&file);
    let act = || {
        let Some(ring) = Uring::new(0) else { return 9 };
        let fd = ring.ask(openat(&path, libc::O_RDWR));
        let data = Request { opcode: 23, fd, addr: OF_THE_KERNEL, len: 16, ..Request::default() };
        ring.ask(data);
        let part = [OF_THE_KERNEL, 16];
        let parts = Request { addr: part.as_ptr() as u64, len: 1, ..data };
        ring.ask(Request { opcode: 2, ..parts });
        0
    };
    let codes = [t::SYSCALL_OPENAT_2_X, t::SYSCALL_WRITE_X, t::SYSCALL_WRITEV_X];
    let events = record(&codes, act);
    let events: Vec<Recorded> = events.into_iter().filter(via_ring).collect();
    if events.is_empty() && (Uring::new(0).is_none() || super::recorder().is_none()) {
        return;
    }
    // Kernels before 6.10 or so look at such an address when the request is under way, others
    // refuse the request before.
    for code in &codes[1..] {
        for wrote in of(&events, *code) {
            assert_eq!((wrote.number(0), wrote.params[1].len()), (-14, 0));
        }
    }
}
