//! Tail calls that fail: the program has been taken out of its slot, or the kernel lets an event go
//! on no further. Each event that is not written is counted as lost.
use std::ptr;

use probe::fillers::FILLERS;
use probe::stage::{self, FILLERS_AT};
use probe::table;

use super::{Recorder, open, options};

const TIMES: usize = 50;
/// The kernel's MAX_TAIL_CALL_CNT: an event goes on so often at the most.
const TAIL_CALLS_MAX: usize = 33;

/// A child's events of `code`, and how many were counted as lost meanwhile, by lane.
fn told(
    recorder: &mut Recorder,
    code: u16,
    act: impl FnOnce() -> i32,
) -> (usize, [u64; 2], [u64; 2]) {
    let before = recorder.counters();
    let (_, events) = recorder.of_child(act);
    let after = recorder.counters();
    let since = |now: [u64; 2], then: [u64; 2]| [now[0] - then[0], now[1] - then[1]];
    let seen = events.iter().filter(|event| event.code == code).count();
    (seen, since(after.lost, before.lost), since(after.sequence, before.sequence))
}

fn dups() -> i32 {
    for _ in 0..TIMES {
        // SAFETY: a descriptor that is closed again.
        unsafe { libc::close(libc::dup(1)) };
    }
    0
}

#[test]
fn an_event_whose_program_is_gone_is_counted_in_the_lane_that_matters() {
    let codes = [table::SYSCALL_DUP_1_X, table::PROCEXIT_1_E];
    let Some(mut recorder) = open(&options(), &codes) else { return };
    let filler = FILLERS.iter().position(|(_, code)| *code == table::SYSCALL_DUP_1_X).unwrap();
    recorder.probe().empty_slot_for_test(FILLERS_AT + filler as u32);
    let (seen, lost, sequence) = told(&mut recorder, table::SYSCALL_DUP_1_X, dups);
    assert_eq!(seen, 0);
    // Others on this machine may have lost theirs too.
    assert!(lost[0] >= TIMES as u64, "{lost:?}");
    assert!(sequence[0] >= lost[0], "the reader sees the gap: {sequence:?}");
}

#[test]
fn an_event_whose_path_cannot_be_walked_is_counted() {
    let codes = [table::SYSCALL_CHDIR_X, table::PROCEXIT_1_E];
    let Some(mut recorder) = open(&options(), &codes) else { return };
    recorder.probe().empty_slot_for_test(stage::WALK);
    let act = || {
        for _ in 0..TIMES {
            // SAFETY: a valid path.
            unsafe { libc::chdir(c"/etc".as_ptr()) };
        }
        0
    };
    let (seen, lost, _) = told(&mut recorder, table::SYSCALL_CHDIR_X, act);
    assert_eq!(seen, 0);
    assert!(lost[0] + lost[1] >= TIMES as u64, "{lost:?}");
}

#[test]
fn messages_of_a_batch_have_their_events_beyond_the_kernels_tail_calls_too() {
    const MESSAGES: usize = 100;
    let codes = [table::SOCKET_SENDMMSG_X, table::PROCEXIT_1_E];
    let Some(mut recorder) = open(&options(), &codes) else { return };
    let act = || unsafe {
        // SAFETY: valid buffers; a pair of our own, whose queue has room.
        let mut pair = [0; 2];
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        let mut vector = libc::iovec { iov_base: c"x".as_ptr() as *mut _, iov_len: 1 };
        let mut batch: [libc::mmsghdr; MESSAGES] = std::mem::zeroed();
        for one in &mut batch {
            one.msg_hdr.msg_iov = ptr::from_mut(&mut vector);
            one.msg_hdr.msg_iovlen = 1;
        }
        let sent = libc::sendmmsg(pair[0], batch.as_mut_ptr(), MESSAGES as u32, 0);
        i32::from(sent != MESSAGES as i32)
    };
    let (seen, lost, _) = told(&mut recorder, table::SOCKET_SENDMMSG_X, act);
    let has_loops = recorder.probe().loaded["stage_sent"].refused.is_none();
    assert_eq!(seen > TAIL_CALLS_MAX, has_loops, "{seen} of the messages have an event");
    assert!(seen as u64 + lost[0] + lost[1] >= MESSAGES as u64, "{seen} seen, {lost:?} lost");
}
