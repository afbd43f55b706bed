//! What the threads that follow files of rules have in common: what is wanted and known, how a name
//! is looked up, what a file is known by.
use std::collections::BTreeSet;
use std::ffi::CString;
use std::mem::zeroed;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use probe::further::NAME_BYTES;

use crate::reader::{Key, Parts};

/// Files of all rules, at the most.
pub const FILES_MAX: usize = 4096;
/// All names are looked up anew after so long: a directory may have been replaced itself.
pub const EVERY_MS: libc::c_int = 5_000;

#[derive(Default)]
pub struct Shared {
    /// What rules name now; None once it is over.
    pub wanted: Mutex<Option<BTreeSet<Vec<u8>>>>,
    /// The host's files among what is known.
    pub hosts: Mutex<BTreeSet<Key>>,
    pub known: AtomicU64,
    /// Names, roots and their files, mounts that found no place.
    pub refused: AtomicU64,
    pub refused_in_roots: AtomicU64,
    pub refused_mounts: AtomicU64,
}

impl Shared {
    pub fn wanted(&self) -> Option<BTreeSet<Vec<u8>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn hosts(&self) -> BTreeSet<Key> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// # Safety
/// The descriptor is nobody else's.
pub unsafe fn owned(fd: libc::c_int) -> std::io::Result<OwnedFd> {
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Has the map say that rules have this name for the file.
pub fn put(parts: &mut dyn Parts, key: Key, name: &[u8]) {
    let mut text = [0u8; NAME_BYTES];
    text[..name.len()].copy_from_slice(name);
    parts.set_name(key, Some(&text));
}

/// What a regular file is known by.
pub fn key_of(parts: &dyn Parts, file: &OwnedFd) -> Option<Key> {
    let looked = parts.look(file.as_raw_fd())?;
    let is_file = looked.mode & libc::S_IFMT == libc::S_IFREG;
    is_file.then_some(Key { ino: looked.ino, dev: looked.dev, pad: 0 })
}

/// What a name leads to below a root, as it does for processes there; nothing is opened but the
/// name.
pub fn look_up_below(root: &OwnedFd, name: &[u8]) -> Option<OwnedFd> {
    look_up(root, name, libc::RESOLVE_IN_ROOT)
}

/// The same where that is on the root's own mount.
pub fn look_up_on(root: &OwnedFd, name: &[u8]) -> Option<OwnedFd> {
    look_up(root, name, libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_XDEV)
}

fn look_up(root: &OwnedFd, name: &[u8], resolve: u64) -> Option<OwnedFd> {
    let path = CString::new(name).ok()?;
    // SAFETY: plain numbers.
    let mut how: libc::open_how = unsafe { zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC) as u64;
    how.resolve = resolve;
    // SAFETY: a path and a structure of ours.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            root.as_raw_fd(),
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    // SAFETY: it is this call's own.
    unsafe { owned(fd as libc::c_int) }.ok()
}
