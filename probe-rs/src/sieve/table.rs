//! The bytes of a table as src/sieve/table.ts writes them, all little-endian:
//!
//!     u32 MAGIC, u32 VERSION, u32 codes, u32 states, u32 classes, u32 shift, u64 joined, u64 raw
//!     codes × Guard (guard.rs)
//!     u8 class[256]
//!     u64 marks[states], u64 ends[states], u16 next[states << shift]
//!
//! A driver copies the guards into an ARRAY map with an entry for each code, and the rest into one
//! `Names`; the tables are exchanged whole, guards first set to `Guard::KEEP`.
use super::guard::{GUARD_BYTES, Guard};
use super::names::{Names, fits};

pub const MAGIC: u32 = 0x5645_4953;
pub const VERSION: u32 = 1;
const HEAD: usize = 40;
const CLASSES: usize = 256;

/// The parts of a table's bytes.
pub struct Parts<'a> {
    pub codes: usize,
    pub states: usize,
    classes: u32,
    shift: u32,
    joined: u64,
    raw: u64,
    guards: &'a [u8],
    class: &'a [u8],
    marks: &'a [u8],
    ends: &'a [u8],
    next: &'a [u8],
}

/// Reads a table's head and checks its sizes; what is wrong with it otherwise.
pub fn parts(bytes: &[u8]) -> Result<Parts<'_>, &'static str> {
    if bytes.len() < HEAD {
        return Err("the sieve's table has no head");
    }
    let (magic, version) = (word(bytes, 0), word(bytes, 4));
    if magic != MAGIC || version != VERSION {
        return Err("the sieve's table has another version");
    }
    let (codes, states) = (word(bytes, 8) as usize, word(bytes, 12) as usize);
    let (classes, shift) = (word(bytes, 16), word(bytes, 20));
    if codes > 4096 || shift > 8 || !fits(states, shift) || classes > 1 << shift {
        return Err("the sieve's table is larger than its maps");
    }
    let sizes = [codes * GUARD_BYTES, CLASSES, states * 8, states * 8, (states << shift) * 2];
    if bytes.len() != HEAD + sizes.iter().sum::<usize>() {
        return Err("the sieve's table has another size than its head says");
    }
    let mut left = &bytes[HEAD..];
    let mut take = |size: usize| {
        let (part, rest) = left.split_at(size);
        left = rest;
        part
    };
    let parts = Parts {
        codes,
        states,
        classes,
        shift,
        joined: long(bytes, 24),
        raw: long(bytes, 32),
        guards: take(sizes[0]),
        class: take(sizes[1]),
        marks: take(sizes[2]),
        ends: take(sizes[3]),
        next: take(sizes[4]),
    };
    if parts.class.iter().any(|class| u32::from(*class) >= classes) {
        return Err("the sieve's table has a class of bytes that it has no column for");
    }
    let outside = |cell: &[u8]| usize::from(half(cell, 0)) >= states;
    if parts.next.chunks_exact(2).any(outside) {
        return Err("the sieve's table leads to a state that it does not have");
    }
    Ok(parts)
}

impl Parts<'_> {
    /// The guard of a code; one that keeps everything for codes that the table lacks.
    pub fn guard(&self, code: usize) -> Guard {
        let Some(bytes) = self.guards.chunks_exact(GUARD_BYTES).nth(code) else {
            return Guard::KEEP;
        };
        // SAFETY: as many bytes as a Guard has, and any bytes are one.
        unsafe { bytes.as_ptr().cast::<Guard>().read_unaligned() }
    }

    /// Fills `names`, whose bytes beyond the table's states stay as they are.
    pub fn fill(&self, names: &mut Names) {
        names.states = self.states as u32;
        names.classes = self.classes;
        names.shift = self.shift;
        names.pad = 0;
        names.joined = self.joined;
        names.raw = self.raw;
        names.class.copy_from_slice(self.class);
        for (to, from) in names.marks.iter_mut().zip(self.marks.chunks_exact(8)) {
            *to = long(from, 0);
        }
        for (to, from) in names.ends.iter_mut().zip(self.ends.chunks_exact(8)) {
            *to = long(from, 0);
        }
        for (to, from) in names.next.iter_mut().zip(self.next.chunks_exact(2)) {
            *to = half(from, 0);
        }
    }
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from(half(bytes, at)) | u32::from(half(bytes, at + 2)) << 16
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}
