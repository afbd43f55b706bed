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
//! - files with further names (probe-rs/src/further.rs): hard links of files that rules name, what
//!   has another name on the host;
//! - opens of a file of which such an open was kept: a table that does not see closes would take
//!   the one for the other.
//!
//! Of all others a rule has to be able to use one of the names.
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probe::event::{Event, OWN_PARAMS};
use probe::file::{S_IFMT, S_IFREG};
use probe::files::INODE;
use probe::kernel::Kernel as _;
use probe::lane::CRITICAL;
use probe::open::OPENED_FILE;
use probe::scratch::{EVENT_AT, STRING_BYTES};
use probe::sieve::admits;
use probe::sieve::guard::{ALL_MARKS, Guard, admits_either, text};
use probe::sieve::names::IRREGULAR;
use probe::{get, offset};

use crate::bpf_kernel::Bpf;
use crate::names::{Text, names, place};

/// Files of which an open was kept, by a hash of their inodes: two that share a place are kept
/// both, so it only fills up, and never forgets.
#[map]
static SEEN: Array<[u8; PLACES]> = Array::with_max_entries(1, 0);
const PLACES: usize = 1 << 21;
const GOLDEN_RATIO: u64 = 0x61c8_8646_80b5_83eb;

#[inline(always)]
fn place_of(inode: u64) -> Option<*mut u8> {
    let at = (inode.wrapping_mul(GOLDEN_RATIO) >> 43) as usize & (PLACES - 1);
    // SAFETY: masked.
    SEEN.get_ptr_mut(0).map(|seen| unsafe { seen.cast::<u8>().add(at) })
}

/// Whether an open of this file may have been kept.
#[inline(always)]
pub fn is_seen(inode: u64) -> bool {
    // SAFETY: in the map's value.
    place_of(inode).is_none_or(|seen| unsafe { seen.read_volatile() } != 0)
}

/// Whether a call made a standard stream.
#[inline(always)]
pub const fn is_stream(ret: i64) -> bool {
    ret >= 0 && ret <= 2
}

/// The last stage of opens: whether one is of use.
#[inline(always)]
pub fn keeps(e: &mut Event<Bpf>, guard: &Guard) -> bool {
    let kept = is_of_use(e, guard);
    if kept {
        note_kept(e);
    }
    kept
}

/// Notes that an open of its file was written.
#[inline(always)]
pub fn note_kept(e: &mut Event<Bpf>) {
    if e.state().opened != OPENED_FILE {
        return;
    }
    let inode = e.state().inode;
    if let Some(seen) = place_of(inode) {
        // SAFETY: in the map's value; all write the same.
        unsafe { seen.write_volatile(1) };
    }
}

/// Whether an event that uses a descriptor may be of use by the name of its file, whose path is
/// written. Where an open of the file was written, its entry may have a name that is known nowhere
/// else: the caller's, or one from before it was renamed.
#[inline(always)]
pub fn keeps_used(e: &mut Event<Bpf>, guard: &Guard) -> bool {
    let Some(names) = names() else { return true };
    if e.state().truncated != 0 || get!(e.state().further) != 0 {
        return true;
    }
    let mode: u16 = e.copied(INODE, offset!(Bpf, inode_mode));
    if mode & S_IFMT != S_IFREG {
        return true;
    }
    let facts = get!(e.state().facts);
    if !admits(guard, facts, ALL_MARKS) {
        return false;
    }
    if is_seen(e.copied(INODE, offset!(Bpf, inode_ino))) {
        return true;
    }
    let base = e.base().cast_const();
    let (at, length) = own_path(base);
    if length < 2 {
        return true;
    }
    let marks = Text::of_event(base, at, length - 1).walk(names);
    marks & IRREGULAR != 0 || admits(guard, facts, marks & names.joined | names.raw)
}

/// Where the first of our own parameters begins in the event, and its bytes.
#[inline(always)]
fn own_path(base: *const u8) -> (usize, usize) {
    // SAFETY: the header lies in the block.
    let count = unsafe { (base.add(EVENT_AT + 22) as *const u32).read_unaligned() };
    place(base, (count as usize - OWN_PARAMS) as u8)
}

#[inline(always)]
fn is_of_use(e: &mut Event<Bpf>, guard: &Guard) -> bool {
    let Some(names) = names() else { return true };
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
    let (at, length) = place(base, guard.texts[0].param);
    // A name that could not be read, or that was cut.
    if length < 2 || length >= STRING_BYTES as usize {
        return true;
    }
    let caller = Text::of_event(base, at, length - 1);
    // SAFETY: masked.
    let is_whole = unsafe { *base.add(EVENT_AT + at) } == b'/';
    let (at, length) = own_path(base);
    if !failed && (own == 0 || length < 2) {
        return true;
    }
    let kernel = Text::of_event(base, at, length - 1);
    let is_same = failed || is_whole && kernel.is(&caller);
    // Of a relative name that led nowhere, the directory is not known here.
    let is_known = is_whole || !failed;
    let of_caller = if is_known { caller.walk(names) } else { ALL_MARKS };
    let of_kernel = if is_same { of_caller } else { kernel.walk(names) };
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
    !failed && (!is_same || is_stream || opened != OPENED_FILE || is_seen(inode))
}
