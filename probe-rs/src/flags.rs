//! The kernel's flags in Falco's encoding (the PPM_ values of its public header), for x86_64.
use crate::table::{
    clone_flags as clone_flag, creat_flags, execve_flags, file_flags, openat2_flags as openat2,
};

/// A bit of the kernel's as ours.
#[inline(always)]
pub const fn bit(value: u32, kernel: u32, ours: u32) -> u32 {
    if value & kernel != 0 { ours } else { 0 }
}

pub const O_F_CREATED: u32 = file_flags::O_F_CREATED;
pub const FD_UPPER_LAYER: u32 = file_flags::FD_UPPER_LAYER;
pub const FD_LOWER_LAYER: u32 = file_flags::FD_LOWER_LAYER;
/// The same two in the 16-bit flags of creat.
pub const CREAT_UPPER_LAYER: u16 = creat_flags::FD_UPPER_LAYER_CREAT as u16;
pub const CREAT_LOWER_LAYER: u16 = creat_flags::FD_LOWER_LAYER_CREAT as u16;
pub const EXE_WRITABLE: u32 = execve_flags::EXE_WRITABLE;
pub const EXE_UPPER_LAYER: u32 = execve_flags::EXE_UPPER_LAYER;
pub const EXE_FROM_MEMFD: u32 = execve_flags::EXE_FROM_MEMFD;
pub const EXE_LOWER_LAYER: u32 = execve_flags::EXE_LOWER_LAYER;
pub const CL_CHILD_IN_PIDNS: u32 = clone_flag::CLONE_CHILD_IN_PIDNS;
pub const O_CLOEXEC: u32 = 0o2_000_000;
pub const O_NONBLOCK: u32 = 0o4000;
const O_DIRECT: u32 = 0o40000;
const O_CREAT: u32 = 0o100;
/// Set by the kernel on every file that a 64-bit program opens.
pub const O_LARGEFILE: u32 = 0o100_000;
pub const O_TRUNC: u32 = 0o1000;
const O_DIRECTORY: u32 = 0o200_000;
/// Without O_DIRECTORY, which the headers put beside it: a directory is opened with that alone,
/// and what O_TMPFILE makes is a file. (Falco takes each for the other.)
const O_TMPFILE: u32 = 0o20_000_000;

pub const fn open(flags: u32) -> u32 {
    // Mode 3 lets neither read nor write: such a descriptor is good for ioctl alone.
    let access = match flags & 3 {
        0 => file_flags::O_RDONLY,
        1 => file_flags::O_WRONLY,
        2 => file_flags::O_RDWR,
        _ => 0,
    };
    let directory = if flags & O_TMPFILE != 0 { 0 } else { O_DIRECTORY };
    access
        | bit(flags, O_CREAT, file_flags::O_CREAT)
        | bit(flags, O_TMPFILE, file_flags::O_TMPFILE)
        | bit(flags, 0o2000, file_flags::O_APPEND)
        | bit(flags, 0o10000, file_flags::O_DSYNC)
        | bit(flags, 0o200, file_flags::O_EXCL)
        | bit(flags, O_NONBLOCK, file_flags::O_NONBLOCK)
        | bit(flags, 0o4_010_000, file_flags::O_SYNC)
        | bit(flags, O_TRUNC, file_flags::O_TRUNC)
        | bit(flags, O_DIRECT, file_flags::O_DIRECT)
        | bit(flags, directory, file_flags::O_DIRECTORY)
        | bit(flags, O_LARGEFILE, file_flags::O_LARGEFILE)
        | bit(flags, O_CLOEXEC, file_flags::O_CLOEXEC)
}

/// Permission bits are those of the kernel; they count only where a file may be made.
pub const fn open_mode(flags: u32, mode: u32) -> u32 {
    if flags & (O_CREAT | O_TMPFILE) == 0 { 0 } else { mode & 0o7777 }
}

pub const fn mode(mode: u32) -> u32 {
    mode & 0o7777
}

/// R_OK, W_OK, X_OK are those of the kernel.
pub const fn access(mode: u32) -> u32 {
    mode & 7
}

/// AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH are those of the kernel.
pub const fn newfstatat(flags: u32) -> u32 {
    flags & (0x100 | 0x800 | 0x1000)
}

pub const fn mknod_mode(value: u32) -> u32 {
    let kind = match value & 0o170_000 {
        0 => 0o100_000,
        kind => kind,
    };
    mode(value) | kind
}

