//! Calls of the 32-bit entry whose structures or arguments are laid out in another way, and those
//! that the 64-bit entry lacks: they are told as the 64-bit call of the same meaning.
use std::ptr;

use probe::table as t;

use super::{Folder, Recorded, c, of, record, text};

/// A call through the 32-bit entry.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn int80(number: u32, args: [u32; 6]) -> i32 {
    let ret: i32;
    // SAFETY: the kernel saves all registers; rbx and rbp are swapped, since the compiler keeps
    // them.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {b}",
            "xchg rbp, {p}",
            "int 0x80",
            "xchg rbp, {p}",
            "xchg rbx, {b}",
            b = inout(reg) u64::from(args[0]) => _,
            p = inout(reg) u64::from(args[5]) => _,
            inlateout("eax") number => ret,
            in("ecx") args[1],
            in("edx") args[2],
            in("esi") args[3],
            in("edi") args[4],
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    ret
}

/// Memory that 32-bit pointers reach.
struct Low(*mut u8);

impl Low {
    fn new() -> Self {
        let how = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
        // SAFETY: memory of our own.
        let at = unsafe {
            libc::mmap(ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, how, -1, 0)
        };
        Self(at.cast())
    }
    /// The address of bytes that are put there.
    fn put(&self, place: usize, bytes: &[u8]) -> u32 {
        // SAFETY: tests put little, and below the end of the page.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.add(place), bytes.len()) };
        self.0 as u32 + place as u32
    }
    fn words(&self, place: usize, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(place, &bytes)
    }
}

const FILE: u32 = 120;

/// Runs the calls in a child with the file at FILE; nothing where the kernel has no such entry.
fn narrow(codes: &[u16], file: &std::path::Path, calls: &[(u32, [u32; 6])]) -> Vec<Recorded> {
    let name = c(file);
    record(codes, || unsafe {
        // SAFETY: the calls are the test's own; what they answer is looked at in their events.
        let fd = libc::open(name.as_ptr(), libc::O_RDWR);
        libc::dup2(fd, FILE as i32);
        for &(number, args) in calls {
            int80(number, args);
        }
        0
    })
}

#[test]
fn memory_and_positions_of_32_bit_calls_are_those_of_the_64_bit_ones() {
    let (folder, low) = (Folder::new("narrow"), Low::new());
    let (rw, private) = (3, 2);
    let old = low.words(0, &[0, 4096, rw, private, FILE, 8192]);
    let calls = [
        (192, [0, 4096, rw, private, FILE, 3]),
        (90, [old, 0, 0, 0, 0, 0]),
        (140, [FILE, 1, 5, low.words(64, &[0, 0]), 0, 0]),
        (19, [FILE, -1i32 as u32, 2, 0, 0, 0]),
        (197, [FILE, low.words(1024, &[0; 32]), 0, 0, 0, 0]),
    ];
    let codes = [t::SYSCALL_MMAP_X, t::SYSCALL_LSEEK_X, t::SYSCALL_FSTAT_X];
    let events = narrow(&codes, &folder.file("a"), &calls);
    let of = |code| of(&events, code);
    let fd = i64::from(FILE);
    let maps: Vec<_> = of(t::SYSCALL_MMAP_X).into_iter().filter(|e| e.number(8) == fd).collect();
    let [new, old] = &maps[..] else {
        eprintln!("not run: this kernel has no 32-bit entry");
        return;
    };
    assert_eq!(new.numbers(&[4, 5, 6, 7, 8, 9]), [0, 4096, 3, 2, fd, 3 * 4096]);
    assert_eq!(old.numbers(&[4, 5, 6, 7, 8, 9]), [0, 4096, 3, 2, fd, 8192]);
    assert_eq!(new.path(), folder.0.join("a").display().to_string());
    assert_eq!(old.path(), new.path());
    let sought = of(t::SYSCALL_LSEEK_X);
    assert_eq!(sought[0].numbers(&[0, 1, 2, 3]), [0, fd, 0x1_0000_0005, 0]);
    assert_eq!(sought[1].numbers(&[0, 1, 2, 3]), [0, fd, -1, 2]);
    assert_eq!(of(t::SYSCALL_FSTAT_X)[0].numbers(&[0, 1]), [0, fd]);
}

