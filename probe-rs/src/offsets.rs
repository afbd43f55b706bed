//! Where the kernel keeps things. Rust has no CO-RE relocations, so offsets are data: each is
//! described by a name that the loader looks up in the kernel's BTF, and patched into the probe.

/// An offset that this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

macro_rules! offsets {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// Byte offsets (or sizes and enumerators) of this kernel, in the order of `NAMES`.
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct Offsets { $($(#[$doc])* pub $field: u32,)* }

        /// How each field is found: `type.member.member`, `sizeof type`, `enum type.name`;
        /// alternatives are parted by `|`, and a leading `?` marks what a kernel may lack.
        pub const NAMES: &[&str] = &[$($name,)*];

        impl Offsets {
            pub const EMPTY: Self = Self { $($field: 0,)* };
        }
    };
}

offsets! {
    task_thread_status = "task_struct.thread_info.status",
    task_flags = "task_struct.flags",
    task_pid = "task_struct.pid",
    task_tgid = "task_struct.tgid",
    task_real_parent = "task_struct.real_parent",
    task_children = "task_struct.children",
    task_thread_node = "task_struct.thread_node",
    task_mm = "task_struct.mm",
    task_files = "task_struct.files",
    task_fs = "task_struct.fs",
    task_signal = "task_struct.signal",
    task_cred = "task_struct.cred",
    task_nsproxy = "task_struct.nsproxy",
    task_cgroups = "?task_struct.cgroups",
    task_pid_links = "task_struct.pid_links",
    task_thread_pid = "task_struct.thread_pid",
    task_comm = "task_struct.comm",
    task_exit_code = "task_struct.exit_code",
    task_maj_flt = "task_struct.maj_flt",
    task_min_flt = "task_struct.min_flt",
    task_start_time = "task_struct.start_time",
    task_loginuid = "?task_struct.loginuid",

    files_fdt = "files_struct.fdt",
    fdt_max_fds = "fdtable.max_fds",
    fdt_fd = "fdtable.fd",
    fdt_close_on_exec = "fdtable.close_on_exec",
    file_mnt = "file.f_path.mnt|file.__f_path.mnt",
    file_dentry = "file.f_path.dentry|file.__f_path.dentry",
    file_inode = "file.f_inode",
    file_mode = "file.f_mode",
    file_flags = "file.f_flags",
    file_private = "file.private_data",

    fs_root_mnt = "fs_struct.root.mnt",
    fs_root_dentry = "fs_struct.root.dentry",
    fs_pwd_mnt = "fs_struct.pwd.mnt",
    fs_pwd_dentry = "fs_struct.pwd.dentry",
    vfsmount_root = "vfsmount.mnt_root",
    mount_vfsmount = "mount.mnt",
    mount_parent = "mount.mnt_parent",
    mount_mountpoint = "mount.mnt_mountpoint",
    /// The name must follow it directly: both are read at once (true since 2.6.38).
    dentry_parent = "dentry.d_parent",
    dentry_name = "dentry.d_name|dentry.__d_name",
    dentry_inode = "dentry.d_inode",
    dentry_sb = "dentry.d_sb",
    /// Entries of a directory: a hlist since 6.8, before it a list; both begin with the first one.
    dentry_children = "?dentry.d_children|dentry.d_subdirs",
    dentry_sibling = "?dentry.d_sib|dentry.d_child",
    dentry_hash = "dentry.d_hash",
    dentry_flags = "dentry.d_flags",
    dentry_mounted = "?enum dentry_flags.DCACHE_MOUNTED",
    mount_children = "mount.mnt_mounts",
    mount_sibling = "mount.mnt_child",

    inode_mode = "inode.i_mode",
    inode_flags = "inode.i_flags",
    inode_uid = "inode.i_uid",
    inode_gid = "inode.i_gid",
    inode_ino = "inode.i_ino",
    inode_sb = "inode.i_sb",
    inode_ctime_sec = "inode.i_ctime_sec|inode.__i_ctime.tv_sec|inode.i_ctime.tv_sec",
    inode_ctime_nsec = "inode.i_ctime_nsec|inode.__i_ctime.tv_nsec|inode.i_ctime.tv_nsec",
    inode_mtime_sec = "inode.i_mtime_sec|inode.__i_mtime.tv_sec|inode.i_mtime.tv_sec",
    inode_mtime_nsec = "inode.i_mtime_nsec|inode.__i_mtime.tv_nsec|inode.i_mtime.tv_nsec",
    inode_size = "sizeof inode",
    inode_link = "inode.i_link",
    sb_dev = "super_block.s_dev",
    sb_flags = "super_block.s_flags",
    sb_magic = "super_block.s_magic",
    sb_root = "super_block.s_root",
    sb_info = "super_block.s_fs_info",
    proc_info_ns = "?proc_fs_info.pid_ns",
    proc_inode_vfs = "?proc_inode.vfs_inode",
    proc_inode_pid = "?proc_inode.pid",
    proc_inode_fd = "?proc_inode.fd",

    mm_exe_file = "mm_struct.exe_file",
    mm_arg_start = "mm_struct.arg_start",
    mm_arg_end = "mm_struct.arg_end",
    mm_env_start = "mm_struct.env_start",
    mm_env_end = "mm_struct.env_end",
    mm_total_vm = "mm_struct.total_vm",
    /// Page counters: an array of percpu_counter since 6.2, of atomic_long_t before.
    mm_rss = "mm_struct.rss_stat",
    rss_count = "?percpu_counter.count",
    rss_stride = "?sizeof percpu_counter",
    rss_old = "?sizeof mm_rss_stat",
    rss_file = "enum .MM_FILEPAGES",
    rss_anon = "enum .MM_ANONPAGES",
    rss_swap = "enum .MM_SWAPENTS",
    rss_shmem = "enum .MM_SHMEMPAGES",

    signal_pids = "signal_struct.pids",
    signal_rlim = "signal_struct.rlim",
    signal_tty = "signal_struct.tty",
    signal_thread_head = "signal_struct.thread_head",
    /// Byte that holds both subreaper bits: they follow `leader` in one word.
    signal_subreaper_bit = "bit signal_struct.is_child_subreaper",
    signal_has_subreaper_bit = "bit signal_struct.has_child_subreaper",
    tty_driver = "tty_struct.driver",
    tty_index = "tty_struct.index",
    tty_driver_major = "tty_driver.major",
    tty_driver_minor = "tty_driver.minor_start",
    pid_tasks = "pid.tasks",
    pid_level = "pid.level",
    pid_numbers = "pid.numbers",
    upid_ns = "upid.ns",
    upid_size = "sizeof upid",
    pidns_level = "pid_namespace.level",
    pidns_reaper = "pid_namespace.child_reaper",
    nsproxy_pid_children = "nsproxy.pid_ns_for_children",
    nsproxy_mounts = "nsproxy.mnt_ns",
    pidns_inum = "pid_namespace.ns.inum",
    mntns_inum = "mnt_namespace.ns.inum",

    cred_euid = "cred.euid",
    cred_egid = "cred.egid",
    cred_fsuid = "cred.fsuid",
    cred_fsgid = "cred.fsgid",
    cred_cap_inheritable = "cred.cap_inheritable",
    cred_cap_permitted = "cred.cap_permitted",
    cred_cap_effective = "cred.cap_effective",
    cred_groups = "cred.group_info",
    cred_user_ns = "cred.user_ns",
    ns_uid_map = "user_namespace.uid_map",
    ns_gid_map = "user_namespace.gid_map",
    map_count = "uid_gid_map.nr_extents",
    /// Extents: u32 first, u32 first outside, u32 count.
    map_extents = "uid_gid_map.extent",
    groups_count = "group_info.ngroups",
    groups_ids = "group_info.gid",

    css_set_subsys = "?css_set.subsys",
    css_cgroup = "?cgroup_subsys_state.cgroup",
    css_ss = "?cgroup_subsys_state.ss",
    ss_name = "?cgroup_subsys.name",
    cgroup_kn = "?cgroup.kn",
    kn_name = "?kernfs_node.name",
    kn_parent = "?kernfs_node.__parent|kernfs_node.parent",
    cgroup_cpuset = "?enum cgroup_subsys_id.cpuset_cgrp_id",
    cgroup_cpu = "?enum cgroup_subsys_id.cpu_cgrp_id",
    cgroup_cpuacct = "?enum cgroup_subsys_id.cpuacct_cgrp_id",
    cgroup_io = "?enum cgroup_subsys_id.io_cgrp_id",
    cgroup_memory = "?enum cgroup_subsys_id.memory_cgrp_id",

    bprm_filename = "linux_binprm.filename",

    socket_sk = "socket.sk",
    sock_family = "sock.__sk_common.skc_family",
    sock_state = "sock.__sk_common.skc_state",
    sock_protocol = "sock.sk_protocol",
    sock_type = "sock.sk_type",
    sock_daddr = "sock.__sk_common.skc_daddr",
    sock_dport = "sock.__sk_common.skc_dport",
    sock_v6_daddr = "?sock.__sk_common.skc_v6_daddr",
    sock_backlog = "sock.sk_ack_backlog",
    sock_max_backlog = "sock.sk_max_ack_backlog",
    inet_saddr = "inet_sock.inet_saddr",
    inet_sport = "inet_sock.inet_sport",
    inet_pinet6 = "?inet_sock.pinet6",
    pinet6_saddr = "?ipv6_pinfo.saddr",
    unix_peer = "?unix_sock.peer",
    unix_addr = "?unix_sock.addr",
    unix_addr_name = "?unix_address.name",
    unix_addr_len = "?unix_address.len",
}
