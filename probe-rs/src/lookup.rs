//! Which file a call named: its path looked up once more when the call has returned, read-only, in
//! the kernel's cache of names, from the caller's own root, directory or descriptor.
//!
//! In: what the filler wants (`want`): the string as the event carries it, the directory that it
//! starts from, how the call reads its last name. Out: a place in the tree of mounts for each
//! (`State::places`), and for names that a call makes or removes, the last name behind the place
//! of its directory. What cannot be followed to its end (a name that is not cached, a symbolic link
//! whose text is not in memory, a bound) is a place of zeros: unknown, never a guess.
//!
//! It is a machine of small steps, whose state lies in the block, for drivers that repeat `step`
//! until it says that all is done.
mod child;
mod link;
mod mount;
mod state;
mod table;
mod text;

use crate::event::{Event, HEADER_BYTES, Next};
use crate::file::file_of;
use crate::kernel::Kernel;
use crate::scratch::{EVENT_AT, Place, STRING_BYTES, TEXT};
use crate::{get, offset, path, set, stage};
pub use state::{AT_FDCWD, EMPTY, ENTRY, FOLLOW, MOUNTPOINT, PARENT};
use state::{
    BEGIN, CHAIN, CHILD, COMPARE, COVERED, HASH, LEARN, MOUNTS, NAME, NOTHING, REACHED, SAID, TAKE,
    UP, Want, arrive, directory, file_place, found, from, give_up, go, next, of, on, put,
    set_found, set_from,
};

/// Steps for all names of one call; a step looks at eight entries of a list.
pub const STEPS: u32 = 4096;
/// Asks for a name of the call: the string parameter that was written last, from descriptor `fd`.
#[inline(always)]
pub fn want<K: Kernel>(e: &mut Event<K>, which: usize, bytes: usize, fd: i32, how: u32) {
    let at = e.position() as u32;
    let bytes = if bytes == 0 { 0 } else { bytes as u32 - 1 };
    let want = Want { how, fd, at: at.wrapping_sub(bytes + 1), bytes };
    let lookup = of(e);
    if which == 0 {
        lookup.wants[0] = want;
        lookup.count = 1;
    } else {
        lookup.wants[1] = want;
        lookup.count = 2;
    }
}

/// Asks for what an open has named whose file is in no table of descriptors: its third parameter,
/// from the descriptor that is its first argument.
#[inline(always)]
pub fn want_opened<K: Kernel>(e: &mut Event<K>) {
    const PARAM: usize = 2;
    let at = u32::from(get!(e.state().starts[PARAM]));
    // SAFETY: the lengths lie in the block.
    let bytes = unsafe {
        (e.base().add(EVENT_AT + HEADER_BYTES + 2 * PARAM) as *const u16).read_unaligned()
    };
    let bytes = if bytes == 0 { 0 } else { u32::from(bytes) - 1 };
    let fd = e.int(0);
    let lookup = of(e);
    lookup.wants[0] = Want { how: FOLLOW, fd, at, bytes };
    lookup.count = 1;
}

/// Asks for nothing in the first place: only the second is a path.
#[inline(always)]
pub fn want_none<K: Kernel>(e: &mut Event<K>) {
    let lookup = of(e);
    lookup.wants[0] = Want { how: NOTHING, fd: -1, at: 0, bytes: 0 };
    lookup.count = 1;
}

/// Asks for a name of a call that has no parameter for it: the path, and behind it what the caller
/// said, where that is from the working directory or from the root.
#[inline(always)]
pub fn said<K: Kernel>(e: &mut Event<K>, name: usize, fd: i32, how: u32) {
    let base = e.base();
    // SAFETY: the event of such a call ends far before, and 4 KiB behind it lie in the block.
    let (got, first) = unsafe {
        let to = base.add(EVENT_AT + SAID_AT);
        to.write_volatile(0);
        (e.k.copy_user_str(to, STRING_BYTES, name), to.read_volatile())
    };
    let bytes = if got <= 1 { 0 } else { (got as usize & 0x1fff) as u32 - 1 };
    let lookup = of(e);
    lookup.wants[0] = Want { how, fd, at: SAID_AT as u32, bytes };
    lookup.wants[1] = Want { how: SAID, fd, at: SAID_AT as u32, bytes };
    lookup.count = if fd == AT_FDCWD || first == b'/' { 2 } else { 1 };
}

