//! By which mount the host has what was reached through another. In: a place and the root of the
//! process. Out: the host's mount of its file system (bindings-rs/src/named_mounts.rs).
use crate::kernel::Kernel;
use crate::offset;
use crate::scratch::Place;

/// The mount by which the host has a place that was reached through another: a part of its file
/// system bound elsewhere, or all of it once more. 0: there is none. (A mount namespace of its own
/// has copies of the host's mounts at the same points: those are none.)
#[inline(always)]
pub fn other_mount<K: Kernel>(k: &K, at: Place, root: Place) -> usize {
    let hosts = k.host();
    if at.mnt == root.mnt && root.dentry == hosts.root.dentry {
        return 0;
    }
    let sb = k.address(at.dentry + offset!(k, dentry_sb));
    if sb == hosts.sb {
        // The walk goes by the root's own mount.
        return 0;
    }
    let host = k.host_mount(k.int(sb + offset!(k, sb_dev)));
    if host == 0 || host == at.mnt || k.address(host + offset!(k, vfsmount_sb)) != sb {
        return 0;
    }
    let (mut theirs, mut own) = (host, at.mnt);
    for _ in 0..LEVELS {
        let (above_theirs, above_own) = (point(k, theirs), point(k, own));
        if above_theirs.at != above_own.at || above_theirs.root != above_own.root {
            return host;
        }
        (theirs, own) = (above_theirs.above, above_own.above);
        if own == root.mnt && theirs == hosts.root.mnt {
            return 0;
        }
        if own == root.mnt || theirs == hosts.root.mnt {
            return host;
        }
    }
    host
}

/// Mounts in mounts that are compared.
const LEVELS: usize = 3;

/// Where a mount is, what it shows, and the mount that it is in.
struct Point {
    at: usize,
    root: usize,
    above: usize,
}

/// (One that is bound onto itself, as services have it that may not write there, is where the one
/// below is.)
#[inline(always)]
fn point<K: Kernel>(k: &K, mnt: usize) -> Point {
    let to_mount = offset!(k, mount_vfsmount);
    let root = k.address(mnt + offset!(k, vfsmount_root));
    let mut mount = mnt.wrapping_sub(to_mount);
    let mut at = k.address(mount + offset!(k, mount_mountpoint));
    if at == root {
        mount = k.address(mount + offset!(k, mount_parent));
        at = k.address(mount + offset!(k, mount_mountpoint));
    }
    Point { at, root, above: k.address(mount + offset!(k, mount_parent)) + to_mount }
}
