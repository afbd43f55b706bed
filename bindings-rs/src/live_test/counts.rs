//! What is told of CPUs and of the runs of programs.
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::path::Path;

use probe::table;

use super::shares::opens;
use super::{open, options};

/// Has the kernel count the runs of programs, for as long as the descriptor is open.
fn count_runs() -> OwnedFd {
    const BPF_ENABLE_STATS: libc::c_long = 32;
    let run_time = 0u32;
    // SAFETY: the command reads the four bytes of its type.
    let fd = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_ENABLE_STATS, &raw const run_time, size_of::<u32>())
    };
    assert!(fd >= 0, "the kernel does not count: {}", std::io::Error::last_os_error());
    // SAFETY: the descriptor is new, and nobody else's.
    unsafe { OwnedFd::from_raw_fd(fd as i32) }
}

#[test]
fn runs_of_programs_are_told_by_name_where_the_kernel_counts_them() {
    let Some(mut recorder) = open(&options(), &[table::SYSCALL_OPENAT_2_X]) else { return };
    let _counting = count_runs();
    opens(Path::new("/etc/hostname"), 100);
    let told = recorder.probe().runs();
    let of = |name: &str| told.iter().find(|one| one.name == name);
    let entry = of("sys_exit").expect("the entry of all calls is told");
    assert!(entry.runs >= 100 && entry.ns > 0, "{entry:?}");
    // What it goes on to with a tail call is counted with it.
    assert!(of("openat").is_some_and(|one| one.runs == 0), "{told:?}");
    assert!(told.is_sorted_by(|one, other| one.name < other.name), "each once");
}

#[test]
fn the_counts_of_all_cpus_are_those_of_each_together() {
    let Some(recorder) = open(&options(), &[table::SYSCALL_OPENAT_2_X]) else { return };
    // Those that were lost too: others may fill the ring meanwhile.
    let all = || {
        let counters = recorder.counters();
        counters.events + counters.lost[0] + counters.lost[1]
    };
    let before = all();
    opens(Path::new("/etc/hostname"), 100);
    let by_cpu = recorder.counters_by_cpu();
    assert!(!by_cpu.is_empty());
    let events: u64 = by_cpu.iter().flatten().sum();
    let after = all();
    assert!(before + 100 <= events && events <= after, "{before} {by_cpu:?} {after}");
}
