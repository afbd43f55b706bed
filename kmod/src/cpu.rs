//! What a reader has on one CPU: the blocks in which events are put together, counters, rings. Only
//! that CPU writes it, with preemption off.
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use probe::counters::{Counters, ROWS};
use probe::device::CODES;
use probe::long::LONG_BYTES;
use probe::scratch::SCRATCH_BYTES;

use crate::purses::Purses;
use crate::ring::Ring;

#[repr(C, align(64))]
pub struct Block(pub [u8; SCRATCH_BYTES]);

#[repr(C, align(64))]
pub struct Long(pub [u8; LONG_BYTES]);

/// The glue makes it of zeros, and puts the rings' addresses in (`saker_core_ring`).
#[repr(C)]
pub struct Cpu {
    pub rings: [Ring; 2],
    pub counters: [Counters; ROWS as usize],
    /// Whether a row's block is in use.
    pub taken: [AtomicU32; ROWS as usize],
    pub number: u32,
    /// Events that came while their row was in use.
    pub busy: u64,
    pub last_wake: u64,
    pub lost: [u64; CODES],
    pub sifted: [u64; CODES],
    pub purses: Purses,
    pub blocks: [Block; ROWS as usize],
    pub long: Long,
}

impl Cpu {
    /// Takes a row's block; false where another event of this CPU is being put together in it.
    pub fn take(&self, row: u32) -> bool {
        let taken = &self.taken[row as usize % ROWS as usize];
        // An interrupt between the two would have given it back before this goes on.
        let free = taken.load(Ordering::Relaxed) == 0;
        if free {
            taken.store(1, Ordering::Relaxed);
            compiler_fence(Ordering::AcqRel);
        }
        free
    }

    pub fn give_back(&self, row: u32) {
        compiler_fence(Ordering::AcqRel);
        self.taken[row as usize % ROWS as usize].store(0, Ordering::Relaxed);
    }
}
