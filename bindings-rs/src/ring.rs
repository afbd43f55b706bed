//! The reading side of one ring buffer, BPF's or one of the kernel module's, which are laid out
//! alike: looks at records where they lie and gives their room back a batch at a time.
//!
//! The kernel maps a page with our position, a page with its own, and the data twice in a row, so
//! that no record is cut. A record is u32 length (bit 31: being written, bit 30: thrown away),
//! u32 of the kernel's, the bytes, filled up to eight.
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use probe::wake::is_much;

use crate::blocks::Blocks;

const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
const HEAD: usize = 8;

pub struct Ring {
    fd: Arc<OwnedFd>,
    consumer: *mut u8,
    producer: *mut u8,
    page: usize,
    bytes: usize,
    /// Where we are, and how far the kernel was when last looked at.
    at: u64,
    known: u64,
}

// SAFETY: the mappings are the ring's own and are used through `&mut` only.
unsafe impl Send for Ring {}

impl Ring {
    /// Maps the ring of `bytes` bytes that begins at `from` behind `fd`.
    pub fn map(fd: Arc<OwnedFd>, from: u64, bytes: usize) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let map = |len: usize, protection, offset: usize| {
            // SAFETY: a fresh mapping that replaces nothing.
            let at = unsafe {
                libc::mmap(
                    ptr::null_mut(),
                    len,
                    protection,
                    libc::MAP_SHARED,
                    fd.as_raw_fd(),
                    (from + offset as u64) as libc::off_t,
                )
            };
            if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(at.cast()) }
        };
        let consumer: *mut u8 = map(page, libc::PROT_READ | libc::PROT_WRITE, 0)?;
        let producer = map(page + 2 * bytes, libc::PROT_READ, page).inspect_err(|_| {
            // SAFETY: mapped just now, used by nobody.
            unsafe { libc::munmap(consumer.cast(), page) };
        })?;
        let mut ring = Self { fd, consumer, producer, page, bytes, at: 0, known: 0 };
        ring.at = ring.position(ring.consumer).load(Ordering::Relaxed);
        Ok(ring)
    }

    pub fn raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// Bytes that are written, or being written, and not read.
    fn waiting(&self) -> u64 {
        self.position(self.producer).load(Ordering::Acquire).saturating_sub(self.at)
    }

    /// Whether something is there, be it still being written.
    pub fn holds_some(&self) -> bool {
        self.waiting() > 0
    }

    /// Whether so much is there that it should not wait for more.
    pub fn holds_much(&self) -> bool {
        is_much(self.waiting(), self.bytes as u64)
    }

    #[expect(clippy::unused_self, reason = "ties the reference to the mapping")]
    #[expect(clippy::cast_ptr_alignment, reason = "pages are aligned")]
    fn position(&self, page: *mut u8) -> &AtomicU64 {
        // SAFETY: a page starts with the position, aligned, and lives as long as the ring.
        unsafe { &*page.cast::<AtomicU64>() }
    }

    fn record(&self) -> *mut u8 {
        let offset = self.at as usize & (self.bytes - 1);
        // SAFETY: within the first of the two data mappings.
        unsafe { self.producer.add(self.page + offset) }
    }

    fn pass(&mut self, length: u32) {
        let bytes = (length & !(BUSY | DISCARDED)) as usize;
        self.at += ((bytes + HEAD + 7) & !7) as u64;
    }

    #[expect(clippy::cast_ptr_alignment, reason = "records start at multiples of 8")]
    fn length(&self) -> u32 {
        // SAFETY: records start aligned; the kernel may be writing the length.
        unsafe { &*self.record().cast::<AtomicU32>() }.load(Ordering::Acquire)
    }
}

impl Blocks for Ring {
    fn head(&mut self) -> Option<&[u8]> {
        loop {
            if self.at >= self.known {
                self.known = self.position(self.producer).load(Ordering::Acquire);
                if self.at >= self.known {
                    return None;
                }
            }
            let length = self.length();
            if length & BUSY != 0 {
                return None;
            }
            if length & DISCARDED != 0 {
                self.pass(length);
                continue;
            }
            // SAFETY: the second mapping follows the first, so the record lies in one piece; the
            // kernel leaves it alone until our position has passed it.
            return Some(unsafe {
                std::slice::from_raw_parts(self.record().add(HEAD), length as usize)
            });
        }
    }

    fn next(&mut self) {
        self.pass(self.length());
    }

    fn give_back(&mut self) {
        self.position(self.consumer).store(self.at, Ordering::Release);
        // The kernel wakes us only for a record that it writes where we stand: what it wrote
        // before it saw this must be seen by our next look.
        fence(Ordering::SeqCst);
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: both mappings are ours, and nobody uses them any more.
        unsafe {
            libc::munmap(self.consumer.cast(), self.page);
            libc::munmap(self.producer.cast(), self.page + 2 * self.bytes);
        }
    }
}
