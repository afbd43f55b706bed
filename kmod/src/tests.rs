//! The core against memory that may hold anything: every call of both entries, starts, ends,
//! signals, faults and switches, with a mistake or a fault in the middle of any read. In: numbers
//! by chance. Out: no panic, and rings that hold whole blocks, as many as were counted.
use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::ptr;

use probe::counters::{Counters, ROWS, row};
use probe::device::{self, CODES, Named, OFFSETS, Sieve};
use probe::event::{BLOCK, BLOCK_HEAD, HEADER_BYTES, OWN_PARAMS};
use probe::kernel::Settings;
use probe::offsets::{FIELDS, Offsets};
use probe::table::PARAM_COUNTS;

use crate::control::{saker_core_control, saker_core_ring, saker_core_sieve};
use crate::cpu::Cpu;
use crate::entries::{
    Moment, saker_core_ended, saker_core_faulted, saker_core_forked, saker_core_returned,
    saker_core_signalled, saker_core_started, saker_core_switched,
};
use crate::reader::Reader;

const PAGE: usize = 4096;
const RING: usize = 1 << 20;

thread_local! {
    static CHANCE: Cell<u64> = const { Cell::new(1) };
    /// What a fault in the middle of a read is told to.
    static NESTED: Cell<*const Moment> = const { Cell::new(ptr::null()) };
}

fn chance() -> u64 {
    CHANCE.with(|state| {
        let mut at = state.get();
        at ^= at << 13;
        at ^= at >> 7;
        at ^= at << 17;
        state.set(at);
        at
    })
}

/// The glue of such a kernel.
pub mod glue {
    use super::{NESTED, chance};
    use core::ffi::c_void;

    unsafe fn fill(to: *mut u8, bytes: usize) {
        for at in 0..bytes {
            // Much of what a kernel holds is small, zero or a pointer.
            let byte = match chance() % 4 {
                0 => 0,
                1 => (chance() % 4) as u8,
                _ => chance() as u8,
            };
            // SAFETY: as the caller promises.
            unsafe { to.add(at).write(byte) };
        }
    }

    pub unsafe fn saker_copy_kernel(to: *mut c_void, from: usize, bytes: usize) -> i32 {
        let nested = NESTED.get();
        if chance() % 64 == 0 && !nested.is_null() {
            // SAFETY: the test's moment, which lives.
            unsafe { super::saker_core_faulted(&*nested, from as u64, 1, chance()) };
        }
        if chance() % 16 == 0 {
            // SAFETY: as the caller promises.
            unsafe { to.write_bytes(0, bytes) };
            return -14;
        }
        // SAFETY: as the caller promises.
        unsafe { fill(to.cast(), bytes) };
        0
    }

    pub unsafe fn saker_copy_user(to: *mut c_void, from: usize, bytes: usize) -> i32 {
        // SAFETY: as the caller promises.
        unsafe { saker_copy_kernel(to, from, bytes) }
    }

    pub unsafe fn saker_string_kernel(to: *mut u8, from: usize, most: usize) -> i64 {
        let bytes = (chance() as usize % (most + 1)).max(1).min(most);
        // SAFETY: as the caller promises.
        unsafe {
            if saker_copy_kernel(to.cast(), from, bytes) != 0 {
                return -14;
            }
            to.add(bytes - 1).write(0);
        }
        bytes as i64
    }

    pub unsafe fn saker_string_user(to: *mut u8, from: usize, most: usize) -> i64 {
        // SAFETY: as the caller promises.
        unsafe { saker_string_kernel(to, from, most) }
    }

    pub unsafe fn saker_boot_ns() -> u64 {
        chance() >> 20
    }
    pub unsafe fn saker_interrupts_off() -> usize {
        0
    }
    pub unsafe fn saker_interrupts_back(_: usize) {}
    pub unsafe fn saker_is_unmaskable() -> bool {
        chance() % 128 == 0
    }
    pub unsafe fn saker_wake(_: *const c_void) {}
}

fn zeros<T>() -> *mut T {
    // SAFETY: no layout here is empty; leaked, as a test may.
    unsafe { alloc_zeroed(Layout::new::<T>()).cast() }
}

/// A reader with one CPU.
struct Machine {
    moment: Moment,
    rings: [*mut u8; 2],
    /// Positions up to which the rings were read.
    at: [u64; 2],
    seen: u64,
}

impl Machine {
    fn new() -> Self {
        let (reader, cpu) = (zeros::<Reader>(), zeros::<Cpu>());
        let ring = || zeros::<[u64; (2 * PAGE + RING) / 8]>().cast::<u8>();
        let rings = [ring(), ring()];
        for (lane, &memory) in rings.iter().enumerate() {
            // SAFETY: as long as the ring.
            unsafe { saker_core_ring(cpu, 0, lane as u32, memory, RING as u64) };
        }
        let moment = Moment { reader, cpu, task: 0x1000, id: 7 << 32 | 7 };
        let mut machine = Self { moment, rings, at: [0; 2], seen: 0 };
        let mut settings = Settings { snaplen: 16_000, ..Settings::EMPTY };
        (settings.port_to, settings.dynamic) = (9, 1);
        assert_eq!(machine.put(device::SET_SETTINGS, &settings), 0);
        machine
    }

