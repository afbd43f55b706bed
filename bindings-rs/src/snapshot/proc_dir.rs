//! One directory of `/proc`, held open: what is read from it belongs to one process even where
//! its id is given to another one meanwhile.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, RawDirEntry, Statx, StatxFlags, openat,
    readlinkat_raw, statx,
};
use rustix::io::{Errno, read};
use std::mem::MaybeUninit;

/// The longest path that the kernel writes into a link.
const LINK_MAX: usize = 4096;
const RECORD_MAX: usize = 16_384;

pub struct ProcDir(OwnedFd);

impl ProcDir {
    /// Opens the directory `path` below `parent`.
    pub fn open(parent: impl AsFd, path: &str) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(parent, path, flags, Mode::empty()).map(Self)
    }

    pub fn dir(&self, path: &str) -> Result<Self, Errno> {
        Self::open(&self.0, path)
    }

    /// Reads a file that the kernel writes in one piece (all but tables) into `bytes`, at most
    /// RECORD_MAX bytes: one call, where reading to the end takes two.
    pub fn read_record(&self, path: &str, bytes: &mut Vec<u8>) -> Result<(), Errno> {
        let file = openat(&self.0, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        bytes.resize(RECORD_MAX, 0);
        let got = loop {
            match read(&file, &mut bytes[..]) {
                Err(Errno::INTR) => {}
                other => break other,
            }
        };
        bytes.truncate(*got.as_ref().unwrap_or(&0));
        got.map(|_| ())
    }

    /// Reads at most `max` bytes of a file into `bytes`.
    pub fn read(&self, path: &str, bytes: &mut Vec<u8>, max: usize) -> Result<(), Errno> {
        bytes.clear();
        let file = openat(&self.0, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        bytes.reserve(max.min(RECORD_MAX));
        while bytes.len() < max {
            let used = bytes.len();
            if bytes.capacity() == used {
                bytes.reserve(used.min(max - used));
            }
            bytes.resize(bytes.capacity().min(max), 0);
            let got = match read(&file, &mut bytes[used..]) {
                Err(Errno::INTR) => Ok(None),
                other => other.map(Some),
            };
            match got {
                Ok(Some(0)) => {
                    bytes.truncate(used);
                    return Ok(());
                }
                Ok(count) => bytes.truncate(used + count.unwrap_or(0)),
                Err(error) => {
                    bytes.truncate(used);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// What a link points to; empty where it cannot be read.
    pub fn link<'b>(&self, path: &str, buffer: &'b mut [MaybeUninit<u8>]) -> &'b [u8] {
        match readlinkat_raw(&self.0, path, buffer) {
            Ok((target, _)) => target,
            Err(_) => &[],
        }
    }

    /// Facts of what `path` leads to. Never asks a file server: a dead one would hang us.
    pub fn stat(&self, path: &str) -> Option<Statx> {
        let flags = AtFlags::STATX_DONT_SYNC;
        statx(&self.0, path, flags, StatxFlags::BASIC_STATS).ok()
    }

    /// The numbers among the directory's names, as the kernel lists them, at most `max`.
    pub fn numbers(&self, max: usize) -> Vec<u32> {
        self.listed(max, |entry| decimal(entry.file_name().to_bytes()))
    }

    /// The directories in it with their inodes, as the kernel lists them, at most `max`.
    pub fn directories(&self, max: usize) -> Vec<(Vec<u8>, u64)> {
        self.listed(max, |entry| {
            let name = entry.file_name().to_bytes();
            let is_below =
                entry.file_type() == FileType::Directory && name != b"." && name != b"..";
            is_below.then(|| (name.to_vec(), entry.ino()))
        })
    }

    /// What `take` makes of the entries, at most `max`.
    fn listed<T>(&self, max: usize, take: impl Fn(&RawDirEntry) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut entries = RawDir::new(&self.0, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            if found.len() == max {
                break;
            }
            found.extend(take(&entry));
        }
        found
    }
}

impl AsFd for ProcDir {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Room for the target of a link.
pub fn link_buffer() -> [MaybeUninit<u8>; LINK_MAX] {
    [MaybeUninit::uninit(); LINK_MAX]
}

/// A decimal number and nothing else.
pub fn decimal<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    if !bytes.first()?.is_ascii_digit() {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// A number in the base and nothing else.
pub fn radix(bytes: &[u8], base: u32) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(bytes).ok()?, base).ok()
}

/// The words of a line: what stands between blanks and tabs.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// The number inside `prefix[…]`, as in `socket:[123]`.
pub fn bracketed(link: &[u8], prefix: &[u8]) -> Option<u64> {
    decimal(link.strip_prefix(prefix)?.strip_prefix(b"[")?.strip_suffix(b"]")?)
}
