//! What processes do to each other and to themselves: signals, pidfds, numbers, limits, namespaces.
use std::ptr;

use probe::table as t;

use super::{FILES, of, record, signed};

const EBADF: i64 = -libc::EBADF as i64;
const EINVAL: i64 = -libc::EINVAL as i64;
const EPERM: i64 = -libc::EPERM as i64;
const ESRCH: i64 = -libc::ESRCH as i64;
/// No process has such a number.
const NOBODY: i32 = 0x7fff_fff0;

#[test]
fn signals_and_pidfds_have_whom_they_are_about() {
    let act = || unsafe {
        // SAFETY: signal 0 asks only; the calls are about this child alone.
        let own = libc::getpid();
        libc::kill(own, 0);
        libc::kill(NOBODY, libc::SIGTERM);
        libc::syscall(libc::SYS_tkill, own, 0);
        libc::syscall(libc::SYS_tkill, NOBODY, libc::SIGUSR1);
        libc::syscall(libc::SYS_tgkill, own, own, 0);
        libc::syscall(libc::SYS_tgkill, own, NOBODY, libc::SIGHUP);
        let pidfd = libc::syscall(libc::SYS_pidfd_open, own, libc::O_NONBLOCK);
        libc::syscall(libc::SYS_pidfd_open, NOBODY, 0);
        libc::dup2(pidfd as i32, 130);
        libc::syscall(libc::SYS_pidfd_getfd, 130, 1, 0);
        libc::syscall(libc::SYS_pidfd_getfd, 130, 900_000, 0);
        0
    };
    let codes = [
        t::SYSCALL_KILL_X,
        t::SYSCALL_TKILL_X,
        t::SYSCALL_TGKILL_X,
        t::SYSCALL_PIDFD_OPEN_X,
        t::SYSCALL_PIDFD_GETFD_X,
    ];
    let events = record(&codes, act);
    let Some(first) = events.first() else { return };
    let (own, nobody) = (first.number(1), i64::from(NOBODY));
    assert_eq!(own, first.tid as i64);
    let kills = of(&events, codes[0]);
    assert_eq!(kills[0].numbers(&[0, 1, 2]), [0, own, 0]);
    assert_eq!(kills[1].numbers(&[0, 1, 2]), [ESRCH, nobody, 15]);
    let kills = of(&events, codes[1]);
    assert_eq!(kills[0].numbers(&[0, 1, 2]), [0, own, 0]);
    assert_eq!(kills[1].numbers(&[0, 1, 2]), [ESRCH, nobody, 10]);
    let kills = of(&events, codes[2]);
    assert_eq!(kills[0].numbers(&[0, 1, 2, 3]), [0, own, own, 0]);
    assert_eq!(kills[1].numbers(&[0, 1, 2, 3]), [ESRCH, own, nobody, 1]);
    let opened = of(&events, codes[3]);
    assert!(opened[0].number(0) > 0);
    assert_eq!(opened[0].numbers(&[1, 2]), [own, 1]);
    assert_eq!(opened[1].number(1), nobody);
    assert!(opened[1].number(0) < 0);
    let got = of(&events, codes[4]);
    assert!(got[0].number(0) > 0);
    assert_eq!(got[0].numbers(&[1, 2, 3]), [130, 1, 0]);
    assert_eq!(got[1].numbers(&[0, 1, 2, 3]), [EBADF, 130, 900_000, 0]);
}

#[test]
fn numbers_of_a_process_are_told_as_they_were_asked_for() {
    let act = || unsafe {
        // SAFETY: the child changes its own numbers.
        libc::setpgid(0, 0);
        libc::setpgid(NOBODY, 7);
        libc::syscall(libc::SYS_setregid, 51, 52);
        libc::syscall(libc::SYS_setgid, 53);
        libc::syscall(libc::SYS_setresuid, 61, 62, 63);
        libc::syscall(libc::SYS_setresuid, 0, 0, 0);
        libc::syscall(libc::SYS_setregid, 54, -1i32);
        libc::syscall(libc::SYS_setgid, 55);
        0
    };
    let codes =
        [t::SYSCALL_SETPGID_X, t::SYSCALL_SETREGID_X, t::SYSCALL_SETGID_X, t::SYSCALL_SETRESUID_X];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let none = i64::from(u32::MAX);
    let groups = of(&events, codes[0]);
    assert_eq!(groups[0].numbers(&[0, 1, 2]), [0, 0, 0]);
    assert_eq!(groups[1].numbers(&[0, 1, 2]), [ESRCH, i64::from(NOBODY), 7]);
    let both = of(&events, codes[1]);
    assert_eq!(both[0].numbers(&[0, 1, 2]), [0, 51, 52]);
    assert_eq!(both[1].numbers(&[0, 1, 2]), [EPERM, 54, none]);
    let one = of(&events, codes[2]);
    assert_eq!(one[0].numbers(&[0, 1]), [0, 53]);
    assert_eq!(one[1].numbers(&[0, 1]), [EPERM, 55]);
    let three = of(&events, codes[3]);
    assert_eq!(three[0].numbers(&[0, 1, 2, 3]), [0, 61, 62, 63]);
    assert_eq!(three[1].numbers(&[0, 1, 2, 3]), [EPERM, 0, 0, 0]);
}

