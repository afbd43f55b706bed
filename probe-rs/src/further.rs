//! Further names of an event's files, besides the one that the kernel has as seen from the root of
//! the process: the name as seen from the host's root, where that is another one (chroot, a root
//! that is a part of the host's files, a part of them in a container), and the name that rules have
//! for a file with several (hard links). Out: records in our third own parameter (files.rs) behind
//! those of descriptors:
//!
//!     i32 place (which of our two paths), u8 KIND_HOST or KIND_NAMED, u8 PATH_FOLLOWS,
//!     u16 bytes of what follows, u32 0, u32 device, u64 inode (of KIND_NAMED), then the name
//!     with a NUL
//!
//! Nearly no event has any: whether it has is found out by comparing roots, and of a file by its
//! count of links, or by its being on an overlay: such a file has a name on one of the layers too.
use crate::event::{Event, Next};
use crate::file::{
    FILE, INODE, OVERLAY_MAGIC, PATH_FOLLOWS, S_IFDIR, S_IFMT, S_IFREG, SB, encode_dev,
};
use crate::kernel::Kernel;
use crate::lane::CRITICAL;
use crate::mounts::other_mount;
use crate::scratch::{Place, TEXT};
use crate::{get, offset, set, stage};

/// Kinds of records that are of no descriptor.
pub const KIND_HOST: u8 = 64;
pub const KIND_NAMED: u8 = 65;
/// Of rules' names, longest with its NUL.
pub const NAME_BYTES: usize = 256;

/// Bits of `State::further`.
const HOST: [u32; 2] = [1, 2];
const NAMED: u32 = 4;

/// Notes that a place has another name on the host, where it has. Of walks whose path becomes one
/// of our own two parameters, that of an executed file too, and of opens whose names are only
/// looked at.
#[inline(always)]
pub fn note_place<K: Kernel>(e: &mut Event<K>, at: Place, root: Place) {
    let state = e.state();
    let counts = matches!(
        state.then,
        0 | stage::EMIT_WITH_PATHS | stage::FILES | stage::HANDLE_END | stage::EXEC_END
    );
    if !counts || get!(state.inside) != 0 || at.dentry <= 1 {
        return;
    }
    let mut at = at;
    let mount = other_mount(e.k, at, root);
    if mount != 0 {
        at.mnt = mount;
    } else if !is_elsewhere(e.k, at, root) {
        return;
    }
    let state = e.state();
    let second = get!(state.place) != 0;
    if second {
        state.host_places[1] = at;
        state.host_suffix_at[1] = state.suffix_at[1];
        state.host_suffix_bytes[1] = state.suffix_bytes[1];
        state.further |= HOST[1];
    } else {
        state.host_places[0] = at;
        state.host_suffix_at[0] = state.suffix_at[0];
        state.host_suffix_bytes[0] = state.suffix_bytes[0];
        state.further |= HOST[0];
    }
}

/// Whether a place may have another name as seen from the host's root than from the process's.
#[inline(always)]
fn is_elsewhere<K: Kernel>(k: &K, at: Place, root: Place) -> bool {
    let host = k.host();
    if root.dentry == host.root.dentry && root.mnt == host.root.mnt {
        return false;
    }
    if host.sb != 0 && k.address(at.dentry + offset!(k, dentry_sb)) == host.sb {
        return true;
    }
    is_moved(k, root)
}

/// Whether a root is not the top of the mounts that its process has.
#[inline(always)]
fn is_moved<K: Kernel>(k: &K, root: Place) -> bool {
    if k.address(root.mnt + offset!(k, vfsmount_root)) != root.dentry {
        return true;
    }
    let mount = root.mnt.wrapping_sub(offset!(k, mount_vfsmount));
    let parent = k.address(mount + offset!(k, mount_parent));
    if parent == mount || parent == 0 {
        return false;
    }
    let point = k.address(mount + offset!(k, mount_mountpoint));
    k.address(point + offset!(k, dentry_parent)) != point
}

/// Notes that rules name the looked-at file (files.rs: look), where it has another name as well.
#[inline(always)]
pub fn note_file<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let mode: u16 = e.copied(INODE, offset!(k, inode_mode));
    if mode & S_IFMT == S_IFDIR {
        return;
    }
    if e.copied::<u32>(INODE, offset!(k, inode_links)) > 1 {
        let dev: u32 = e.copied(SB, offset!(k, sb_dev));
        let ino: u64 = e.copied(INODE, offset!(k, inode_ino));
        note_named(e, dev, ino);
    }
    note_layer(e);
}

