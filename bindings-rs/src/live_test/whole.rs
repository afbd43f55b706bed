//! What holds for all events: the 32-bit entry, losses, sequence numbers, the plan.
use std::{fs, ptr};

use probe::counters::row;
use probe::table;

use super::narrow::int80;
use super::sockets::{address, connect};
use super::{Folder, LANE, SEQUENCE, c, open, options, recorder, signed};

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
        if int80(20, [0; 6]) < 0 {
            return 1;
        }
        int80(295, [-100i32 as u32, at, 0, 0, 0, 0]);
        int80(102, [1, at + 256, 0, 0, 0, 0]);
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
fn sequence_numbers_have_no_gap_where_nothing_is_lost() {
    let Some(mut recorder) = recorder() else { return };
    recorder.take();
    let (_, lost) = recorder.missed();
    let (_, _) = recorder.of_child(|| connect(&address(9)).min(0));
    let mut next = std::collections::HashMap::new();
    for _ in 0..5 {
        for event in recorder.take() {
            let lane = event.own(LANE)[0] & 1;
            let sequence = signed(event.own(SEQUENCE));
            let key = (event.cpu, lane, sequence >> row::AT);
            if let Some(expected) = next.insert(key, sequence + 1) {
                assert_eq!(sequence, expected);
            }
        }
    }
    assert_eq!(recorder.missed().1, lost);
}

#[test]
fn every_program_is_attached_and_a_theft_is_noticed() {
    let Some(mut recorder) = open(&options(), &[table::SYSCALL_DUP_1_X]) else { return };
    let plan = recorder.probe().plan();
    assert!(plan.iter().all(|planned| planned.reason.is_empty()));
    recorder.probe().unroute_for_test();
    assert!(recorder.probe().plan().iter().any(|planned| planned.reason.contains("route")));
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
    recorder.route(&[]);
    let counters = recorder.counters();
    let read = recorder.take();
    let (should, lost) = (counters.sequence[1], counters.lost[1]);
    assert!(should >= 1000 && lost > 0);
    let bulk = read.iter().filter(|event| event.own(LANE) == [1]).count() as u64;
    assert_eq!(bulk + lost, should);
}

#[test]
fn a_flood_of_benign_opens_pushes_out_no_open_that_matters() {
    let mut small = options();
    small.bulk_ring_bytes = 16 << 10;
    let codes = [table::SYSCALL_OPENAT_2_X, table::PROCEXIT_1_E];
    let Some(mut recorder) = open(&small, &codes) else { return };
    let folder = Folder::new("flood");
    let (benign, needle) = (c(folder.file("benign")), c("/etc/hostname"));
    let act = || unsafe {
        // SAFETY: valid paths; each descriptor is closed again.
        for _ in 0..5000 {
            libc::close(libc::openat(libc::AT_FDCWD, benign.as_ptr(), libc::O_RDONLY));
        }
        libc::openat(libc::AT_FDCWD, needle.as_ptr(), libc::O_RDONLY).min(0)
    };
    // SAFETY: the child only makes system calls; nothing is read while it runs.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let status = act();
        // SAFETY: ends the child.
        unsafe { libc::_exit(status) };
    }
    // SAFETY: our own child.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
    let lost = recorder.counters().lost;
    let events = recorder.take();
    let found =
        events.iter().any(|event| event.tid == pid as u64 && event.params[2] == b"/etc/hostname\0");
    assert!(found && lost[0] == 0 && lost[1] > 1000, "{lost:?}");
}