/// RESOLVE_*: NO_XDEV 1, NO_MAGICLINKS 2, NO_SYMLINKS 4, BENEATH 8, IN_ROOT 16, CACHED 32.
pub const fn resolve(flags: u32) -> u32 {
    bit(flags, 1, openat2::RESOLVE_NO_XDEV)
        | bit(flags, 2, openat2::RESOLVE_NO_MAGICLINKS)
        | bit(flags, 4, openat2::RESOLVE_NO_SYMLINKS)
        | bit(flags, 8, openat2::RESOLVE_BENEATH)
        | bit(flags, 16, openat2::RESOLVE_IN_ROOT)
        | bit(flags, 32, openat2::RESOLVE_CACHED)
}

/// O_NONBLOCK and O_CLOEXEC, which sockets, event descriptors and the like share.
pub const fn descriptor(flags: u32) -> u32 {
    bit(flags, O_NONBLOCK, file_flags::O_NONBLOCK) | bit(flags, O_CLOEXEC, file_flags::O_CLOEXEC)
}

/// The same where a negative argument means nothing.
pub const fn descriptor_signed(flags: i32) -> u32 {
    if flags < 0 { 0 } else { descriptor(flags as u32) }
}

pub const fn dup3(flags: u32) -> u32 {
    bit(flags, O_CLOEXEC, file_flags::O_CLOEXEC)
}

pub const fn pipe2(flags: i32) -> u32 {
    if flags < 0 {
        0
    } else {
        descriptor(flags as u32) | bit(flags as u32, O_DIRECT, file_flags::O_DIRECT)
    }
}

pub const fn clone(flags: u32) -> u32 {
    bit(flags, 0x0000_0400, clone_flag::CLONE_FILES)
        | bit(flags, 0x0000_0200, clone_flag::CLONE_FS)
        | bit(flags, 0x8000_0000, clone_flag::CLONE_IO)
        | bit(flags, 0x0800_0000, clone_flag::CLONE_NEWIPC)
        | bit(flags, 0x4000_0000, clone_flag::CLONE_NEWNET)
        | bit(flags, 0x0002_0000, clone_flag::CLONE_NEWNS)
        | bit(flags, 0x2000_0000, clone_flag::CLONE_NEWPID)
        | bit(flags, 0x0400_0000, clone_flag::CLONE_NEWUTS)
        | bit(flags, 0x0010_0000, clone_flag::CLONE_PARENT_SETTID)
        | bit(flags, 0x0000_8000, clone_flag::CLONE_PARENT)
        | bit(flags, 0x0000_2000, clone_flag::CLONE_PTRACE)
        | bit(flags, 0x0000_0800, clone_flag::CLONE_SIGHAND)
        | bit(flags, 0x0004_0000, clone_flag::CLONE_SYSVSEM)
        | bit(flags, 0x0001_0000, clone_flag::CLONE_THREAD)
        | bit(flags, 0x0080_0000, clone_flag::CLONE_UNTRACED)
        | bit(flags, 0x0000_0100, clone_flag::CLONE_VM)
        | bit(flags, 0x1000_0000, clone_flag::CLONE_NEWUSER)
        | bit(flags, 0x0020_0000, clone_flag::CLONE_CHILD_CLEARTID)
        | bit(flags, 0x0100_0000, clone_flag::CLONE_CHILD_SETTID)
        | bit(flags, 0x0008_0000, clone_flag::CLONE_SETTLS)
        | bit(flags, 0x0000_4000, clone_flag::CLONE_VFORK)
        | bit(flags, 0x0200_0000, clone_flag::CLONE_NEWCGROUP)
}

/// Socket families have the kernel's numbers up to 39; Falco knows no later ones.
pub const fn family(family: u8) -> u8 {
    if family <= 39 && family != 27 && family != 28 { family } else { 0 }
}

pub const fn fcntl(command: u32) -> u8 {
    match command {
        0 => 1,
        1 => 2,
        2 => 3,
        3 => 4,
        4 => 5,
        5 => 6,
        6 => 8,
        7 => 9,
        8 => 10,
        9 => 12,
        10 => 13,
        11 => 15,
        15 => 21,
        16 => 22,
        36 => 30,
        37 => 31,
        38 => 32,
        1024 => 23,
        1025 => 24,
        1026 => 27,
        1029 => 25,
        1030 => 26,
        1031 => 28,
        1032 => 29,
        _ => 0,
    }
}

pub const fn umount(flags: u32) -> u32 {
    flags & 0xf
}

