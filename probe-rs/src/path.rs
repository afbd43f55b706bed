//! The path of a file as seen from the root of the current process: from the dentry upwards,
//! through the mounts, as the kernel's own d_path does, but reading only.
//!
//! It is built from its end in the path area, a component at a time, and copied into the event as
//! one parameter. The walk is cut into passes of bounded length, because verifiers want bounds;
//! what the passes leave, a loop goes on with, where the kernel has loops. Of a path of more than
//! PATH_BYTES the middle is left out, where "/…" stands, so that rules meet both of its ends. One
//! of more than FAR components is cut at its head and starts with "." instead of "/". Either event
//! is counted as truncated.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::lane::{CRITICAL, matters};
use crate::scratch::{EVENT_AT, EVENT_MASK, PATH_AT, PATH_BYTES, Place, TEXT};
use crate::stage::FILES;
use crate::{further, get, offset, set};

/// Components of one pass; passes follow until the path is whole or too long.
pub const PASS: usize = 28;
/// Passes of an event. The kernel allows 33 tail calls, of which 14 may be other stages: some 480
/// components.
pub const PASSES: u32 = 17;
/// Where further names follow, stages of theirs come to it.
const PASSES_FURTHER: u32 = 9;
/// Components and mounts that the loop behind the passes goes through.
pub const FAR: u32 = 8192;
/// Where the end of a path begins that is too long to be kept: before it stands what was left out.
const END_AT: usize = 3072;
const LEFT_OUT: [u8; 4] = *b"/\xe2\x80\xa6";
/// Parents of a file on another mount that are looked at for the root.
const PARENTS: usize = 32;
/// The area holds PATH_BYTES plus room before it that a name may touch.
pub const AREA: usize = PATH_AT + 512;
pub const AREA_MASK: usize = 0xfff;

/// The dentry's parent and its name, which are neighbours in memory.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Step {
    parent: usize,
    hash: u32,
    name_bytes: u32,
    name: usize,
}

/// Places the path of an open file in the event; nothing where the file is unknown.
#[inline(always)]
pub fn of_file<K: Kernel>(event: &mut Event<K>, file: usize) {
    let k = event.k;
    let place = Place {
        mnt: k.address(file + offset!(k, file_mnt)),
        dentry: k.address(file + offset!(k, file_dentry)),
    };
    of_place(event, place);
}

#[inline(always)]
pub fn of_place<K: Kernel>(event: &mut Event<K>, place: Place) {
    let state = event.state();
    state.places[0] = place;
    state.place_count = 1;
    state.suffix_bytes[0] = 0;
    state.from_top = 0;
}

/// Gets the walk of `places[place]` ready.
#[inline(always)]
pub fn start<K: Kernel>(event: &mut Event<K>) {
    let k = event.k;
    let none = Place { mnt: 0, dentry: 0 };
    let from_host = event.state().from_host != 0;
    let root = if from_host {
        k.host().root
    } else if event.state().from_top == 0 {
        k.root()
    } else {
        none
    };
    let state = event.state();
    set!(state.root, root);
    // Read again as plain numbers: the verifier of 6.1 lets no typed pointer be mixed with another,
    // which is how two places are compared.
    let root = get!(state.root);
    let mut at = if state.place == 0 { state.places[0] } else { state.places[1] };
    if !from_host && event.state().from_top == 0 {
        further::note_place(event, at, root);
    }
    if at.mnt != root.mnt && is_below(k, at.dentry, root.dentry) {
        at.mnt = root.mnt;
    }
    let state = event.state();
    state.at = at;
    state.free = PATH_BYTES as u32;
    state.cut = 0;
    let mount_root = k.address(at.mnt + offset!(k, vfsmount_root));
    event.state().mount_root = mount_root;
    put_suffix(event);
}

