// A session by hand for tests, for the table of what fields show: what each handler of events
// reads, once.
import type { EventValues } from "../events/event_fixture.ts";
import { CHILD, clone, exec, nulList, open, SHELL } from "./context_fixture.ts";
import { ADDRESS, TUPLE } from "./shown_fixture.ts";

const THIRD = 300;

type Params = EventValues["params"];

const by = (id: string, params: Params, tid = CHILD): EventValues => ({ id, tid, params });
/** The same from a driver of ours, with the paths that the kernel acted on. */
const told = (id: string, params: Params, path: string, path2?: string): EventValues => ({
  id,
  tid: CHILD,
  params,
  own: path2 === undefined ? { path } : { path, path2 },
});
const at = (params: Params): Params => ({
  dirfd: -100,
  flags: 1,
  mode: 0,
  dev: 5,
  ino: 6,
  ...params,
});

const FILES: readonly EventValues[] = [
  open(3, "/etc//ssl"),
  open(-13, "secret"),
  by("SYSCALL_OPEN_X", { fd: 4, name: "rel/./a", flags: 66, mode: 0o644, dev: 0x801, ino: 77 }),
  by("SYSCALL_OPEN_X", { fd: -2, name: "gone", flags: 1, mode: 0, dev: 0, ino: 0 }),
  by("SYSCALL_CREAT_X", { fd: 5, name: "new", mode: 0o755, dev: 9, ino: 10, creat_flags: 1 }),
  by("SYSCALL_CREAT_X", { fd: 6, name: "/new", mode: 0o600, dev: 9, ino: 11, creat_flags: 2 }),
  by("SYSCALL_OPENAT_2_X", at({ fd: 7, dirfd: 3, name: "below", flags: 0x1003 })),
  by("SYSCALL_OPENAT_2_X", at({ fd: 8, name: "dir", flags: 1 | 1 << 10 })),
  by("SYSCALL_OPENAT2_X", at({ fd: 9, dirfd: 8, name: "two", flags: 2, resolve: 1 })),
  by("SYSCALL_OPEN_BY_HANDLE_AT_X", at({ fd: 10, mountfd: 3, path: "/by/handle" })),
  told("SYSCALL_OPENAT_2_X", at({ fd: 11, name: "link/x" }), "/real/x"),
  told("SYSCALL_OPENAT_2_X", at({ fd: -2, name: "link/none" }), ""),
  by("SYSCALL_DUP_1_X", { res: 12, oldfd: 3 }),
  by("SYSCALL_DUP2_X", { res: 0, oldfd: 4, newfd: 0 }),
  by("SYSCALL_DUP3_X", { res: 13, oldfd: 4, newfd: 13, flags: 1 << 22 }),
  by("SYSCALL_FCNTL_X", { res: 14, fd: 3, cmd: 1, arg: 0 }),
  by("SYSCALL_FCNTL_X", { res: 0, fd: 3, cmd: 3, arg: 1 }),
  by("SYSCALL_FCNTL_X", { res: 15, fd: 4, cmd: 26, arg: 0 }),
  by("SYSCALL_PIPE_X", { res: 0, fd1: 16, fd2: 17, ino: 1234 }),
  by("SYSCALL_PIPE2_X", { res: 0, fd1: 18, fd2: 19, ino: 1235, flags: 1 << 22 }),
  by("SYSCALL_EVENTFD2_X", { res: 20, flags: 0, initval: 3 }),
  by("SYSCALL_SIGNALFD4_X", { res: 21, flags: 0, fd: -1, mask: 0 }),
  by("SYSCALL_TIMERFD_CREATE_X", { res: 22, clockid: 1, flags: 0 }),
  by("SYSCALL_INOTIFY_INIT1_X", { res: 23, flags: 0 }),
  by("SYSCALL_EPOLL_CREATE1_X", { res: 24, flags: 1 }),
  by("SYSCALL_BPF_2_X", { fd: 25, cmd: 5 }),
  by("SYSCALL_USERFAULTFD_X", { res: 26, flags: 0 }),
  by("SYSCALL_IO_URING_SETUP_X", { res: 27, entries: 8, sq_entries: 8, cq_entries: 16, flags: 2 }),
  by("SYSCALL_MEMFD_CREATE_X", { fd: 28, name: "hidden", flags: 1 }),
  by("SYSCALL_MEMFD_CREATE_X", { fd: -12, name: "none", flags: 0 }),
  by("SYSCALL_PIDFD_OPEN_X", { fd: 29, pid: SHELL, flags: 0 }),
  by("SYSCALL_PIDFD_GETFD_X", { fd: 30, pid_fd: 29, target_fd: 3, flags: 0 }),
  by("SYSCALL_WRITE_X", { res: 5, data: "bytes", fd: 4, size: 9 }),
  by("SYSCALL_READ_X", { res: -11, data: "", fd: 16, size: 9 }),
  by("SYSCALL_POLL_X", {
    res: 1,
    fds: Uint8Array.of(2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0, 99, 0, 0, 0, 0, 0, 0, 0, 1, 0),
    timeout: 100,
  }),
  by("SYSCALL_CLOSE_X", { res: 0, fd: 12 }),
  by("SYSCALL_CLOSE_X", { res: -9, fd: 13 }),
  by("SYSCALL_CLOSE_RANGE_X", { res: 0, first: 20, last: 22, flags: 0 }),
  by("SYSCALL_CLOSE_RANGE_X", { res: 0, first: 23, last: 24, flags: 4 }),
  by("SYSCALL_WRITE_X", { res: 5, data: "bytes", fd: 13, size: 9 }),
];

