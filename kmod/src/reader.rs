//! One reader of the device: what it asked for, and what it is told. The glue has one of these for
//! each open file, and makes it of zeros.
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};

use probe::device::{CODES, Sieve};
use probe::kernel::{Host, Settings};
use probe::offsets::Offsets;
use probe::routes::Routes;
use probe::sieve::opens::PLACES;

use crate::makers::Makers;
use crate::named::Files;

/// Generic calls that somebody may ask for one by one, by their `sc`.
const GENERIC_CALLS: usize = 512;

#[repr(C)]
pub struct Reader {
    pub offsets: Offsets,
    pub settings: Settings,
    pub host: Host,
    /// Bits of `crate::entries::point`: tracepoints that the interest needs.
    pub points: u32,
    pub pad: u32,
    pub routes: Routes,
    /// Where the next ones are put together.
    pub next_routes: Routes,
    /// Wanted codes, and generic calls: a bit each.
    pub wanted: [u64; CODES.div_ceil(64)],
    pub generic: [u64; GENERIC_CALLS / 64],
    /// Null: everything is kept. The glue exchanges it, and frees the old one when no event can
    /// be looking at it any more.
    pub sieve: AtomicPtr<Sieve>,
    pub wakes: AtomicU64,
    pub panics: AtomicU64,
    pub files: Files,
    pub makers: Makers,
    pub seen: [AtomicU8; PLACES],
}

impl Reader {
    pub fn sieve(&self) -> Option<&Sieve> {
        // SAFETY: the glue frees it only when all events have ended that may have seen it.
        unsafe { self.sieve.load(Ordering::Acquire).as_ref() }
    }

    pub fn want(&mut self, code: u16) -> bool {
        use probe::routes::GENERIC_CALL;
        let (list, at): (&mut [u64], usize) = if code >= GENERIC_CALL {
            (&mut self.generic, usize::from(code & !GENERIC_CALL))
        } else {
            (&mut self.wanted, usize::from(code))
        };
        match list.get_mut(at / 64) {
            Some(word) => {
                *word |= 1 << (at % 64);
                true
            }
            None => false,
        }
    }

    pub fn wants(&self, code: u16) -> bool {
        use probe::routes::GENERIC_CALL;
        let (list, at): (&[u64], usize) = if code >= GENERIC_CALL {
            (&self.generic, usize::from(code & !GENERIC_CALL))
        } else {
            (&self.wanted, usize::from(code))
        };
        list.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 != 0)
    }
}