    fn put<T>(&mut self, command: u32, value: &T) -> i64 {
        self.control(command, ptr::from_ref(value).cast_mut().cast(), size_of::<T>())
    }

    fn control(&mut self, command: u32, data: *mut u8, bytes: usize) -> i64 {
        let cpus = [ptr::null_mut(), self.moment.cpu];
        // SAFETY: all of it lives.
        unsafe {
            saker_core_control(&self.moment, command & 0xff, data, bytes, cpus.as_ptr(), cpus.len())
        }
    }

    fn want(&mut self, codes: &[u16]) {
        assert_eq!(
            self.control(device::SET_INTEREST, codes.as_ptr().cast_mut().cast(), 2 * codes.len()),
            0
        );
    }

    fn counters(&mut self) -> [Counters; ROWS as usize] {
        let mut all = [[Counters::default(); ROWS as usize]; 2];
        let bytes = size_of_val(&all);
        assert_eq!(self.control(device::COUNTERS, all.as_mut_ptr().cast(), bytes), bytes as i64);
        all[1]
    }

    /// Reads what is in the rings, each block looked at.
    fn drain(&mut self) {
        for lane in 0..2 {
            // SAFETY: the ring's memory.
            unsafe {
                let memory = self.rings[lane];
                let written = memory.add(PAGE).cast::<u64>().read_volatile();
                let byte = |at: u64| memory.add(2 * PAGE + (at as usize & (RING - 1))).read();
                while self.at[lane] < written {
                    let at = self.at[lane];
                    let bytes = |from: u64, count: u64| -> Vec<u8> {
                        (from..from + count).map(byte).collect()
                    };
                    let len = u64::from_ne_bytes(bytes(at, 8).try_into().unwrap());
                    check(&bytes(at + 8, len), lane as u8);
                    self.seen += 1;
                    self.at[lane] += (len + 8 + 7) & !7;
                }
                assert_eq!(self.at[lane], written);
                memory.cast::<u64>().write_volatile(written);
            }
        }
    }

    fn anything(&mut self) {
        let moment = &raw const self.moment;
        let mut regs: [u64; 21] = std::array::from_fn(|_| chance() >> (chance() % 64));
        // SAFETY: all of it lives.
        unsafe {
            let moment = &*moment;
            match chance() % 32 {
                0 => saker_core_started(moment, chance() as usize),
                1 => saker_core_ended(moment),
                2 => saker_core_forked(moment, chance() as u32 % 9, chance() as u32 % 9, 5),
                3 => saker_core_signalled(moment, chance() as u32, chance() as usize),
                4 => saker_core_faulted(moment, chance(), chance(), chance()),
                5 => saker_core_switched(moment, chance() as u32),
                _ => {
                    regs[15] = chance() % 520;
                    let ret = (chance() % 2100) as i64 - 100;
                    saker_core_returned(moment, regs.as_ptr(), ret);
                }
            }
        }
    }
}

/// A block as a reader takes it.
fn check(block: &[u8], lane: u8) {
    let word = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((word(0), word(4)), (BLOCK as usize, block.len()));
    assert_eq!(word(block.len() - 4), block.len());
    let event = &block[BLOCK_HEAD..];
    let length = word(BLOCK_HEAD + 16);
    let code = u16::from_le_bytes([event[20], event[21]]);
    let count = usize::from(PARAM_COUNTS[usize::from(code)]) + OWN_PARAMS;
    assert_eq!(word(BLOCK_HEAD + 22), count, "code {code}");
    let sum: usize = (0..count)
        .map(|at| HEADER_BYTES + 2 * at)
        .map(|at| usize::from(u16::from_le_bytes([event[at], event[at + 1]])))
        .sum();
    assert_eq!(HEADER_BYTES + 2 * count + sum, length, "code {code}");
    assert_eq!(event[length - 1] & 1, lane, "code {code}");
}

fn offsets_by_chance(machine: &mut Machine) {
    let offsets: [u32; OFFSETS] = std::array::from_fn(|_| (chance() % 300) as u32 * 8);
    assert_eq!(size_of_val(&offsets), size_of::<Offsets>());
    assert_eq!(machine.put(device::SET_OFFSETS, &offsets), 0);
}

/// All codes, and every call without an event of its own.
fn everything() -> Vec<u16> {
    (0..CODES as u16).chain((0..512).map(|sc| probe::routes::GENERIC_CALL | sc)).collect()
}

