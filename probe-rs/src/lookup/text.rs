//! The rest of the path that is looked up: it stands at the end of the text area, closed with a
//! NUL, and the text of a symbolic link is put before it.
use super::state::{Lookup, TAKE, give_up, go, of};
use crate::event::Event;
use crate::kernel::Kernel;
use crate::scratch::{EVENT_AT, EVENT_MASK, PATH_AT, TEXT_AT, TEXT_BYTES};
use crate::{get, set};

const MASK: usize = TEXT_BYTES - 1;
/// Bytes looked at in one step.
const SCAN: usize = 16;
/// Longest name of an entry.
const NAME_BYTES: u32 = 255;

/// What the scan is at: slashes before the name, the name, slashes behind it.
const BEFORE: u32 = 0;
const INSIDE: u32 = 1;
const BEHIND: u32 = 2;

/// Puts the wanted string there; returns its first byte.
#[inline(always)]
pub fn put<K: Kernel>(e: &mut Event<K>, at: u32, bytes: u32) -> u8 {
    let k = e.k;
    let base = e.base();
    let bytes = e.bound(bytes as usize);
    let rest = TEXT_BYTES - bytes;
    // SAFETY: masked; 4 KiB follow both areas in the block.
    let first = unsafe {
        let from = base.add(EVENT_AT + (at as usize & EVENT_MASK));
        k.copy_kernel(base.add(TEXT_AT + (rest & MASK)), bytes as u32, from as usize);
        (base.add(TEXT_AT + TEXT_BYTES) as *mut u64).write_volatile(0);
        from.read_volatile()
    };
    begin_at(of(e), rest as u32);
    first
}

#[inline(always)]
fn begin_at(lookup: &mut Lookup, rest: u32) {
    set!(lookup.rest, rest);
    set!(lookup.cursor, rest);
    set!(lookup.scan, BEFORE);
}

#[inline(always)]
fn byte<K: Kernel>(e: &Event<K>, at: u32) -> u8 {
    // SAFETY: masked; the NUL behind the area is never asked for by its own position.
    unsafe { e.base().add(TEXT_AT + (at as usize & MASK)).read_volatile() }
}

/// Looks for the next name.
#[inline(always)]
pub fn scan<K: Kernel>(e: &mut Event<K>) {
    let end = TEXT_BYTES as u32;
    for _ in 0..SCAN {
        let lookup = of(e);
        let (cursor, scan) = (get!(lookup.cursor), get!(lookup.scan));
        let ends = cursor >= end;
        let slash = !ends && byte(e, cursor) == b'/';
        if scan == INSIDE && (slash || ends) {
            let bytes = cursor.wrapping_sub(get!(lookup.name_at));
            set!(lookup.name_bytes, bytes);
            set!(lookup.has_slash, u32::from(slash));
            set!(lookup.scan, BEHIND);
            if bytes > NAME_BYTES {
                return give_up(e);
            }
        }
        if scan == BEFORE && (ends || !slash) {
            set!(lookup.name_at, cursor);
            set!(lookup.name_bytes, 0);
            set!(lookup.scan, INSIDE);
        }
        if ends || (scan == BEHIND && !slash) {
            set!(lookup.rest, cursor);
            set!(lookup.is_last, u32::from(ends));
            set!(lookup.scan, BEFORE);
            return go(e, TAKE);
        }
        set!(lookup.cursor, cursor + 1);
    }
}

/// The name's first eight bytes, and what follows it.
#[inline(always)]
pub fn head<K: Kernel>(e: &Event<K>) -> u64 {
    word(e, 0)
}

/// Eight bytes of the name from `at` on.
#[inline(always)]
pub fn word<K: Kernel>(e: &Event<K>, at: usize) -> u64 {
    let name = get!(of(e).name_at) as usize;
    // SAFETY: masked; 4 KiB follow.
    unsafe { (e.base().add(TEXT_AT + ((name + at) & MASK)) as *const u64).read_unaligned() }
}

/// Where the last name lies in the event. Links are never followed behind the last name of such a
/// path, so the text ends as the caller's string does.
#[inline(always)]
pub fn last<K: Kernel>(e: &mut Event<K>) -> (u32, u32) {
    let lookup = of(e);
    let (name, bytes) = (get!(lookup.name_at), get!(lookup.name_bytes));
    let want = if get!(lookup.current) != 0 {
        &raw const lookup.wants[1]
    } else {
        &raw const lookup.wants[0]
    };
    // SAFETY: made from a reference just now.
    let end = unsafe {
        (&raw const (*want).at).read_volatile() + (&raw const (*want).bytes).read_volatile()
    };
    (end.wrapping_sub((TEXT_BYTES as u32).wrapping_sub(name)), bytes)
}

/// Longest text of a link, with its NUL.
pub const LINK_BYTES: u32 = 4096;

/// Where a link's text is put first: the path's area, which is free meanwhile.
#[inline(always)]
pub fn link_area<K: Kernel>(e: &Event<K>) -> *mut u8 {
    // SAFETY: the area lies in the block.
    unsafe { e.base().add(PATH_AT) }
}

/// Puts a link's text, `bytes` bytes in the link area, before the rest. Returns its first byte.
#[inline(always)]
pub fn put_link<K: Kernel>(e: &mut Event<K>, bytes: usize) -> u8 {
    let k = e.k;
    let base = e.base();
    let lookup = of(e);
    let mut rest = get!(lookup.rest) as usize;
    if get!(lookup.is_last) == 0 || get!(lookup.has_slash) != 0 {
        rest = rest.wrapping_sub(1);
        // SAFETY: masked.
        unsafe { base.add(TEXT_AT + (rest & MASK)).write_volatile(b'/') };
    }
    if bytes == 0 || bytes >= LINK_BYTES as usize || rest > TEXT_BYTES || rest <= bytes {
        return 0;
    }
    let rest = rest - bytes;
    let bytes = e.bound(bytes);
    // SAFETY: masked; 4 KiB follow.
    let first = unsafe {
        let from = link_area(e);
        k.copy_kernel(base.add(TEXT_AT + (rest & MASK)), bytes as u32, from as usize);
        from.read_volatile()
    };
    begin_at(of(e), rest as u32);
    first
}
