//! What the tracer's sieve asks (probe-rs/src/sieve/ask.rs). In: a table. Out: its guards and
//! automaton; files of which an open was kept.
use std::sync::atomic::AtomicU8;

use probe::device;
use probe::sieve::opens::{PLACES, place_of};
use probe::sieve::table::parts;

use crate::sift::sieve_of;

pub struct Sieve {
    /// None: everything is kept.
    pub asked: Option<Box<device::Sieve>>,
    seen: Box<[AtomicU8]>,
}

impl Default for Sieve {
    fn default() -> Self {
        // SAFETY: zero is a value of theirs. Pages that nobody writes to take no memory.
        let seen = unsafe { Box::new_zeroed_slice(PLACES).assume_init() };
        Self { asked: None, seen }
    }
}

impl Sieve {
    /// Exchanges the table; an empty one lets everything through.
    pub fn exchange(&mut self, bytes: &[u8], keeps_opens: bool) -> Result<(), &'static str> {
        self.asked = None;
        if !bytes.is_empty() {
            self.asked = Some(sieve_of(&parts(bytes)?, keeps_opens));
        }
        Ok(())
    }

    /// The byte of an inode.
    pub fn seen(&self, inode: u64) -> *mut u8 {
        self.seen[place_of(inode)].as_ptr()
    }
}
