//! What the probe counts: of all CPUs together, of each CPU, and what the kernel says of the runs
//! of its programs.
use std::os::fd::{AsFd as _, AsRawFd as _};

use aya::programs::Program;
use probe::counters::{Counters, ROWS};

use crate::counters::CountersValue;
use crate::loader::Probe;

/// How often a program ran, and for how long; zeros unless `kernel.bpf_stats_enabled` is set.
#[derive(Debug, PartialEq, Eq)]
pub struct ProgramWork {
    pub name: String,
    pub runs: u64,
    pub ns: u64,
}

impl Probe {
    /// The counters of all CPUs.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for row in 0..ROWS {
            let Ok(values) = self.counters.get(&row, 0) else { continue };
            for CountersValue(one) in values.iter() {
                sum.add(one);
            }
        }
        sum
    }

    /// For each CPU that there may be: events that were written, and that were lost of each lane.
    pub fn counters_by_cpu(&self) -> Vec<[u64; 3]> {
        let mut sums = Vec::new();
        for row in 0..ROWS {
            let Ok(values) = self.counters.get(&row, 0) else { continue };
            sums.resize(values.len(), [0; 3]);
            for (sum, CountersValue(one)) in sums.iter_mut().zip(values.iter()) {
                for (part, more) in sum.iter_mut().zip([one.events, one.lost[0], one.lost[1]]) {
                    *part += more;
                }
            }
        }
        sums
    }

    /// How often the kernel left out an entry's program, since another task was in the middle of it
    /// on that CPU. Before Linux 7 no task is preempted there, and it is never left out.
    pub fn skipped(&self) -> u64 {
        self.ebpf
            .programs()
            .filter_map(|(_, program)| {
                let fd = match program {
                    Program::BtfTracePoint(program) => program.fd().ok()?,
                    Program::RawTracePoint(program) => program.fd().ok()?,
                    _ => return None,
                };
                Some(run_stats(fd.as_fd().as_raw_fd())?[2])
            })
            .sum()
    }

    /// Every program that is loaded, by name.
    pub fn runs(&self) -> Vec<ProgramWork> {
        let mut told: Vec<ProgramWork> = self
            .ebpf
            .programs()
            .filter_map(|(name, program)| {
                let Program::BtfTracePoint(program) = program else { return None };
                let [ns, runs, _] = run_stats(program.fd().ok()?.as_fd().as_raw_fd())?;
                Some(ProgramWork { name: name.to_owned(), runs, ns })
            })
            .collect();
        told.sort_by(|one, other| one.name.cmp(&other.name));
        told
    }
}

/// `run_time_ns`, `run_cnt` and `recursion_misses` of a program: words 24 to 26 of struct
/// bpf_prog_info (Linux 5.1, and 5.12 for the last).
fn run_stats(program: i32) -> Option<[u64; 3]> {
    const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
    const WORDS: usize = 27;
    /// The first members of union bpf_attr for this command.
    #[repr(C)]
    struct Ask {
        fd: u32,
        bytes: u32,
        info: u64,
    }
    let mut info = [0u64; WORDS];
    let bytes = size_of_val(&info) as u32;
    let ask = Ask { fd: program as u32, bytes, info: info.as_mut_ptr() as u64 };
    // SAFETY: `info` has the bytes that `ask` says; all its pointers are null, so that nothing but
    // numbers is written.
    let failed = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &raw const ask, size_of::<Ask>())
    };
    (failed == 0).then_some([info[24], info[25], info[26]])
}