/// Begins the path with the last name, where the place is that of its directory.
#[inline(always)]
fn put_suffix<K: Kernel>(event: &mut Event<K>) {
    let k = event.k;
    let base = event.base();
    let state = event.state();
    let second = get!(state.place) != 0;
    let (at, bytes) = if second {
        (get!(state.suffix_at[1]), get!(state.suffix_bytes[1]))
    } else {
        (get!(state.suffix_at[0]), get!(state.suffix_bytes[0]))
    };
    if get!(state.at.dentry) == TEXT {
        let bytes = event.bound(bytes as usize);
        let free = PATH_BYTES - bytes;
        // SAFETY: masked; 4 KiB follow both.
        unsafe {
            let from = base.add(EVENT_AT + (at as usize & EVENT_MASK));
            k.copy_kernel(base.add(AREA + (free & AREA_MASK)), bytes as u32, from as usize);
        }
        return set!(event.state().free, free as u32);
    }
    let bytes = (bytes & 0xff) as usize;
    if bytes == 0 {
        return;
    }
    let free = PATH_BYTES - bytes - 1;
    // SAFETY: masked; the areas have 255 bytes of room behind the masks' reach.
    unsafe {
        let to = base.add(AREA + (free & AREA_MASK));
        *to = b'/';
        let from = base.add(EVENT_AT + (at as usize & EVENT_MASK));
        k.copy_kernel(to.add(1), bytes as u32, from as usize);
    }
    set!(event.state().free, free as u32);
}

/// Whether a dentry lies below the process's root in its own file system. Then it was opened
/// through a bind mount of a part of that file system, and the name that it has without that mount
/// is the one that rules know: mounting a directory elsewhere hides nothing. Only the nearest
/// parents are looked at; a deeper file keeps the name that the mount gives it.
#[inline(always)]
fn is_below<K: Kernel>(k: &K, dentry: usize, root: usize) -> bool {
    let sb = offset!(k, dentry_sb);
    if k.address(dentry + sb) != k.address(root + sb) {
        return false;
    }
    let mut at = dentry;
    for _ in 0..PARENTS {
        if at == root {
            return true;
        }
        let parent = k.address(at + offset!(k, dentry_parent));
        if parent == at || parent == 0 {
            return false;
        }
        at = parent;
    }
    false
}

/// One pass of the walk. Whether the path is whole.
#[inline(always)]
pub fn pass<K: Kernel>(event: &mut Event<K>) -> bool {
    for _ in 0..PASS {
        if climb(event) {
            return true;
        }
    }
    false
}

/// One step of the walk: a component, or out of a mount. Whether the path is whole.
#[inline(always)]
pub fn climb<K: Kernel>(event: &mut Event<K>) -> bool {
    let k = event.k;
    let base = event.base();
    let to_mount = offset!(k, mount_vfsmount);
    let state = event.state();
    let (dentry, mnt) = (get!(state.at.dentry), get!(state.at.mnt));
    if dentry == get!(state.root.dentry) && mnt == get!(state.root.mnt) {
        return true;
    }
    if dentry == get!(state.mount_root) {
        let mount = mnt.wrapping_sub(to_mount);
        let parent = k.address(mount + offset!(k, mount_parent));
        if parent == mount || parent == 0 {
            return true;
        }
        set!(state.at.dentry, k.address(mount + offset!(k, mount_mountpoint)));
        set!(state.at.mnt, parent + to_mount);
        let root = k.address(parent + to_mount + offset!(k, vfsmount_root));
        set!(state.mount_root, root);
        return false;
    }
    let step: Step = k.read(dentry + offset!(k, dentry_parent));
    if step.parent == dentry || step.parent == 0 {
        return true;
    }
    let bytes = (step.name_bytes & 0xff) as usize;
    let free = get!(state.free) as usize;
    if free <= bytes {
        // The component comes again, once there is room for it.
        leave_out(event);
        return false;
    }
    let free = free - bytes - 1;
    // SAFETY: masked; the area has 255 bytes of room behind the mask's reach.
    unsafe {
        let to = base.add(AREA + (free & AREA_MASK));
        *to = b'/';
        k.copy_kernel(to.add(1), bytes as u32, step.name);
    }
    set!(state.free, free as u32);
    set!(state.at.dentry, step.parent);
    false
}

