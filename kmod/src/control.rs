//! The commands of readers (probe-rs/src/device.rs) that need no memory: the glue has copied what
//! goes in, holds the reader's lock, and copies what comes out.
use core::mem::size_of;
use core::ptr;

use probe::counters::{Counters, ROWS, row};
use probe::device::{self, CODES, Excess, Looked, Mounted, Named, Statistics};
use probe::file::file_of;
use probe::kernel::{Host, Kernel as _, Settings};
use probe::offset;
use probe::offsets::Offsets;
use probe::routes;
use probe::scratch::Place;
use probe::table::{PAGE_FAULT_E, SCHEDSWITCH_6_E, SIGNALDELIVER_E};

use crate::cpu::Cpu;
use crate::entries::{Moment, point};
use crate::glue::{EINVAL, ENOTTY};
use crate::here::Here;
use crate::reader::Reader;
use crate::ring::Ring;

/// Bytes of a reader, and of its part on each CPU.
#[unsafe(no_mangle)]
pub extern "C" fn saker_core_reader_bytes() -> usize {
    size_of::<Reader>()
}
#[unsafe(no_mangle)]
pub extern "C" fn saker_core_cpu_bytes() -> usize {
    size_of::<Cpu>()
}
#[unsafe(no_mangle)]
pub extern "C" fn saker_core_sieve_bytes() -> usize {
    size_of::<device::Sieve>()
}
#[unsafe(no_mangle)]
pub extern "C" fn saker_core_version() -> u32 {
    device::VERSION
}
#[unsafe(no_mangle)]
pub extern "C" fn saker_core_codes() -> u32 {
    CODES as u32
}
#[unsafe(no_mangle)]
pub extern "C" fn saker_core_offsets() -> u32 {
    device::OFFSETS as u32
}

/// Gives a CPU's part its number and one of its rings, which begins with the reader's page and
/// ours.
///
/// # Safety
/// `memory` must be valid for two pages and `bytes`, a power of two, as long as the part is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_ring(
    cpu: *mut Cpu,
    number: u32,
    lane: u32,
    memory: *mut u8,
    bytes: u64,
) {
    const PAGE: usize = 4096;
    // SAFETY: as the caller promises; nothing is recorded yet.
    unsafe {
        (*cpu).number = number;
        let ring = (&raw mut (*cpu).rings).cast::<Ring>().add(lane as usize & 1);
        ring.write(Ring {
            consumer: memory.cast(),
            producer: memory.add(PAGE).cast(),
            data: memory.add(2 * PAGE),
            bytes,
            at: 0,
        });
    }
}

/// Exchanges the sieve (null: none); the one before, which is the caller's to free once no event
/// looks at it.
///
/// # Safety
/// `sieve` must be null or valid for `saker_core_sieve_bytes`, whatever stands there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_sieve(
    reader: &Reader,
    sieve: *mut device::Sieve,
) -> *mut device::Sieve {
    reader.sieve.swap(sieve, core::sync::atomic::Ordering::AcqRel)
}

/// The tracepoints that a reader needs (`point`).
///
/// # Safety
/// A reader that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_points(reader: *const Reader) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { (&raw const (*reader).points).read_volatile() }
}

