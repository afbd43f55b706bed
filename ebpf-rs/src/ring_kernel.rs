//! The `Kernel` of io_uring's operations: what they took from their callers lies in the kernel by
//! now, and the file that they act on may be in no table of descriptors.
use core::ffi::c_void;

use probe::counters::row;
use probe::get;
use probe::kernel::{Host, Kernel, Settings};
use probe::offsets::Offsets;
use probe::ring::Asked;
use probe::scratch::{Place, State};

use crate::block::scratch;
use crate::bpf_kernel::{Bpf, repeat, take_of};

pub struct RingBpf;

/// Whether an address is in what was kept of the operation. Any other is the caller's, which may
/// name memory of the kernel there: that is not to be read for it.
#[inline(always)]
fn is_kept(at: usize) -> bool {
    let Some(block) = scratch(row::RINGS) else { return false };
    // SAFETY: the block begins with the State, and this CPU has it alone.
    let state = unsafe { &*(block as *const State) };
    (at as u64).wrapping_sub(get!(state.asked)) < size_of::<Asked>() as u64
}

unsafe extern "C" fn take<const SUM: bool>(index: u64, _none: *mut c_void) -> i64 {
    take_of::<RingBpf, SUM>(&RingBpf, row::RINGS, index)
}

impl Kernel for RingBpf {
    // Kernels whose rings are seen have loops.
    const LOOPS: bool = true;

    #[inline(always)]
    fn take_vectors(&self, count: u32) {
        repeat(count, take::<false>);
    }
    #[inline(always)]
    fn take_vectors_and_sum(&self, count: u32) {
        repeat(count, take::<true>);
    }
    #[inline(always)]
    fn offsets(&self) -> *const Offsets {
        Bpf.offsets()
    }
    #[inline(always)]
    fn settings(&self) -> *const Settings {
        Bpf.settings()
    }
    #[inline(always)]
    fn task(&self) -> usize {
        Bpf.task()
    }
    #[inline(always)]
    fn descriptors(&self) -> (u32, usize) {
        Bpf.descriptors()
    }
    #[inline(always)]
    fn root(&self) -> Place {
        Bpf.root()
    }
    #[inline(always)]
    fn host(&self) -> Host {
        Bpf.host()
    }
    #[inline(always)]
    fn name_of(&self, dev: u32, ino: u64) -> usize {
        Bpf.name_of(dev, ino)
    }
    #[inline(always)]
    fn tgid_tid(&self) -> u64 {
        Bpf.tgid_tid()
    }
    #[inline(always)]
    fn boot_ns(&self) -> u64 {
        Bpf.boot_ns()
    }

    #[inline(always)]
    fn given(&self, fd: i32) -> usize {
        let Some(block) = scratch(row::RINGS) else { return 0 };
        // SAFETY: the block begins with the State, and this CPU has it alone.
        let state = unsafe { &*(block as *const State) };
        if state.given_fd == fd { state.given } else { 0 }
    }

    #[inline(always)]
    fn read<T: Copy + Default>(&self, at: usize) -> T {
        Bpf.read(at)
    }
    #[inline(always)]
    fn read_user<T: Copy + Default>(&self, at: usize) -> Option<T> {
        if is_kept(at) { Some(Bpf.read(at)) } else { Bpf.read_user(at) }
    }
    #[inline(always)]
    unsafe fn copy_kernel(&self, to: *mut u8, len: u32, from: usize) -> bool {
        // SAFETY: as the caller promises.
        unsafe { Bpf.copy_kernel(to, len, from) }
    }
    #[inline(always)]
    unsafe fn copy_user(&self, to: *mut u8, len: u32, from: usize) -> bool {
        // SAFETY: as the caller promises.
        unsafe {
            if is_kept(from) {
                Bpf.copy_kernel(to, len, from)
            } else {
                Bpf.copy_user(to, len, from)
            }
        }
    }
    #[inline(always)]
    unsafe fn copy_kernel_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        // SAFETY: as the caller promises.
        unsafe { Bpf.copy_kernel_str(to, max, from) }
    }
    #[inline(always)]
    unsafe fn copy_user_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        // SAFETY: as the caller promises.
        unsafe {
            if is_kept(from) {
                Bpf.copy_kernel_str(to, max, from)
            } else {
                Bpf.copy_user_str(to, max, from)
            }
        }
    }
}
