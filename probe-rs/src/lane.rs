//! Which events must not be lost in a flood of others.
//!
//! Critical: process life, credentials, capabilities, namespaces; connect, accept, bind, listen,
//! socket pairs; opens for writing or that created a file; opens below /etc/, /root/, /home/,
//! /boot/, /proc/…/mem and the like, by their first bytes; mounts, modules, bpf, ptrace, memfd,
//! links, renames, removals, modes; memory that may be executed, another process's memory.
//!
//! Bulk, shed first: close, dup, fcntl; reads of files elsewhere; opens that failed; data
//! transfer; pipes, event descriptors, prctl, limits; other memory, waits, questions.
use crate::table as t;

pub const CRITICAL: u8 = 0;
pub const BULK: u8 = 1;

/// The lane of an event by its code; opens change theirs by what they opened.
pub const fn of(code: u16) -> u8 {
    match code {
        t::SYSCALL_OPEN_X
        | t::SYSCALL_OPENAT_2_X
        | t::SYSCALL_OPENAT2_X
        | t::SYSCALL_CLOSE_X
        | t::SYSCALL_CLOSE_RANGE_X
        | t::SYSCALL_DUP_1_X
        | t::SYSCALL_DUP2_X
        | t::SYSCALL_DUP3_X
        | t::SYSCALL_FCNTL_X
        | t::SYSCALL_STAT_X
        | t::SYSCALL_LSTAT_X
        | t::SYSCALL_NEWFSTATAT_X
        | t::SYSCALL_ACCESS_X
        | t::SYSCALL_CHDIR_X
        | t::SYSCALL_FCHDIR_X
        | t::SYSCALL_PIPE_X
        | t::SYSCALL_PIPE2_X
        | t::SYSCALL_EVENTFD_X
        | t::SYSCALL_EVENTFD2_X
        | t::SYSCALL_SIGNALFD_X
        | t::SYSCALL_SIGNALFD4_X
        | t::SYSCALL_TIMERFD_CREATE_X
        | t::SYSCALL_INOTIFY_INIT_X
        | t::SYSCALL_INOTIFY_INIT1_X
        | t::SYSCALL_EPOLL_CREATE_X
        | t::SYSCALL_EPOLL_CREATE1_X
        | t::SYSCALL_PRCTL_X
        | t::SYSCALL_PRLIMIT_X
        | t::SYSCALL_SETRLIMIT_X
        | t::SOCKET_GETSOCKOPT_X
        | t::SOCKET_SENDTO_X
        | t::SOCKET_SENDMSG_X
        | t::SOCKET_SENDMMSG_X
        | t::SOCKET_RECVFROM_X
        | t::SOCKET_RECVMSG_X
        | t::SOCKET_RECVMMSG_X
        | t::SOCKET_SHUTDOWN_X
        | t::SYSCALL_MMAP_X
        | t::SYSCALL_MUNMAP_X
        | t::SYSCALL_BRK_4_X
        | t::SYSCALL_MPROTECT_X
        | t::SYSCALL_MLOCK_X
        | t::SYSCALL_MUNLOCK_X
        | t::SYSCALL_MLOCK2_X
        | t::SYSCALL_MLOCKALL_X
        | t::SYSCALL_MUNLOCKALL_X
        | t::SYSCALL_READ_X
        | t::SYSCALL_WRITE_X
        | t::SYSCALL_READV_X
        | t::SYSCALL_WRITEV_X
        | t::SYSCALL_PREAD_X
        | t::SYSCALL_PWRITE_X
        | t::SYSCALL_PREADV_X
        | t::SYSCALL_PWRITEV_X
        | t::SYSCALL_SENDFILE_X
        | t::SYSCALL_SPLICE_X
        | t::SYSCALL_COPY_FILE_RANGE_X
        | t::SYSCALL_LSEEK_X
        | t::SYSCALL_IOCTL_3_X
        | t::SYSCALL_FSTAT_X
        | t::SYSCALL_GETDENTS_X
        | t::SYSCALL_GETDENTS64_X
        | t::SYSCALL_FLOCK_X
        | t::SYSCALL_GETCWD_X
        | t::SOCKET_SEND_X
        | t::SOCKET_RECV_X
        | t::SOCKET_GETSOCKNAME_X
        | t::SOCKET_GETPEERNAME_X
        | t::SYSCALL_POLL_X
        | t::SYSCALL_PPOLL_X
        | t::SYSCALL_SELECT_X
        | t::SYSCALL_EPOLLWAIT_X
        | t::SYSCALL_NANOSLEEP_X
        | t::SYSCALL_FUTEX_X
        | t::SYSCALL_SEMGET_X
        | t::SYSCALL_SEMOP_X
        | t::SYSCALL_SEMCTL_X
        | t::SYSCALL_IO_URING_ENTER_X
        | t::SYSCALL_GETRLIMIT_X
        | t::SYSCALL_GETUID_X
        | t::SYSCALL_GETEUID_X
        | t::SYSCALL_GETGID_X
        | t::SYSCALL_GETEGID_X
        | t::SYSCALL_GETRESUID_X
        | t::SYSCALL_GETRESGID_X
        | t::SIGNALDELIVER_E
        | t::PAGE_FAULT_E
        | t::SCHEDSWITCH_6_E
        | t::GENERIC_X => BULK,
        _ => CRITICAL,
    }
}

/// Whether an event tells of the start or the end of a thread or program: without it, what comes
/// later has no name. No budget holds it back.
#[inline(always)]
pub const fn is_life(code: u16) -> bool {
    matches!(
        code,
        t::SYSCALL_CLONE_20_X
            | t::SYSCALL_CLONE3_X
            | t::SYSCALL_FORK_20_X
            | t::SYSCALL_VFORK_20_X
            | t::SYSCALL_EXECVE_19_X
            | t::SYSCALL_EXECVEAT_X
            | t::PROCEXIT_1_E
    )
}

const fn head(text: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*text)
}

/// Whether a path with these first eight bytes is worth the critical lane when read.
#[inline(always)]
pub const fn matters(first: u64) -> bool {
    const FIVE: u64 = 0xff_ffff_ffff;
    const SIX: u64 = 0xffff_ffff_ffff;
    (first & FIVE == head(b"/etc/\0\0\0") && first != head(b"/etc/ld."))
        || first & SIX == head(b"/root/\0\0")
        || first & SIX == head(b"/home/\0\0")
        || first & SIX == head(b"/boot/\0\0")
        || first == head(b"/var/spo")
        || first == head(b"/run/sec")
}
