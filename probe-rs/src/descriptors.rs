//! Which descriptors a call makes and takes, by the code of its event. What the kernel knows of
//! them goes with the event (files.rs). docs/descriptors.md lists the same calls with their tests.
use crate::table as t;

/// Where the number of a descriptor stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    No,
    /// The call returned it.
    Made,
    /// The call returned it, for commands that make one: fcntl and bpf return other things too.
    MadeBySome,
    /// The call wrote it for the caller, as one of two (`State::pair`).
    First,
    Second,
    /// It is the argument with this index.
    Taken(usize),
}
use Slot::{First, Made, MadeBySome, No, Second, Taken};

/// At most two descriptors of a call; the one that `fd.*` is about first.
#[derive(Clone, Copy)]
pub struct Descriptors {
    pub slots: [Slot; 2],
    /// The call names files: our path parameters are theirs and not the first descriptor's.
    pub names: bool,
}

impl Descriptors {
    pub const fn is_none(&self) -> bool {
        matches!(self.slots, [No, No])
    }
}

/// The descriptors of an event. A closed one is no longer there when its call returns, so close
/// has none: while closes are recorded, each takes its entry out of the reader's table.
pub const fn of(code: u16) -> Descriptors {
    let (slots, names) = match code {
        t::SYSCALL_OPEN_X | t::SYSCALL_CREAT_X => ([Made, No], true),
        t::SYSCALL_OPENAT_2_X | t::SYSCALL_OPENAT2_X | t::SYSCALL_OPEN_BY_HANDLE_AT_X => {
            ([Made, Taken(0)], true)
        }
        t::SYSCALL_UNLINKAT_2_X
        | t::SYSCALL_MKDIRAT_X
        | t::SYSCALL_FCHMODAT_X
        | t::SYSCALL_FCHOWNAT_X
        | t::SYSCALL_MKNODAT_X
        | t::SYSCALL_NEWFSTATAT_X => ([Taken(0), No], true),
        t::SYSCALL_SYMLINKAT_X => ([Taken(1), No], true),
        t::SYSCALL_RENAMEAT_X | t::SYSCALL_RENAMEAT2_X | t::SYSCALL_LINKAT_2_X => {
            ([Taken(0), Taken(2)], true)
        }
        t::SYSCALL_DUP_1_X
        | t::SYSCALL_DUP2_X
        | t::SYSCALL_DUP3_X
        | t::SYSCALL_PIDFD_GETFD_X
        | t::SYSCALL_SIGNALFD_X
        | t::SYSCALL_SIGNALFD4_X => ([Made, Taken(0)], false),
        t::SYSCALL_FCNTL_X => ([MadeBySome, Taken(0)], false),
        t::SYSCALL_BPF_2_X => ([MadeBySome, No], false),
        t::SYSCALL_PIPE_X | t::SYSCALL_PIPE2_X | t::SOCKET_SOCKETPAIR_X => ([First, Second], false),
        t::SYSCALL_EVENTFD_X
        | t::SYSCALL_EVENTFD2_X
        | t::SYSCALL_TIMERFD_CREATE_X
        | t::SYSCALL_INOTIFY_INIT_X
        | t::SYSCALL_INOTIFY_INIT1_X
        | t::SYSCALL_USERFAULTFD_X
        | t::SYSCALL_IO_URING_SETUP_X
        | t::SYSCALL_EPOLL_CREATE_X
        | t::SYSCALL_EPOLL_CREATE1_X
        | t::SYSCALL_MEMFD_CREATE_X
        | t::SYSCALL_PIDFD_OPEN_X
        | t::SOCKET_SOCKET_X
        | t::SOCKET_ACCEPT_5_X
        | t::SOCKET_ACCEPT4_6_X => ([Made, No], false),
        t::SYSCALL_MMAP_X | t::SYSCALL_MMAP2_X => ([Taken(4), No], false),
        t::SYSCALL_SPLICE_X | t::SYSCALL_COPY_FILE_RANGE_X => ([Taken(2), Taken(0)], false),
        t::SYSCALL_SENDFILE_X => ([Taken(0), Taken(1)], false),
        t::SYSCALL_READ_X
        | t::SYSCALL_WRITE_X
        | t::SYSCALL_READV_X
        | t::SYSCALL_WRITEV_X
        | t::SYSCALL_PREAD_X
        | t::SYSCALL_PWRITE_X
        | t::SYSCALL_PREADV_X
        | t::SYSCALL_PWRITEV_X
        | t::SYSCALL_FSTAT_X
        | t::SYSCALL_LSEEK_X
        | t::SYSCALL_LLSEEK_X
        | t::SYSCALL_IOCTL_3_X
        | t::SYSCALL_FLOCK_X
        | t::SYSCALL_GETDENTS_X
        | t::SYSCALL_GETDENTS64_X
        | t::SYSCALL_IO_URING_ENTER_X
        | t::SYSCALL_IO_URING_REGISTER_X
        | t::SYSCALL_FSCONFIG_X
        | t::SYSCALL_FCHDIR_X
        | t::SYSCALL_FCHMOD_X
        | t::SYSCALL_FCHOWN_X
        | t::SYSCALL_SETNS_X
        | t::SYSCALL_FINIT_MODULE_X
        | t::SOCKET_BIND_X
        | t::SOCKET_CONNECT_X
        | t::SOCKET_LISTEN_X
        | t::SOCKET_SEND_X
        | t::SOCKET_SENDTO_X
        | t::SOCKET_SENDMSG_X
        | t::SOCKET_SENDMMSG_X
        | t::SOCKET_RECV_X
        | t::SOCKET_RECVFROM_X
        | t::SOCKET_RECVMSG_X
        | t::SOCKET_RECVMMSG_X
        | t::SOCKET_SHUTDOWN_X
        | t::SOCKET_GETSOCKOPT_X
        | t::SOCKET_SETSOCKOPT_X => ([Taken(0), No], false),
        _ => ([No, No], false),
    };
    Descriptors { slots, names }
}

/// Commands of fcntl that make a descriptor: F_DUPFD, F_DUPFD_CLOEXEC.
pub const fn fcntl_makes(command: u32) -> bool {
    command == 0 || command == 1030
}

/// Commands of bpf that return a descriptor; the others return what they like.
pub const fn bpf_makes(command: u32) -> bool {
    matches!(command, 0 | 5 | 7 | 13 | 14 | 17 | 18 | 19 | 28 | 30 | 32 | 33 | 36)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::of;
    use crate::table::{EVENT_IDS, HAS_DESCRIPTORS, SYSCALL_CLOSE_X};
    use std::vec::Vec;

    /// The page that tells people which calls have their descriptors from the kernel.
    const PAGE: &str = include_str!("../../docs/descriptors.md");

    #[test]
    fn every_call_that_makes_or_takes_a_descriptor_has_it_told() {
        let forgotten: Vec<&str> = (0..EVENT_IDS.len())
            .filter(|&code| HAS_DESCRIPTORS[code] == of(code as u16).is_none())
            .map(|code| EVENT_IDS[code])
            .collect();
        assert_eq!(forgotten, [EVENT_IDS[SYSCALL_CLOSE_X as usize]]);
    }

    #[test]
    fn the_page_of_descriptors_lists_every_such_call() {
        let missing: Vec<&str> = (0..EVENT_IDS.len())
            .filter(|&code| HAS_DESCRIPTORS[code])
            .map(|code| EVENT_IDS[code])
            .filter(|id| !PAGE.contains(&std::format!("| `{id}` |")))
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
