//! Mounts on the way: what is mounted over a place, and the way up out of a mount.
use super::state::{COVERED, MOUNTPOINT, MOUNTS, REACHED, found, give_up, go, of, set_found};
use crate::event::Event;
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::scratch::Place;
use crate::{get, offset, set};

/// Mounts looked at in one step, and below one mount.
const AT_ONCE: usize = 4;
const CHILDREN: u32 = 2048;
/// DCACHE_MOUNTED before it became an enumerator (6.16).
const MOUNTED: u32 = 0x1_0000;

/// Whether something may be mounted over `found`, in whatever namespace.
#[inline(always)]
pub fn covered<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let place = found(e);
    let bit = match offset!(k, dentry_mounted) as u32 {
        ABSENT => MOUNTED,
        bit => bit,
    };
    let flags = k.int(place.dentry + offset!(k, dentry_flags));
    let lookup = of(e);
    let stays = get!(lookup.is_last) != 0 && get!(lookup.how) & MOUNTPOINT != 0;
    if flags & bit == 0 || stays {
        return go(e, REACHED);
    }
    let head = place.mnt.wrapping_sub(offset!(k, mount_vfsmount)) + offset!(k, mount_children);
    let first = k.address(head);
    set!(lookup.head, head);
    set!(lookup.node, first);
    set!(lookup.left, CHILDREN);
    go(e, MOUNTS);
}

/// Looks at some mounts below this one.
#[inline(always)]
pub fn search<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let to_mount = offset!(k, mount_vfsmount);
    let place = found(e);
    for _ in 0..AT_ONCE {
        let lookup = of(e);
        let node = get!(lookup.node);
        if node == get!(lookup.head) {
            // Mounted over in another namespace only.
            return go(e, REACHED);
        }
        let left = get!(lookup.left);
        if node == 0 || left == 0 {
            return give_up(e);
        }
        set!(lookup.left, left - 1);
        let mount = node.wrapping_sub(offset!(k, mount_sibling));
        if k.address(mount + offset!(k, mount_parent)) != place.mnt.wrapping_sub(to_mount) {
            return give_up(e);
        }
        if k.address(mount + offset!(k, mount_mountpoint)) == place.dentry {
            let mnt = mount + to_mount;
            let dentry = k.address(mnt + offset!(k, vfsmount_root));
            set_found(e, Place { mnt, dentry });
            // Mounts may lie one over the other.
            return go(e, COVERED);
        }
        set!(lookup.node, k.address(node));
    }
}

/// "..": not above the process's root; out of a mount at its root.
#[inline(always)]
pub fn up<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let place = found(e);
    let root = k.root();
    if place.dentry == root.dentry && place.mnt == root.mnt {
        return go(e, REACHED);
    }
    if place.dentry == k.address(place.mnt + offset!(k, vfsmount_root)) {
        let to_mount = offset!(k, mount_vfsmount);
        let mount = place.mnt.wrapping_sub(to_mount);
        let parent = k.address(mount + offset!(k, mount_parent));
        if parent == mount || parent == 0 {
            return go(e, REACHED);
        }
        let dentry = k.address(mount + offset!(k, mount_mountpoint));
        // And once more from there.
        return set_found(e, Place { mnt: parent + to_mount, dentry });
    }
    let dentry = k.address(place.dentry + offset!(k, dentry_parent));
    set_found(e, Place { mnt: place.mnt, dentry });
    go(e, COVERED);
}
