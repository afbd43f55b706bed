//! BPF's implementation of `Kernel`: helpers for memory, direct loads for constants.
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated as bpf;
use probe::kernel::{Kernel, Maker, Settings};
use probe::offset;
use probe::offsets::Offsets;
use probe::scratch::Place;

use crate::makers;

/// Patched by the loader before the programs are verified, which then sees constants.
#[unsafe(no_mangle)]
pub static OFFSETS: Offsets = Offsets::EMPTY;
#[unsafe(no_mangle)]
pub static SETTINGS: Settings = Settings::EMPTY;

pub struct Bpf;

#[inline(always)]
unsafe fn load<T: Copy>(from: *const u8, offset: usize) -> T {
    // SAFETY: as the caller promises: a typed pointer and a member's offset.
    unsafe { from.add(offset).cast::<T>().read_volatile() }
}

impl Kernel for Bpf {
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

    // The current task is a typed pointer, as are the pointers read through it: such members are
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
        // SAFETY: the value has room for its own size; it is used only where all of it was read.
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
