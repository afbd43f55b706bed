//! What a driver offers to the fillers: memory, the current task, time. Implemented with BPF
//! helpers, with the kernel's own functions, or with process_vm_readv.
use crate::offset;
use crate::offsets::Offsets;
use crate::scratch::Place;

/// What the loader decides at start.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Settings {
    /// Nanoseconds from the epoch to the boot: added to the boot clock.
    pub boot_epoch_ns: u64,
    /// The process that reads the events: never recorded.
    pub self_tgid: u32,
    /// Bytes of I/O data kept from each call.
    pub snaplen: u32,
    /// Whether calls that failed are left out (those that rules and state can do without).
    pub drop_failed: u32,
    /// Bytes of the critical lane's ring.
    pub critical_ring_bytes: u32,
    /// Ports whose data is kept whole, the last of them too (snaplen.rs); zeros: none.
    pub port_from: u32,
    pub port_to: u32,
    /// Whether more is kept of protocols that are known.
    pub dynamic: u32,
    pub pad: u32,
}

impl Settings {
    pub const EMPTY: Self = Self {
        boot_epoch_ns: 0,
        self_tgid: 0,
        snaplen: 80,
        drop_failed: 0,
        critical_ring_bytes: 0,
        port_from: 0,
        port_to: 0,
        dynamic: 0,
        pad: 0,
    };
}

/// Who made a process: what the kernel calls its parent may be another one by the time that the
/// process runs, or from the start (CLONE_PARENT).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Maker {
    pub tgid: u64,
    pub time: u64,
}

/// The host's root as its reader noted it, and the file system that it is on; zeros: not known.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Host {
    pub root: Place,
    pub sb: usize,
}

/// Addresses are plain numbers: a read that fails yields zeros, so a chain of reads through a null
/// pointer ends in zeros as well and needs no branches (which a verifier would count).
pub trait Kernel {
    /// Whether there are loops whose bound is a number at run time (bpf_loop, Linux 5.17).
    const LOOPS: bool = false;
    /// Runs `vectors::take` for so many buffers, with the event that was saved; only with LOOPS.
    fn take_vectors(&self, _count: u32) {}
    /// The same, with how long they are together.
    fn take_vectors_and_sum(&self, _count: u32) {}
    /// Runs `exec::take_argument` for so many arguments; only with LOOPS.
    fn take_arguments(&self, _count: u32) {}

    fn offsets(&self) -> *const Offsets;
    fn settings(&self) -> *const Settings;
    /// Address of the current task.
    fn task(&self) -> usize;
    /// `tgid << 32 | tid`, as seen from the first pid namespace.
    fn tgid_tid(&self) -> u64;
    /// Nanoseconds since the boot, suspended time included.
    fn boot_ns(&self) -> u64;

    /// A value at a kernel address, or zeros.
    fn read<T: Copy + Default>(&self, at: usize) -> T;
    /// A value at a user address, or None where it is not in memory.
    fn read_user<T: Copy + Default>(&self, at: usize) -> Option<T>;
    /// Copies bytes; whether all of them were readable.
    ///
    /// # Safety
    /// `to` must have room for `len` bytes.
    unsafe fn copy_kernel(&self, to: *mut u8, len: u32, from: usize) -> bool;
    /// # Safety
    /// `to` must have room for `len` bytes.
    unsafe fn copy_user(&self, to: *mut u8, len: u32, from: usize) -> bool;
    /// Copies a string with its NUL, at most `max` bytes (the last is then the NUL). Returns the
    /// bytes written, or a negative error.
    ///
    /// # Safety
    /// `to` must have room for `max` bytes.
    unsafe fn copy_kernel_str(&self, to: *mut u8, max: u32, from: usize) -> i64;
    /// # Safety
    /// `to` must have room for `max` bytes.
    unsafe fn copy_user_str(&self, to: *mut u8, max: u32, from: usize) -> i64;

    /// The process that made the current one, and when (ns since the epoch), as noted when it was
    /// forked; asked once. None where nothing was noted.
    fn made_by(&self) -> Option<Maker> {
        None
    }

    /// The open file behind a descriptor that is not looked up in a table; 0 where there is none.
    fn given(&self, _fd: i32) -> usize {
        0
    }

    /// The root that names on the host are told from.
    fn host(&self) -> Host {
        Host::default()
    }

    /// Where the host has mounted the whole file system of this device first; 0: not known.
    fn host_mount(&self, _dev: u32) -> usize {
        0
    }

    /// Address of the name that rules have for the file of this device and inode, NUL-terminated;
    /// 0 where they have none.
    fn name_of(&self, _dev: u32, _ino: u64) -> usize {
        0
    }

    /// Entries of the current process's descriptor table, and where they are.
    fn descriptors(&self) -> (u32, usize) {
        let files = self.address(self.task() + offset!(self, task_files));
        let table = self.address(files + offset!(self, files_fdt));
        (self.int(table + offset!(self, fdt_max_fds)), self.address(table + offset!(self, fdt_fd)))
    }
    /// The root of the current process.
    fn root(&self) -> Place {
        let fs = self.address(self.task() + offset!(self, task_fs));
        Place {
            mnt: self.address(fs + offset!(self, fs_root_mnt)),
            dentry: self.address(fs + offset!(self, fs_root_dentry)),
        }
    }

    fn word(&self, at: usize) -> u64 {
        self.read(at)
    }
    fn address(&self, at: usize) -> usize {
        self.read::<u64>(at) as usize
    }
    fn int(&self, at: usize) -> u32 {
        self.read(at)
    }
}

/// One offset, read so that the compiler cannot take the unpatched value for granted.
#[macro_export]
macro_rules! offset {
    ($kernel:expr, $field:ident) => {{
        let offsets = $kernel.offsets();
        // SAFETY: the driver's offsets live as long as it does.
        unsafe { core::ptr::read_volatile(&raw const (*offsets).$field) as usize }
    }};
}

/// One setting, read like an offset.
#[macro_export]
macro_rules! setting {
    ($kernel:expr, $field:ident) => {{
        let settings = $kernel.settings();
        // SAFETY: the driver's settings live as long as it does.
        unsafe { core::ptr::read_volatile(&raw const (*settings).$field) }
    }};
}
