//! How a child waits until it is traced.
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// A word in memory that a child has in common with us, so that it can wait without a call.
pub(super) struct Go(*mut AtomicU32);

const SAID: u32 = 1;
/// The test is over, whatever it was that ended it.
const GONE: u32 = 2;

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
        unsafe { &*self.0 }.store(SAID, Ordering::Release);
    }
    /// In the child, which ends where nobody will say it any more.
    pub(super) fn wait(&self) {
        loop {
            // SAFETY: as above; it ends without what belongs to the test.
            match unsafe { &*self.0 }.load(Ordering::Acquire) {
                SAID => return,
                GONE => unsafe { libc::_exit(1) },
                _ => std::hint::spin_loop(),
            }
        }
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // SAFETY: ours; a child has a mapping of its own.
        unsafe {
            (*self.0).compare_exchange(0, GONE, Ordering::AcqRel, Ordering::Acquire).ok();
            libc::munmap(self.0.cast(), 4096);
        }
    }
}
