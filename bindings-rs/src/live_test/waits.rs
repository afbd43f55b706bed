//! Calls that wait, and questions that a process asks about itself.
use std::ptr;

use probe::table as t;

use super::{Recorded, of, record};

/// One pair of a list of descriptors.
fn pairs(bytes: &[u8]) -> Vec<(i64, u16)> {
    let count = u16::from_le_bytes([bytes[0], bytes[1]]);
    assert_eq!(bytes.len(), 2 + 10 * count as usize);
    bytes[2..]
        .chunks(10)
        .map(|pair| {
            let number = i64::from_le_bytes(pair[..8].try_into().unwrap());
            (number, u16::from_le_bytes([pair[8], pair[9]]))
        })
        .collect()
}

const EFAULT: i64 = -libc::EFAULT as i64;

#[test]
fn polls_tell_their_descriptors_and_what_they_answered() {
    let act = || unsafe {
        // SAFETY: valid arguments.
        let mut pair = [0; 2];
        libc::pipe(pair.as_mut_ptr());
        libc::dup2(pair[0], 110);
        libc::dup2(pair[1], 111);
        let of = |fd, events| libc::pollfd { fd, events, revents: 0 };
        let all = libc::POLLIN | libc::POLLOUT;
        let mut list = [of(110, all), of(111, all), of(900_000, all), of(-1, all)];
        libc::syscall(libc::SYS_poll, list.as_mut_ptr(), 4, 20);
        let mut many = [of(111, libc::POLLOUT); 20];
        libc::syscall(libc::SYS_poll, many.as_mut_ptr(), 20, -1);
        libc::syscall(libc::SYS_poll, 8, 1, 0);
        let time = [1i64, 5];
        let signals = 0x1_0000_0204u64;
        libc::syscall(
            libc::SYS_ppoll,
            list.as_mut_ptr(),
            2,
            &raw const time,
            &raw const signals,
            8,
        );
        libc::syscall(libc::SYS_ppoll, 8, 1, ptr::null::<i64>(), ptr::null::<u64>(), 8);
        0
    };
    let events = record(&[t::SYSCALL_POLL_X, t::SYSCALL_PPOLL_X], act);
    let [poll, many, failed, ppoll, empty] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    let (output, broken) = (1 << 2, 1 << 6);
    let told = [(110, 0), (111, output), (900_000, broken), (-1, 0)];
    assert_eq!((poll.number(0), pairs(&poll.params[1]), poll.number(2)), (2, told.to_vec(), 20));
    assert_eq!((many.number(0), many.number(2)), (20, -1));
    assert_eq!(pairs(&many.params[1]), vec![(111, output); 16]);
    assert_eq!((failed.number(0), pairs(&failed.params[1])), (EFAULT, vec![]));
    assert_eq!((ppoll.number(0), pairs(&ppoll.params[1])), (1, told[..2].to_vec()));
    // The kernel leaves behind what was left of the time.
    assert!((1..=1_000_000_005).contains(&ppoll.number(2)));
    assert_eq!(ppoll.number(3), 0x204);
    assert_eq!((empty.number(0), empty.number(2), empty.number(3)), (EFAULT, 0, 0));
    assert_eq!(pairs(&empty.params[1]), vec![]);
}

