//! The list of fillers: what a driver makes a program of, and the loader finds them by.

/// Calls `$go!` with every filler: `name CODE function;`, in the order of their slots.
#[macro_export]
macro_rules! with_fillers {
    ($go:ident) => {
        $go! {
            generic GENERIC_X $crate::generic::generic;
            open SYSCALL_OPEN_X $crate::open::open;
            openat SYSCALL_OPENAT_2_X $crate::open::openat;
            openat2 SYSCALL_OPENAT2_X $crate::open::openat2;
            creat SYSCALL_CREAT_X $crate::open::creat;
            open_by_handle_at SYSCALL_OPEN_BY_HANDLE_AT_X $crate::open::open_by_handle_at;
            close SYSCALL_CLOSE_X $crate::descriptor::close;
            close_range SYSCALL_CLOSE_RANGE_X $crate::descriptor::close_range;
            dup SYSCALL_DUP_1_X $crate::descriptor::dup;
            dup2 SYSCALL_DUP2_X $crate::descriptor::dup2;
            dup3 SYSCALL_DUP3_X $crate::descriptor::dup3;
            fcntl SYSCALL_FCNTL_X $crate::descriptor::fcntl;
            chdir SYSCALL_CHDIR_X $crate::name::chdir;
            fchdir SYSCALL_FCHDIR_X $crate::name::fchdir;
            unlink SYSCALL_UNLINK_2_X $crate::name::unlink;
            unlinkat SYSCALL_UNLINKAT_2_X $crate::name::unlinkat;
            rmdir SYSCALL_RMDIR_2_X $crate::name::unlink;
            rename SYSCALL_RENAME_X $crate::name::rename;
            renameat SYSCALL_RENAMEAT_X $crate::name::renameat;
            renameat2 SYSCALL_RENAMEAT2_X $crate::name::renameat2;
            link SYSCALL_LINK_2_X $crate::name::link;
            linkat SYSCALL_LINKAT_2_X $crate::name::linkat;
            symlink SYSCALL_SYMLINK_X $crate::name::symlink;
            symlinkat SYSCALL_SYMLINKAT_X $crate::name::symlinkat;
            mkdir SYSCALL_MKDIR_2_X $crate::name::mkdir;
            mkdirat SYSCALL_MKDIRAT_X $crate::name::mkdirat;
            chmod SYSCALL_CHMOD_X $crate::name::chmod;
            fchmod SYSCALL_FCHMOD_X $crate::name::fchmod;
            fchmodat SYSCALL_FCHMODAT_X $crate::name::fchmodat;
            chown SYSCALL_CHOWN_X $crate::name::chown;
            lchown SYSCALL_LCHOWN_X $crate::name::lchown;
            fchown SYSCALL_FCHOWN_X $crate::name::fchown;
            stat SYSCALL_STAT_X $crate::name::stat;
            lstat SYSCALL_LSTAT_X $crate::name::lstat;
            newfstatat SYSCALL_NEWFSTATAT_X $crate::name::newfstatat;
            access SYSCALL_ACCESS_X $crate::name::access;
            fchownat SYSCALL_FCHOWNAT_X $crate::name::fchownat;
            mknod SYSCALL_MKNOD_X $crate::name::mknod;
            mknodat SYSCALL_MKNODAT_X $crate::name::mknodat;
            memfd_create SYSCALL_MEMFD_CREATE_X $crate::descriptor::memfd_create;
            pipe SYSCALL_PIPE_X $crate::descriptor::pipe;
            pipe2 SYSCALL_PIPE2_X $crate::descriptor::pipe2;
            clone SYSCALL_CLONE_20_X $crate::process::clone;
            clone3 SYSCALL_CLONE3_X $crate::process::clone;
            fork SYSCALL_FORK_20_X $crate::process::clone;
            vfork SYSCALL_VFORK_20_X $crate::process::clone;
            execve SYSCALL_EXECVE_19_X $crate::exec::execve;
            execveat SYSCALL_EXECVEAT_X $crate::exec::execveat;
            ptrace SYSCALL_PTRACE_X $crate::control::ptrace;
            prctl SYSCALL_PRCTL_X $crate::control::prctl;
            setns SYSCALL_SETNS_X $crate::control::setns;
            unshare SYSCALL_UNSHARE_X $crate::control::unshare;
            kill SYSCALL_KILL_X $crate::control::kill;
            tkill SYSCALL_TKILL_X $crate::control::kill;
            tgkill SYSCALL_TGKILL_X $crate::control::tgkill;
            pidfd_open SYSCALL_PIDFD_OPEN_X $crate::control::pidfd_open;
            pidfd_getfd SYSCALL_PIDFD_GETFD_X $crate::control::pidfd_getfd;
            setuid SYSCALL_SETUID_X $crate::credentials::one_id;
            setgid SYSCALL_SETGID_X $crate::credentials::one_id;
            setreuid SYSCALL_SETREUID_X $crate::credentials::two_ids;
            setregid SYSCALL_SETREGID_X $crate::credentials::two_ids;
            setresuid SYSCALL_SETRESUID_X $crate::credentials::three_ids;
            setresgid SYSCALL_SETRESGID_X $crate::credentials::three_ids;
            setsid SYSCALL_SETSID_X $crate::credentials::result;
            setpgid SYSCALL_SETPGID_X $crate::credentials::setpgid;
            capset SYSCALL_CAPSET_X $crate::credentials::capset;
            socket SOCKET_SOCKET_X $crate::socket::socket;
            bind SOCKET_BIND_X $crate::socket::bind;
            connect SOCKET_CONNECT_X $crate::socket::connect;
            listen SOCKET_LISTEN_X $crate::socket::listen;
            accept SOCKET_ACCEPT_5_X $crate::socket::accept;
            accept4 SOCKET_ACCEPT4_6_X $crate::socket::accept4;
            socketpair SOCKET_SOCKETPAIR_X $crate::socket::socketpair;
            shutdown SOCKET_SHUTDOWN_X $crate::socket::shutdown;
            pread SYSCALL_PREAD_X $crate::transfer::pread;
            pwrite SYSCALL_PWRITE_X $crate::transfer::pwrite;
            sendto SOCKET_SENDTO_X $crate::transfer::sendto;
            recvfrom SOCKET_RECVFROM_X $crate::transfer::recvfrom;
            sendmsg SOCKET_SENDMSG_X $crate::transfer::sendmsg;
            recvmsg SOCKET_RECVMSG_X $crate::transfer::recvmsg;
            sendmmsg SOCKET_SENDMMSG_X $crate::transfer::sendmmsg;
            recvmmsg SOCKET_RECVMMSG_X $crate::transfer::recvmmsg;
            getsockopt SOCKET_GETSOCKOPT_X $crate::sockopt::getsockopt;
            setsockopt SOCKET_SETSOCKOPT_X $crate::sockopt::setsockopt;
            mount SYSCALL_MOUNT_X $crate::system::mount;
            umount SYSCALL_UMOUNT_1_X $crate::system::umount;
            umount2 SYSCALL_UMOUNT2_X $crate::system::umount2;
            chroot SYSCALL_CHROOT_X $crate::system::chroot;
            init_module SYSCALL_INIT_MODULE_X $crate::system::init_module;
            finit_module SYSCALL_FINIT_MODULE_X $crate::system::finit_module;
            delete_module SYSCALL_DELETE_MODULE_X $crate::system::delete_module;
            bpf SYSCALL_BPF_2_X $crate::system::bpf;
            userfaultfd SYSCALL_USERFAULTFD_X $crate::system::userfaultfd;
            eventfd SYSCALL_EVENTFD_X $crate::system::eventfd;
            eventfd2 SYSCALL_EVENTFD2_X $crate::system::eventfd2;
            signalfd SYSCALL_SIGNALFD_X $crate::system::signalfd;
            signalfd4 SYSCALL_SIGNALFD4_X $crate::system::signalfd4;
            timerfd_create SYSCALL_TIMERFD_CREATE_X $crate::system::timerfd_create;
            inotify_init SYSCALL_INOTIFY_INIT_X $crate::system::inotify_init;
            inotify_init1 SYSCALL_INOTIFY_INIT1_X $crate::system::inotify_init1;
            epoll_create SYSCALL_EPOLL_CREATE_X $crate::system::epoll_create;
            epoll_create1 SYSCALL_EPOLL_CREATE1_X $crate::system::epoll_create1;
            io_uring_setup SYSCALL_IO_URING_SETUP_X $crate::system::io_uring_setup;
            setrlimit SYSCALL_SETRLIMIT_X $crate::system::setrlimit;
            prlimit SYSCALL_PRLIMIT_X $crate::system::prlimit;
            mmap SYSCALL_MMAP_X $crate::memory::mmap;
            munmap SYSCALL_MUNMAP_X $crate::memory::munmap;
            brk SYSCALL_BRK_4_X $crate::memory::brk;
            mprotect SYSCALL_MPROTECT_X $crate::memory::mprotect;
            mlock SYSCALL_MLOCK_X $crate::memory::mlock;
            munlock SYSCALL_MUNLOCK_X $crate::memory::mlock;
            mlock2 SYSCALL_MLOCK2_X $crate::memory::mlock2;
            mlockall SYSCALL_MLOCKALL_X $crate::memory::mlockall;
            munlockall SYSCALL_MUNLOCKALL_X $crate::credentials::result;
            process_vm_readv SYSCALL_PROCESS_VM_READV_X $crate::memory::process_vm;
            process_vm_writev SYSCALL_PROCESS_VM_WRITEV_X $crate::memory::process_vm;
            read SYSCALL_READ_X $crate::io::read;
            write SYSCALL_WRITE_X $crate::io::write;
            readv SYSCALL_READV_X $crate::io::readv;
            writev SYSCALL_WRITEV_X $crate::io::writev;
            preadv SYSCALL_PREADV_X $crate::io::preadv;
            pwritev SYSCALL_PWRITEV_X $crate::io::pwritev;
            sendfile SYSCALL_SENDFILE_X $crate::io::sendfile;
            splice SYSCALL_SPLICE_X $crate::io::splice;
            copy_file_range SYSCALL_COPY_FILE_RANGE_X $crate::io::copy_file_range;
            lseek SYSCALL_LSEEK_X $crate::io::lseek;
            ioctl SYSCALL_IOCTL_3_X $crate::io::ioctl;
            fstat SYSCALL_FSTAT_X $crate::io::asked;
            getdents SYSCALL_GETDENTS_X $crate::io::asked;
            getdents64 SYSCALL_GETDENTS64_X $crate::io::asked;
            flock SYSCALL_FLOCK_X $crate::io::flock;
            getcwd SYSCALL_GETCWD_X $crate::io::getcwd;
            send SOCKET_SEND_X $crate::transfer::send;
            recv SOCKET_RECV_X $crate::transfer::recv;
            getsockname SOCKET_GETSOCKNAME_X $crate::credentials::nothing;
            getpeername SOCKET_GETPEERNAME_X $crate::credentials::nothing;
            poll SYSCALL_POLL_X $crate::wait::poll;
            ppoll SYSCALL_PPOLL_X $crate::wait::ppoll;
            select SYSCALL_SELECT_X $crate::credentials::result;
            epoll_wait SYSCALL_EPOLLWAIT_X $crate::wait::epoll_wait;
            nanosleep SYSCALL_NANOSLEEP_X $crate::wait::nanosleep;
            futex SYSCALL_FUTEX_X $crate::wait::futex;
            semget SYSCALL_SEMGET_X $crate::semaphore::semget;
            semop SYSCALL_SEMOP_X $crate::semaphore::semop;
            semctl SYSCALL_SEMCTL_X $crate::semaphore::semctl;
            quotactl SYSCALL_QUOTACTL_X $crate::quota::quotactl;
            keyctl SYSCALL_KEYCTL_X $crate::keys::keyctl;
            seccomp SYSCALL_SECCOMP_X $crate::keys::seccomp;
            fsconfig SYSCALL_FSCONFIG_X $crate::keys::fsconfig;
            io_uring_enter SYSCALL_IO_URING_ENTER_X $crate::keys::io_uring_enter;
            io_uring_register SYSCALL_IO_URING_REGISTER_X $crate::keys::io_uring_register;
            getrlimit SYSCALL_GETRLIMIT_X $crate::system::getrlimit;
            getuid SYSCALL_GETUID_X $crate::credentials::own_id;
            geteuid SYSCALL_GETEUID_X $crate::credentials::own_id;
            getgid SYSCALL_GETGID_X $crate::credentials::own_id;
            getegid SYSCALL_GETEGID_X $crate::credentials::own_id;
            getresuid SYSCALL_GETRESUID_X $crate::credentials::own_ids;
            getresgid SYSCALL_GETRESGID_X $crate::credentials::own_ids;
        }
    };
}

