//! Text in a driver's block: walked through the automaton over names, compared. In: the block, and
//! where in it the text lies. Out: its marks.
use super::names::STRIDE;
use super::tables::{Reading, Sifter};
use super::{Names, Walk};
use crate::event::HEADER_BYTES;
use crate::scratch::{EVENT_AT, EVENT_MASK, SCRATCH_BYTES, State};

/// Where a parameter begins in the event, and its bytes.
///
/// # Safety
/// `base` must be a driver's block.
#[inline(always)]
pub unsafe fn place(base: *const u8, param: u8) -> (usize, usize) {
    let param = (param & 31) as usize;
    // SAFETY: the State and the lengths lie in the block, see scratch.rs.
    unsafe {
        let state = base as *const State;
        let at = (&raw const (*state).starts).cast::<u16>().add(param).read_volatile();
        let lengths = base.add(EVENT_AT + HEADER_BYTES) as *const u16;
        (at as usize & EVENT_MASK, lengths.add(param).read_unaligned() as usize)
    }
}

/// Bytes in a window of the block, without their NUL.
#[derive(Clone, Copy)]
pub struct Text {
    /// Where the window begins.
    base: *const u8,
    at: u32,
    bytes: u32,
}

/// The last window of the block in which a masked position and eight bytes find room.
const BEHIND_AT: usize = SCRATCH_BYTES - EVENT_MASK - 1 - STRIDE;

impl Text {
    /// # Safety
    /// `block` must be a driver's block.
    #[inline(always)]
    pub unsafe fn of_event(block: *const u8, at: usize, bytes: usize) -> Self {
        // SAFETY: within the block.
        let base = unsafe { block.add(EVENT_AT) };
        Self { base, at: at as u32, bytes: bytes as u32 }
    }

    /// Bytes in the areas behind the event; `at` is counted from the block's start.
    ///
    /// # Safety
    /// As for `of_event`.
    #[inline(always)]
    pub unsafe fn behind_event(block: *const u8, at: usize, bytes: usize) -> Self {
        // SAFETY: within the block.
        let base = unsafe { block.add(BEHIND_AT) };
        Self { base, at: at.wrapping_sub(BEHIND_AT) as u32, bytes: bytes as u32 }
    }

    #[inline(always)]
    pub fn walk<K: Sifter>(&self, k: &K, names: &Names) -> u64 {
        let walk = Walk::begin(names);
        let (at, left) = (self.at, self.bytes);
        let mut reading = Reading { walk, names, base: self.base, at, other: 0, left, differs: 0 };
        k.walk_on(&mut reading);
        reading.walk.end(names)
    }

    #[inline(always)]
    pub fn is<K: Sifter>(&self, k: &K, other: &Text) -> bool {
        if self.bytes != other.bytes {
            return false;
        }
        let mut reading = Reading {
            walk: Walk::default(),
            names: core::ptr::null(),
            base: self.base,
            at: self.at,
            other: other.at,
            left: self.bytes,
            differs: 0,
        };
        k.compare_on(&mut reading);
        reading.differs == 0
    }
}
