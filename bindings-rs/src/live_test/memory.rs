//! Memory: mappings, protections, locks, the break, another process's memory.
use std::ptr;

use probe::table as t;

use super::{FILES, Folder, LANE, c, of, record, signed};

const PAGE: usize = 4096;
const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;
const ANONYMOUS: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

/// Sizes in KiB stand behind the result: address space, memory, swap.
fn check_sizes(event: &super::Recorded) {
    assert!(event.number(1) > 1000, "address space {}", event.number(1));
    assert!(event.number(2) > 100 && event.number(2) < event.number(1), "{}", event.number(2));
    assert!(event.number(3) >= 0);
}

#[test]
fn a_mapping_has_its_parameters_and_its_file() {
    let folder = Folder::new("mapping");
    let file = c(folder.file("mapped"));
    let act = || unsafe {
        // SAFETY: valid arguments; nothing is done with the memory.
        let fd = libc::open(file.as_ptr(), libc::O_RDONLY);
        libc::dup2(fd, 120);
        let how = libc::MAP_SHARED | libc::MAP_POPULATE;
        libc::mmap(ptr::null_mut(), PAGE, libc::PROT_READ | libc::PROT_EXEC, how, 120, 0);
        libc::mmap(ptr::null_mut(), PAGE * 3, RW, ANONYMOUS | libc::MAP_NORESERVE, -1, 0);
        libc::syscall(libc::SYS_mmap, PAGE, PAGE, RW, libc::MAP_SHARED, 120, 2 * PAGE);
        0
    };
    let events = record(&[t::SYSCALL_MMAP_X], act);
    let Some(first) = events.iter().find(|event| event.number(8) == 120) else {
        assert!(events.is_empty());
        return;
    };
    assert!(first.number(0) > 0);
    check_sizes(first);
    assert_eq!((first.number(4), first.number(5)), (0, PAGE as i64));
    assert_eq!((first.number(6), first.number(7)), (1 | 4, 1 | 1 << 7));
    assert_eq!(first.number(9), 0);
    assert_eq!(first.path(), folder.0.join("mapped").display().to_string());
    assert_eq!((signed(&first.own(FILES)[..4]), first.own(LANE)), (120, &[0][..]));
    let anonymous = events.iter().find(|event| event.number(5) == 3 * PAGE as i64).unwrap();
    assert_eq!((anonymous.number(6), anonymous.number(7)), (3, 2 | 8 | 1 << 6));
    assert_eq!((anonymous.number(8), anonymous.own(LANE)), (-1, &[1][..]));
    assert!(anonymous.own(FILES).is_empty());
    // The file is open for reading alone.
    let refused = events.last().unwrap();
    assert_eq!(refused.number(0), i64::from(-libc::EACCES));
    assert_eq!((refused.number(4), refused.number(9)), (PAGE as i64, 2 * PAGE as i64));
}