const SOCKETS: readonly EventValues[] = [
  by("SOCKET_SOCKET_X", { fd: 40, domain: 2, type: 1, proto: 0, flags: 0 }),
  by("SOCKET_BIND_X", { res: 0, addr: ADDRESS.v4, fd: 40 }),
  by("SOCKET_LISTEN_X", { res: 0, fd: 40, backlog: 5 }),
  by("SOCKET_ACCEPT4_6_X", {
    ...{ fd: 41, tuple: TUPLE.from, queuepct: 10, queuelen: 1, queuemax: 10, flags: 1 << 22 },
  }),
  by("SOCKET_SOCKET_X", { fd: 42, domain: 10, type: 2, proto: 17, flags: 0 }),
  by("SOCKET_CONNECT_X", { res: -115, tuple: TUPLE.v6, fd: 42, addr: ADDRESS.v6 }),
  by("SOCKET_SOCKET_X", { fd: 43, domain: 1, type: 1, proto: 0, flags: 1 << 22 }),
  by("SOCKET_CONNECT_X", { res: 0, tuple: TUPLE.unix, fd: 43, addr: ADDRESS.unix }),
  by("SOCKET_SOCKET_X", { fd: 44, domain: 2, type: 2, proto: 0, flags: 0 }),
  by("SOCKET_SENDTO_X", { res: 3, data: "abc", fd: 44, size: 3, tuple: TUPLE.v4 }),
  by("SOCKET_RECVFROM_X", { res: 3, data: "abc", tuple: TUPLE.from, fd: 44, size: 3 }),
  by("SOCKET_SENDMSG_X", { res: 2, data: "ab", fd: 45, size: 2, tuple: TUPLE.v4 }),
  by("SOCKET_SOCKETPAIR_X", { res: 0, fd1: 46, fd2: 47, source: 5, peer: 6 }),
  by("SOCKET_SOCKET_X", { fd: 48, domain: 2, type: 3, proto: 1, flags: 0 }),
  by("SOCKET_CONNECT_X", { res: 0, tuple: TUPLE.v4, fd: 48, addr: ADDRESS.v4 }),
  by("SOCKET_SETSOCKOPT_X", { res: 0, fd: 48, level: 1, optname: 2, optlen: 4 }),
  by("SOCKET_SHUTDOWN_X", { res: 0, fd: 48, how: 2 }),
];