/// One command: `number` as in device.rs, `bytes` that came in, or room for what comes out. Returns
/// the bytes that go out, or an error.
///
/// # Safety
/// `data` must be valid for `bytes`, `cpus` for `count` parts (null where there is none), and the
/// moment is the caller's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_control(
    moment: &Moment,
    number: u32,
    data: *mut u8,
    bytes: usize,
    cpus: *const *mut Cpu,
    count: usize,
) -> i64 {
    let reader = moment.reader.cast_mut();
    // SAFETY: as the caller promises; what is written here, events read a word at a time.
    unsafe {
        let cpus = core::slice::from_raw_parts(cpus, count);
        match device::command(number) {
            device::SET_OFFSETS => take::<Offsets>(data, bytes, |offsets| {
                (&raw mut (*reader).offsets).write_volatile(offsets);
                0
            }),
            device::SET_SETTINGS => take::<Settings>(data, bytes, |settings| {
                (&raw mut (*reader).settings).write_volatile(settings);
                0
            }),
            device::SET_HOST => take::<Host>(data, bytes, |host| {
                (&raw mut (*reader).host).write_volatile(host);
                0
            }),
            device::PUT_NAME => take::<Named>(data, bytes, |named| (*reader).files.put(&named)),
            device::PUT_MOUNT => {
                take::<Mounted>(data, bytes, |mounted| (*reader).files.put_mount(&mounted))
            }
            device::SET_INTEREST => set_interest(&mut *reader, data, bytes),
            device::SIFTED => sums(data, bytes, cpus, |cpu| &raw const (*cpu).sifted),
            device::LOST => sums(data, bytes, cpus, |cpu| &raw const (*cpu).lost),
            device::COUNTERS => counters(data, bytes, cpus),
            device::STATISTICS => statistics(&*reader, data, bytes, cpus),
            device::TAKE_EXCESS => take_excess(data, bytes, cpus),
            device::LOOK => look(moment, data, bytes),
            _ => ENOTTY,
        }
    }
}

/// A value that came in, of exactly its size.
unsafe fn take<T: Copy>(data: *const u8, bytes: usize, act: impl FnOnce(T) -> i64) -> i64 {
    if bytes != size_of::<T>() {
        return EINVAL;
    }
    // SAFETY: as the caller promises; any bytes are a T.
    act(unsafe { data.cast::<T>().read_unaligned() })
}

/// Routes and points for what is wanted. Events of a moment may still be of the old interest.
unsafe fn set_interest(reader: &mut Reader, data: *const u8, bytes: usize) -> i64 {
    if bytes % 2 != 0 {
        return EINVAL;
    }
    let list = data.cast::<u16>();
    reader.wanted.fill(0);
    reader.generic.fill(0);
    for index in 0..bytes / 2 {
        // SAFETY: as the caller promises.
        if !reader.want(unsafe { list.add(index).read_unaligned() }) {
            return EINVAL;
        }
    }
    // In place, a word at a time: another CPU may be reading it.
    let mut filled = Routed { reader: &raw mut *reader };
    let mut points = filled.fill();
    for (code, bits) in [
        (SIGNALDELIVER_E, point::SIGNALS),
        (PAGE_FAULT_E, point::USER_FAULTS | point::KERNEL_FAULTS),
        (SCHEDSWITCH_6_E, point::SWITCHES),
    ] {
        if reader.wants(code) {
            points |= bits;
        }
    }
    if bytes != 0 {
        points |= point::LIFE;
    }
    // SAFETY: a word of the reader.
    unsafe { (&raw mut reader.points).write_volatile(points) };
    0
}

struct Routed {
    reader: *mut Reader,
}

impl Routed {
    fn fill(&mut self) -> u32 {
        // SAFETY: the reader's own; `wants` and the routes are apart.
        unsafe {
            let reader = &*self.reader;
            let routes = &mut *(&raw mut (*self.reader).next_routes);
            routes::fill(routes, |code| reader.wants(code), |_| true);
            let current = (&raw mut (*self.reader).routes).cast::<u64>();
            let mut some = 0;
            for (at, route) in routes.iter().enumerate() {
                current.add(at).write_volatile(*route);
                some |= *route;
            }
            if some != 0 { point::CALLS } else { 0 }
        }
    }
}

/// Sums over all CPUs of a list of counts.
unsafe fn sums(
    data: *mut u8,
    bytes: usize,
    cpus: &[*mut Cpu],
    list: impl Fn(*mut Cpu) -> *const [u64; CODES],
) -> i64 {
    if bytes < CODES * 8 {
        return EINVAL;
    }
    for code in 0..CODES {
        let mut sum = 0u64;
        for &cpu in cpus.iter().filter(|cpu| !cpu.is_null()) {
            // SAFETY: as the caller promises; the CPU may be counting.
            sum = sum.wrapping_add(unsafe { list(cpu).cast::<u64>().add(code).read_volatile() });
        }
        // SAFETY: there is room.
        unsafe { data.cast::<u64>().add(code).write_unaligned(sum) };
    }
    (CODES * 8) as i64
}

