//! The state of a look-up, and its moves from one step to the next.
use crate::event::Event;
use crate::kernel::Kernel;
use crate::scratch::{LOOKUP_AT, Place};
use crate::{get, offset, set};

/// How a call reads a name. The entry itself is made or removed: its directory is looked up, and
/// the last name stands as it was given.
pub const PARENT: u32 = 1;
/// A symbolic link at the end is followed.
pub const FOLLOW: u32 = 2;
/// The place below what is mounted there: what a mount covers, not what it shows.
pub const MOUNTPOINT: u32 = 4;
/// An empty name is the directory or descriptor itself (AT_EMPTY_PATH).
pub const EMPTY: u32 = 8;

/// Only the second of the call's names is a path.
pub const NOTHING: u32 = 16;
/// What the caller said is told as it is.
pub const SAID: u32 = 32;
/// With PARENT: the file that the entry leads to now is looked for as well.
pub const ENTRY: u32 = 64;

pub const AT_FDCWD: i32 = -100;

/// What the next step does.
pub const BEGIN: u32 = 0;
pub const NAME: u32 = 1;
pub const TAKE: u32 = 2;
pub const CHILD: u32 = 3;
pub const COMPARE: u32 = 4;
pub const COVERED: u32 = 5;
pub const MOUNTS: u32 = 6;
pub const REACHED: u32 = 7;
pub const UP: u32 = 8;
pub const HASH: u32 = 9;
pub const CHAIN: u32 = 10;
pub const LEARN: u32 = 11;
pub const DONE: u32 = 12;

/// One name of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Want {
    pub how: u32,
    pub fd: i32,
    /// Where the string lies in the event, and its bytes without the NUL.
    pub at: u32,
    pub bytes: u32,
}

/// The kernel's table of names, by their hashes (table.rs).
#[repr(C)]
pub struct Table {
    /// Where it begins; 0: not known yet. A name is in the list of `hash >> shift`.
    pub base: usize,
    pub shift: u32,
    /// What all entries seen so far agree on: for each shift where the table would begin, a bit for
    /// those that can be, and the number of entries.
    pub candidates: u32,
    pub seen: u32,
    /// The shift of the last one that agreed.
    pub last: u32,
    pub bases: [usize; 24],
}

/// The look-up's state, see `scratch::LOOKUP_AT`.
#[repr(C)]
pub struct Lookup {
    pub wants: [Want; 2],
    pub count: u32,
    pub current: u32,
    pub phase: u32,
    pub how: u32,
    /// Where the rest of the path starts in the text area, and the name that is looked at.
    pub rest: u32,
    pub name_at: u32,
    pub name_bytes: u32,
    /// Where in a name the scan is (text.rs).
    pub scan: u32,
    pub cursor: u32,
    /// Nothing but slashes follows; there are such.
    pub is_last: u32,
    pub has_slash: u32,
    pub links: u32,
    /// Directory that the name is looked up in, what was found, the list that is walked.
    pub from: Place,
    pub found: Place,
    pub node: usize,
    pub head: usize,
    pub left: u32,
    /// Names that could not be followed to their end.
    pub unknown: u32,
    /// The name's hash, and the list in which it is looked for.
    pub hash: u32,
    pub list: u32,
    /// Where in the name its hash or a comparison is.
    pub word_at: u32,
    /// The place of an entry is told, and its file is looked for; the inode that was found.
    pub entering: u32,
    pub entry: usize,
    /// What this CPU has learned of the kernel's table of names, kept from one call to the next.
    pub table: Table,
}

#[inline(always)]
pub fn of<'a, K: Kernel>(e: &Event<K>) -> &'a mut Lookup {
    // SAFETY: the block holds it there, aligned, and is ours alone; each borrow is used up before
    // the next is made.
    unsafe { &mut *(e.base().add(LOOKUP_AT) as *mut Lookup) }
}

