//! quotactl: one call of many commands, each with a structure of its own.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::table::{quotactl_cmds as ours, quotactl_quota_fmts as format};

/// Commands are marked by what is above their type.
pub const fn command(value: u32) -> u16 {
    let command = match value >> 8 {
        0x80_0001 => ours::Q_SYNC,
        0x80_0002 => ours::Q_QUOTAON,
        0x80_0003 => ours::Q_QUOTAOFF,
        0x80_0004 => ours::Q_GETFMT,
        0x80_0005 => ours::Q_GETINFO,
        0x80_0006 => ours::Q_SETINFO,
        0x80_0007 => ours::Q_GETQUOTA,
        0x80_0008 => ours::Q_SETQUOTA,
        0x5801 => ours::Q_XQUOTAON,
        0x5802 => ours::Q_XQUOTAOFF,
        0x5803 => ours::Q_XGETQUOTA,
        0x5804 => ours::Q_XSETQLIM,
        0x5805 => ours::Q_XGETQSTAT,
        0x5806 => ours::Q_XQUOTARM,
        0x5807 => ours::Q_XQUOTASYNC,
        _ => 0,
    };
    command as u16
}

pub const fn format(value: u32) -> u8 {
    let format = match value {
        1 => format::QFMT_VFS_OLD,
        2 => format::QFMT_VFS_V0,
        4 => format::QFMT_VFS_V1,
        _ => format::QFMT_NOT_USED,
    };
    format as u8
}

/// USRQUOTA, GRPQUOTA; Falco has no name for quotas of projects.
const fn kind(value: u32) -> u8 {
    match value & 0xff {
        0 => 1,
        1 => 2,
        _ => 0,
    }
}

/// struct if_dqblk; a member counts where its bit of `valid` is set.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Limits {
    block_hard: u64,
    block_soft: u64,
    space: u64,
    inode_hard: u64,
    inode_soft: u64,
    inodes: u64,
    block_time: u64,
    inode_time: u64,
    valid: u32,
}

/// struct if_dqinfo.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Info {
    block_grace: u64,
    inode_grace: u64,
    flags: u32,
    valid: u32,
}

const fn where_valid(valid: u32, bit: u32, value: u64) -> u64 {
    if valid & bit != 0 { value } else { 0 }
}

#[inline(always)]
pub fn quotactl<K: Kernel>(e: &mut Event<K>) -> Next {
    let (k, value, id, at) = (e.k, e.arg(0) as u32, e.arg(2) as u32, e.arg(3) as usize);
    let what = u32::from(command(value));
    e.res();
    e.string(1);
    if what == ours::Q_QUOTAON {
        e.string(3);
    } else {
        e.empty();
    }
    let limits: Limits = if what == ours::Q_GETQUOTA || what == ours::Q_SETQUOTA {
        k.read_user(at).unwrap_or_default()
    } else {
        Limits::default()
    };
    e.u64(where_valid(limits.valid, 1, limits.block_hard));
    e.u64(where_valid(limits.valid, 1, limits.block_soft));
    e.u64(where_valid(limits.valid, 2, limits.space));
    e.u64(where_valid(limits.valid, 4, limits.inode_hard));
    e.u64(where_valid(limits.valid, 4, limits.inode_soft));
    e.u64(where_valid(limits.valid, 16, limits.block_time));
    e.u64(where_valid(limits.valid, 32, limits.inode_time));
    let info: Info = if what == ours::Q_GETINFO || what == ours::Q_SETINFO {
        k.read_user(at).unwrap_or_default()
    } else {
        Info::default()
    };
    e.u64(where_valid(info.valid, 1, info.block_grace));
    e.u64(where_valid(info.valid, 2, info.inode_grace));
    e.u8(where_valid(info.valid, 4, u64::from(info.flags)) as u8);
    let answered = if what == ours::Q_GETFMT { k.read_user(at).unwrap_or(0) } else { 0 };
    e.u8(format(answered));
    e.u16(what as u16);
    e.u8(kind(value));
    let of_somebody = ours::Q_GETQUOTA | ours::Q_SETQUOTA | ours::Q_XGETQUOTA | ours::Q_XSETQLIM;
    e.u32(if what & of_somebody != 0 { id } else { 0 });
    e.u8(format(if what == ours::Q_QUOTAON { id } else { 0 }));
    Next::Emit
}