/// MS_MGC_VAL in the upper half is a relic that the kernel ignores.
pub const fn mount(flags: u32) -> u32 {
    if flags & 0xffff_0000 == 0xc0ed_0000 { flags & 0xffff } else { flags }
}

pub const fn memfd(flags: u32) -> u32 {
    flags & 7
}

pub const fn unlinkat(flags: u32) -> u32 {
    flags & 0x200
}

pub const fn linkat(flags: u32) -> u32 {
    flags & 0x1400
}

pub const fn fchownat(flags: u32) -> u32 {
    flags & 0x1400
}

pub const fn close_range(flags: u32) -> u32 {
    flags & 6
}

pub const fn pidfd_open(flags: u32) -> u32 {
    bit(flags, O_NONBLOCK, 1)
}

pub const fn epoll_create1(flags: u32) -> u32 {
    bit(flags, O_CLOEXEC, 1)
}

pub const fn delete_module(flags: u32) -> u32 {
    bit(flags, O_NONBLOCK, 1 << 1) | bit(flags, 0o1000, 1 << 0)
}

pub const fn finit_module(flags: u32) -> u32 {
    flags & 7
}

pub const fn shutdown(how: u32) -> u8 {
    if how < 3 { how as u8 } else { 0xff }
}

pub const fn resource(resource: u32) -> u8 {
    if resource < 16 { resource as u8 } else { 0xff }
}

/// Capabilities have the kernel's bits; 41 are known.
pub const fn capabilities(set: u64) -> u64 {
    set & ((1 << 41) - 1)
}

pub const fn io_uring_setup(flags: u32) -> u32 {
    // IOPOLL, SQPOLL, SQ_AFF, CQSIZE, CLAMP, ATTACH_WQ, R_DISABLED; IORING_SQ_NEED_WAKEUP shares
    // the first bit.
    bit(flags, 1, 1 | 1 << 2)
        | bit(flags, 2, 1 << 1)
        | bit(flags, 4, 1 << 3)
        | bit(flags, 8, 1 << 4)
        | bit(flags, 16, 1 << 5)
        | bit(flags, 32, 1 << 6)
        | bit(flags, 64, 1 << 7)
}

pub const fn io_uring_features(features: u32) -> u32 {
    features & 0x7ff
}

pub const fn ptrace(request: u64) -> u16 {
    match request {
        0 => 1,
        1 => 2,
        2 => 3,
        3 => 4,
        4 => 5,
        5 => 6,
        6 => 7,
        7 => 8,
        8 => 9,
        9 => 10,
        12 => 26,
        13 => 27,
        14 => 28,
        15 => 29,
        16 => 11,
        17 => 12,
        18 => 30,
        19 => 31,
        21 => 32,
        24 => 13,
        25 => 33,
        26 => 34,
        30 => 35,
        31 => 36,
        32 => 37,
        33 => 38,
        0x4200 => 14,
        0x4201 => 15,
        0x4202 => 16,
        0x4203 => 17,
        0x4204 => 18,
        0x4205 => 19,
        0x4206 => 20,
        0x4207 => 21,
        0x4208 => 22,
        0x4209 => 23,
        0x420a => 24,
        0x420b => 25,
        _ => 0,
    }
}

pub const fn sockopt_level(level: i32) -> u8 {
    match level {
        1 => 1,
        6 => 2,
        _ => 0,
    }
}

/// Options of SOL_SOCKET by the kernel's number.
pub const fn sockopt_name(level: i32, name: i32) -> u8 {
    if level != 1 {
        return 0;
    }
    match name {
        1..=15 => name as u8,
        16 => 16,
        17 => 17,
        18 => 18,
        19 => 19,
        20 | 66 => 20,
        21 | 67 => 21,
        22 => 22,
        23 => 23,
        24 => 24,
        25 => 25,
        26 => 26,
        27 => 27,
        28 => 28,
        29 | 63 => 29,
        30 => 30,
        31 => 31,
        32 => 32,
        33 => 33,
        34 => 34,
        35 | 64 => 35,
        36 => 36,
        37 | 65 => 37,
        38 => 38,
        39 => 39,
        40 => 40,
        41 => 41,
        42 => 42,
        43 => 43,
        44 => 44,
        45 => 45,
        46 => 46,
        47 => 47,
        48 => 48,
        49 => 49,
        50 => 50,
        55 => 52,
        57 => 53,
        59 => 51,
        _ => 0,
    }
}
