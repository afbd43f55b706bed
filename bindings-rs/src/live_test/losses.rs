//! Rings that are too small for what comes: what is told lost is what was made less what was seen,
//! by event, by CPU and lane, and by the gaps in the sequence numbers.
use std::ptr;
use std::time::{SystemTime, UNIX_EPOCH};

use probe::table;

use super::{Recorder, open, options};
use crate::gaps::Gap;
use crate::settings::Options;

/// Calls that nobody else makes: one event of each lane.
const CRITICAL: u16 = table::SYSCALL_TKILL_X;
const BULK: u16 = table::SYSCALL_EPOLL_CREATE_X;
const TIMES: u64 = 5_000;

fn both(times: u64) {
    for _ in 0..times {
        // SAFETY: calls that are refused, since no such thread and no such size is.
        unsafe {
            libc::syscall(libc::SYS_tkill, -1, 0);
            libc::syscall(libc::SYS_epoll_create, -1);
        }
    }
}

/// A child that runs on one CPU after the other, of those that it may.
fn on_every_cpu(times: u64) {
    // SAFETY: the child only makes system calls and leaves by _exit.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0);
        if pid == 0 {
            let mut may: libc::cpu_set_t = std::mem::zeroed();
            libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut may);
            for cpu in (0..libc::CPU_SETSIZE as usize).filter(|&cpu| libc::CPU_ISSET(cpu, &may)) {
                let mut one: libc::cpu_set_t = std::mem::zeroed();
                libc::CPU_SET(cpu, &mut one);
                libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const one);
                both(times);
            }
            libc::_exit(0);
        }
        libc::waitpid(pid, ptr::null_mut(), 0);
    }
}

fn lost_of(recorder: &Recorder, code: u16) -> u64 {
    let lost = recorder.lost_by_code();
    lost.iter().find(|(of, _)| *of == code).map_or(0, |(_, lost)| *lost)
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

#[test]
fn what_is_told_lost_is_what_was_made_less_what_was_seen() {
    let small = Options { critical_ring_bytes: 1 << 16, bulk_ring_bytes: 1 << 16, ..options() };
    let Some(mut recorder) = open(&small, &[CRITICAL, BULK]) else { return };
    // SAFETY: asks for the number of CPUs.
    let mut may: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: as above, with the set's size.
    unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut may) };
    // SAFETY: the set was filled above.
    let cpus = unsafe { libc::CPU_COUNT(&may) } as u64;
    let begun = now_ns();
    on_every_cpu(TIMES);
    let mut seen = recorder.take();
    assert!(!seen.is_empty());
    // With room again, an event of each CPU and lane stands behind what was lost.
    on_every_cpu(1);
    let ended = now_ns();
    seen.extend(recorder.take());
    let counters = recorder.counters();
    let made = cpus * (TIMES + 1);
    for (code, lane) in [(CRITICAL, 0), (BULK, 1)] {
        let came = seen.iter().filter(|event| event.code == code).count() as u64;
        let lost = lost_of(&recorder, code);
        assert!(lost > made / 2, "{lost} of {made} were lost");
        assert_eq!(came + lost, made, "of code {code}");
        // The ends of others' processes are in the critical lane too.
        assert!(lost <= counters.lost[lane] && made <= counters.sequence[lane], "{counters:?}");
    }
    let gaps = recorder.gaps.take();
    let by_cpu = recorder.counters_by_cpu();
    let mut by_sequence = vec![[0; 2]; by_cpu.len()];
    for Gap { cpu, lane, lost, from, until } in gaps {
        by_sequence[usize::from(cpu)][usize::from(lane)] += lost;
        assert!(from <= until && until <= ended + 1_000_000_000, "{from} {until} {ended}");
        assert!(from == 0 || from + 1_000_000_000 >= begun, "{from} {begun}");
    }
    let counted: Vec<[u64; 2]> = by_cpu.iter().map(|&[_, a, b]| [a, b]).collect();
    assert_eq!(by_sequence, counted);
}
