//! Users, groups, capabilities.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::{flags, offset};

#[inline(always)]
fn cred<K: Kernel>(k: &K) -> usize {
    k.address(k.task() + offset!(k, task_cred))
}

#[inline(always)]
pub fn euid<K: Kernel>(k: &K) -> u32 {
    k.int(cred(k) + offset!(k, cred_euid))
}

#[inline(always)]
pub fn egid<K: Kernel>(k: &K) -> u32 {
    k.int(cred(k) + offset!(k, cred_egid))
}

/// Inheritable, permitted, effective.
#[inline(always)]
pub fn capability_params<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let cred = cred(k);
    e.u64(flags::capabilities(k.word(cred + offset!(k, cred_cap_inheritable))));
    e.u64(flags::capabilities(k.word(cred + offset!(k, cred_cap_permitted))));
    e.u64(flags::capabilities(k.word(cred + offset!(k, cred_cap_effective))));
}

const S_IFMT: u32 = 0o170_000;
const SB_RDONLY: u64 = 1;
const S_IMMUTABLE: u32 = 8;
const CAP_DAC_OVERRIDE: u32 = 1;
const CAP_FOWNER: u32 = 3;
/// Sorted groups are searched by halves; 65,536 at most.
const GROUP_STEPS: usize = 17;

#[inline(always)]
fn in_group<K: Kernel>(k: &K, cred: usize, gid: u32) -> bool {
    let groups = k.address(cred + offset!(k, cred_groups));
    let (mut low, mut high) = (0u32, k.int(groups + offset!(k, groups_count)) & 0x1_ffff);
    for _ in 0..GROUP_STEPS {
        if low >= high {
            return false;
        }
        let middle = (low + high) / 2;
        let found = k.int(groups + offset!(k, groups_ids) + 4 * middle as usize);
        if found == gid {
            return true;
        }
        if gid > found {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    false
}

/// Extents that lie in the map itself; more of them are few and far between.
const EXTENTS: usize = 5;

/// 1 where `less` is below `more`, without a branch: each branch would double the ways that a
/// verifier follows through all that comes after.
#[inline(always)]
const fn below(less: u32, more: u32) -> u64 {
    (less as u64).wrapping_sub(more as u64) >> 63
}

/// Whether a user or group of the first namespace has a number in this map.
#[inline(always)]
fn is_mapped<K: Kernel>(k: &K, map: usize, id: u32) -> u64 {
    let count = k.int(map + offset!(k, map_count));
    let mut found = 0;
    for index in 0..EXTENTS {
        let [_, outside, length]: [u32; 3] = k.read(map + offset!(k, map_extents) + 12 * index);
        found |= below(id.wrapping_sub(outside), length) & below(index as u32, count);
    }
    found
}

/// Whether the current process could write the file, by owner, mode and capabilities; access
/// control lists are not looked at, as with Falco.
#[inline(always)]
pub fn may_write<K: Kernel>(k: &K, inode: usize) -> bool {
    let mode = u32::from(k.read::<u16>(inode + offset!(k, inode_mode)));
    let sb = k.address(inode + offset!(k, inode_sb));
    let plain = matches!(mode & S_IFMT, 0o100_000 | 0o040_000 | 0o120_000);
    if inode == 0 || plain && k.word(sb + offset!(k, sb_flags)) & SB_RDONLY != 0 {
        return false;
    }
    if k.int(inode + offset!(k, inode_flags)) & S_IMMUTABLE != 0 {
        return false;
    }
    let uid = k.int(inode + offset!(k, inode_uid));
    let gid = k.int(inode + offset!(k, inode_gid));
    if uid == u32::MAX || gid == u32::MAX {
        return false;
    }
    let cred = cred(k);
    if k.int(cred + offset!(k, cred_fsuid)) == uid {
        return true;
    }
    let in_group = k.int(cred + offset!(k, cred_fsgid)) == gid || in_group(k, cred, gid);
    let bits = if in_group { mode >> 3 } else { mode };
    if bits & 2 != 0 {
        return true;
    }
    // Capabilities of a user namespace reach as far as its maps.
    let set = k.word(cred + offset!(k, cred_cap_effective));
    let namespace = k.address(cred + offset!(k, cred_user_ns));
    let user = is_mapped(k, namespace + offset!(k, ns_uid_map), uid);
    let group = is_mapped(k, namespace + offset!(k, ns_gid_map), gid);
    let (owner, all) = (set >> CAP_FOWNER & 1, set >> CAP_DAC_OVERRIDE & 1);
    user & (owner | all & group) != 0
}

/// setuid, setgid.
#[inline(always)]
pub fn one_id<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let id = e.arg(0) as u32;
    e.u32(id);
    Next::Emit
}

/// setreuid, setregid.
#[inline(always)]
pub fn two_ids<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (real, effective) = (e.arg(0) as u32, e.arg(1) as u32);
    e.u32(real);
    e.u32(effective);
    Next::Emit
}

/// setresuid, setresgid.
#[inline(always)]
pub fn three_ids<K: Kernel>(e: &mut Event<K>) -> Next {
    two_ids(e);
    let saved = e.arg(2) as u32;
    e.u32(saved);
    Next::Emit
}

/// getuid, geteuid, getgid, getegid: the result is the number.
#[inline(always)]
pub fn own_id<K: Kernel>(e: &mut Event<K>) -> Next {
    let id = e.ret() as u32;
    e.u32(id);
    Next::Emit
}

/// getresuid, getresgid: real, effective, saved, as the call left them with the caller.
#[inline(always)]
pub fn own_ids<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    for index in 0..3 {
        let at = e.arg(index) as usize;
        let id = e.k.read_user::<u32>(at).unwrap_or(0);
        e.u32(id);
    }
    Next::Emit
}

/// Calls of which nothing is told: getsockname, getpeername.
#[inline(always)]
pub fn nothing<K: Kernel>(_: &mut Event<K>) -> Next {
    Next::Emit
}

/// setsid and other calls of which only the result is shown.
#[inline(always)]
pub fn result<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    Next::Emit
}

#[inline(always)]
pub fn setpgid<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, group) = (e.int(0), e.int(1));
    e.i64(i64::from(pid));
    e.i64(i64::from(group));
    Next::Emit
}

/// The sets that the process has after the call.
#[inline(always)]
pub fn capset<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    capability_params(e);
    Next::Emit
}