fn run(seed: u64, events: u32, nested: bool) {
    CHANCE.set(seed);
    let mut machine = Machine::new();
    machine.want(&everything());
    if nested {
        // Outlives the run: the reader is leaked with it.
        let Moment { reader, cpu, task, id } = machine.moment;
        NESTED.set(Box::leak(Box::new(Moment { reader, cpu, task, id })));
    }
    for index in 0..events {
        if index % 64 == 0 {
            offsets_by_chance(&mut machine);
        }
        machine.anything();
        if index % 16 == 0 {
            machine.drain();
        }
    }
    NESTED.set(ptr::null());
    machine.drain();
    let counters = machine.counters();
    let written: u64 = counters.iter().map(|row| row.events).sum();
    let numbered: u64 = counters.iter().flat_map(|row| row.sequence).sum();
    let lost: u64 = counters.iter().flat_map(|row| row.lost).sum();
    assert_eq!((machine.seen, written + lost), (written, numbered));
    assert!(written > u64::from(events) / 10, "{written} of {events} were written");
}

#[test]
fn no_memory_makes_the_core_panic_or_write_a_broken_block() {
    for seed in 1..=4 {
        run(seed * 0x9e37_79b9, 4000, false);
    }
}

#[test]
fn faults_in_the_middle_of_an_event_have_a_place_of_their_own() {
    run(0x1234_5678, 4000, true);
}

#[test]
fn any_bytes_are_a_sieve() {
    CHANCE.set(99);
    let mut machine = Machine::new();
    machine.want(&everything());
    for _ in 0..3 {
        let sieve = zeros::<[u8; size_of::<Sieve>()]>();
        for at in (0..size_of::<Sieve>()).step_by(8) {
            // SAFETY: within it; any bytes are a sieve.
            unsafe { sieve.cast::<u8>().add(at).cast::<u64>().write_unaligned(chance()) };
        }
        // SAFETY: they live.
        unsafe { saker_core_sieve(&*machine.moment.reader, sieve.cast()) };
        for _ in 0..2000 {
            machine.anything();
            machine.drain();
        }
    }
}

#[test]
fn a_ring_that_is_full_or_whose_reader_lies_loses_events_and_counts_them() {
    for lie in [None, Some(1 << 63), Some(1 << 40)] {
        CHANCE.set(5);
        let mut machine = Machine::new();
        machine.want(&everything());
        offsets_by_chance(&mut machine);
        if let Some(position) = lie {
            for memory in machine.rings {
                // SAFETY: the reader's page.
                unsafe { memory.cast::<u64>().write_volatile(position) };
            }
        }
        for _ in 0..3000 {
            machine.anything();
        }
        let counters = machine.counters();
        let lost: u64 = counters.iter().flat_map(|row| row.lost).sum();
        let written: u64 = counters.iter().map(|row| row.events).sum();
        let numbered: u64 = counters.iter().flat_map(|row| row.sequence).sum();
        assert!(lost > 0 && written + lost == numbered, "{lost} lost, {written} written");
        let calls = counters[row::CALLS as usize];
        assert!(lie.is_none() || calls.events == 0, "{} calls were written", calls.events);
        let mut codes = [0u64; CODES];
        let bytes = size_of_val(&codes);
        assert_eq!(machine.control(device::LOST, codes.as_mut_ptr().cast(), bytes), bytes as i64);
        assert_eq!(codes.iter().sum::<u64>(), lost);
    }
}

#[test]
fn files_of_rules_are_found_until_they_have_no_name() {
    let mut machine = Machine::new();
    let mut named = Named { ino: 0, dev: 0, pad: 0, name: [0; 256] };
    for ino in 0..5000 {
        (named.ino, named.dev, named.name[0]) = (ino, 3, b'a');
        let expected = if ino < 4096 { 0 } else { crate::glue::ENOSPC };
        assert_eq!(machine.put(device::PUT_NAME, &named), expected, "{ino}");
    }
    // SAFETY: the machine's.
    let files = unsafe { &(*machine.moment.reader).files };
    assert!(files.name_of(3, 17) != 0 && files.name_of(3, 4095) != 0);
    assert_eq!((files.name_of(3, 4097), files.name_of(4, 17)), (0, 0));
    (named.ino, named.name[0]) = (17, 0);
    assert_eq!(machine.put(device::PUT_NAME, &named), 0);
    assert_eq!(files.name_of(3, 17), 0);
    assert!((0..4096).all(|ino| ino == 17 || files.name_of(3, ino) != 0));
    (named.ino, named.name[0]) = (9000, b'b');
    assert_eq!(machine.put(device::PUT_NAME, &named), 0);
    assert!(files.name_of(3, 9000) != 0);
}

#[test]
fn the_glue_has_the_offsets_in_the_same_order() {
    let header = include_str!("../offsets.h");
    let names: Vec<&str> = header
        .lines()
        .filter_map(|line| line.trim().strip_prefix("X(")?.split_once(')'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, FIELDS);
}

#[test]
fn the_glue_has_the_version_of_saker() {
    let version = include_str!("../version.h").split('"').nth(1).unwrap();
    assert!(include_str!("../../deno.json").contains(&format!("\"version\": \"{version}\"")));
}
