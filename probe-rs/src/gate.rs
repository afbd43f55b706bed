//! Opens before anything of their event is written. In: an open that succeeded. Out: whether the
//! sieve drops it here, at half the cost of the event: the caller's name and the kernel's are
//! looked at where they are, and what the numbers would say is not asked. What is kept:
//! sieve/opens.rs.
use crate::event::Event;
use crate::file::{OVERLAY_MAGIC, S_IFDIR, S_IFMT, file_of};
use crate::kernel::Kernel;
use crate::scratch::{COPY_AT, PATH_BYTES, Place};
use crate::sieve::ask::{ASK, DROP, is_open};
use crate::sieve::guard::{Guard, may_admit, text};
use crate::sieve::names::IRREGULAR;
use crate::sieve::opens::{is_seen, is_stream};
use crate::sieve::tables::Sifter;
use crate::sieve::text::Text;
use crate::{get, offset, path, table};

/// Names up to here are looked at; those that are longer go the long way.
const NAME_BYTES: usize = 256;
/// The caller's name lies behind the copies of kernel structures.
const NAME_AT: usize = COPY_AT + 4096;

/// What is to be done with an event that is not made yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// It is dropped, and counted.
    Closed,
    /// The stage of opens decides.
    Asked,
}

/// What the code alone says.
#[inline(always)]
pub fn of<K: Sifter>(e: &mut Event<K>, code: u16) -> Gate {
    let Some(guard) = e.k.guard(code) else { return Gate::Open };
    if guard.verdict == DROP {
        e.k.count_sifted(code);
        return Gate::Closed;
    }
    if !is_open(code) || guard.verdict != ASK || e.state().gated != 0 {
        return Gate::Open;
    }
    e.state().gated = 1;
    Gate::Asked
}

/// The stage of opens: whether the one in the block is dropped for its names, and counted.
#[inline(always)]
pub fn drops<K: Sifter>(e: &mut Event<K>) -> bool {
    let code = e.state().code;
    let Some(guard) = e.k.guard(code) else { return false };
    let dropped = names_drop(e, guard, code);
    if dropped {
        e.k.count_sifted(code);
    }
    dropped
}

#[inline(always)]
fn names_drop<K: Sifter>(e: &mut Event<K>, guard: &Guard, code: u16) -> bool {
    let k = e.k;
    let Some(names) = k.names() else { return false };
    let by_directory = matches!(code, table::SYSCALL_OPENAT_2_X | table::SYSCALL_OPENAT2_X);
    let argument = usize::from(by_directory);
    if e.ret() < 0
        || is_stream(e.ret())
        || guard.texts[0].kind != text::PATH
        || guard.texts[1].kind != text::NONE
    {
        return false;
    }
    let at = e.arg(argument) as usize;
    // SAFETY: the area has room, see scratch.rs.
    let got = unsafe { k.copy_user_str(e.base().add(NAME_AT), NAME_BYTES as u32, at) };
    // Only a name that is whole and says from where it is.
    if got < 2 || got >= NAME_BYTES as i64 {
        return false;
    }
    let bytes = got as usize - 1;
    // SAFETY: copied just now.
    if unsafe { e.base().add(NAME_AT).read_volatile() } != b'/' {
        return false;
    }
    let ret = e.ret() as i32;
    let file = file_of(k, ret);
    if file == 0 {
        return false;
    }
    let inode = k.address(file + offset!(k, file_inode));
    let mode: u16 = k.read(inode + offset!(k, inode_mode));
    if mode & S_IFMT == S_IFDIR {
        return false;
    }
    // The count of links stands behind the number: one read has both.
    let [ino, links]: [u64; 2] = k.read(inode + offset!(k, inode_ino));
    let links = if offset!(k, inode_links) == offset!(k, inode_ino) + 8 {
        links as u32
    } else {
        k.int(inode + offset!(k, inode_links))
    };
    if is_seen(k, ino) || links > 1 && is_named(k, inode, ino) {
        return false;
    }
    // struct path: the mount, then the dentry.
    let place: Place = k.read(file + offset!(k, file_mnt));
    path::of_place(e, place);
    e.state().place = 0;
    path::start(e);
    // A file of another mount may be on an overlay, and have a name on one of its layers.
    if place.mnt != get!(e.state().root.mnt) && is_of_overlay(k, inode) {
        return false;
    }
    if !path::pass(e) {
        return false;
    }
    let (free, cut) = (e.state().free as usize, e.state().cut);
    let length = PATH_BYTES.wrapping_sub(free);
    let is_gone = e.state().at.dentry == 0;
    // A further name is known behind the gate only.
    if e.state().further != 0 || is_gone || cut != 0 || length == 0 || length >= NAME_BYTES {
        return false;
    }
    let kernel_at = path::AREA + (free & path::AREA_MASK);
    // SAFETY: the event's block.
    let (kernel, caller) = unsafe {
        (
            Text::behind_event(e.base(), kernel_at, length),
            Text::behind_event(e.base(), NAME_AT, bytes),
        )
    };
    if !kernel.is(k, &caller) {
        return false;
    }
    let marks = caller.walk(k, names);
    marks & IRREGULAR == 0 && !may_admit(guard, marks)
}

#[inline(always)]
fn is_of_overlay<K: Kernel>(k: &K, inode: usize) -> bool {
    let sb = k.address(inode + offset!(k, inode_sb));
    k.word(sb + offset!(k, sb_magic)) == OVERLAY_MAGIC
}

/// Whether rules name this file, which has another name as well.
#[inline(always)]
fn is_named<K: Kernel>(k: &K, inode: usize, ino: u64) -> bool {
    let sb = k.address(inode + offset!(k, inode_sb));
    k.name_of(k.int(sb + offset!(k, sb_dev)), ino) != 0
}
