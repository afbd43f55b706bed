// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Where this kernel keeps things, as far as its headers say: the order is that of offsets.h. The
 * rest is private to the kernel's own files, or has had several names: readers know it from the
 * kernel's types, and have to know of these the same.
 */
#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mm_types.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/stddef.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "offsets.h"
#include "saker.h"

enum which {
#define X(name) OF_##name,
	SAKER_OFFSETS(X)
#undef X
	COUNT,
};

static const char *const names[] = {
#define X(name) #name,
	SAKER_OFFSETS(X)
#undef X
};

/* One more than the offset, 0 where it is not known here. */
#define AT(name, type, member) [OF_##name] = 1 + offsetof(struct type, member),
#define SIZE(name, type) [OF_##name] = 1 + sizeof(struct type),

static const u32 known[COUNT] = {
	AT(task_thread_status, task_struct, thread_info.status)
	AT(task_flags, task_struct, flags)
	AT(task_pid, task_struct, pid)
	AT(task_tgid, task_struct, tgid)
	AT(task_real_parent, task_struct, real_parent)
	AT(task_children, task_struct, children)
	AT(task_thread_node, task_struct, thread_node)
	AT(task_mm, task_struct, mm)
	AT(task_files, task_struct, files)
	AT(task_fs, task_struct, fs)
	AT(task_signal, task_struct, signal)
	AT(task_cred, task_struct, cred)
	AT(task_nsproxy, task_struct, nsproxy)
	AT(task_pid_links, task_struct, pid_links)
	AT(task_thread_pid, task_struct, thread_pid)
	AT(task_comm, task_struct, comm)
	AT(task_exit_code, task_struct, exit_code)
	AT(task_maj_flt, task_struct, maj_flt)
	AT(task_min_flt, task_struct, min_flt)
	AT(task_start_time, task_struct, start_time)
	AT(files_fdt, files_struct, fdt)
	AT(fdt_max_fds, fdtable, max_fds)
	AT(fdt_fd, fdtable, fd)
	AT(fdt_close_on_exec, fdtable, close_on_exec)
	AT(file_inode, file, f_inode)
	AT(file_mode, file, f_mode)
	AT(file_flags, file, f_flags)
	AT(file_private, file, private_data)
	AT(fs_root_mnt, fs_struct, root.mnt)
	AT(fs_root_dentry, fs_struct, root.dentry)
	AT(fs_pwd_mnt, fs_struct, pwd.mnt)
	AT(fs_pwd_dentry, fs_struct, pwd.dentry)
	AT(vfsmount_root, vfsmount, mnt_root)
	AT(vfsmount_sb, vfsmount, mnt_sb)
	AT(dentry_parent, dentry, d_parent)
	AT(dentry_inode, dentry, d_inode)
	AT(dentry_sb, dentry, d_sb)
	AT(dentry_hash, dentry, d_hash)
	AT(dentry_flags, dentry, d_flags)
	AT(inode_mode, inode, i_mode)
	AT(inode_flags, inode, i_flags)
	AT(inode_uid, inode, i_uid)
	AT(inode_gid, inode, i_gid)
	AT(inode_ino, inode, i_ino)
	AT(inode_sb, inode, i_sb)
	SIZE(inode_size, inode)
	AT(inode_link, inode, i_link)
	AT(sb_dev, super_block, s_dev)
	AT(sb_flags, super_block, s_flags)
	AT(sb_magic, super_block, s_magic)
	AT(sb_root, super_block, s_root)
	AT(sb_info, super_block, s_fs_info)
	AT(mm_exe_file, mm_struct, exe_file)
	AT(mm_arg_start, mm_struct, arg_start)
	AT(mm_arg_end, mm_struct, arg_end)
	AT(mm_env_start, mm_struct, env_start)
	AT(mm_env_end, mm_struct, env_end)
	AT(mm_total_vm, mm_struct, total_vm)
	AT(mm_rss, mm_struct, rss_stat)
	AT(signal_pids, signal_struct, pids)
	AT(signal_rlim, signal_struct, rlim)
	AT(signal_tty, signal_struct, tty)
	AT(signal_thread_head, signal_struct, thread_head)
	AT(tty_driver, tty_struct, driver)
	AT(tty_index, tty_struct, index)
	AT(tty_driver_major, tty_driver, major)
	AT(tty_driver_minor, tty_driver, minor_start)
	AT(pid_tasks, pid, tasks)
	AT(pid_level, pid, level)
	AT(pid_numbers, pid, numbers)
	AT(upid_ns, upid, ns)
	SIZE(upid_size, upid)
	AT(pidns_level, pid_namespace, level)
	AT(pidns_reaper, pid_namespace, child_reaper)
	AT(nsproxy_pid_children, nsproxy, pid_ns_for_children)
	AT(nsproxy_mounts, nsproxy, mnt_ns)
	AT(pidns_inum, pid_namespace, ns.inum)
	AT(cred_euid, cred, euid)
	AT(cred_egid, cred, egid)
	AT(cred_fsuid, cred, fsuid)
	AT(cred_fsgid, cred, fsgid)
	AT(cred_cap_inheritable, cred, cap_inheritable)
	AT(cred_cap_permitted, cred, cap_permitted)
	AT(cred_cap_effective, cred, cap_effective)
	AT(cred_groups, cred, group_info)
	AT(cred_user_ns, cred, user_ns)
	AT(ns_uid_map, user_namespace, uid_map)
	AT(ns_gid_map, user_namespace, gid_map)
	AT(map_count, uid_gid_map, nr_extents)
	AT(map_extents, uid_gid_map, extent)
	AT(groups_count, group_info, ngroups)
	AT(groups_ids, group_info, gid)
	AT(bprm_filename, linux_binprm, filename)
	AT(socket_sk, socket, sk)
	AT(sock_family, sock, __sk_common.skc_family)
	AT(sock_state, sock, __sk_common.skc_state)
	AT(sock_protocol, sock, sk_protocol)
	AT(sock_type, sock, sk_type)
	AT(sock_daddr, sock, __sk_common.skc_daddr)
	AT(sock_dport, sock, __sk_common.skc_dport)
	AT(sock_backlog, sock, sk_ack_backlog)
	AT(sock_max_backlog, sock, sk_max_ack_backlog)
	AT(inet_saddr, inet_sock, inet_saddr)
	AT(inet_sport, inet_sock, inet_sport)};

u32 saker_offset(unsigned int which)
{
	return which < COUNT && known[which] ? known[which] - 1 : SAKER_UNKNOWN;
}

const char *saker_offset_name(unsigned int which)
{
	return which < COUNT ? names[which] : "?";
}
