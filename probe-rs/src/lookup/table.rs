//! The kernel's table of cached names. A directory's list of entries is in the order of their age
//! and may be long; in this table a name is found at once, by its hash.
//!
//! The kernel does not tell where the table is. But each entry that the list led to says which
//! bucket it is in (the first of a chain points back to it), and its hash: a few of them agree on
//! one beginning and one size only. Nothing rests on it: what the table leads to is looked at as
//! closely as what the list does, and what it lacks is looked for in the list.
use super::state::{Lookup, of};
use super::text;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::{get, offset, set};

/// Words that one step takes.
const WORDS: usize = 4;
const GOLDEN_RATIO: u64 = 0x61c8_8646_80b5_83eb;
/// The smallest shift of `Table::bases`.
const SHIFTS_FROM: usize = 8;
const SHIFTS: usize = 24;
/// Entries that must agree.
const ENOUGH: u32 = 3;
const PAGE: usize = 0xfff;

/// The hash that the kernel gives the name in this directory (hash_name of fs/namei.c, for machines
/// that read words at any address). File systems may have their own.
///
/// Some words of it; whether it is whole.
#[inline(always)]
pub fn hash<K: Kernel>(e: &mut Event<K>) -> bool {
    for _ in 0..WORDS {
        let lookup = of(e);
        let at = get!(lookup.word_at);
        let left = get!(lookup.name_bytes).wrapping_sub(at);
        let (mut x, mut y) = (get!(lookup.node) as u64, get!(lookup.head) as u64);
        let a = text::word(e, at as usize);
        if left < 8 {
            x ^= a & ((1 << (8 * left)) - 1);
            y = (y ^ x.wrapping_mul(GOLDEN_RATIO)).wrapping_mul(GOLDEN_RATIO);
            set!(lookup.hash, (y >> 32) as u32);
            return true;
        }
        x ^= a;
        y ^= x;
        x = x.rotate_left(12).wrapping_add(y);
        y = y.rotate_left(45).wrapping_mul(9);
        set!(lookup.node, x as usize);
        set!(lookup.head, y as usize);
        set!(lookup.word_at, at + 8);
    }
    false
}

/// The first entry of the name's chain; None where the table is not known.
#[inline(always)]
pub fn chain<K: Kernel>(e: &mut Event<K>) -> Option<usize> {
    let lookup = of(e);
    let base = get!(lookup.table.base);
    if base == 0 {
        return None;
    }
    let bucket = (get!(lookup.hash) >> (get!(lookup.table.shift) & 31)) as usize;
    // The lowest bit is the bucket's lock.
    Some(e.k.address(base.wrapping_add(8 * bucket)) & !1)
}

/// Learns from an entry that the list led to.
#[inline(always)]
pub fn learn<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let lookup = of(e);
    let dentry = get!(lookup.found.dentry);
    let hash = get!(lookup.hash);
    let node = dentry + offset!(k, dentry_hash);
    let bucket = k.address(node + 8);
    if k.int(dentry + offset!(k, dentry_name)) != hash || k.address(bucket) & !1 != node {
        return;
    }
    // With a table that is right, the list would not have been asked.
    if get!(lookup.table.base) != 0 {
        forget(lookup);
    }
    for at in 0..SHIFTS {
        agree(lookup, at, bucket, hash);
    }
    let candidates = get!(lookup.table.candidates);
    if candidates == 0 {
        // The entry was not the first of its chain, or an earlier one was not.
        return set!(lookup.table.seen, 0);
    }
    let seen = get!(lookup.table.seen) + 1;
    set!(lookup.table.seen, seen);
    if seen >= ENOUGH && candidates & (candidates - 1) == 0 {
        let shift = get!(lookup.table.last) & 31;
        set!(lookup.table.shift, shift);
        set!(lookup.table.base, bucket.wrapping_sub(8 * (hash >> shift) as usize));
    }
}

/// Whether the table can begin where this entry says, if its size is that of `at`. All is kept in
/// the block: in registers, each answer would double the ways that a verifier follows.
#[inline(always)]
fn agree(lookup: &mut Lookup, at: usize, bucket: usize, hash: u32) {
    let base = bucket.wrapping_sub(8 * (hash >> (SHIFTS_FROM + at)) as usize);
    let first = get!(lookup.table.seen) == 0;
    let candidates = get!(lookup.table.candidates);
    let bit = 1 << at;
    let agrees = if first {
        set!(lookup.table.bases[at], base);
        base & PAGE == 0
    } else {
        candidates & bit != 0 && get!(lookup.table.bases[at]) == base
    };
    if agrees {
        set!(lookup.table.candidates, candidates | bit);
        set!(lookup.table.last, (SHIFTS_FROM + at) as u32);
    } else {
        set!(lookup.table.candidates, candidates & !bit);
    }
}

#[inline(always)]
fn forget(lookup: &mut Lookup) {
    set!(lookup.table.base, 0);
    set!(lookup.table.seen, 0);
}
