//! Files that rules name, by device and inode, and the host's mounts. In: what the reader looked
//! up. Out: whether a file with several names is one of them. One command writes at a time (the
//! glue sees to it); events read meanwhile, and take an entry for what its key says when they look.
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use probe::device::{Mounted, Named};
use probe::further::NAME_BYTES;

use crate::glue::{EINVAL, ENOSPC};

const FILES: usize = 8192;
/// Of those, so many are taken at the most: half, so that a search ends soon.
const FILES_MAX: u32 = 4096;
const MOUNTS: usize = 1024;
const GOLDEN_RATIO: u64 = 0x61c8_8646_80b5_83eb;

#[repr(C)]
struct File {
    ino: AtomicU64,
    dev: AtomicU32,
    state: AtomicU32,
    name: [u8; NAME_BYTES],
}

/// `File::state`: never used; used; its file has no name any more, the search goes on behind it.
const FREE: u32 = 0;
const USED: u32 = 1;
const LEFT: u32 = 2;

#[repr(C)]
pub struct Files {
    count: u32,
    pad: u32,
    files: [File; FILES],
    mounts: [AtomicU64; MOUNTS],
    devices: [AtomicU32; MOUNTS],
}

const fn first(dev: u32, ino: u64) -> usize {
    ((ino ^ (dev as u64) << 32).wrapping_mul(GOLDEN_RATIO) >> 51) as usize & (FILES - 1)
}

impl Files {
    fn find(&self, dev: u32, ino: u64) -> Option<usize> {
        let mut at = first(dev, ino);
        for _ in 0..FILES {
            let file = &self.files[at];
            match file.state.load(Ordering::Acquire) {
                FREE => return None,
                USED if file.ino.load(Ordering::Relaxed) == ino
                    && file.dev.load(Ordering::Relaxed) == dev =>
                {
                    return Some(at);
                }
                _ => {}
            }
            at = (at + 1) & (FILES - 1);
        }
        None
    }

    /// Address of the rules' name of a file; 0: they have none.
    pub fn name_of(&self, dev: u32, ino: u64) -> usize {
        self.find(dev, ino).map_or(0, |at| self.files[at].name.as_ptr() as usize)
    }

    /// As `device::PUT_NAME`; 0, or an error.
    pub fn put(&mut self, named: &Named) -> i64 {
        let Some(end) = named.name.iter().position(|byte| *byte == 0) else { return EINVAL };
        let known = self.find(named.dev, named.ino);
        if end == 0 {
            if let Some(at) = known {
                self.files[at].state.store(LEFT, Ordering::Release);
                self.count -= 1;
            }
            return 0;
        }
        let mut at = known.unwrap_or_else(|| first(named.dev, named.ino));
        if known.is_none() {
            if self.count >= FILES_MAX {
                return ENOSPC;
            }
            for _ in 0..FILES {
                if self.files[at].state.load(Ordering::Relaxed) != USED {
                    break;
                }
                at = (at + 1) & (FILES - 1);
            }
            self.count += 1;
        }
        let file = &mut self.files[at];
        file.ino.store(named.ino, Ordering::Relaxed);
        file.dev.store(named.dev, Ordering::Relaxed);
        file.name = named.name;
        file.state.store(USED, Ordering::Release);
        0
    }

    /// Where the host has the whole file system of a device; 0: it has not.
    pub fn mount_of(&self, dev: u32) -> usize {
        let mut at = dev as usize & (MOUNTS - 1);
        for _ in 0..MOUNTS {
            let known = self.devices[at].load(Ordering::Acquire);
            if known == dev {
                return self.mounts[at].load(Ordering::Relaxed) as usize;
            }
            if known == 0 {
                break;
            }
            at = (at + 1) & (MOUNTS - 1);
        }
        0
    }

    /// As `device::PUT_MOUNT`. A device keeps its place when nothing of it is mounted any more.
    pub fn put_mount(&mut self, mounted: &Mounted) -> i64 {
        if mounted.dev == 0 {
            return EINVAL;
        }
        let mut at = mounted.dev as usize & (MOUNTS - 1);
        for _ in 0..MOUNTS {
            let known = self.devices[at].load(Ordering::Relaxed);
            if known == mounted.dev || known == 0 {
                self.mounts[at].store(mounted.mnt, Ordering::Relaxed);
                self.devices[at].store(mounted.dev, Ordering::Release);
                return 0;
            }
            at = (at + 1) & (MOUNTS - 1);
        }
        ENOSPC
    }
}
