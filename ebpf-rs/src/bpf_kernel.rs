//! BPF's implementation of `Kernel`: helpers for memory, direct loads for constants.
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::null_mut;

use aya_ebpf::helpers::generated as bpf;
use probe::counters::row;
use probe::event::Event;
use probe::kernel::{Host, Kernel, Maker, Settings};
use probe::offsets::Offsets;
use probe::scratch::Place;
use probe::{exec, offset, vectors};

use crate::block::scratch;
use crate::{makers, named};

/// Patched by the loader before the programs are verified, which then sees constants.
#[unsafe(no_mangle)]
pub static OFFSETS: Offsets = Offsets::EMPTY;
#[unsafe(no_mangle)]
pub static SETTINGS: Settings = Settings::EMPTY;

#[inline(always)]
unsafe fn load<T: Copy>(from: *const u8, offset: usize) -> T {
    // SAFETY: as the caller promises: a typed pointer and a member's offset.
    unsafe { from.add(offset).cast::<T>().read_volatile() }
}

/// Has the kernel call a step back so often, or until it returns 1; how often it did. Verifiers
/// look at a step a few times only, however many turns there are. Linux 5.17 and later.
#[inline(always)]
pub fn repeat(times: u32, step: unsafe extern "C" fn(u64, *mut c_void) -> i64) -> i64 {
    // SAFETY: the kernel calls the step back while this program runs.
    unsafe { bpf::bpf_loop(times, step as *mut c_void, null_mut(), 0) }
}

unsafe extern "C" fn take<const SUM: bool>(index: u64, _none: *mut c_void) -> i64 {
    take_of::<Bpf, SUM>(&Bpf, row::CALLS, index)
}

/// One buffer of a list, of the event in this CPU's block.
#[inline(always)]
pub fn take_of<K: Kernel, const SUM: bool>(k: &K, row: u32, index: u64) -> i64 {
    let Some(block) = scratch(row) else { return 1 };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(k, block) };
    i64::from(vectors::take::<K, SUM>(&mut e, index as u32))
}

/// One argument of a program that could not be started, of the event in this CPU's block.
unsafe extern "C" fn take_argument(index: u64, _none: *mut c_void) -> i64 {
    let Some(block) = scratch(row::CALLS) else { return 1 };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    i64::from(exec::take_argument(&mut e, index as usize))
}

/// Both implementations: with loops and without.
macro_rules! kernels {
    ($($(#[$about:meta])* $name:ident $loops:literal;)*) => { $(
        $(#[$about])*
        pub struct $name;

        impl Kernel for $name {
            const LOOPS: bool = $loops;

            #[inline(always)]
            fn take_vectors(&self, count: u32) {
                repeat(count, take::<false>);
            }

            #[inline(always)]
            fn take_vectors_and_sum(&self, count: u32) {
                repeat(count, take::<true>);
            }

            #[inline(always)]
            fn take_arguments(&self, count: u32) {
                repeat(count, take_argument);
            }

            #[inline(always)]
            fn offsets(&self) -> *const Offsets {
                &raw const OFFSETS
            }

            #[inline(always)]
            fn settings(&self) -> *const Settings {
                &raw const SETTINGS
            }

            #[inline(always)]
            fn task(&self) -> usize {
                // SAFETY: a helper without arguments.
                unsafe { bpf::bpf_get_current_task() as usize }
            }

            // The current task is a typed pointer, as are those read through it: such members are
            // loaded directly, without a helper.
            #[inline(always)]
            fn descriptors(&self) -> (u32, usize) {
                // SAFETY: typed pointers, each read through the one before.
                unsafe {
                    let task = bpf::bpf_get_current_task_btf() as *const u8;
                    let files: *const u8 = load(task, offset!(self, task_files));
                    let table: *const u8 = load(files, offset!(self, files_fdt));
                    (load(table, offset!(self, fdt_max_fds)), load(table, offset!(self, fdt_fd)))
                }
            }

            #[inline(always)]
            fn root(&self) -> Place {
                // SAFETY: typed pointers, each read through the one before.
                unsafe {
                    let task = bpf::bpf_get_current_task_btf() as *const u8;
                    let fs: *const u8 = load(task, offset!(self, task_fs));
                    Place {
                        mnt: load(fs, offset!(self, fs_root_mnt)),
                        dentry: load(fs, offset!(self, fs_root_dentry)),
                    }
                }
            }

            #[inline(always)]
            fn host(&self) -> Host {
                named::host()
            }

            #[inline(always)]
            fn host_mount(&self, dev: u32) -> usize {
                named::host_mount(dev)
            }

            #[inline(always)]
            fn name_of(&self, dev: u32, ino: u64) -> usize {
                named::name_of(dev, ino)
            }

            #[inline(always)]
            fn tgid_tid(&self) -> u64 {
                // SAFETY: a helper without arguments.
                unsafe { bpf::bpf_get_current_pid_tgid() }
            }

            #[inline(always)]
            fn boot_ns(&self) -> u64 {
                // SAFETY: a helper without arguments.
                unsafe { bpf::bpf_ktime_get_boot_ns() }
            }

            #[inline(always)]
            fn made_by(&self) -> Option<Maker> {
                makers::take(self.tgid_tid() as u32)
            }

            #[inline(always)]
            fn read<T: Copy + Default>(&self, at: usize) -> T {
                let mut value = MaybeUninit::<T>::uninit();
                // SAFETY: the value has room for its own size, and all of it is written.
                unsafe {
                    // The helper writes all of it: zeros where the address cannot be read.
                    bpf::bpf_probe_read_kernel(
                        value.as_mut_ptr().cast(),
                        size_of::<T>() as u32,
                        at as *const _,
                    );
                    value.assume_init()
                }
            }

            #[inline(always)]
            fn read_user<T: Copy + Default>(&self, at: usize) -> Option<T> {
                let mut value = MaybeUninit::<T>::uninit();
                // SAFETY: the value has room for its size; it is used only where all was read.
                unsafe {
                    let failed = bpf::bpf_probe_read_user(
                        value.as_mut_ptr().cast(),
                        size_of::<T>() as u32,
                        at as *const _,
                    );
                    if failed == 0 { Some(value.assume_init()) } else { None }
                }
            }

            #[inline(always)]
            unsafe fn copy_kernel(&self, to: *mut u8, len: u32, from: usize) -> bool {
                // SAFETY: the caller promises the room.
                unsafe { bpf::bpf_probe_read_kernel(to.cast(), len, from as *const _) == 0 }
            }

            #[inline(always)]
            unsafe fn copy_user(&self, to: *mut u8, len: u32, from: usize) -> bool {
                // SAFETY: the caller promises the room.
                unsafe { bpf::bpf_probe_read_user(to.cast(), len, from as *const _) == 0 }
            }

            #[inline(always)]
            unsafe fn copy_kernel_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
                // SAFETY: the caller promises the room.
                unsafe { bpf::bpf_probe_read_kernel_str(to.cast(), max, from as *const _) }
            }

            #[inline(always)]
            unsafe fn copy_user_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
                // SAFETY: the caller promises the room.
                unsafe { bpf::bpf_probe_read_user_str(to.cast(), max, from as *const _) }
            }
        }
    )* };
}

kernels! {
    Bpf true;
    /// Of fillers that kernels before 5.17 take, which have no bpf_loop.
    Short false;
}