unsafe fn counters(data: *mut u8, bytes: usize, cpus: &[*mut Cpu]) -> i64 {
    const ONE: usize = size_of::<Counters>() * ROWS as usize;
    if bytes < ONE * cpus.len() {
        return EINVAL;
    }
    for (at, &cpu) in cpus.iter().enumerate() {
        // SAFETY: there is room; the CPU may be counting, which is read a number at a time.
        unsafe {
            let to = data.add(at * ONE);
            if cpu.is_null() {
                to.write_bytes(0, ONE);
                continue;
            }
            let from = (&raw const (*cpu).counters).cast::<u64>();
            for word in 0..ONE / 8 {
                to.cast::<u64>().add(word).write_unaligned(from.add(word).read_volatile());
            }
        }
    }
    (ONE * cpus.len()) as i64
}

/// What the core knows of `Statistics`; the rest is the glue's.
unsafe fn statistics(reader: &Reader, data: *mut u8, bytes: usize, cpus: &[*mut Cpu]) -> i64 {
    if bytes < size_of::<Statistics>() {
        return EINVAL;
    }
    let mut told = Statistics { points: reader.points.count_ones(), ..Statistics::default() };
    for &cpu in cpus.iter().filter(|cpu| !cpu.is_null()) {
        // SAFETY: as the caller promises.
        told.busy = told.busy.wrapping_add(unsafe { (&raw const (*cpu).busy).read_volatile() });
    }
    // SAFETY: there is room.
    unsafe { data.cast::<Statistics>().write_unaligned(told) };
    size_of::<Statistics>() as i64
}

/// Takes out what was noted. An event that is refused meanwhile may be in the sum alone.
unsafe fn take_excess(data: *mut u8, bytes: usize, cpus: &[*mut Cpu]) -> i64 {
    let room = bytes / size_of::<Excess>();
    let mut taken = 0;
    for &cpu in cpus.iter().filter(|cpu| !cpu.is_null()) {
        // SAFETY: as the caller promises; there is room.
        unsafe {
            let list = &raw mut (*cpu).purses.excess;
            let (first, count) = (list.cast::<Excess>(), (*list).len());
            for at in 0..count {
                let excess = first.add(at);
                let value = excess.read_volatile();
                if value.lost != 0 && taken < room {
                    data.cast::<Excess>().add(taken).write_unaligned(value);
                    (&raw mut (*excess).lost).write_volatile(0);
                    taken += 1;
                }
            }
        }
    }
    (taken * size_of::<Excess>()) as i64
}

/// What the kernel knows of one of the caller's descriptors.
unsafe fn look(moment: &Moment, data: *mut u8, bytes: usize) -> i64 {
    if bytes != size_of::<Looked>() {
        return EINVAL;
    }
    let here = Here {
        reader: moment.reader,
        cpu: ptr::null_mut(),
        task: moment.task,
        id: moment.id,
        row: row::CALLS,
        base: ptr::null_mut(),
        sieve: ptr::null(),
    };
    // SAFETY: as the caller promises.
    let mut looked = unsafe { data.cast::<Looked>().read_unaligned() };
    let file = file_of(&here, looked.fd);
    let root = Place {
        mnt: here.address(file + offset!(here, file_mnt)),
        dentry: here.address(file + offset!(here, file_dentry)),
    };
    let inode = here.address(file + offset!(here, file_inode));
    let mode: u16 = here.read(inode + offset!(here, inode_mode));
    let sb = here.address(inode + offset!(here, inode_sb));
    looked.place = Host { root, sb: here.address(root.dentry + offset!(here, dentry_sb)) };
    looked.ino = here.word(inode + offset!(here, inode_ino));
    looked.dev = here.int(sb + offset!(here, sb_dev));
    looked.mode = u32::from(mode);
    // SAFETY: as above.
    unsafe { data.cast::<Looked>().write_unaligned(looked) };
    bytes as i64
}
