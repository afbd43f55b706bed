//! The writing side of one ring, laid out as `device::ring_at` says. One CPU writes it, with
//! interrupts off; the reader may do anything to its own position.
use core::sync::atomic::{AtomicU64, Ordering};

/// Length and a word of zeros before each record.
const HEAD: u64 = 8;

#[repr(C)]
pub struct Ring {
    /// The reader's page; its position is the first word. Null: there is no ring.
    pub consumer: *const AtomicU64,
    /// Our page, which the reader sees, and the data behind it.
    pub producer: *const AtomicU64,
    pub data: *mut u8,
    /// A power of two.
    pub bytes: u64,
    /// Where we are: what the page says is for the reader.
    pub at: u64,
}

impl Ring {
    /// Bytes that wait to be read. A position that cannot be is taken for a full ring.
    pub fn waiting(&self) -> u64 {
        if self.consumer.is_null() {
            return u64::MAX;
        }
        // SAFETY: the page lives as long as the ring.
        let read = unsafe { (*self.consumer).load(Ordering::Acquire) };
        self.at.wrapping_sub(read)
    }

    /// Puts a record of these bytes in; whether there was room.
    ///
    /// # Safety
    /// `from` must be valid for `len` bytes; nobody else may write the ring meanwhile.
    pub unsafe fn put(&mut self, from: *const u8, len: usize) -> bool {
        let whole = (len as u64 + HEAD + 7) & !7;
        let waiting = self.waiting();
        if waiting > self.bytes || self.bytes - waiting < whole {
            return false;
        }
        let head = (len as u64).to_ne_bytes();
        // SAFETY: there is room, and `copy` keeps to the ring.
        unsafe {
            self.copy(self.at, head.as_ptr(), head.len());
            self.copy(self.at.wrapping_add(HEAD), from, len);
            self.at = self.at.wrapping_add(whole);
            (*self.producer.cast_mut()).store(self.at, Ordering::Release);
        }
        true
    }

    /// Copies to a position, in two pieces where the end lies between.
    unsafe fn copy(&self, at: u64, from: *const u8, len: usize) {
        let place = (at & (self.bytes - 1)) as usize;
        let first = len.min(self.bytes as usize - place);
        // SAFETY: both pieces lie within the data: `put` found room for all of it.
        unsafe {
            core::ptr::copy_nonoverlapping(from, self.data.add(place), first);
            core::ptr::copy_nonoverlapping(from.add(first), self.data, len - first);
        }
    }
}