/// Where in the event's room such a string is kept meanwhile.
const SAID_AT: usize = 16 * 1024;

/// The names go behind the table's parameters; a call that failed acted on none.
#[inline(always)]
pub fn with_names<K: Kernel>(e: &mut Event<K>) -> Next {
    if e.ret() < 0 {
        return Next::Emit;
    }
    Next::LookUp
}

/// Before the first step.
#[inline(always)]
pub fn start<K: Kernel>(e: &mut Event<K>) {
    let lookup = of(e);
    set!(lookup.current, 0);
    set!(lookup.phase, BEGIN);
    set!(lookup.unknown, 0);
    set!(lookup.entering, 0);
    set!(lookup.entry, 0);
    let none = Place { mnt: 0, dentry: 0 };
    let count = lookup.count;
    let state = e.state();
    state.places = [none; 2];
    state.suffix_at = [0; 2];
    state.suffix_bytes = [0; 2];
    state.place_count = count;
    state.place = 0;
    state.from_top = 0;
    state.then = stage::EMIT_WITH_PATHS;
}

/// Inode of the file that a name with ENTRY leads to now; 0: there was none, or it is not known.
#[inline(always)]
pub fn entry<K: Kernel>(e: &Event<K>) -> usize {
    get!(of(e).entry)
}

/// A name that a filler wants, for drivers that look names up by another way than `step`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// It is no path.
    Nothing,
    /// A text of so many bytes at this place in the event, as the caller said it.
    Said { at: u32, bytes: u32 },
    /// The same, from descriptor `fd`, read as `how` says.
    Name { how: u32, fd: i32, at: u32, bytes: u32 },
}

/// The call's first or second name; None where it has none.
pub fn wanted<K: Kernel>(e: &Event<K>, which: usize) -> Option<Wanted> {
    let lookup = of(e);
    let Want { how, fd, at, bytes } = *lookup.wants.get(which)?;
    if which >= lookup.count as usize {
        return None;
    }
    Some(if how & NOTHING != 0 {
        Wanted::Nothing
    } else if how & SAID != 0 {
        Wanted::Said { at, bytes }
    } else {
        Wanted::Name { how, fd, at, bytes }
    })
}

/// Names whose look-up did not come to its end, once no step follows.
#[inline(always)]
pub fn unknown<K: Kernel>(e: &mut Event<K>) -> u32 {
    let lookup = of(e);
    let cut = get!(lookup.count).wrapping_sub(get!(lookup.current));
    get!(lookup.unknown) + if cut <= 2 { cut } else { 0 }
}

/// One step; whether all is done.
#[inline(always)]
pub fn step<K: Kernel>(e: &mut Event<K>) -> bool {
    match get!(of(e).phase) {
        BEGIN => begin(e),
        NAME => text::scan(e),
        TAKE => take(e),
        HASH => child::hash(e),
        CHAIN => child::chain(e),
        LEARN => child::learn(e),
        CHILD => child::search(e),
        COMPARE => child::compare(e),
        COVERED => mount::covered(e),
        MOUNTS => mount::search(e),
        REACHED => reached(e),
        UP => mount::up(e),
        _ => return true,
    }
    false
}