#[test]
fn waits_have_their_time_their_word_and_their_number() {
    let act = || unsafe {
        // SAFETY: valid arguments.
        let time = [0i64, 1_000];
        libc::syscall(libc::SYS_nanosleep, &raw const time, 0);
        libc::syscall(libc::SYS_nanosleep, 8, 0);
        let word = 5u32;
        let at = &raw const word;
        libc::syscall(libc::SYS_futex, at, 1 | 128, 3, 0, 0, 0);
        libc::syscall(libc::SYS_futex, at, 9 | 256, 6, 0, 0, u32::MAX);
        let none = ptr::null_mut::<libc::fd_set>();
        let mut now = libc::timeval { tv_sec: 0, tv_usec: 0 };
        libc::syscall(libc::SYS_select, 0, none, none, none, &raw mut now);
        libc::syscall(libc::SYS_select, -1, none, none, none, &raw mut now);
        let set = libc::epoll_create1(0);
        let mut ready: [libc::epoll_event; 7] = std::mem::zeroed();
        libc::syscall(libc::SYS_epoll_wait, set, ready.as_mut_ptr(), 7, 0);
        libc::syscall(libc::SYS_epoll_wait, set, ready.as_mut_ptr(), -2, 0);
        0
    };
    let codes =
        [t::SYSCALL_NANOSLEEP_X, t::SYSCALL_FUTEX_X, t::SYSCALL_SELECT_X, t::SYSCALL_EPOLLWAIT_X];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let invalid = i64::from(-libc::EINVAL);
    let sleeps = of(t::SYSCALL_NANOSLEEP_X);
    assert_eq!((sleeps[0].number(0), sleeps[0].number(1)), (0, 1_000));
    assert_eq!((sleeps[1].number(0), sleeps[1].number(1)), (EFAULT, 0));
    let words = of(t::SYSCALL_FUTEX_X);
    let wake = words.iter().find(|event| event.number(3) == 3).unwrap();
    assert_eq!((wake.number(0), wake.number(2)), (0, 1 | 128));
    let wait = words.iter().find(|event| event.number(3) == 6).unwrap();
    assert_eq!((wait.number(0), wait.number(2)), (i64::from(-libc::EAGAIN), 9 | 256));
    assert_eq!(wait.number(1), wake.number(1));
    let selects: Vec<_> = of(t::SYSCALL_SELECT_X).iter().map(|event| event.number(0)).collect();
    assert_eq!(selects, [0, invalid]);
    let sets = of(t::SYSCALL_EPOLLWAIT_X);
    assert_eq!((sets[0].number(0), sets[0].number(1)), (0, 7));
    assert_eq!((sets[1].number(0), sets[1].number(1)), (invalid, -2));
}

#[test]
fn a_process_s_own_numbers_and_limits_are_told() {
    let act = || unsafe {
        // SAFETY: valid arguments; the child is this test's own.
        libc::setresgid(41, 42, 43);
        libc::setresuid(31, 32, 33);
        for call in [libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid] {
            libc::syscall(call);
        }
        let mut ids = [0u32; 3];
        let at = [0, 1, 2].map(|index| ids.as_mut_ptr().wrapping_add(index));
        libc::syscall(libc::SYS_getresuid, at[0], at[1], at[2]);
        libc::syscall(libc::SYS_getresgid, at[0], at[1], at[2]);
        libc::syscall(libc::SYS_getresuid, 8, at[1], at[2]);
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::syscall(libc::SYS_getrlimit, libc::RLIMIT_NOFILE, &raw mut limit);
        libc::syscall(libc::SYS_getrlimit, 77, &raw mut limit);
        libc::syscall(libc::SYS_getrlimit, libc::RLIMIT_CPU, &raw mut limit);
        let mut length = 16u32;
        let mut name = [0u8; 16];
        libc::syscall(libc::SYS_getsockname, 900_000, name.as_mut_ptr(), &raw mut length);
        libc::syscall(libc::SYS_getpeername, 900_000, name.as_mut_ptr(), &raw mut length);
        0
    };
    let codes = [
        t::SYSCALL_GETUID_X,
        t::SYSCALL_GETEUID_X,
        t::SYSCALL_GETGID_X,
        t::SYSCALL_GETEGID_X,
        t::SYSCALL_GETRESUID_X,
        t::SYSCALL_GETRESGID_X,
        t::SYSCALL_GETRLIMIT_X,
        t::SOCKET_GETSOCKNAME_X,
        t::SOCKET_GETPEERNAME_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| -> Vec<&Recorded> { events.iter().filter(|e| e.code == code).collect() };
    let last = |code| of(code).last().map(|event| event.number(0));
    assert_eq!(
        codes[..4].iter().map(|&code| last(code)).collect::<Vec<_>>(),
        [Some(31), Some(32), Some(41), Some(42)]
    );
    let users = of(t::SYSCALL_GETRESUID_X);
    assert_eq!(users[0].numbers(&[0, 1, 2, 3]), [0, 31, 32, 33]);
    assert_eq!(users[1].numbers(&[0, 1]), [EFAULT, 0]);
    assert_eq!(of(t::SYSCALL_GETRESGID_X)[0].numbers(&[0, 1, 2, 3]), [0, 41, 42, 43]);
    let limits = of(t::SYSCALL_GETRLIMIT_X);
    assert_eq!((limits[0].number(0), limits[0].number(3)), (0, 7));
    assert!(limits[0].number(1) > 0 && limits[0].number(2) >= limits[0].number(1));
    assert_eq!(limits[1].numbers(&[0, 1, 2, 3]), [i64::from(-libc::EINVAL), -1, -1, 255]);
    assert_eq!(limits[2].number(3), 0);
    assert_eq!((of(t::SOCKET_GETSOCKNAME_X).len(), of(t::SOCKET_GETPEERNAME_X).len()), (1, 1));
}
