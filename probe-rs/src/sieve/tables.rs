//! What a driver has for the sieve: the tables that its reader exchanges, and its counts.
use super::names::STRIDE;
use super::{Guard, Names, Walk};
use crate::kernel::Kernel;
use crate::scratch::EVENT_MASK;

pub trait Sifter: Kernel {
    /// What is asked of events of this code; None: all are kept.
    fn guard(&self, code: u16) -> Option<&Guard>;
    /// The automaton over names; None: names are not asked.
    fn names(&self) -> Option<&Names>;
    /// An event of this code was kept back.
    fn count_sifted(&self, code: u16);
    /// Where it is noted whether an open of this inode was kept (opens.rs).
    fn seen(&self, inode: u64) -> Option<*mut u8>;

    /// Runs `Reading::walk_on` for each stride.
    #[inline(always)]
    fn walk_on(&self, reading: &mut Reading) {
        for index in 0..u64::from(reading.strides()) {
            // SAFETY: a Text made it just now.
            unsafe { reading.walk_on(index) };
        }
    }
    /// Runs `Reading::compare_on` for each stride.
    #[inline(always)]
    fn compare_on(&self, reading: &mut Reading) {
        for index in 0..u64::from(reading.strides()) {
            // SAFETY: as above.
            unsafe { reading.compare_on(index) };
        }
    }
}

/// What a step of a loop works on. The kernel's own loop calls back for each stride, so that
/// verifiers look at a step a few times only, however long a name may be.
pub struct Reading {
    pub(super) walk: Walk,
    pub(super) names: *const Names,
    pub(super) base: *const u8,
    pub(super) at: u32,
    pub(super) other: u32,
    pub(super) left: u32,
    pub(super) differs: u64,
}

#[inline(always)]
fn stride(reading: &Reading, at: u32, index: u64) -> u64 {
    let at = at as usize + index as usize * STRIDE;
    // SAFETY: masked, and more than eight bytes lie behind.
    unsafe { (reading.base.add(at & EVENT_MASK) as *const u64).read_unaligned() }
}

impl Reading {
    /// How many strides there are, `walk_on` or `compare_on` for each.
    #[inline(always)]
    pub fn strides(&self) -> u32 {
        self.left.div_ceil(STRIDE as u32)
    }

    /// Takes a stride of the walk through the automaton.
    ///
    /// # Safety
    /// The reading must be the one that a `Text` made, while its block lives.
    #[inline(always)]
    pub unsafe fn walk_on(&mut self, index: u64) {
        let bytes = stride(self, self.at, index);
        let left = (self.left as usize).wrapping_sub(index as usize * STRIDE);
        // SAFETY: as the caller promises.
        unsafe { self.walk.last_stride(&*self.names, bytes, left) };
    }

    /// Compares a stride of the two texts.
    ///
    /// # Safety
    /// As for `walk_on`.
    #[inline(always)]
    pub unsafe fn compare_on(&mut self, index: u64) {
        let left = (self.left as usize).wrapping_sub(index as usize * STRIDE);
        let bits = (left as u32 & 7) * 8;
        let mask = if left >= STRIDE { u64::MAX } else { (1 << bits) - 1 };
        let (a, b) = (stride(self, self.at, index), stride(self, self.other, index));
        self.differs |= (a ^ b) & mask;
    }
}
