//! Calls that open a file. The flags and the path are those of the file that was opened.
use crate::event::{Event, Next};
use crate::file::{
    OVERLAY_MAGIC, Overlay, S_IFDIR, S_IFMT, encode_dev, file_of, overlay, with_paths,
};
use crate::files::{FILE, INODE, SB, look};
use crate::kernel::Kernel;
use crate::lane::CRITICAL;
use crate::scratch::Place;
use crate::{flags, further, offset, path, stage};

const FMODE_CREATED: u32 = 1 << 20;
/// What an open file does not keep of its flags: O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, and what it
/// has of itself (O_LARGEFILE).
const NOT_KEPT: u32 = 0o100 | 0o200 | 0o400 | flags::O_TRUNC | flags::O_LARGEFILE;

/// A call opened something that is no directory, or a directory (`State::opened`).
pub const OPENED_FILE: u32 = 1;
pub const OPENED_DIRECTORY: u32 = 2;

struct Opened {
    dev: u32,
    ino: u64,
    flags: u32,
    /// The kernel's own note of how it is open.
    how: u32,
}

/// Device, inode and what the flags say beyond the call's own; notes the path for our parameters.
#[inline(always)]
fn opened<K: Kernel>(event: &mut Event<K>, call_flags: u32) -> Opened {
    let k = event.k;
    let ret = event.ret();
    let file = if ret < 0 { 0 } else { file_of(k, ret as i32) };
    if file == 0 {
        return Opened { dev: 0, ino: 0, flags: 0, how: call_flags };
    }
    look(event, file);
    let mut more = 0;
    if event.copied::<u32>(FILE, offset!(k, file_mode)) & FMODE_CREATED != 0 {
        more |= flags::O_F_CREATED;
    }
    if event.copied::<u64>(SB, offset!(k, sb_magic)) == OVERLAY_MAGIC {
        match overlay(k, file) {
            Overlay::Upper => more |= flags::FD_UPPER_LAYER,
            Overlay::Lower => more |= flags::FD_LOWER_LAYER,
            Overlay::No => {}
        }
    }
    let place = Place {
        mnt: event.copied(FILE, offset!(k, file_mnt)),
        dentry: event.copied(FILE, offset!(k, file_dentry)),
    };
    path::of_place(event, place);
    event.state().own_file = file;
    if call_flags & (3 | flags::O_TRUNC) != 0 || more & flags::O_F_CREATED != 0 {
        event.state().lane = CRITICAL;
    }
    let ino = event.copied(INODE, offset!(k, inode_ino));
    let mode: u16 = event.copied(INODE, offset!(k, inode_mode));
    let is_directory = mode & S_IFMT == S_IFDIR;
    further::note_file(event);
    let state = event.state();
    state.opened = if is_directory { OPENED_DIRECTORY } else { OPENED_FILE };
    state.inode = ino;
    let how = event.copied(FILE, offset!(k, file_flags));
    Opened { dev: encode_dev(event.copied(SB, offset!(k, sb_dev))), ino, flags: more, how }
}

#[inline(always)]
pub fn open<K: Kernel>(e: &mut Event<K>) -> Next {
    let call_flags = e.arg(1) as u32;
    let opened = opened(e, call_flags);
    e.res();
    e.string(0);
    e.u32(flags::open(call_flags) | opened.flags);
    let mode = e.arg(2) as u32;
    e.u32(flags::open_mode(call_flags, mode));
    e.u32(opened.dev);
    e.u64(opened.ino);
    with_paths(e)
}

#[inline(always)]
pub fn openat<K: Kernel>(e: &mut Event<K>) -> Next {
    let call_flags = e.arg(2) as u32;
    let opened = opened(e, call_flags);
    e.res();
    e.fd(0);
    e.string(1);
    e.u32(flags::open(call_flags) | opened.flags);
    let mode = e.arg(3) as u32;
    e.u32(flags::open_mode(call_flags, mode));
    e.u32(opened.dev);
    e.u64(opened.ino);
    with_paths(e)
}

/// struct open_how of openat2.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

#[inline(always)]
pub fn openat2<K: Kernel>(e: &mut Event<K>) -> Next {
    let at = e.arg(2) as usize;
    let how: How = if let Some(how) = e.k.read_user(at) {
        how
    } else {
        // Paged out: the kernel's own note of what was asked for.
        let ret = e.ret();
        let k = e.k;
        let file = file_of(k, ret as i32);
        How { flags: u64::from(k.int(file + offset!(k, file_flags))), mode: 0, resolve: 0 }
    };
    let opened = opened(e, how.flags as u32);
    // The structure may have been rewritten meanwhile: what the kernel keeps of it is believed.
    let said = how.flags as u32;
    let call_flags = opened.how & !NOT_KEPT | said & NOT_KEPT;
    if call_flags & 3 != 0 {
        e.state().lane = CRITICAL;
    }
    e.res();
    e.fd(0);
    e.string(1);
    e.u32(flags::open(call_flags) | opened.flags);
    e.u32(flags::open_mode(call_flags, how.mode as u32));
    e.u32(flags::resolve(how.resolve as u32));
    e.u32(opened.dev);
    e.u64(opened.ino);
    with_paths(e)
}

#[inline(always)]
pub fn creat<K: Kernel>(e: &mut Event<K>) -> Next {
    let opened = opened(e, 1);
    e.res();
    e.string(0);
    let mode = e.arg(1) as u32;
    e.u32(flags::mode(mode));
    e.u32(opened.dev);
    e.u64(opened.ino);
    let mut layer = 0;
    if opened.flags & flags::FD_UPPER_LAYER != 0 {
        layer = flags::CREAT_UPPER_LAYER;
    } else if opened.flags & flags::FD_LOWER_LAYER != 0 {
        layer = flags::CREAT_LOWER_LAYER;
    }
    e.u16(layer);
    with_paths(e)
}

/// The path is one of the table's parameters here, so it is walked in the middle.
#[inline(always)]
pub fn open_by_handle_at<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    e.res();
    e.fd(0);
    let call = e.arg(2) as u32;
    let ret = e.ret();
    let file = if ret < 0 { 0 } else { file_of(k, ret as i32) };
    let mut ours = flags::open(call);
    match overlay(k, file) {
        Overlay::Upper => ours |= flags::FD_UPPER_LAYER,
        Overlay::Lower => ours |= flags::FD_LOWER_LAYER,
        Overlay::No => {}
    }
    e.u32(ours);
    if file == 0 {
        e.empty();
        e.u32(0);
        e.u64(0);
        return Next::Emit;
    }
    path::of_file(e, file);
    let state = e.state();
    state.own_file = file;
    state.place = 0;
    state.then = stage::HANDLE_END;
    Next::Walk
}

/// Last stage of open_by_handle_at: device, inode, and the path once more.
#[inline(always)]
pub fn handle_end<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    let ret = e.ret();
    let file = if ret < 0 { 0 } else { file_of(k, ret as i32) };
    let inode = k.address(file + offset!(k, file_inode));
    let sb = k.address(inode + offset!(k, inode_sb));
    e.u32(encode_dev(k.int(sb + offset!(k, sb_dev))));
    e.u64(k.word(inode + offset!(k, inode_ino)));
    path::write_again(e);
    Next::EmitOne
}