/// Makes room for the head of a path by leaving out what stands before its end.
#[inline(always)]
fn leave_out<K: Kernel>(event: &mut Event<K>) {
    const AT: usize = END_AT - LEFT_OUT.len();
    // SAFETY: inside of the area.
    unsafe { event.base().add(AREA + AT).cast::<[u8; 4]>().write_unaligned(LEFT_OUT) };
    let state = event.state();
    set!(state.free, AT as u32);
    state.truncated += 1;
}

/// Passes that the event's walks may take.
#[inline(always)]
pub fn most<K: Kernel>(event: &mut Event<K>) -> u32 {
    if get!(event.state().further) == 0 { PASSES } else { PASSES_FURTHER }
}

/// Marks the path as one whose head is missing.
#[inline(always)]
pub fn cut<K: Kernel>(event: &mut Event<K>) {
    let state = event.state();
    state.truncated += 1;
    set!(state.cut, 1);
}

/// Writes the finished path as the next parameter, or inside the one that is being written.
#[inline(always)]
pub fn write<K: Kernel>(event: &mut Event<K>) {
    let bytes = put(event);
    event.state().path_bytes = bytes as u32;
    event.grow(bytes);
    if get!(event.state().inside) == 0 {
        event.end(bytes);
    }
}

/// Puts the path and its NUL at the position; returns their bytes.
#[inline(always)]
fn put<K: Kernel>(event: &mut Event<K>) -> usize {
    let k = event.k;
    let free = event.state().free as usize & AREA_MASK;
    if event.state().cut != 0 {
        // The head is missing: the first byte says so.
        // SAFETY: masked.
        unsafe { *event.base().add(AREA + free) = b'.' };
    }
    if event.state().at.dentry == 0 {
        // The file went away while the walk stood at it, or there was none.
        return 0;
    }
    if free == PATH_BYTES {
        // A root: its own name is "/", or that of a file which lives in no directory, such as
        // "memfd:name".
        let dentry = event.state().at.dentry;
        let step: Step = k.read(dentry + offset!(k, dentry_parent));
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe { k.copy_kernel_str(event.room(), 256, step.name) };
        return if got < 0 { 0 } else { got as usize & 0x1ff };
    }
    let bytes = event.bound(PATH_BYTES - free);
    // SAFETY: `room` takes 4 KiB and the area lies in the block.
    unsafe {
        let from = event.base().add(AREA + free);
        k.copy_kernel(event.room(), bytes as u32, from as usize);
        *event.room().add(bytes) = 0;
    }
    bytes + 1
}

/// Writes once more the path that the last walk left in the area.
#[inline(always)]
pub fn write_again<K: Kernel>(event: &mut Event<K>) {
    write(event);
}

/// What follows a finished path: the next path, or the stage that goes on.
#[inline(always)]
pub fn next<K: Kernel>(event: &mut Event<K>) -> Next {
    raise_lane(event);
    let state = event.state();
    state.place += 1;
    if state.place < state.place_count { Next::Walk } else { Next::Stage(state.then) }
}

/// Reading a file where secrets or settings live is worth the critical lane.
#[inline(always)]
fn raise_lane<K: Kernel>(event: &mut Event<K>) {
    // What is only used is open already.
    if event.state().lane == CRITICAL || event.state().then == FILES {
        return;
    }
    let free = event.state().free as usize & AREA_MASK;
    // SAFETY: eight bytes behind any masked position lie in the block.
    let head = unsafe { (event.base().add(AREA + free) as *const u64).read_unaligned() };
    if matters(head) {
        event.state().lane = CRITICAL;
    }
}
