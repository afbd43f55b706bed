//! Starts, ends and rights of processes.
use std::{fs, ptr};

use probe::table;

use super::{c, expect, recorder};

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
fn an_exec_that_fails_has_both_ends_of_long_arguments() {
    let asked = c("/nowhere/program");
    let failed = |args: Vec<std::ffi::CString>| {
        let pointers: Vec<_> = args.iter().map(|arg| arg.as_ptr()).chain([ptr::null()]).collect();
        let act = || unsafe {
            // SAFETY: arrays that end with a null pointer.
            let envp = [ptr::null()];
            libc::execve(asked.as_ptr(), pointers.as_ptr(), envp.as_ptr());
            0
        };
        let mut told = None;
        expect(table::SYSCALL_EXECVE_19_X, act, |_, events| {
            told = Some(events[0].params[2].clone());
        });
        told
    };
    let numbered = |count: usize| (0..count).map(|at| c(format!("a{at:05}"))).collect::<Vec<_>>();
    let joined = |args: &[std::ffi::CString]| {
        args.iter().flat_map(std::ffi::CString::as_bytes_with_nul).copied().collect::<Vec<u8>>()
    };
    // All of a hundred; both ends of thousands, and of a few that are long.
    let args = numbered(100);
    let Some(told) = failed(args.clone()) else { return };
    assert_eq!(told, joined(&args[1..]));
    let args = numbered(3000);
    let told = failed(args.clone()).unwrap();
    assert!(told.starts_with(&joined(&args[1..580])), "{}", told.len());
    assert!(told.ends_with("…\0a02999\0".as_bytes()), "{}", told.len());
    let args = vec![c("zero"), c("x".repeat(6000)), c("between"), c("-payload")];
    let told = failed(args).unwrap();
    assert!(told.starts_with(&[b'x'; 4094]));
    assert!(told.ends_with("…\0-payload\0".as_bytes()), "{}", told.len());
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
    let (pid, events) = loop {
        let (skipped, _) = recorder.missed();
        let (pid, events) = recorder.of_family(act);
        // What the kernel does not show to the probe cannot be told.
        if recorder.missed().0 == skipped {
            break (pid as i32, events);
        }
    };
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
    // A process has one tracer.
    let done = if super::is_traced() { -i64::from(libc::EPERM) } else { 0 };
    assert_eq!((trace.number(0), trace.number(3), trace.number(4)), (done, 1, 0));
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