/// Takes up the next name that is wanted.
#[inline(always)]
fn begin<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let lookup = of(e);
    let second = get!(lookup.current) != 0;
    let want = if second { &raw const lookup.wants[1] } else { &raw const lookup.wants[0] };
    // SAFETY: made from a reference just now.
    let (how, fd, at, bytes) = unsafe {
        (
            (&raw const (*want).how).read_volatile(),
            (&raw const (*want).fd).read_volatile(),
            (&raw const (*want).at).read_volatile(),
            (&raw const (*want).bytes).read_volatile(),
        )
    };
    if how & NOTHING != 0 {
        return next(e);
    }
    if how & SAID != 0 {
        return arrive(e, Place { mnt: 0, dentry: TEXT }, at, bytes);
    }
    set!(lookup.how, how);
    set!(lookup.links, 0);
    set!(lookup.entering, 0);
    let base = if bytes != 0 && text::put(e, at, bytes) == b'/' {
        k.root()
    } else if fd == AT_FDCWD {
        directory(k, k.task())
    } else {
        file_place(k, file_of(k, fd))
    };
    if base.dentry == 0 || (bytes == 0 && how & EMPTY == 0) {
        return give_up(e);
    }
    if bytes == 0 {
        return arrive(e, base, 0, 0);
    }
    set_from(e, base);
    go(e, NAME);
}

/// Decides what to do with the name that was found in the text.
#[inline(always)]
fn take<K: Kernel>(e: &mut Event<K>) {
    let lookup = of(e);
    let (bytes, is_last) = (get!(lookup.name_bytes), get!(lookup.is_last) != 0);
    let parent = get!(lookup.how) & PARENT != 0;
    let here = from(e);
    if bytes == 0 {
        // Nothing but slashes: the root, or a link that leads there.
        return if parent { give_up(e) } else { arrive(e, here, 0, 0) };
    }
    let head = text::head(e) & 0xff_ffff;
    let dots = match bytes {
        1 => head & 0xff == 0x2e,
        2 => head & 0xffff == 0x2e2e,
        _ => false,
    };
    if is_last && parent {
        if dots {
            return give_up(e);
        }
        let (at, bytes) = text::last(e);
        if get!(lookup.how) & ENTRY == 0 {
            return arrive(e, here, at, bytes);
        }
        put(e, here, at, bytes);
        set!(of(e).entering, 1);
        return child::start(e);
    }
    if !dots {
        return child::start(e);
    }
    set_found(e, here);
    go(e, if bytes == 1 { REACHED } else { UP });
}

/// Symbolic links in one name, as in the kernel.
const LINKS: u32 = 40;

const S_IFMT: u32 = 0o170_000;
const S_IFLNK: u32 = 0o120_000;

/// A name led to `found`: goes on from there, into a link, or is done.
#[inline(always)]
fn reached<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let place = found(e);
    let lookup = of(e);
    let is_last = get!(lookup.is_last) != 0;
    let follow = !is_last || get!(lookup.has_slash) != 0 || get!(lookup.how) & FOLLOW != 0;
    let inode = k.address(place.dentry + offset!(k, dentry_inode));
    if inode == 0 {
        return give_up(e);
    }
    if get!(lookup.entering) != 0 {
        set!(lookup.entry, inode);
        return next(e);
    }
    let mode = k.int(inode + offset!(k, inode_mode)) & S_IFMT;
    if mode == S_IFLNK && follow {
        let links = get!(lookup.links) + 1;
        set!(lookup.links, links);
        if links > LINKS {
            return give_up(e);
        }
        return link::follow(e, inode);
    }
    on(e, place);
}

/// The new root of a process, seen from the top of its mounts: its own root hides what is above.
#[inline(always)]
pub fn of_new_root<K: Kernel>(e: &mut Event<K>) -> Next {
    if e.ret() < 0 {
        return Next::Emit;
    }
    let root = e.k.root();
    path::of_place(e, root);
    let state = e.state();
    state.from_top = 1;
    state.place = 0;
    state.then = stage::EMIT_WITH_PATHS;
    Next::Walk
}
