//! How a child waits until it is traced.
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// A word in memory that a child has in common with us, so that it can wait without a call.
pub(super) struct Go(*mut AtomicU32);

impl Go {
    pub(super) fn new() -> Self {
        // SAFETY: fresh memory, which nobody else has; zeros are a number.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(at, libc::MAP_FAILED);
        Self(at.cast())
    }
    pub(super) fn say(&self) {
        // SAFETY: it lives as long as this.
        unsafe { &*self.0 }.store(1, Ordering::Release);
    }
    pub(super) fn wait(&self) {
        // SAFETY: as above.
        while unsafe { &*self.0 }.load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody uses it any more.
        unsafe { libc::munmap(self.0.cast(), 4096) };
    }
}
