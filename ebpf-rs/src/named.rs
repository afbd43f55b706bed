//! Files that rules name, by device and inode, the host's root and mounts. In: what the reader
//! looked up (bindings-rs/src/named.rs). Out: whether a file with several names is one of them, and
//! what names on the host are told from.
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap};
use probe::further::NAME_BYTES;
use probe::kernel::Host;

const BPF_F_NO_PREALLOC: u32 = 1;
/// Files of all rules, at the most.
const FILES: u32 = 4096;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Key {
    ino: u64,
    dev: u32,
    pad: u32,
}

#[map]
static NAMED: HashMap<Key, [u8; NAME_BYTES]> = HashMap::with_max_entries(FILES, BPF_F_NO_PREALLOC);
/// File systems that the host has mounted, at the most.
const MOUNTED: u32 = 1024;

/// By device.
#[map]
static MOUNTS: HashMap<u32, u64> = HashMap::with_max_entries(MOUNTED, BPF_F_NO_PREALLOC);
#[map]
static HOST: Array<Host> = Array::with_max_entries(1, 0);

/// Address of the rules' name of a file; 0: they have none.
#[inline(always)]
pub fn name_of(dev: u32, ino: u64) -> usize {
    NAMED.get_ptr(Key { ino, dev, pad: 0 }).map_or(0, |name| name as usize)
}

/// Where the host has the whole file system of a device; 0: it has not.
#[inline(always)]
pub fn host_mount(dev: u32) -> usize {
    // SAFETY: a number, which the reader replaces whole.
    unsafe { MOUNTS.get(dev) }.map_or(0, |mnt| *mnt as usize)
}

#[inline(always)]
pub fn host() -> Host {
    HOST.get(0).copied().unwrap_or_default()
}
