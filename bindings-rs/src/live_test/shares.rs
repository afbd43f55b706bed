//! A critical ring that fills up: one process floods it, another does a single thing.
use std::path::Path;
use std::ptr;

use probe::table;

use super::{Recorder, c, open, options};

fn in_child(act: impl FnOnce() -> i32) -> u32 {
    // SAFETY: the child only makes system calls; nothing is read while it runs.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let status = act();
        // SAFETY: ends the child.
        unsafe { libc::_exit(status) };
    }
    // SAFETY: our own child.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
    pid as u32
}

pub(super) fn opens(path: &Path, times: u32) -> u32 {
    let path = c(path);
    in_child(|| {
        for _ in 0..times {
            // SAFETY: a valid path, and the descriptor is closed again.
            unsafe { libc::close(libc::openat(libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY)) };
        }
        0
    })
}

fn has_open(recorder: &mut Recorder, pid: u32, path: &str) -> bool {
    recorder.take().iter().any(|event| {
        event.tid == u64::from(pid)
            && event.code == table::SYSCALL_OPENAT_2_X
            && event.path() == path
    })
}

#[test]
fn one_process_cannot_push_another_out_of_the_critical_ring_and_is_told_by_name() {
    let codes = [table::SYSCALL_OPENAT_2_X, table::PROCEXIT_1_E];
    let Some(mut recorder) = open(&options(), &codes) else { return };
    // Twice what the ring holds, all below /etc: the critical lane.
    let flood = opens(Path::new("/etc/hostname"), 40_000);
    let needle = opens(Path::new("/etc/passwd"), 1);
    let counters = recorder.counters();
    assert!(has_open(&mut recorder, needle, "/etc/passwd"), "the single open is there");

    let excess = recorder.take_excess();
    let told = excess.iter().find(|one| one.process == flood).expect("the flood is told");
    assert!(told.lost > 1000 && !told.name.is_empty(), "{told:?}");
    assert!(excess.iter().all(|one| one.process != needle));
    let named: u64 = excess.iter().map(|one| one.lost).sum();
    assert_eq!((named, named <= counters.lost[0]), (counters.excess, true));
    let by_code = recorder.lost_by_code();
    let opens = by_code.iter().find(|(code, _)| *code == table::SYSCALL_OPENAT_2_X);
    assert!(opens.is_some_and(|&(_, lost)| lost >= told.lost), "{by_code:?}");
    let by_cpu = recorder.counters_by_cpu();
    assert!(by_cpu.iter().map(|[_, lost, _]| lost).sum::<u64>() >= counters.lost[0], "{by_cpu:?}");
    assert!(recorder.take_excess().is_empty());
}

#[test]
fn a_ring_with_room_refuses_nobody() {
    let codes = [table::SYSCALL_OPENAT_2_X, table::PROCEXIT_1_E];
    let Some(recorder) = open(&options(), &codes) else { return };
    opens(Path::new("/etc/hostname"), 3_000);
    let counters = recorder.counters();
    assert_eq!((counters.excess, counters.lost[0]), (0, 0));
}