#[test]
fn lists_times_and_limits_of_32_bit_calls_are_read_in_their_width() {
    let (folder, low) = (Folder::new("widths"), Low::new());
    let parts = [low.put(0, b"abc"), low.put(16, b"de")];
    let list = low.words(64, &[parts[0], 3, 0, 0, parts[1], 2]);
    let time = low.words(128, &[1, 7, 0, 0]);
    let limits = low.words(256, &[0; 2]);
    let calls = [
        (146, [FILE, list, 3, 0, 0, 0]),
        (334, [FILE, list, 3, 9, 1, 0]),
        (162, [low.words(192, &[0, 1_000]), 0, 0, 0, 0, 0]),
        (309, [low.words(320, &[FILE, 1]), 1, time, 0, 0, 0]),
        (191, [0, limits, 0, 0, 0, 0]),
        (213, [0, 0, 0, 0, 0, 0]),
        (199, [0; 6]),
        (22, [low.put(512, b"/saker-none\0"), 0xff, 0, 0, 0, 0]),
    ];
    let codes = [
        t::SYSCALL_WRITEV_X,
        t::SYSCALL_PWRITEV_X,
        t::SYSCALL_NANOSLEEP_X,
        t::SYSCALL_PPOLL_X,
        t::SYSCALL_GETRLIMIT_X,
        t::SYSCALL_SETUID_X,
        t::SYSCALL_GETUID_X,
        t::SYSCALL_UMOUNT2_X,
    ];
    let events = narrow(&codes, &folder.file("a"), &calls);
    let Some(written) = events.iter().find(|event| event.code == codes[0]) else {
        eprintln!("not run: this kernel has no 32-bit entry");
        return;
    };
    let of = |code| events.iter().rfind(|event| event.code == code).expect("an event");
    assert_eq!(
        (written.numbers(&[0, 2, 3]), &written.params[1][..]),
        (vec![5, i64::from(FILE), 5], &b"abcde"[..])
    );
    let placed = of(t::SYSCALL_PWRITEV_X);
    assert_eq!((&placed.params[1][..], placed.number(4)), (&b"abcde"[..], 0x1_0000_0009));
    assert_eq!(of(t::SYSCALL_NANOSLEEP_X).number(1), 1_000);
    let polled = of(t::SYSCALL_PPOLL_X);
    assert_eq!(polled.number(0), 1);
    // What is left of the second: its parts are not taken for one number of 64 bits.
    assert!((1..=1_000_000_007).contains(&polled.number(2)), "{}", polled.number(2));
    // No limit of CPU time.
    assert_eq!(of(t::SYSCALL_GETRLIMIT_X).numbers(&[0, 1, 2, 3]), [0, -1, -1, 0]);
    assert_eq!(of(t::SYSCALL_SETUID_X).numbers(&[0, 1]), [0, 0]);
    assert_eq!(of(t::SYSCALL_GETUID_X).number(0), 0);
    let gone = of(t::SYSCALL_UMOUNT2_X);
    assert_eq!((text(&gone.params[1]), gone.number(2)), ("/saker-none".to_owned(), 0));
}

#[test]
fn what_socketcall_sends_and_receives_is_told() {
    let low = Low::new();
    let (message, room) = (low.put(0, b"hello"), low.put(16, &[0; 16]));
    let send = low.words(64, &[131, message, 5, 0]);
    let receive = low.words(128, &[132, room, 16, 0]);
    let failed = low.words(192, &[900_000, message, 3, 0]);
    let codes = [t::SOCKET_SEND_X, t::SOCKET_RECV_X];
    let events = record(&codes, || unsafe {
        let mut pair = [0; 2];
        // SAFETY: valid arguments.
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::dup2(pair[0], 131);
        libc::dup2(pair[1], 132);
        int80(102, [9, send, 0, 0, 0, 0]);
        int80(102, [10, receive, 0, 0, 0, 0]);
        int80(102, [9, failed, 0, 0, 0, 0]);
        0
    });
    let [sent, received, failed] = &events[..] else {
        assert!(events.is_empty());
        eprintln!("not run: this kernel has no 32-bit entry");
        return;
    };
    assert_eq!((sent.numbers(&[0, 2, 3]), &sent.params[1][..]), (vec![5, 131, 5], &b"hello"[..]));
    assert_eq!(
        (received.numbers(&[0, 2, 3]), &received.params[1][..]),
        (vec![5, 132, 16], &b"hello"[..])
    );
    assert_eq!((sent.params[4][0], received.params[4][0]), (1, 1), "unix sockets");
    assert_eq!(failed.numbers(&[0, 2, 3]), [i64::from(-libc::EBADF), 900_000, 3]);
    assert!(failed.params[4].is_empty() && !sent.own(super::FILES).is_empty());
}
