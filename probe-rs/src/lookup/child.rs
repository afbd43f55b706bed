//! A name among the cached entries of a directory, the newest first.
//!
//! The list is read while others change it. An entry counts only if it says itself that it is
//! still in this directory, has this name, and leads to a file; a list that breaks off, or leads
//! into another directory, is one in which nothing was found.
use super::state::{CHILD, COMPARE, COVERED, from, give_up, go, of, set_found};
use super::text;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::scratch::Place;
use crate::{get, offset, set};

/// Entries looked at in one step, and of one directory.
const AT_ONCE: usize = 8;
const ENTRIES: u32 = 2048;
/// Slots for copies: the entry, and a name that lies elsewhere.
const ENTRY: usize = 0;
const NAME: usize = 1;
/// Words of the longest name.
const WORDS: usize = 32;

#[inline(always)]
pub fn start<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    if offset!(k, dentry_children) == ABSENT as usize
        || offset!(k, dentry_sibling) == ABSENT as usize
    {
        return give_up(e);
    }
    let head = from(e).dentry + offset!(k, dentry_children);
    let first = k.address(head);
    let lookup = of(e);
    set!(lookup.head, head);
    set!(lookup.node, first);
    set!(lookup.left, ENTRIES);
    go(e, CHILD);
}

/// Keeps the first `bytes` bytes of a word.
#[inline(always)]
fn masked(word: u64, bytes: u32) -> u64 {
    if bytes >= 8 { word } else { word & ((1 << (8 * bytes)) - 1) }
}

/// Looks at some entries.
#[inline(always)]
pub fn search<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let sibling = offset!(k, dentry_sibling);
    let name_at = offset!(k, dentry_name);
    let last = sibling.max(name_at + 8).max(offset!(k, dentry_inode));
    for _ in 0..AT_ONCE {
        let lookup = of(e);
        let node = get!(lookup.node);
        let left = get!(lookup.left);
        // Lists of 6.8 and later end with null, older ones where they began.
        if node == 0 || node == get!(lookup.head) || left == 0 {
            return give_up(e);
        }
        set!(lookup.left, left - 1);
        let dentry = node.wrapping_sub(sibling);
        e.copy(ENTRY, dentry, last);
        if e.copied::<usize>(ENTRY, offset!(k, dentry_parent)) != get!(lookup.from.dentry) {
            return give_up(e);
        }
        set!(lookup.node, e.copied::<usize>(ENTRY, sibling));
        let bytes = get!(lookup.name_bytes);
        if e.copied::<u32>(ENTRY, name_at + 4) != bytes
            // Taken out of the cache's table: the entry was removed, or is not there yet.
            || e.copied::<usize>(ENTRY, offset!(k, dentry_hash) + 8) == 0
            || e.copied::<usize>(ENTRY, offset!(k, dentry_inode)) == 0
        {
            continue;
        }
        let name = e.copied::<usize>(ENTRY, name_at + 8);
        let inside = name.wrapping_sub(dentry);
        let head = if inside < last { e.copied(ENTRY, inside) } else { k.word(name) };
        if masked(head ^ text::head(e), bytes) != 0 {
            continue;
        }
        set_found(e, Place { mnt: get!(lookup.from.mnt), dentry });
        return go(e, if bytes <= 8 { COVERED } else { COMPARE });
    }
}

/// The names are alike in their first eight bytes: compares the rest.
#[inline(always)]
pub fn compare<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let lookup = of(e);
    let name = k.address(get!(lookup.found.dentry) + offset!(k, dentry_name) + 8);
    let bytes = get!(lookup.name_bytes);
    if !e.copy_name(NAME, name, bytes as usize) {
        return go(e, CHILD);
    }
    for word in 0..WORDS {
        let left = get!(lookup.name_bytes).wrapping_sub(8 * word as u32);
        if left == 0 || left > 255 {
            break;
        }
        if masked(e.copied_word(NAME, word) ^ text::word(e, 8 * word), left) != 0 {
            return go(e, CHILD);
        }
    }
    go(e, COVERED);
}