/// The same of an executed file, whose links are names of other programs as often as not (busybox,
/// git), by its layer alone.
#[inline(always)]
pub fn note_layer<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let mode: u16 = e.copied(INODE, offset!(k, inode_mode));
    if e.copied::<u64>(SB, offset!(k, sb_magic)) == OVERLAY_MAGIC && mode & S_IFMT == S_IFREG {
        note_real(e, mode);
    }
}

/// Notes the file of our first path where rules name it.
#[inline(always)]
fn note_named<K: Kernel>(e: &mut Event<K>, dev: u32, ino: u64) {
    if e.k.name_of(dev, ino) == 0 {
        return;
    }
    let state = e.state();
    (state.named_dev, state.named_ino) = (dev, ino);
    state.further |= NAMED;
    // What a rule names is what must not be lost.
    state.lane = CRITICAL;
}

/// A looked-at file of an overlay lies on one of its layers: there rules may name it, and where
/// the process has the host's root, it has a name as well that rules may be about. (Containers
/// have roots of their own: what their images are called on the host is no rule's matter.)
#[inline(always)]
fn note_real<K: Kernel>(e: &mut Event<K>, mode: u16) {
    let k = e.k;
    let kept: usize = e.copied(FILE, offset!(k, file_private));
    let own: usize = e.copied(INODE, offset!(k, inode_sb));
    // Since 6.13 there is a structure between, whose first member it is.
    let mut real = k.address(kept);
    if !is_real(k, real, mode, own) {
        real = kept;
        if !is_real(k, real, mode, own) {
            return;
        }
    }
    let inode = k.address(real + offset!(k, file_inode));
    let sb = k.address(inode + offset!(k, inode_sb));
    note_named(e, k.int(sb + offset!(k, sb_dev)), k.word(inode + offset!(k, inode_ino)));
    let place = Place {
        mnt: k.address(real + offset!(k, file_mnt)),
        dentry: k.address(real + offset!(k, file_dentry)),
    };
    // A mount namespace of its own has the root by another mount.
    let is_host = k.root().dentry == k.host().root.dentry;
    // Before 6.6 the file on the layer has the overlay's name.
    if is_host && k.address(place.dentry + offset!(k, dentry_sb)) == sb {
        let state = e.state();
        state.host_places[0] = place;
        state.host_suffix_bytes[0] = 0;
        state.further |= HOST[0];
    }
}

/// Whether this is an open file of another file system than the overlay's, of the same mode.
#[inline(always)]
fn is_real<K: Kernel>(k: &K, file: usize, mode: u16, own: usize) -> bool {
    let inode = k.address(file + offset!(k, file_inode));
    let sb = k.address(inode + offset!(k, inode_sb));
    k.read::<u16>(inode + offset!(k, inode_mode)) == mode && sb != 0 && sb != own
}

/// Notes what else the files are called that a call named without opening them: the first of them
/// where rules name it and it has another name, all of them where they lie on an overlay. (Of those
/// that it made or took away it is the directory that was looked up; of what it moved, `moved` is
/// the inode.)
#[inline(always)]
pub fn note_looked_up<K: Kernel>(e: &mut Event<K>, moved: usize) {
    note_upper(e, false);
    note_upper(e, true);
    let k = e.k;
    let state = e.state();
    let (dentry, suffix) = (get!(state.places[0].dentry), get!(state.suffix_bytes[0]));
    let mut inode = moved;
    if inode == 0 && dentry > TEXT && suffix == 0 {
        inode = k.address(dentry + offset!(k, dentry_inode));
    }
    let mode: u16 = k.read(inode + offset!(k, inode_mode));
    if inode == 0 || mode & S_IFMT == S_IFDIR {
        return;
    }
    if k.int(inode + offset!(k, inode_links)) > 1 {
        note_inode(e, inode);
    }
    let upper = upper_of(k, inode);
    if upper != 0 {
        note_inode(e, k.address(upper + offset!(k, dentry_inode)));
    }
}

#[inline(always)]
fn note_inode<K: Kernel>(e: &mut Event<K>, inode: usize) {
    let k = e.k;
    let sb = k.address(inode + offset!(k, inode_sb));
    note_named(e, k.int(sb + offset!(k, sb_dev)), k.word(inode + offset!(k, inode_ino)));
}