#[test]
fn protections_and_unmappings_have_their_range() {
    let act = || unsafe {
        // SAFETY: memory of this process that nothing else uses.
        let at = libc::mmap(ptr::null_mut(), 2 * PAGE, RW, ANONYMOUS, -1, 0);
        libc::mprotect(at, PAGE, RW | libc::PROT_EXEC);
        libc::mprotect(at.cast::<u8>().add(1).cast(), PAGE, RW);
        libc::munmap(at, 2 * PAGE);
        libc::munmap(at.cast::<u8>().add(1).cast(), PAGE);
        0
    };
    let events = record(&[t::SYSCALL_MPROTECT_X, t::SYSCALL_MUNMAP_X], act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let changed = of(t::SYSCALL_MPROTECT_X);
    let at = changed[0].number(1);
    assert_eq!((changed[0].number(0), at % 4096), (0, 0));
    assert_eq!((changed[0].number(2), changed[0].number(3)), (PAGE as i64, 7));
    assert_eq!(changed[0].own(LANE), [0], "memory that may be executed is critical");
    assert_eq!((changed[1].number(0), changed[1].number(1)), (i64::from(-libc::EINVAL), at + 1));
    assert_eq!((changed[1].number(3), changed[1].own(LANE)), (3, &[1][..]));
    let gone = of(t::SYSCALL_MUNMAP_X);
    check_sizes(gone[0]);
    assert_eq!((gone[0].number(0), gone[0].number(4)), (0, at));
    assert_eq!(gone[0].number(5), 2 * PAGE as i64);
    assert_eq!((gone[1].number(0), gone[1].number(4)), (i64::from(-libc::EINVAL), at + 1));
}

#[test]
fn locks_and_the_break_have_their_parameters() {
    let act = || unsafe {
        // SAFETY: memory of this process; the break is asked for, not moved.
        let at = libc::mmap(ptr::null_mut(), PAGE, RW, ANONYMOUS, -1, 0);
        libc::mlock(at, PAGE);
        libc::munlock(at, PAGE);
        libc::syscall(libc::SYS_mlock2, at, PAGE, 1);
        libc::syscall(libc::SYS_mlock2, at, PAGE, 64);
        libc::mlock(at, usize::MAX - 2 * PAGE);
        libc::mlockall(libc::MCL_CURRENT | 4);
        libc::mlockall(0);
        libc::munlockall();
        libc::syscall(libc::SYS_brk, 0x1234);
        0
    };
    let codes = [
        t::SYSCALL_MLOCK_X,
        t::SYSCALL_MUNLOCK_X,
        t::SYSCALL_MLOCK2_X,
        t::SYSCALL_MLOCKALL_X,
        t::SYSCALL_MUNLOCKALL_X,
        t::SYSCALL_BRK_4_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let (locked, freed) = (of(t::SYSCALL_MLOCK_X), of(t::SYSCALL_MUNLOCK_X));
    let at = locked[0].number(1);
    assert_eq!((locked[0].number(0), at % 4096, locked[0].number(2)), (0, 0, PAGE as i64));
    assert!(locked[1].number(0) < 0);
    assert_eq!(locked[1].number(2), -(2 * PAGE as i64) - 1);
    assert_eq!((freed[0].number(0), freed[0].number(1), freed[0].number(2)), (0, at, PAGE as i64));
    let two = of(t::SYSCALL_MLOCK2_X);
    assert_eq!((two[0].number(0), two[0].number(1), two[0].number(3)), (0, at, 1));
    assert_eq!((two[1].number(0), two[1].number(3)), (i64::from(-libc::EINVAL), 0));
    let all = of(t::SYSCALL_MLOCKALL_X);
    assert_eq!((all[0].number(0), all[0].number(1)), (0, 1 | 4));
    assert_eq!((all[1].number(0), all[1].number(1)), (i64::from(-libc::EINVAL), 0));
    assert_eq!(of(t::SYSCALL_MUNLOCKALL_X)[0].number(0), 0);
    let brk = of(t::SYSCALL_BRK_4_X);
    let asked = brk.last().unwrap();
    check_sizes(asked);
    assert_eq!(asked.number(4), 0x1234);
    assert!(asked.number(0) > 0x1234, "the break that the process has");
}

#[test]
fn another_process_s_memory_is_told_with_what_was_moved() {
    let act = || unsafe {
        // SAFETY: the other process is our own child, a copy of this one.
        let shared = libc::mmap(ptr::null_mut(), PAGE, RW, ANONYMOUS, -1, 0).cast::<u8>();
        ptr::copy_nonoverlapping(b"0123456789".as_ptr(), shared, 10);
        let pid = libc::fork();
        if pid == 0 {
            libc::pause();
            libc::_exit(0);
        }
        let buffers = [b"ab".as_ptr(), b"".as_ptr(), b"cde".as_ptr()];
        let local = [(buffers[0], 2), (buffers[1], 0), (buffers[2], 3)]
            .map(|(at, len)| libc::iovec { iov_base: at.cast_mut().cast(), iov_len: len });
        let remote = libc::iovec { iov_base: shared.cast(), iov_len: 5 };
        libc::process_vm_writev(pid, local.as_ptr(), 3, &raw const remote, 1, 0);
        let mut back = [0u8; 7];
        let into = libc::iovec { iov_base: back.as_mut_ptr().cast(), iov_len: 7 };
        let from = libc::iovec { iov_base: shared.cast(), iov_len: 7 };
        libc::process_vm_readv(pid, &raw const into, 1, &raw const from, 1, 0);
        libc::process_vm_readv(-5, &raw const into, 1, &raw const from, 1, 0);
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, ptr::null_mut(), 0);
        0
    };
    let events = record(&[t::SYSCALL_PROCESS_VM_WRITEV_X, t::SYSCALL_PROCESS_VM_READV_X], act);
    let [written, read, failed] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    assert_eq!((written.number(0), &written.params[2][..]), (5, &b"abcde"[..]));
    assert!(written.number(1) > 0);
    assert_eq!(written.own(LANE), [0]);
    assert_eq!((read.number(0), read.number(1)), (7, written.number(1)));
    assert_eq!(read.params[2], b"abcde56");
    assert_eq!((failed.number(0), failed.number(1)), (i64::from(-libc::ESRCH), -5));
    assert!(failed.params[2].is_empty());
}
