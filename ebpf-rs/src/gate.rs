//! Opens before anything of their event is written. In: an open that succeeded. Out: whether the
//! sieve drops it here, at half the cost of the event: the caller's name and the kernel's are
//! looked at where they are, and what the numbers would say is not asked. See opens.rs for what is
//! kept.
use aya_ebpf::EbpfContext;
use probe::counters::row;
use probe::event::Event;
use probe::file::{OVERLAY_MAGIC, S_IFDIR, S_IFMT, file_of};
use probe::kernel::Kernel as _;
use probe::scratch::{COPY_AT, PATH_BYTES, Place};
use probe::sieve::guard::{Guard, may_admit, text};
use probe::sieve::names::IRREGULAR;
use probe::stage::GATE;
use probe::{get, offset, path, table};

use crate::bpf_kernel::Bpf;
use crate::names::{Text, names};
use crate::opens::{is_seen, is_stream};
use crate::record::{PROGRAMS, lose, scratch};
use crate::sieve::{ASK, DROP, count, guard_of, is_open};

/// Names up to here are looked at; those that are longer go the long way.
const NAME_BYTES: usize = 256;
/// The caller's name lies behind the copies of kernel structures.
const NAME_AT: usize = COPY_AT + 4096;

/// Whether an event is dropped before it is made. An open is looked at in a stage of its own, which
/// comes back here where it is not.
#[inline(always)]
pub fn dropped<C: EbpfContext>(ctx: &C, e: &mut Event<Bpf>, code: u16) -> bool {
    match of(e, code) {
        Gate::Open => return false,
        Gate::Closed => return true,
        Gate::Asked => {}
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = PROGRAMS.tail_call(ctx, GATE);
    }
    false
}

/// The stage of opens: their names are looked at where they are.
#[inline(always)]
pub fn stage<C: EbpfContext>(ctx: &C) {
    let Some(block) = scratch(row::CALLS) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    if drops(&mut e) {
        return;
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = PROGRAMS.tail_call(ctx, e.state().slot);
    }
    lose(&mut e);
}

/// What is to be done with an event that is not made yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// It is dropped, and counted.
    Closed,
    /// The stage of opens decides.
    Asked,
}

/// What the code alone says.
#[inline(always)]
fn of(e: &mut Event<Bpf>, code: u16) -> Gate {
    let Some(guard) = guard_of(code) else { return Gate::Open };
    if guard.verdict == DROP {
        count(code);
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
fn drops(e: &mut Event<Bpf>) -> bool {
    let code = e.state().code;
    let Some(guard) = guard_of(code) else { return false };
    let dropped = names_drop(e, guard, code);
    if dropped {
        count(code);
    }
    dropped
}

#[inline(always)]
fn names_drop(e: &mut Event<Bpf>, guard: &Guard, code: u16) -> bool {
    let Some(names) = names() else { return false };
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
    let got = unsafe { Bpf.copy_user_str(e.base().add(NAME_AT), NAME_BYTES as u32, at) };
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
    let file = file_of(&Bpf, ret);
    if file == 0 {
        return false;
    }
    let inode = Bpf.address(file + offset!(Bpf, file_inode));
    let mode: u16 = Bpf.read(inode + offset!(Bpf, inode_mode));
    if mode & S_IFMT == S_IFDIR {
        return false;
    }
    // The count of links stands behind the number: one read has both.
    let [ino, links]: [u64; 2] = Bpf.read(inode + offset!(Bpf, inode_ino));
    let links = if offset!(Bpf, inode_links) == offset!(Bpf, inode_ino) + 8 {
        links as u32
    } else {
        Bpf.int(inode + offset!(Bpf, inode_links))
    };
    if is_seen(ino) || links > 1 && is_named(inode, ino) {
        return false;
    }
    // struct path: the mount, then the dentry.
    let place: Place = Bpf.read(file + offset!(Bpf, file_mnt));
    path::of_place(e, place);
    e.state().place = 0;
    path::start(e);
    // A file of another mount may be on an overlay, and have a name on one of its layers.
    if place.mnt != get!(e.state().root.mnt) && is_of_overlay(inode) {
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
    let kernel = Text::behind_event(e.base(), kernel_at, length);
    let caller = Text::behind_event(e.base(), NAME_AT, bytes);
    if !kernel.is(&caller) {
        return false;
    }
    let marks = caller.walk(names);
    marks & IRREGULAR == 0 && !may_admit(guard, marks)
}

#[inline(always)]
fn is_of_overlay(inode: usize) -> bool {
    let sb = Bpf.address(inode + offset!(Bpf, inode_sb));
    Bpf.word(sb + offset!(Bpf, sb_magic)) == OVERLAY_MAGIC
}

/// Whether rules name this file, which has another name as well.
#[inline(always)]
fn is_named(inode: usize, ino: u64) -> bool {
    let sb = Bpf.address(inode + offset!(Bpf, inode_sb));
    Bpf.name_of(Bpf.int(sb + offset!(Bpf, sb_dev)), ino) != 0
}
