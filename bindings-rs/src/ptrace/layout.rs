//! The layout of the tracer's own "kernel memory": where in each object (arena.rs) the fillers find
//! a member. It is nobody's but ours, so it is as simple as can be; what no filler asks of a tracer
//! (io_uring, the kernel's cache of names) stays at 0.
use probe::offsets::{ABSENT, Offsets};

/// Members of a task below this one are known without a look at /proc.
pub const TASK_FACTS: usize = 160;
/// `struct mount` holds what programs call a mount at this place.
pub const MOUNT_VFSMOUNT: usize = 32;
/// Bytes of an inode: the overlay's upper entry stands behind them.
pub const INODE_BYTES: usize = 96;
pub const UPID_BYTES: usize = 16;
/// Subsystems of control groups, in the order of SUBSYSTEMS (subject.rs).
pub const SUBSYSTEM_IDS: [u32; 5] = [0, 1, 2, 3, 4];

const fn layout() -> Offsets {
    let mut o = Offsets::EMPTY;
    // Pointers and numbers that the table of tracees has.
    (o.task_mm, o.task_files, o.task_fs, o.task_signal) = (0, 8, 16, 24);
    (o.task_cred, o.task_nsproxy, o.task_cgroups, o.task_thread_pid) = (32, 40, 48, 56);
    (o.task_real_parent, o.task_pid, o.task_tgid, o.task_flags) = (64, 72, 76, 80);
    (o.task_thread_node, o.task_exit_code) = (88, 104);
    // What /proc is asked for.
    (o.task_children, o.task_comm) = (160, 176);
    (o.task_maj_flt, o.task_min_flt, o.task_start_time, o.task_loginuid) = (192, 200, 208, 216);

    (o.files_fdt, o.fdt_max_fds, o.fdt_fd, o.fdt_close_on_exec) = (0, 0, 8, 16);
    // The two halves of a path are neighbours.
    (o.file_mnt, o.file_dentry, o.file_inode, o.file_private) = (0, 8, 16, 24);
    (o.file_mode, o.file_flags) = (32, 36);
    (o.fs_root_mnt, o.fs_root_dentry, o.fs_pwd_mnt, o.fs_pwd_dentry) = (0, 8, 16, 24);
    (o.mount_parent, o.mount_mountpoint, o.mount_vfsmount) = (0, 8, MOUNT_VFSMOUNT as u32);
    (o.vfsmount_root, o.vfsmount_sb) = (0, 8);
    // Parent, then the name: hash, length, text.
    (o.dentry_parent, o.dentry_name, o.dentry_inode, o.dentry_sb) = (0, 8, 24, 32);

    // The first four are looked at in a copy that ends with the last of them (files.rs: look).
    (o.inode_mode, o.inode_links, o.inode_ino, o.inode_sb) = (0, 4, 8, 16);
    (o.inode_flags, o.inode_uid, o.inode_gid) = (24, 28, 32);
    (o.inode_ctime_sec, o.inode_mtime_sec) = (40, 48);
    (o.inode_ctime_nsec, o.inode_mtime_nsec) = (56, 60);
    o.inode_size = INODE_BYTES as u32;
    (o.sb_dev, o.sb_flags, o.sb_magic) = (0, 8, 16);

    (o.mm_exe_file, o.mm_arg_start, o.mm_arg_end) = (0, 8, 16);
    (o.mm_env_start, o.mm_env_end, o.mm_total_vm, o.mm_rss) = (24, 32, 40, 48);
    // Counters of pages one behind the other, as they were before 6.2.
    (o.rss_old, o.rss_count, o.rss_stride) = (32, ABSENT, ABSENT);
    (o.rss_file, o.rss_anon, o.rss_swap, o.rss_shmem) = (0, 1, 2, 3);

    (o.signal_pids, o.signal_rlim, o.signal_tty, o.signal_thread_head) = (0, 32, 160, 168);
    // Bits are told by their place: these two are in byte 184.
    (o.signal_subreaper_bit, o.signal_has_subreaper_bit) = (184 * 8, 184 * 8 + 1);
    (o.tty_driver, o.tty_index, o.tty_driver_major, o.tty_driver_minor) = (0, 8, 0, 4);
    (o.pid_level, o.pid_numbers) = (0, 8);
    (o.upid_ns, o.upid_size) = (8, UPID_BYTES as u32);
    (o.pidns_level, o.pidns_inum, o.pidns_reaper) = (0, 4, 8);
    (o.nsproxy_pid_children, o.nsproxy_mounts, o.mntns_inum) = (0, 8, 0);

    (o.cred_euid, o.cred_egid, o.cred_fsuid, o.cred_fsgid) = (0, 4, 8, 12);
    (o.cred_cap_inheritable, o.cred_cap_permitted, o.cred_cap_effective) = (16, 24, 32);
    (o.cred_groups, o.cred_user_ns) = (40, 48);
    (o.ns_uid_map, o.ns_gid_map, o.map_count, o.map_extents) = (0, 128, 0, 4);
    (o.groups_count, o.groups_ids) = (0, 4);

    (o.css_set_subsys, o.css_cgroup, o.css_ss, o.ss_name) = (0, 0, 8, 0);
    (o.cgroup_kn, o.kn_name, o.kn_parent) = (0, 0, 8);
    let [cpuset, cpu, cpuacct, io, memory] = SUBSYSTEM_IDS;
    (o.cgroup_cpuset, o.cgroup_cpu, o.cgroup_cpuacct) = (cpuset, cpu, cpuacct);
    (o.cgroup_io, o.cgroup_memory) = (io, memory);

    o.bprm_filename = 0;
    (o.socket_sk, o.sock_family, o.sock_state, o.sock_protocol, o.sock_type) = (0, 0, 2, 4, 6);
    (o.sock_daddr, o.sock_dport, o.sock_v6_daddr) = (8, 12, 16);
    (o.sock_backlog, o.sock_max_backlog) = (32, 36);
    (o.inet_saddr, o.inet_sport, o.inet_pinet6) = (40, 44, 48);
    (o.unix_peer, o.unix_addr) = (56, 64);
    (o.pinet6_saddr, o.unix_addr_len, o.unix_addr_name) = (0, 0, 4);
    o
}

pub static OFFSETS: Offsets = layout();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_read_at_once_are_neighbours() {
        assert_eq!(OFFSETS.dentry_name, OFFSETS.dentry_parent + 8);
        assert_eq!(OFFSETS.file_dentry, OFFSETS.file_mnt + 8);
        // Heads of structures are copied up to 256 bytes (event.rs: copy).
        assert!(OFFSETS.inode_mode < OFFSETS.inode_sb && OFFSETS.sb_dev < OFFSETS.sb_magic);
        let last = [OFFSETS.file_private, OFFSETS.inode_sb, OFFSETS.sb_magic];
        assert!(last.iter().all(|&at| at + 8 <= 256));
    }
}
