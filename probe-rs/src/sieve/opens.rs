//! Opens come in masses, and most are of no use to any rule. In: an open with its path, or one that
//! is looked at before its event is made (gate.rs). Out: whether it is kept.
//!
//! An open makes a descriptor, and later events show how it was named. The kernel says of each
//! descriptor what it is, so an open can be dropped where the caller's name is that which the
//! kernel has: then nothing is lost with it. Kept are, whatever rules ask:
//!
//! - opens whose two names differ: the caller's is nowhere else;
//! - standard streams, which are looked at without an event that names them;
//! - directories: names below them are told by theirs;
//! - files with further names (further.rs): hard links of files that rules name, what
//!   has another name on the host;
//! - opens of a file of which such an open was kept: a table that does not see closes would take
//!   the one for the other.
//!
//! Of all others a rule has to be able to use one of the names.
use super::admits;
use super::guard::{ALL_MARKS, Guard, admits_either, text};
use super::names::IRREGULAR;
use super::tables::Sifter;
use super::text::{Text, place};
use crate::event::{Event, OWN_PARAMS};
use crate::file::{INODE, S_IFMT, S_IFREG};
use crate::lane::CRITICAL;
use crate::open::OPENED_FILE;
use crate::scratch::{EVENT_AT, STRING_BYTES};
use crate::{get, offset};

/// Files of which an open was kept, by a hash of their inodes: two that share a place are kept
/// both, so it only fills up, and never forgets. So many bytes are a driver's table.
pub const PLACES: usize = 1 << 21;
const GOLDEN_RATIO: u64 = 0x61c8_8646_80b5_83eb;

/// The place of a file in that table.
#[inline(always)]
pub const fn place_of(inode: u64) -> usize {
    (inode.wrapping_mul(GOLDEN_RATIO) >> 43) as usize & (PLACES - 1)
}

/// Whether an open of this file may have been kept.
#[inline(always)]
pub fn is_seen<K: Sifter>(k: &K, inode: u64) -> bool {
    // SAFETY: in the driver's table.
    k.seen(inode).is_none_or(|seen| unsafe { seen.read_volatile() } != 0)
}

/// Whether a call made a standard stream.
#[inline(always)]
pub const fn is_stream(ret: i64) -> bool {
    ret >= 0 && ret <= 2
}

/// The last stage of opens: whether one is of use.
#[inline(always)]
pub fn keeps<K: Sifter>(e: &mut Event<K>, guard: &Guard) -> bool {
    let kept = is_of_use(e, guard);
    if kept {
        note_kept(e);
    }
    kept
}

/// Notes that an open of its file was written.
#[inline(always)]
pub fn note_kept<K: Sifter>(e: &mut Event<K>) {
    if e.state().opened != OPENED_FILE {
        return;
    }
    let inode = e.state().inode;
    if let Some(seen) = e.k.seen(inode) {
        // SAFETY: in the driver's table; all write the same.
        unsafe { seen.write_volatile(1) };
    }
}

/// Whether an event that uses a descriptor may be of use by the name of its file, whose path is
/// written. Where an open of the file was written, its entry may have a name that is known nowhere
/// else: the caller's, or one from before it was renamed.
#[inline(always)]
pub fn keeps_used<K: Sifter>(e: &mut Event<K>, guard: &Guard) -> bool {
    let k = e.k;
    let Some(names) = k.names() else { return true };
    if e.state().truncated != 0 || get!(e.state().further) != 0 {
        return true;
    }
    let mode: u16 = e.copied(INODE, offset!(k, inode_mode));
    if mode & S_IFMT != S_IFREG {
        return true;
    }
    let facts = get!(e.state().facts);
    if !admits(guard, facts, ALL_MARKS) {
        return false;
    }
    if is_seen(k, e.copied(INODE, offset!(k, inode_ino))) {
        return true;
    }
    let base = e.base().cast_const();
    let (at, length) = own_path(e);
    if length < 2 {
        return true;
    }
    // SAFETY: the event's block.
    let marks = unsafe { Text::of_event(base, at, length - 1) }.walk(k, names);
    marks & IRREGULAR != 0 || admits(guard, facts, marks & names.joined | names.raw)
}

/// Where the first of our own parameters begins in the event, and its bytes.
#[inline(always)]
fn own_path<K: Sifter>(e: &Event<K>) -> (usize, usize) {
    let base = e.base().cast_const();
    // SAFETY: the header lies in the block.
    unsafe {
        let count = (base.add(EVENT_AT + 22) as *const u32).read_unaligned();
        place(base, (count as usize).wrapping_sub(OWN_PARAMS) as u8)
    }
}

#[inline(always)]
fn is_of_use<K: Sifter>(e: &mut Event<K>, guard: &Guard) -> bool {
    let k = e.k;
    let Some(names) = k.names() else { return true };
    let (failed, is_stream) = (e.ret() < 0, is_stream(e.ret()));
    let (opened, inode, own) = (e.state().opened, e.state().inode, e.state().own);
    if guard.texts[0].kind != text::PATH || e.state().truncated != 0 {
        return true;
    }
    if get!(e.state().further) != 0 {
        // A file that rules name, or one with another name on the host.
        return true;
    }
    let facts = get!(e.state().facts);
    let base = e.base().cast_const();
    // SAFETY: the event's block.
    let (at, length) = unsafe { place(base, guard.texts[0].param) };
    // A name that could not be read, or that was cut.
    if length < 2 || length >= STRING_BYTES as usize {
        return true;
    }
    // SAFETY: as above.
    let caller = unsafe { Text::of_event(base, at, length - 1) };
    // SAFETY: masked.
    let is_whole = unsafe { *base.add(EVENT_AT + at) } == b'/';
    let (at, length) = own_path(e);
    if !failed && (own == 0 || length < 2) {
        return true;
    }
    // SAFETY: as above.
    let kernel = unsafe { Text::of_event(base, at, length - 1) };
    let is_same = failed || is_whole && kernel.is(k, &caller);
    // Of a relative name that led nowhere, the directory is not known here.
    let is_known = is_whole || !failed;
    let of_caller = if is_known { caller.walk(k, names) } else { ALL_MARKS };
    let of_kernel = if is_same { of_caller } else { kernel.walk(k, names) };
    if is_known && (of_caller | of_kernel) & IRREGULAR != 0 {
        return true;
    }
    let joined = names.joined;
    let raw = of_caller & names.raw;
    let first = if is_known { of_kernel & joined | raw } else { ALL_MARKS };
    let second = if is_whole { of_caller & joined | raw } else { first };
    if admits_either(guard, facts, first, second) {
        if is_known {
            // What a rule can match is what must not be lost.
            e.state().lane = CRITICAL;
        }
        return true;
    }
    !failed && (!is_same || is_stream || opened != OPENED_FILE || is_seen(k, inode))
}
