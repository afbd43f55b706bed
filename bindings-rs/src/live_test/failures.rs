//! Calls that fail: each event tells the error that its caller was answered. Every filler is tried,
//! but for those of calls that cannot fail.
use std::ptr;

use probe::fillers::FILLERS;
use probe::table::{self as t, SYSCALLS};

use super::{every, recorder, signed};

/// What a call is asked for unless something else is said: no such descriptor, address or flag.
const NONSENSE: [i64; 6] = [-1; 6];
/// No process has such a number.
const NOBODY: i64 = 0x7fff_fff0;

/// Calls that all of that means something to, or that something should not be asked of.
const ASKED: &[(u16, [i64; 6])] = &[
    (t::SYSCALL_KILL_X, [NOBODY, 0, 0, 0, 0, 0]),
    (t::SYSCALL_INIT_MODULE_X, [0; 6]),
    (t::SYSCALL_UNLINK_2_X, [0; 6]),
    (t::SYSCALL_SETREUID_X, [0, 0, 0, 0, 0, 0]),
    (t::SYSCALL_SETREGID_X, [5, 5, 0, 0, 0, 0]),
    (t::SYSCALL_SETRESUID_X, [0; 6]),
    (t::SYSCALL_SETRESGID_X, [5, 5, 5, 0, 0, 0]),
    (t::SYSCALL_CLONE_20_X, [libc::SIGCHLD as i64, 0, 0, 0, 0, 0]),
    (t::SYSCALL_FLOCK_X, [-1, libc::LOCK_SH as i64, 0, 0, 0, 0]),
    (t::SYSCALL_SELECT_X, [-1, 0, 0, 0, 0, 0]),
    (t::SYSCALL_SEMGET_X, [0, -1, 0, 0, 0, 0]),
    (t::SYSCALL_EVENTFD_X, [0; 6]),
    (t::SOCKET_SOCKET_X, [255, 1, 0, 0, 0, 0]),
    (t::SOCKET_SOCKETPAIR_X, [255, 1, 0, 0, 0, 0]),
    (t::SYSCALL_ACCESS_X, [-1, 0, 0, 0, 0, 0]),
];

/// Calls without an error, and those that only the 32-bit entry has; a brk that is refused answers
/// where the break is.
const NEVER_FAIL: &[u16] = &[
    t::GENERIC_X,
    t::SYSCALL_BRK_4_X,
    t::SYSCALL_MUNLOCKALL_X,
    t::SYSCALL_GETUID_X,
    t::SYSCALL_GETEUID_X,
    t::SYSCALL_GETGID_X,
    t::SYSCALL_GETEGID_X,
    t::SYSCALL_UMOUNT_1_X,
    t::SOCKET_SEND_X,
    t::SOCKET_RECV_X,
];

/// The call of each event, and its arguments.
fn calls() -> Vec<(&'static str, u16, i64, [i64; 6])> {
    FILLERS
        .iter()
        .filter(|(_, code)| !NEVER_FAIL.contains(code))
        .map(|&(name, code)| {
            let call = SYSCALLS
                .iter()
                .find(|call| call.exit == code && call.x86_64 != t::NONE)
                .unwrap_or_else(|| panic!("{name} has no call"));
            let args = ASKED.iter().find(|(of, _)| *of == code).map_or(NONSENSE, |(_, args)| *args);
            (name, code, i64::from(call.x86_64), args)
        })
        .collect()
}

#[test]
fn every_call_that_fails_tells_its_error() {
    let calls = calls();
    let bytes = calls.len() * size_of::<i64>();
    // SAFETY: memory that the child writes its answers to.
    let answers = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    }
    .cast::<i64>();
    let act = || unsafe {
        // SAFETY: the child gives up its rights and makes calls that fail.
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::syscall(libc::SYS_setpgid, 0, 0);
        libc::setrlimit(libc::RLIMIT_NPROC, &raw const none);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none);
        libc::syscall(libc::SYS_setresgid, 65534, 65534, 65534);
        libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534);
        for (at, &(_, _, number, [a, b, c, d, e, f])) in calls.iter().enumerate() {
            let answer = libc::syscall(number, a, b, c, d, e, f);
            // A child that began after all.
            if answer == 0 && [57, 58].contains(&number) {
                libc::_exit(0);
            }
            let told = if answer < 0 { -i64::from(*libc::__errno_location()) } else { answer };
            answers.add(at).write(told);
        }
        0
    };
    let Some(mut recorder) = recorder() else { return };
    recorder.route(&every());
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    for (at, &(name, code, ..)) in calls.iter().enumerate() {
        // SAFETY: the child has written it and is gone.
        let answer = unsafe { answers.add(at).read() };
        assert!(answer < 0, "{name} did not fail: {answer}");
        let own: Vec<_> = events.iter().filter(|event| event.code == code).collect();
        assert!(!own.is_empty(), "no event of {name}");
        // Falco's table has no parameters for some of them.
        if t::PARAM_COUNTS[code as usize] == 0 {
            continue;
        }
        let tells = |bytes: &Vec<u8>| bytes.len() == 8 && signed(bytes) == answer;
        let told = own.iter().any(|event| event.params.iter().any(tells));
        assert!(told, "{name}: no event tells {answer}");
    }
    // SAFETY: mapped above, used no more.
    unsafe { libc::munmap(answers.cast(), bytes) };
}
