//! What the loader finds out about the machine before it loads the probe.
use std::{env, fs};

use crate::failure::{Code, Failure};

/// What the caller chose.
pub struct Options {
    pub critical_ring_bytes: u32,
    pub bulk_ring_bytes: u32,
    pub snaplen: u32,
    pub drop_failed: bool,
    pub self_pid: u32,
    /// Ports whose data is kept whole, from the first to the last; zeros: none.
    pub full_ports: (u32, u32),
    pub dynamic_snaplen: bool,
}

/// The kernel's types. A test may name another file, to be like a kernel that has none.
pub fn kernel_types() -> Result<Vec<u8>, Failure> {
    let path = env::var("SAKER_BTF").unwrap_or_else(|_| "/sys/kernel/btf/vmlinux".to_owned());
    fs::read(&path).map_err(|error| {
        Failure::new(
            Code::NoBtf,
            format!(
                "Cannot read the kernel's types {path:?}: {error}; it needs CONFIG_DEBUG_INFO_BTF"
            ),
        )
    })
}

fn now(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes to `time` only.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds since the boot.
pub fn since_boot_ns() -> u64 {
    now(libc::CLOCK_BOOTTIME)
}

/// The clock of a driver's events.
pub struct EventClock {
    boot_epoch_ns: u64,
}

impl EventClock {
    /// That of a driver with these settings, which begin with it.
    pub fn of(settings: &[u8]) -> Self {
        let boot_epoch_ns = settings.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { boot_epoch_ns }
    }

    pub fn now_ns(&self) -> u64 {
        self.boot_epoch_ns + since_boot_ns()
    }
}

/// Nanoseconds from the epoch to the boot.
pub fn boot_epoch_ns() -> u64 {
    // The closest pair of readings of a few: a preemption between the two would shift all times.
    (0..8)
        .map(|_| {
            let before = now(libc::CLOCK_BOOTTIME);
            let wall = now(libc::CLOCK_REALTIME);
            let after = now(libc::CLOCK_BOOTTIME);
            (after - before, wall.wrapping_sub(u64::midpoint(before, after)))
        })
        .min()
        .map_or(0, |(_, offset)| offset)
}

/// Kernels before 5.11 charge maps to the limit of locked memory.
pub fn lift_memory_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: only reads the limit. Where it fails, the maps tell.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}

pub fn settings(options: &Options) -> Vec<u8> {
    let mut bytes = boot_epoch_ns().to_le_bytes().to_vec();
    for word in [
        options.self_pid,
        options.snaplen.min(probe::snaplen::FULL),
        u32::from(options.drop_failed),
        options.critical_ring_bytes,
        options.full_ports.0,
        options.full_ports.1,
        u32::from(options.dynamic_snaplen),
        0,
    ] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}