const NAMES: readonly EventValues[] = [
  by("SYSCALL_CHDIR_X", { res: 0, path: "/var/./lib" }),
  by("SYSCALL_RENAME_X", { res: 0, oldpath: "./a", newpath: "../b" }),
  by("SYSCALL_RENAMEAT2_X", {
    ...{ res: 0, olddirfd: 3, oldpath: "a", newdirfd: -100, newpath: "b", flags: 1 },
  }),
  by("SYSCALL_LINKAT_2_X", {
    ...{ res: 0, olddir: 8, oldpath: "x", newdir: 3, newpath: "/y", flags: 0 },
  }),
  by("SYSCALL_SYMLINKAT_X", { res: 0, target: "t", linkdirfd: 3, linkpath: "l" }),
  by("SYSCALL_UNLINKAT_2_X", { res: 0, dirfd: 3, name: "gone", flags: 1 }),
  by("SYSCALL_MKDIRAT_X", { res: -17, dirfd: -100, path: "made", mode: 0o755 }),
  by("SYSCALL_CHMOD_X", { res: 0, filename: "f", mode: 0o4755 }),
  by("SYSCALL_FCHMOD_X", { res: 0, fd: 4, mode: 0o600 }),
  by("SYSCALL_CHOWN_X", { res: 0, path: "/o", uid: 0, gid: 1000 }),
  by("SYSCALL_MOUNT_X", { res: 0, flags: 1, dev: "/dev/a", dir: "/mnt", type: "ext4" }),
  told("SYSCALL_RENAME_X", { res: 0, oldpath: "a", newpath: "b" }, "/k/a", "/k/b"),
  told("SYSCALL_MKDIR_2_X", { res: 0, path: "made", mode: 0o700 }, "/k/made"),
  by("SYSCALL_FCHDIR_X", { res: 0, fd: 8 }),
  by("SYSCALL_GETCWD_X", { res: 5, path: "/x" }),
  by("SYSCALL_CHROOT_X", { res: 0, path: "jail" }),
];

const PROCESSES: readonly EventValues[] = [
  by("SYSCALL_SETUID_X", { res: 0, uid: 1000 }),
  by("SYSCALL_SETRESGID_X", { res: 0, rgid: 1, egid: 2, sgid: 3 }),
  by("SYSCALL_SETREUID_X", { res: 0, ruid: 1, euid: 33 }),
  by("SYSCALL_SETSID_X", { res: CHILD }),
  by("SYSCALL_SETPGID_X", { res: 0, pid: CHILD, pgid: CHILD }),
  by("SYSCALL_CAPSET_X", { res: 0, cap_inheritable: 1, cap_permitted: 6, cap_effective: 2 }),
  by("SYSCALL_UNSHARE_X", { res: 0, flags: 1 << 21 | 1 << 8 }),
  by("SYSCALL_PRCTL_X", { res: 0, option: 36, arg2_str: "", arg2_int: 1 }),
  by("SYSCALL_SETRLIMIT_X", { res: 0, cur: 10, max: 20, resource: 7 }),
  by("SYSCALL_PRLIMIT_X", {
    ...{ res: 0, newcur: 30, newmax: 40, oldcur: 1, oldmax: 2, pid: 0, resource: 7 },
  }),
  by("SYSCALL_BRK_4_X", { res: 1, vm_size: 111, vm_rss: 22, vm_swap: 3, addr: 0 }),
  by("SYSCALL_KILL_X", { res: 0, pid: SHELL, sig: 15 }),
  by("SYSCALL_PTRACE_X", { res: 0, request: 16, pid: SHELL }),
  by("SCHEDSWITCH_6_E", {
    ...{ next: 1, pgft_maj: 7, pgft_min: 8, vm_size: 9, vm_rss: 10, vm_swap: 11 },
  }),
  clone(CHILD, THIRD, "cat"),
  exec(THIRD, "sh", "/usr/bin/dash", ["-c", "x 'y' z"]),
  told("SYSCALL_EXECVE_19_X", {
    ...exec(CHILD, "prog", "/real/prog", ["one"]).params,
    filename: "./prog",
    cgroups: nulList([
      "cpu=/docker/abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
    ]),
  }, "/real/prog"),
  by("USER_ADDED_E", {
    ...{ uid: 33, gid: 2, name: "www", home: "/w", shell: "/s", container_id: "" },
  }, -1),
  by("GROUP_ADDED_E", { gid: 2, name: "staff", container_id: "" }, -1),
  by("SYSCALL_GETUID_X", { uid: 33 }, THIRD),
  by("GENERIC_X", { ID: 30, nativeID: 99 }),
  by("PROCEXIT_1_E", { status: 256, ret: 1, sig: 0, core: 0, reaper_tid: 1 }, SHELL),
  by("SYSCALL_GETUID_X", { uid: 33 }, THIRD),
  by("PROCEXIT_1_E", { status: 9, ret: 0, sig: 9, core: 1, reaper_tid: 0 }, THIRD),
  by("SYSCALL_GETUID_X", { uid: 33 }),
];

export const SESSION: readonly EventValues[] = [...FILES, ...SOCKETS, ...NAMES, ...PROCESSES];