#[test]
fn limits_capabilities_and_namespaces_have_what_was_asked_for() {
    let act = || unsafe {
        // SAFETY: the child limits and unshares itself.
        let limit = libc::rlimit { rlim_cur: 5, rlim_max: 9 };
        libc::syscall(libc::SYS_setrlimit, libc::RLIMIT_CORE, &raw const limit);
        libc::syscall(libc::SYS_setrlimit, 99, &raw const limit);
        let more = [6u64, 8];
        let mut old = [0u64; 2];
        let core = libc::RLIMIT_CORE;
        libc::syscall(libc::SYS_prlimit64, 0, core, more.as_ptr(), old.as_mut_ptr());
        libc::syscall(libc::SYS_prlimit64, NOBODY, core, more.as_ptr(), old.as_mut_ptr());
        libc::unshare(libc::CLONE_NEWUTS | libc::CLONE_FS);
        libc::unshare(0x8);
        let uts = libc::open(c"/proc/self/ns/uts".as_ptr(), libc::O_RDONLY);
        libc::dup2(uts, 131);
        libc::setns(131, libc::CLONE_NEWUTS);
        libc::setns(900_000, libc::CLONE_NEWNET);
        // Version 3, and all sets empty.
        let (head, sets) = ([0x2008_0522u32, 0], [0u32; 6]);
        libc::syscall(libc::SYS_capset, head.as_ptr(), sets.as_ptr());
        libc::syscall(libc::SYS_capset, ptr::null::<u32>(), sets.as_ptr());
        0
    };
    let codes = [
        t::SYSCALL_SETRLIMIT_X,
        t::SYSCALL_PRLIMIT_X,
        t::SYSCALL_UNSHARE_X,
        t::SYSCALL_SETNS_X,
        t::SYSCALL_CAPSET_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let (fs, uts, net) = (
        i64::from(t::clone_flags::CLONE_FS),
        i64::from(t::clone_flags::CLONE_NEWUTS),
        i64::from(t::clone_flags::CLONE_NEWNET),
    );
    let limits = of(&events, codes[0]);
    assert_eq!(limits[0].numbers(&[0, 1, 2, 3]), [0, 5, 9, 4]);
    assert_eq!(limits[1].numbers(&[0, 1, 2, 3]), [EINVAL, 5, 9, 255]);
    let changed = of(&events, codes[1]);
    assert_eq!(changed[0].numbers(&[0, 1, 2, 3, 4, 5, 6]), [0, 6, 8, 5, 9, 0, 4]);
    let nobody = i64::from(NOBODY);
    assert_eq!(changed[1].numbers(&[0, 1, 2, 3, 4, 5, 6]), [ESRCH, 6, 8, -1, -1, nobody, 4]);
    let parted = of(&events, codes[2]);
    assert_eq!(parted[0].numbers(&[0, 1]), [0, uts | fs]);
    assert_eq!(parted[1].numbers(&[0, 1]), [EINVAL, 0]);
    let joined = of(&events, codes[3]);
    assert_eq!(joined[0].numbers(&[0, 1, 2]), [0, 131, uts]);
    assert_eq!(signed(&joined[0].own(FILES)[..4]), 131);
    assert_eq!(joined[1].numbers(&[0, 1, 2]), [EBADF, 900_000, net]);
    let sets = of(&events, codes[4]);
    assert_eq!(sets[0].numbers(&[0, 1, 2, 3]), [0, 0, 0, 0]);
    assert!(sets[1].number(0) < 0);
}
