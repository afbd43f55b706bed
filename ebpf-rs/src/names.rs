//! The automaton over names, walked over text in this CPU's block.
use core::ffi::c_void;

use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probe::event::HEADER_BYTES;
use probe::scratch::{EVENT_AT, EVENT_MASK, SCRATCH_BYTES, State};
use probe::sieve::names::STRIDE;
use probe::sieve::{Names, Walk};

/// The automaton; exchanged only while every guard keeps everything.
#[map]
static NAMES: Array<Names> = Array::with_max_entries(1, 0);

#[inline(always)]
pub fn names() -> Option<&'static Names> {
    // SAFETY: a map's value lives as long as the map.
    NAMES.get_ptr(0).map(|names| unsafe { &*names })
}

/// Where a parameter begins in the event, and its bytes.
#[inline(always)]
pub fn place(base: *const u8, param: u8) -> (usize, usize) {
    let param = (param & 31) as usize;
    // SAFETY: the State and the lengths lie in the block, see scratch.rs.
    unsafe {
        let state = base as *const State;
        let at = (&raw const (*state).starts).cast::<u16>().add(param).read_volatile();
        let lengths = base.add(EVENT_AT + HEADER_BYTES) as *const u16;
        (at as usize & EVENT_MASK, lengths.add(param).read_unaligned() as usize)
    }
}

/// Bytes in a window of the block, without their NUL.
#[derive(Clone, Copy)]
pub struct Text {
    /// Where the window begins.
    base: *const u8,
    at: u32,
    bytes: u32,
}

/// The last window of the block in which a masked position and eight bytes find room.
const BEHIND_AT: usize = SCRATCH_BYTES - EVENT_MASK - 1 - STRIDE;

/// What a step of a loop works on. The kernel's own loop calls back for each stride, so that
/// verifiers look at a step a few times only, however long a name may be.
struct Reading {
    walk: Walk,
    names: *const Names,
    base: *const u8,
    at: u32,
    other: u32,
    left: u32,
    differs: u64,
}

#[inline(always)]
fn stride(reading: &Reading, at: u32, index: u64) -> u64 {
    let at = at as usize + index as usize * STRIDE;
    // SAFETY: masked, and more than eight bytes lie behind.
    unsafe { (reading.base.add(at & EVENT_MASK) as *const u64).read_unaligned() }
}

unsafe extern "C" fn walk_on(index: u64, reading: *mut c_void) -> i64 {
    // SAFETY: the reading of the loop's caller.
    unsafe {
        let reading = &mut *reading.cast::<Reading>();
        let bytes = stride(reading, reading.at, index);
        let left = (reading.left as usize).wrapping_sub(index as usize * STRIDE);
        reading.walk.last_stride(&*reading.names, bytes, left);
    }
    0
}

unsafe extern "C" fn compare_on(index: u64, reading: *mut c_void) -> i64 {
    // SAFETY: the reading of the loop's caller.
    unsafe {
        let reading = &mut *reading.cast::<Reading>();
        let left = (reading.left as usize).wrapping_sub(index as usize * STRIDE);
        let bits = (left as u32 & 7) * 8;
        let mask = if left >= STRIDE { u64::MAX } else { (1 << bits) - 1 };
        let (a, b) = (stride(reading, reading.at, index), stride(reading, reading.other, index));
        reading.differs |= (a ^ b) & mask;
    }
    0
}

impl Text {
    #[inline(always)]
    pub fn of_event(block: *const u8, at: usize, bytes: usize) -> Self {
        // SAFETY: within the block.
        let base = unsafe { block.add(EVENT_AT) };
        Self { base, at: at as u32, bytes: bytes as u32 }
    }

    /// Bytes in the areas behind the event; `at` is counted from the block's start.
    #[inline(always)]
    pub fn behind_event(block: *const u8, at: usize, bytes: usize) -> Self {
        // SAFETY: within the block.
        let base = unsafe { block.add(BEHIND_AT) };
        Self { base, at: at.wrapping_sub(BEHIND_AT) as u32, bytes: bytes as u32 }
    }

    #[inline(always)]
    pub fn walk(&self, names: *const Names) -> u64 {
        // SAFETY: a map's value.
        let walk = Walk::begin(unsafe { &*names });
        let (at, left) = (self.at, self.bytes);
        let mut reading = Reading { walk, names, base: self.base, at, other: 0, left, differs: 0 };
        repeat(walk_on, &mut reading);
        // SAFETY: as above.
        reading.walk.end(unsafe { &*names })
    }

    #[inline(always)]
    pub fn is(&self, other: &Text) -> bool {
        if self.bytes != other.bytes {
            return false;
        }
        let mut reading = Reading {
            walk: Walk::default(),
            names: core::ptr::null(),
            base: self.base,
            at: self.at,
            other: other.at,
            left: self.bytes,
            differs: 0,
        };
        repeat(compare_on, &mut reading);
        reading.differs == 0
    }
}

#[inline(always)]
fn repeat(step: unsafe extern "C" fn(u64, *mut c_void) -> i64, reading: &mut Reading) {
    let times = reading.left.div_ceil(STRIDE as u32);
    // SAFETY: the step takes a Reading.
    unsafe { bpf::bpf_loop(times, step as *mut c_void, (&raw mut *reading).cast(), 0) };
}
