//! The probe's counters, as its maps hold them.
use std::os::fd::{AsRawFd as _, OwnedFd};

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray};
use aya::util::nr_cpus;
use probe::counters::Counters;
use probe::table::PARAM_COUNTS;

use crate::failure::Failure;
use crate::maps::{map_fd, take};

const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;
const CODES: usize = PARAM_COUNTS.len();

#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct CountersValue(pub Counters);

// SAFETY: plain numbers without holes, as probe-rs asserts.
unsafe impl aya::Pod for CountersValue {}

/// Counts by row and code, which each CPU keeps for itself.
pub struct ByCode {
    map: PerCpuArray<MapData, u64>,
    fd: OwnedFd,
    rows: usize,
    cpus: usize,
}

impl ByCode {
    pub fn take(ebpf: &mut Ebpf, name: &str, rows: u32) -> Result<Self, Failure> {
        let fd = map_fd(ebpf, name)?;
        // Of a machine that does not say how many it may have, counts are asked for one by one.
        let cpus = nr_cpus().unwrap_or(0);
        Ok(Self { map: take(ebpf, name)?, fd, rows: rows as usize, cpus })
    }

    /// A sum over all CPUs and rows, for each code that has some.
    pub fn sums(&self) -> Vec<(u16, u64)> {
        let mut sums = [0u64; CODES];
        let mut add = |place: usize, values: &[u64]| {
            sums[place % CODES] += values.iter().sum::<u64>();
        };
        if let Some(values) = self.at_once() {
            for (place, values) in values.chunks_exact(self.cpus).enumerate() {
                add(place, values);
            }
        } else {
            for place in 0..self.rows * CODES {
                if let Ok(values) = self.map.get(&(place as u32), 0) {
                    add(place, &values);
                }
            }
        }
        sums.into_iter()
            .enumerate()
            .filter(|(_, sum)| *sum > 0)
            .map(|(c, s)| (c as u16, s))
            .collect()
    }

    /// All values by one call, which kernels before 5.13 do not have for such maps: a call for each
    /// of them, once a second, was a good part of what an idle saker cost.
    fn at_once(&self) -> Option<Vec<u64>> {
        /// The members of union bpf_attr for this command.
        #[repr(C)]
        struct Ask {
            begin: u64,
            end: u64,
            keys: u64,
            values: u64,
            count: u32,
            map: u32,
            value_flags: u64,
            flags: u64,
        }
        let entries = self.rows * CODES;
        let (mut keys, mut end) = (vec![0u32; entries], 0u32);
        let mut values = vec![0u64; entries * self.cpus];
        let mut ask = Ask {
            begin: 0,
            end: &raw mut end as u64,
            keys: keys.as_mut_ptr() as u64,
            values: values.as_mut_ptr() as u64,
            count: entries as u32,
            map: self.fd.as_raw_fd() as u32,
            value_flags: 0,
            flags: 0,
        };
        if self.cpus == 0 {
            return None;
        }
        // SAFETY: the kernel writes as many keys, and values of all CPUs, as `count` says.
        let failed = unsafe {
            libc::syscall(libc::SYS_bpf, BPF_MAP_LOOKUP_BATCH, &raw mut ask, size_of::<Ask>())
        };
        // It says that there is no more where all were asked for.
        let is_end =
            failed == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOENT);
        (is_end && ask.count as usize == entries).then_some(values)
    }
}