/// The upper layer's entry of an overlay's file; 0: none. What changes such a file by its name
/// changes that one; files of lower layers stay as they are.
#[inline(always)]
fn upper_of<K: Kernel>(k: &K, inode: usize) -> usize {
    let sb = k.address(inode + offset!(k, inode_sb));
    if k.word(sb + offset!(k, sb_magic)) != OVERLAY_MAGIC {
        return 0;
    }
    // struct ovl_inode: the vfs inode, then this.
    k.address(inode + offset!(k, inode_size))
}

/// Notes the name that a place has on the overlay's upper layer, where that is on the host's root
/// and the process has that root.
#[inline(always)]
fn note_upper<K: Kernel>(e: &mut Event<K>, second: bool) {
    let k = e.k;
    let state = e.state();
    let dentry = get!(state.places[usize::from(second)].dentry);
    if dentry <= TEXT {
        return;
    }
    let upper = upper_of(k, k.address(dentry + offset!(k, dentry_inode)));
    let host = k.host();
    if upper == 0
        || k.address(upper + offset!(k, dentry_sb)) != host.sb
        || k.root().dentry != host.root.dentry
    {
        return;
    }
    let state = e.state();
    let which = usize::from(second);
    // The layer's own mount says nothing of where it is.
    state.host_places[which] = Place { mnt: host.root.mnt, dentry: upper };
    state.host_suffix_at[which] = get!(state.suffix_at[which]);
    state.host_suffix_bytes[which] = get!(state.suffix_bytes[which]);
    set!(state.further, get!(state.further) | HOST[which]);
}

/// One run of the stage: a record a run, until the event can be emitted.
#[inline(always)]
pub fn further<K: Kernel>(e: &mut Event<K>) -> Next {
    if get!(e.state().inside) == 0 {
        begin(e);
    } else {
        set!(e.state().inside, 0);
        e.state().from_host = 0;
        let bytes = e.state().path_bytes;
        follow(e, bytes as u16);
    }
    let left = get!(e.state().further) & !get!(e.state().further_done);
    for (place, bit) in HOST.into_iter().enumerate() {
        if left & bit != 0 {
            let state = e.state();
            set!(state.further_done, get!(state.further_done) | bit);
            head(e, place as i32, KIND_HOST, 0, 0);
            let state = e.state();
            state.places[0] = state.host_places[place];
            state.suffix_at[0] = state.host_suffix_at[place];
            state.suffix_bytes[0] = state.host_suffix_bytes[place];
            (state.place, state.place_count, state.from_top) = (0, 1, 0);
            state.from_host = 1;
            set!(state.inside, 1);
            state.then = stage::FURTHER;
            return Next::Walk;
        }
    }
    if left & NAMED != 0 {
        named(e);
    }
    let from = get!(e.state().files_from) as usize;
    let bytes = e.position().wrapping_sub(from);
    e.end(bytes);
    let state = e.state();
    set!(state.further, 0);
    state.own = 3;
    Next::EmitOwn
}

/// Goes on in the parameter with the records of descriptors, or begins it.
#[inline(always)]
fn begin<K: Kernel>(e: &mut Event<K>) {
    if get!(e.state().own) < 1 {
        e.empty();
    }
    if get!(e.state().own) < 2 {
        e.empty();
    }
    let written = if get!(e.state().own) < 3 { 0 } else { e.reopen() };
    let from = e.position().wrapping_sub(written);
    set!(e.state().files_from, from as u32);
    e.state().own = 2;
}

#[inline(always)]
fn head<K: Kernel>(e: &mut Event<K>, place: i32, kind: u8, dev: u32, ino: u64) {
    let at = e.position();
    set!(e.state().record_at, at as u32);
    e.bytes(place);
    e.bytes(kind);
    e.bytes(PATH_FOLLOWS);
    e.bytes(0u16);
    e.bytes::<u32>(0);
    e.bytes::<u32>(encode_dev(dev));
    e.bytes::<u64>(ino);
    e.position();
}

#[inline(always)]
fn named<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let state = e.state();
    let (dev, ino) = (state.named_dev, state.named_ino);
    head(e, 0, KIND_NAMED, dev, ino);
    let at = k.name_of(dev, ino);
    let mut bytes = 0;
    if at != 0 {
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe { k.copy_kernel_str(e.room(), NAME_BYTES as u32, at) };
        bytes = if got < 0 { 0 } else { got as usize & 0x1ff };
    }
    e.grow(bytes);
    follow(e, bytes as u16);
}

/// Notes in the last record how many bytes follow its head.
#[inline(always)]
fn follow<K: Kernel>(e: &mut Event<K>, bytes: u16) {
    let at = get!(e.state().record_at) as usize + 6;
    e.change(at, bytes);
}
