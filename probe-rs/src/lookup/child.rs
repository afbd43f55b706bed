//! A name among the cached entries of a directory: in the kernel's table of names, else in the
//! directory's own list, the newest first.
//!
//! Both are read while others change them. An entry counts only if it says itself that it is
//! still in this directory, has this name, and leads to a file; a list that breaks off, or leads
//! into another directory, is one in which nothing was found.
use super::state::{CHAIN, CHILD, COMPARE, COVERED, HASH, LEARN, from, give_up, go, of, set_found};
use super::{table, text};
use crate::event::Event;
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::scratch::Place;
use crate::{get, offset, set};

/// Entries looked at in one step, of one directory, and of one chain of the table.
const AT_ONCE: usize = 4;
const ENTRIES: u32 = 2048;
const CHAINED: u32 = 64;
/// Slots for copies: the entry, and a name that lies elsewhere.
const ENTRY: usize = 0;
const NAME: usize = 1;
/// Words of a name that are compared in one step.
const WORDS: usize = 4;

#[inline(always)]
pub fn start<K: Kernel>(e: &mut Event<K>) {
    let lookup = of(e);
    set!(lookup.node, 0);
    set!(lookup.head, get!(lookup.from.dentry));
    set!(lookup.word_at, 0);
    go(e, HASH);
}

/// Begins with the table.
#[inline(always)]
pub fn hash<K: Kernel>(e: &mut Event<K>) {
    if !table::hash(e) {
        return;
    }
    match table::chain(e) {
        Some(first) => {
            let lookup = of(e);
            set!(lookup.head, 0);
            set!(lookup.node, first);
            set!(lookup.left, CHAINED);
            set!(lookup.list, CHAIN);
            go(e, CHAIN);
        }
        None => begin_list(e),
    }
}

/// Goes on with the directory's list.
#[inline(always)]
fn begin_list<K: Kernel>(e: &mut Event<K>) {
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
    set!(lookup.list, CHILD);
    go(e, CHILD);
}

/// Keeps the first `bytes` bytes of a word.
#[inline(always)]
fn masked(word: u64, bytes: u32) -> u64 {
    if bytes >= 8 { word } else { word & ((1 << (8 * bytes)) - 1) }
}

/// Looks at some entries of a chain.
#[inline(always)]
pub fn chain<K: Kernel>(e: &mut Event<K>) {
    let link = offset!(e.k, dentry_hash);
    for _ in 0..AT_ONCE {
        let lookup = of(e);
        let (node, left) = (get!(lookup.node), get!(lookup.left));
        if node == 0 || left == 0 {
            return begin_list(e);
        }
        set!(lookup.left, left - 1);
        if is_wanted(e, node.wrapping_sub(link), link) {
            return;
        }
    }
}

/// Looks at some entries of a directory.
#[inline(always)]
pub fn search<K: Kernel>(e: &mut Event<K>) {
    let link = offset!(e.k, dentry_sibling);
    for _ in 0..AT_ONCE {
        let lookup = of(e);
        let (node, left) = (get!(lookup.node), get!(lookup.left));
        // Lists of 6.8 and later end with null, older ones where they began.
        if node == 0 || node == get!(lookup.head) || left == 0 {
            return give_up(e);
        }
        set!(lookup.left, left - 1);
        if is_wanted(e, node.wrapping_sub(link), link) {
            return;
        }
        if e.copied::<usize>(ENTRY, offset!(e.k, dentry_parent)) != get!(lookup.from.dentry) {
            return give_up(e);
        }
    }
}

/// Whether an entry may be the one; then the next step says more. Its link, at `link`, is followed.
#[inline(always)]
fn is_wanted<K: Kernel>(e: &mut Event<K>, dentry: usize, link: usize) -> bool {
    let k = e.k;
    let name_at = offset!(k, dentry_name);
    let last = link.max(name_at + 8).max(offset!(k, dentry_inode));
    e.copy(ENTRY, dentry, last);
    let lookup = of(e);
    set!(lookup.node, e.copied::<usize>(ENTRY, link));
    let bytes = get!(lookup.name_bytes);
    if e.copied::<usize>(ENTRY, offset!(k, dentry_parent)) != get!(lookup.from.dentry)
        || e.copied::<u32>(ENTRY, name_at + 4) != bytes
        // Taken out of the table: the entry was removed, or is not there yet.
        || e.copied::<usize>(ENTRY, offset!(k, dentry_hash) + 8) == 0
        || e.copied::<usize>(ENTRY, offset!(k, dentry_inode)) == 0
    {
        return false;
    }
    let name = e.copied::<usize>(ENTRY, name_at + 8);
    let inside = name.wrapping_sub(dentry);
    let head = if inside < last { e.copied(ENTRY, inside) } else { k.word(name) };
    if masked(head ^ text::head(e), bytes) != 0 {
        return false;
    }
    set_found(e, Place { mnt: get!(lookup.from.mnt), dentry });
    if bytes <= 8 {
        matched(e)
    } else {
        set!(lookup.word_at, 8);
        go(e, COMPARE)
    }
    true
}

#[inline(always)]
fn matched<K: Kernel>(e: &mut Event<K>) {
    let listed = get!(of(e).list) == CHILD;
    go(e, if listed { LEARN } else { COVERED });
}

/// The names are alike as far as they were looked at: compares some words more.
#[inline(always)]
pub fn compare<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let lookup = of(e);
    let name = k.address(get!(lookup.found.dentry) + offset!(k, dentry_name) + 8);
    let at = get!(lookup.word_at) as usize;
    let list = get!(lookup.list);
    let left = get!(lookup.name_bytes).wrapping_sub(at as u32);
    if !e.copy_name(NAME, name + at, left.min(8 * WORDS as u32) as usize) {
        return go(e, list);
    }
    for index in 0..WORDS {
        let left = get!(of(e).name_bytes).wrapping_sub((at + 8 * index) as u32);
        if left == 0 || left > 255 {
            return matched(e);
        }
        if masked(e.copied_word(NAME, index) ^ text::word(e, at + 8 * index), left) != 0 {
            return go(e, list);
        }
    }
    set!(lookup.word_at, (at + 8 * WORDS) as u32);
}

/// The directory's list had what the table was not asked for, or did not have.
#[inline(always)]
pub fn learn<K: Kernel>(e: &mut Event<K>) {
    table::learn(e);
    go(e, COVERED);
}
