//! Notes of who made the processes that have not run yet. In: forks, on any CPU. Out: to the first
//! event of each.
use core::sync::atomic::{AtomicU64, Ordering};

use probe::kernel::Maker;

/// Ids follow each other, so that a process finds its place taken only when so many were made
/// after it; then the older note is forgotten, and that maker is unknown.
const PLACES: usize = 8192;

#[repr(C)]
pub struct Makers {
    /// The process in the upper half, its maker in the lower one; 0: nothing.
    notes: [AtomicU64; PLACES],
    times: [AtomicU64; PLACES],
}

impl Makers {
    pub fn note(&self, made: u32, maker: u32, time: u64) {
        let (note, at) = self.place(made);
        // Nobody takes the new note with the old time.
        note.store(0, Ordering::Relaxed);
        at.store(time, Ordering::Release);
        note.store(u64::from(made) << 32 | u64::from(maker), Ordering::Release);
    }

    /// The maker of a process, asked once.
    pub fn take(&self, made: u32) -> Option<Maker> {
        let (note, at) = self.place(made);
        let found = note.load(Ordering::Acquire);
        if found == 0 || (found >> 32) as u32 != made {
            return None;
        }
        let time = at.load(Ordering::Acquire);
        let is_ours = note.compare_exchange(found, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        is_ours.then_some(Maker { tgid: found & 0xffff_ffff, time })
    }

    fn place(&self, made: u32) -> (&AtomicU64, &AtomicU64) {
        let at = made as usize & (PLACES - 1);
        (&self.notes[at], &self.times[at])
    }
}
