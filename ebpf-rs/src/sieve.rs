//! The sieve's tables in maps (probe-rs/src/sieve). In: what the reader puts there. Out: to the
//! sieve, which is the same for all drivers; how much it kept back.
use core::ffi::c_void;

use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray};
use probe::sieve::opens::{PLACES, place_of};
use probe::sieve::tables::{Reading, Sifter};
use probe::sieve::{Guard, Names};
use probe::table;

use crate::bpf_kernel::Bpf;

/// One guard for each event code. The loader fills them before anything is attached: zeros would
/// drop everything.
#[map]
static GUARDS: Array<Guard> = Array::with_max_entries(CODES, 0);
/// Events that were kept back, by code.
#[map]
static SIFTED: PerCpuArray<u64> = PerCpuArray::with_max_entries(CODES, 0);
pub const CODES: u32 = table::PARAM_COUNTS.len() as u32;
/// The automaton; exchanged only while every guard keeps everything.
#[map]
static NAMES: Array<Names> = Array::with_max_entries(1, 0);
/// Files of which an open was kept.
#[map]
static SEEN: Array<[u8; PLACES]> = Array::with_max_entries(1, 0);

impl Sifter for Bpf {
    #[inline(always)]
    fn guard(&self, code: u16) -> Option<&Guard> {
        // SAFETY: a map's value lives as long as the map.
        GUARDS.get_ptr(u32::from(code)).map(|guard| unsafe { &*guard })
    }

    #[inline(always)]
    fn names(&self) -> Option<&Names> {
        // SAFETY: a map's value lives as long as the map.
        NAMES.get_ptr(0).map(|names| unsafe { &*names })
    }

    #[inline(always)]
    fn count_sifted(&self, code: u16) {
        if let Some(counter) = SIFTED.get_ptr_mut(u32::from(code)) {
            // SAFETY: a map's value, of this CPU alone.
            unsafe { *counter += 1 };
        }
    }

    #[inline(always)]
    fn seen(&self, inode: u64) -> Option<*mut u8> {
        let at = place_of(inode);
        // SAFETY: masked.
        SEEN.get_ptr_mut(0).map(|seen| unsafe { seen.cast::<u8>().add(at) })
    }

    #[inline(always)]
    fn walk_on(&self, reading: &mut Reading) {
        repeat(walk_on, reading);
    }

    #[inline(always)]
    fn compare_on(&self, reading: &mut Reading) {
        repeat(compare_on, reading);
    }
}

// The kernel's own loop calls back for each stride, so that verifiers look at a step a few times
// only, however long a name may be.
unsafe extern "C" fn walk_on(index: u64, reading: *mut c_void) -> i64 {
    // SAFETY: the reading of the loop's caller.
    unsafe { (*reading.cast::<Reading>()).walk_on(index) };
    0
}

unsafe extern "C" fn compare_on(index: u64, reading: *mut c_void) -> i64 {
    // SAFETY: the reading of the loop's caller.
    unsafe { (*reading.cast::<Reading>()).compare_on(index) };
    0
}

#[inline(always)]
fn repeat(step: unsafe extern "C" fn(u64, *mut c_void) -> i64, reading: &mut Reading) {
    let times = reading.strides();
    // SAFETY: the step takes a Reading.
    unsafe { bpf::bpf_loop(times, step as *mut c_void, (&raw mut *reading).cast(), 0) };
}