#[inline(always)]
pub fn go<K: Kernel>(e: &mut Event<K>, phase: u32) {
    set!(of(e).phase, phase);
}

#[inline(always)]
pub fn next<K: Kernel>(e: &mut Event<K>) {
    let lookup = of(e);
    let current = get!(lookup.current) + 1;
    set!(lookup.current, current);
    set!(lookup.phase, if current >= get!(lookup.count) { DONE } else { BEGIN });
}

/// The name leads nowhere that is known.
#[inline(always)]
pub fn give_up<K: Kernel>(e: &mut Event<K>) {
    let lookup = of(e);
    // The file of an entry is not what a path is told of.
    let paths = if get!(lookup.entering) == 0 { 1 } else { 0 };
    set!(lookup.unknown, get!(lookup.unknown) + paths);
    next(e);
}

/// The name leads to `place`, or to the entry of the last name in it.
#[inline(always)]
pub fn arrive<K: Kernel>(e: &mut Event<K>, place: Place, suffix_at: u32, suffix_bytes: u32) {
    put(e, place, suffix_at, suffix_bytes);
    next(e);
}

/// Notes the place without going on.
#[inline(always)]
pub fn put<K: Kernel>(e: &mut Event<K>, place: Place, suffix_at: u32, suffix_bytes: u32) {
    let second = get!(of(e).current) != 0;
    let state = e.state();
    if second {
        set!(state.places[1].mnt, place.mnt);
        set!(state.places[1].dentry, place.dentry);
        set!(state.suffix_at[1], suffix_at);
        set!(state.suffix_bytes[1], suffix_bytes);
    } else {
        set!(state.places[0].mnt, place.mnt);
        set!(state.places[0].dentry, place.dentry);
        set!(state.suffix_at[0], suffix_at);
        set!(state.suffix_bytes[0], suffix_bytes);
    }
}

#[inline(always)]
pub fn set_from<K: Kernel>(e: &mut Event<K>, place: Place) {
    let lookup = of(e);
    set!(lookup.from.mnt, place.mnt);
    set!(lookup.from.dentry, place.dentry);
}

#[inline(always)]
pub fn from<K: Kernel>(e: &mut Event<K>) -> Place {
    let lookup = of(e);
    Place { mnt: get!(lookup.from.mnt), dentry: get!(lookup.from.dentry) }
}

#[inline(always)]
pub fn set_found<K: Kernel>(e: &mut Event<K>, place: Place) {
    let lookup = of(e);
    set!(lookup.found.mnt, place.mnt);
    set!(lookup.found.dentry, place.dentry);
}

#[inline(always)]
pub fn found<K: Kernel>(e: &mut Event<K>) -> Place {
    let lookup = of(e);
    Place { mnt: get!(lookup.found.mnt), dentry: get!(lookup.found.dentry) }
}

/// The working directory of a task.
#[inline(always)]
pub fn directory<K: Kernel>(k: &K, task: usize) -> Place {
    let fs = k.address(task + offset!(k, task_fs));
    Place {
        mnt: k.address(fs + offset!(k, fs_pwd_mnt)),
        dentry: k.address(fs + offset!(k, fs_pwd_dentry)),
    }
}

/// Where an open file is.
#[inline(always)]
pub fn file_place<K: Kernel>(k: &K, file: usize) -> Place {
    if file == 0 {
        return Place { mnt: 0, dentry: 0 };
    }
    Place {
        mnt: k.address(file + offset!(k, file_mnt)),
        dentry: k.address(file + offset!(k, file_dentry)),
    }
}

/// The way goes on from `place`.
#[inline(always)]
pub fn on<K: Kernel>(e: &mut Event<K>, place: Place) {
    if place.dentry == 0 {
        return give_up(e);
    }
    if get!(of(e).is_last) != 0 {
        return arrive(e, place, 0, 0);
    }
    set_from(e, place);
    go(e, NAME);
}
