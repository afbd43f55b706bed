//! Open files as the kernel has them: descriptor, device, layer of an overlay.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::offset;
use crate::stage::EMIT_WITH_PATHS;

/// Slots of structures that are copied to be looked at (files.rs: look); opens leave those of the
/// opened file there.
pub const FILE: usize = 0;
pub const INODE: usize = 1;
pub const SB: usize = 2;
/// Mark of a record: its path follows.
pub const PATH_FOLLOWS: u8 = 3;

pub const OVERLAY_MAGIC: u64 = 0x794c_7630;
/// The kind of a file in an inode's mode, and that of directories.
pub const S_IFMT: u16 = 0o170_000;
pub const S_IFDIR: u16 = 0o040_000;
pub const S_IFREG: u16 = 0o100_000;

/// The open file behind a descriptor of the current process; 0 where there is none.
#[inline(always)]
pub fn file_of<K: Kernel>(k: &K, fd: i32) -> usize {
    let given = k.given(fd);
    if given != 0 {
        return given;
    }
    let (count, array) = k.descriptors();
    if fd < 0 || fd as u32 >= count {
        return 0;
    }
    k.address(array + 8 * fd as usize)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    No,
    Upper,
    Lower,
}

/// On which layer of an overlay the file lies.
#[inline(always)]
pub fn overlay<K: Kernel>(k: &K, file: usize) -> Overlay {
    let dentry = k.address(file + offset!(k, file_dentry));
    let sb = k.address(dentry + offset!(k, dentry_sb));
    if k.word(sb + offset!(k, sb_magic)) != OVERLAY_MAGIC {
        return Overlay::No;
    }
    // struct ovl_inode: the vfs inode, then the dentry of the upper layer.
    let inode = k.address(dentry + offset!(k, dentry_inode));
    let upper = k.address(inode + offset!(k, inode_size));
    let upper_inode = k.address(upper + offset!(k, dentry_inode));
    if upper != 0 && k.word(upper_inode + offset!(k, inode_ino)) != 0 {
        Overlay::Upper
    } else {
        Overlay::Lower
    }
}

/// The device in the form that stat shows (new_encode_dev).
#[inline(always)]
pub const fn encode_dev(dev: u32) -> u32 {
    let (major, minor) = (dev >> 20, dev & 0xf_ffff);
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

/// The paths go behind the table's parameters, where there are any.
#[inline(always)]
pub fn with_paths<K: Kernel>(event: &mut Event<K>) -> Next {
    let state = event.state();
    if state.place_count == 0 {
        return Next::Emit;
    }
    state.place = 0;
    state.then = EMIT_WITH_PATHS;
    Next::Walk
}