/// Fillers whose lists of buffers or arguments need loops, for kernels that have none: each takes
/// the place of the one whose name is behind `short_`.
#[macro_export]
macro_rules! with_short_fillers {
    ($go:ident) => {
        $go! {
            short_execve SYSCALL_EXECVE_19_X $crate::exec::execve;
            short_execveat SYSCALL_EXECVEAT_X $crate::exec::execveat;
            short_readv SYSCALL_READV_X $crate::io::readv;
            short_writev SYSCALL_WRITEV_X $crate::io::writev;
            short_preadv SYSCALL_PREADV_X $crate::io::preadv;
            short_pwritev SYSCALL_PWRITEV_X $crate::io::pwritev;
            short_sendmsg SOCKET_SENDMSG_X $crate::transfer::sendmsg;
            short_recvmsg SOCKET_RECVMSG_X $crate::transfer::recvmsg;
            short_sendmmsg SOCKET_SENDMMSG_X $crate::transfer::sendmmsg;
            short_recvmmsg SOCKET_RECVMMSG_X $crate::transfer::recvmmsg;
            short_process_vm_readv SYSCALL_PROCESS_VM_READV_X $crate::memory::process_vm;
            short_process_vm_writev SYSCALL_PROCESS_VM_WRITEV_X $crate::memory::process_vm;
        }
    };
}

macro_rules! short_list {
    ($($name:ident $code:ident $function:path;)*) => {
        /// Program and event of each of those.
        pub const SHORT_FILLERS: &[(&str, u16)] =
            &[$((stringify!($name), crate::table::$code),)*];
    };
}
with_short_fillers!(short_list);

macro_rules! list {
    ($($name:ident $code:ident $function:path;)*) => {
        /// Program and event of each filler; its slot is FILLERS_AT plus its place here.
        pub const FILLERS: &[(&str, u16)] = &[$((stringify!($name), crate::table::$code),)*];
    };
}
with_fillers!(list);
