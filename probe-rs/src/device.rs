//! The kernel module's device: what its two ends agree on. One end is kmod/ (the glue makes the
//! device, the core fills it), the other whoever reads events from it (bindings-rs).
//!
//! `/dev/saker` can be opened by root with CAP_SYS_ADMIN, or with CAP_BPF and CAP_PERFMON, all of
//! the first user namespace, as often as the module's parameter `max_readers` says (EBUSY beyond).
//! Each open file is one reader with rings, offsets, interest, sieve and counters of its own; it
//! ends, and gives everything back, when its last descriptor and mapping are gone. A reader goes:
//!
//!     open, ABOUT              the same VERSION and OFFSETS, or this is another module's
//!     OFFSETS, SET_OFFSETS     where the kernel keeps things
//!     SET_SETTINGS             probe::kernel::Settings; again at any time
//!     MAKE_RINGS               once: two for each CPU that there may be
//!     mmap                     see `ring_at`
//!     SET_INTEREST             recording begins; again at any time, nothing wanted: it stops
//!     poll                     readable while a ring holds something
//!
//! Every command takes a `Buffer`: what goes in, or the room for what comes out. ioctl returns the
//! bytes that came out (0 where nothing does) or fails with EINVAL (bytes of another size, values
//! that cannot be), ENODATA (before what has to come first), EEXIST (rings are there), ENOMEM,
//! EFAULT, ENOTTY (no such command).
use crate::kernel::Host;
use crate::offsets::NAMES;
use crate::sieve::{Guard, Names};
use crate::table::PARAM_COUNTS;

pub const PATH: &str = "/dev/saker";
/// Raised with every change of what stands here, of `Offsets`, `Settings`, `Counters` or the sieve.
pub const VERSION: u32 = 1;

/// Offsets of the running kernel, a u32 each, in the order of `offsets::NAMES`.
pub const OFFSETS: usize = NAMES.len();
/// An offset that the module was not compiled to know (it is private to the kernel's own files):
/// the reader has it from the kernel's types. Not `offsets::ABSENT`, which says that there is none.
pub const UNKNOWN: u32 = u32::MAX - 1;
/// Event codes; most lists have a number for each.
pub const CODES: usize = PARAM_COUNTS.len();

/// Bytes of the caller, in or out.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Buffer {
    pub at: u64,
    pub bytes: u64,
}

/// Out: `About`.
pub const ABOUT: u32 = command(1);
/// Out: u32 for each offset, `UNKNOWN` where the module has none.
pub const OFFSETS_OF: u32 = command(2);
/// In: the same with nothing unknown. EINVAL where one differs from what the module was compiled
/// with: it was made for another kernel (the kernel's log names the offset).
pub const SET_OFFSETS: u32 = command(3);
/// In: `kernel::Settings`.
pub const SET_SETTINGS: u32 = command(4);
/// In: `RingBytes`.
pub const MAKE_RINGS: u32 = command(5);
/// In: a u16 for each wanted event code, or `GENERIC_CALL` and a call's `sc` (routes.rs).
pub const SET_INTEREST: u32 = command(6);
/// In: a `Sieve`, exchanged between two events; no bytes: everything is kept.
pub const SET_SIEVE: u32 = command(7);
/// Out: u64 for each code, events that the sieve kept back.
pub const SIFTED: u32 = command(8);
/// Out: u64 for each code, events that were lost.
pub const LOST: u32 = command(9);
/// Out: `counters::Counters`, `counters::ROWS` of them for each CPU that there may be.
pub const COUNTERS: u32 = command(10);
/// Out: `Statistics`.
pub const STATISTICS: u32 = command(11);
/// Out: as many `Excess` as there are and fit, which are forgotten then.
pub const TAKE_EXCESS: u32 = command(12);
/// In: `Named`, with an empty name: that file has none any more. ENOSPC where there is no room.
pub const PUT_NAME: u32 = command(13);
/// In: `Mounted`, with a mount of 0: the host has not mounted that any more. ENOSPC as above.
pub const PUT_MOUNT: u32 = command(14);
/// In: `kernel::Host`.
pub const SET_HOST: u32 = command(15);
/// In and out: `Looked`, what the kernel knows of one of the caller's descriptors.
pub const LOOK: u32 = command(16);

/// _IOWR of a `Buffer`.
pub const fn command(number: u32) -> u32 {
    3 << 30 | (size_of::<Buffer>() as u32) << 16 | 0xb5 << 8 | number
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct About {
    pub version: u32,
    pub offsets: u32,
    pub codes: u32,
    /// CPUs that there may be, holes counted: rings and counters are numbered up to here.
    pub cpus: u32,
    /// Readers that have it open, this one too, and how many may.
    pub readers: u32,
    pub readers_max: u32,
    /// Largest ring, the module's parameter `max_ring_bytes`.
    pub ring_bytes_max: u32,
    pub pad: u32,
    /// saker's own version, filled up with NULs.
    pub saker: [u8; 32],
}

/// Of the rings of each CPU; powers of two from a page on.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct RingBytes {
    pub critical: u32,
    pub bulk: u32,
}

/// Where in the device a ring is mapped from; `lane` as in lane.rs. It is laid out as a BPF ring
/// buffer is: a page with the reader's position (readable and writable), then, mapped by itself and
/// only readable, a page with the module's and the data twice in a row. Positions are u64 and only
/// rise; a record is u32 length, u32 0, the bytes, filled up to eight; it is whole when the
/// module's position has passed it. A CPU that cannot be has no rings (EINVAL).
pub const fn ring_at(cpu: u32, lane: u8) -> u64 {
    (cpu as u64 * 2 + lane as u64) << 31
}

/// What a CPU's rings are asked to be at the most: what `ring_at` has room for.
pub const RING_BYTES_MAX: u32 = 1 << 29;

/// The whole sieve: a guard for each code, as the driver asks it (sift.rs of bindings-rs), and the
/// automaton over names.
#[repr(C)]
pub struct Sieve {
    pub guards: [Guard; CODES],
    pub names: Names,
}

/// Of all CPUs together, since the reader began.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Events that were dropped since another was being written in the same place: a page fault
    /// while a page fault is told. They are counted as lost too.
    pub busy: u64,
    /// Mistakes of the module's own: each dropped one event. There should never be one.
    pub panics: u64,
    /// Opens of the device that were refused since there are as many readers as may be.
    pub refused: u64,
    /// Times that the reader was woken.
    pub wakes: u64,
    /// Tracepoints that this reader's interest needs, and how many of them are followed.
    pub points: u32,
    pub followed: u32,
}

/// What a process lost over its share of the critical lane.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Excess {
    pub lost: u64,
    pub process: u32,
    pub pad: u32,
    pub comm: [u8; 16],
}

/// A file that rules name: by device (the kernel's own number) and inode.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Named {
    pub ino: u64,
    pub dev: u32,
    pub pad: u32,
    /// With a NUL.
    pub name: [u8; crate::further::NAME_BYTES],
}

/// Where the host has mounted the whole file system of a device first.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Mounted {
    pub mnt: u64,
    pub dev: u32,
    pub pad: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Looked {
    pub place: Host,
    pub ino: u64,
    pub dev: u32,
    pub mode: u32,
    /// In: the descriptor.
    pub fd: i32,
    pub pad: u32,
}

// The layouts have no holes, and are the same for both ends.
const _: () = {
    assert!(size_of::<About>() == 64 && size_of::<Statistics>() == 40);
    assert!(size_of::<Excess>() == 32 && size_of::<Looked>() == 48);
    assert!(size_of::<Sieve>() == size_of::<Guard>() * CODES + size_of::<Names>());
};
