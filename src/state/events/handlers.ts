// Which handler each kind of event has. Kinds without one change no table.
import { EVENTS } from "../../events/table.ts";
import { FdKind } from "../tables/fd.ts";
import { onClone } from "./clone_events.ts";
import * as exec from "./exec_events.ts";
import * as fd from "./fd_events.ts";
import type { Handler } from "./handler.ts";
import * as meta from "./meta_events.ts";
import * as socket from "./socket_events.ts";

/** Calls that set the effective user or group: which of them, and the parameter that holds it. */
const SET_IDS = {
  SYSCALL_SETUID_X: ["uid", "uid"],
  SYSCALL_SETREUID_X: ["uid", "euid"],
  SYSCALL_SETRESUID_X: ["uid", "euid"],
  SYSCALL_SETGID_X: ["gid", "gid"],
  SYSCALL_SETREGID_X: ["gid", "egid"],
  SYSCALL_SETRESGID_X: ["gid", "egid"],
} as const;

/** Calls that return a descriptor without a name: its kind, and the parameter of its flags. */
const CREATED = {
  SYSCALL_EVENTFD_X: [FdKind.Event],
  SYSCALL_EVENTFD2_X: [FdKind.Event, "flags"],
  SYSCALL_SIGNALFD_X: [FdKind.Signal],
  SYSCALL_SIGNALFD4_X: [FdKind.Signal, "flags"],
  SYSCALL_TIMERFD_CREATE_X: [FdKind.Timer, "flags"],
  SYSCALL_INOTIFY_INIT_X: [FdKind.Inotify],
  SYSCALL_INOTIFY_INIT1_X: [FdKind.Inotify, "flags"],
  SYSCALL_USERFAULTFD_X: [FdKind.UserFault],
  SYSCALL_IO_URING_SETUP_X: [FdKind.IoUring],
  SYSCALL_EPOLL_CREATE_X: [FdKind.EventPoll],
} as const;

const HANDLERS: Readonly<Record<string, Handler>> = {
  SYSCALL_READ_X: socket.onRead,
  SYSCALL_READV_X: socket.onRead,
  SYSCALL_PREAD_X: socket.onRead,
  SYSCALL_PREADV_X: socket.onRead,
  SOCKET_RECV_X: socket.onRead,
  SOCKET_RECVFROM_X: socket.onRead,
  SOCKET_RECVMSG_X: socket.onRead,
  SOCKET_RECVMMSG_X: socket.onRead,
  SYSCALL_WRITE_X: socket.onWrite,
  SYSCALL_WRITEV_X: socket.onWrite,
  SYSCALL_PWRITE_X: socket.onWrite,
  SYSCALL_PWRITEV_X: socket.onWrite,
  SOCKET_SEND_X: socket.onWrite,
  SOCKET_SENDTO_X: socket.onWrite,
  SOCKET_SENDMSG_X: socket.onWrite,
  SOCKET_SENDMMSG_X: socket.onWrite,
  SOCKET_SOCKET_X: socket.onSocket,
  SOCKET_BIND_X: socket.onBind,
  SOCKET_CONNECT_E: socket.onConnectEntry,
  SOCKET_CONNECT_X: socket.onConnect,
  SOCKET_ACCEPT_5_X: socket.onAccept,
  SOCKET_ACCEPT4_6_X: socket.onAccept,
  SOCKET_SOCKETPAIR_X: socket.onSocketpair,
  SYSCALL_OPEN_X: fd.onOpen,
  SYSCALL_CREAT_X: fd.onCreat,
  SYSCALL_OPENAT_2_X: fd.onOpenat,
  SYSCALL_OPENAT2_X: fd.onOpenat2,
  SYSCALL_OPEN_BY_HANDLE_AT_X: fd.onOpenByHandle,
  SYSCALL_CLOSE_X: fd.onClose,
  SYSCALL_CLOSE_RANGE_X: fd.onCloseRange,
  SYSCALL_DUP_1_X: fd.onDup,
  SYSCALL_DUP2_X: fd.onDup,
  SYSCALL_DUP3_X: fd.onDup,
  SYSCALL_FCNTL_X: fd.onFcntl,
  SYSCALL_PIPE_X: fd.onPipe,
  SYSCALL_PIPE2_X: fd.onPipe,
  ...each(CREATED, fd.onCreated),
  SYSCALL_BPF_2_X: fd.onBpf,
  SYSCALL_EPOLL_CREATE1_X: fd.onEpollCreate1,
  SYSCALL_MEMFD_CREATE_X: fd.onMemfd,
  SYSCALL_PIDFD_OPEN_X: fd.onPidfdOpen,
  SYSCALL_PIDFD_GETFD_X: fd.onPidfdGetfd,
  SYSCALL_CLONE_20_X: onClone,
  SYSCALL_CLONE3_X: onClone,
  SYSCALL_FORK_20_X: onClone,
  SYSCALL_VFORK_20_X: onClone,
  SYSCALL_EXECVE_19_X: exec.onExec,
  SYSCALL_EXECVEAT_E: exec.onExecveatEntry,
  SYSCALL_EXECVEAT_X: exec.onExec,
  PROCEXIT_1_E: exec.onExit,
  SYSCALL_CHDIR_X: exec.onChdir,
  SYSCALL_FCHDIR_X: exec.onFchdir,
  SYSCALL_GETCWD_X: exec.onGetcwd,
  SYSCALL_CHROOT_X: exec.onChroot,
  SYSCALL_SETSID_X: exec.onSetsid,
  SYSCALL_PRCTL_X: exec.onPrctl,
  SYSCALL_CAPSET_X: exec.onCapset,
  SYSCALL_UNSHARE_X: exec.onUnshareOrSetns,
  SYSCALL_SETNS_X: exec.onUnshareOrSetns,
  ...each(SET_IDS, exec.onSetId),
  SYSCALL_GETRLIMIT_X: exec.onRlimit,
  SYSCALL_SETRLIMIT_X: exec.onRlimit,
  SYSCALL_PRLIMIT_X: exec.onPrlimit,
  SYSCALL_BRK_4_X: exec.onMemory,
  SYSCALL_MMAP_X: exec.onMemory,
  SYSCALL_MMAP2_X: exec.onMemory,
  SYSCALL_MUNMAP_X: exec.onMemory,
  SCHEDSWITCH_6_E: exec.onSwitch,
  USER_ADDED_E: meta.onUser,
  USER_DELETED_E: meta.onUser,
  GROUP_ADDED_E: meta.onGroup,
  GROUP_DELETED_E: meta.onGroup,
  ASYNCEVENT_E: meta.onAsync,
  CONTAINER_E: meta.onContainer,
  CONTAINER_JSON_E: meta.onContainerJson,
  CONTAINER_JSON_2_E: meta.onContainerJson,
};

/** The handlers that are made for each id of a table. */
function each<Facts extends readonly unknown[]>(
  table: Readonly<Record<string, Readonly<Facts>>>,
  make: (id: string, ...facts: Facts) => Handler,
): Record<string, Handler> {
  return Object.fromEntries(
    Object.entries(table).map(([id, facts]) => [id, make(id, ...facts as Facts)]),
  );
}

/** By event code. */
export const HANDLER_OF: readonly (Handler | undefined)[] = EVENTS.map(({ id }) => HANDLERS[id]);

/** Calls entered, which only old captures have, and context switches. */
const ENTRY_OR_SWITCH = /^(SYSCALL|SOCKET|SCHEDSWITCH)_/;

/** A process goes to another namespace: Falco leaves them to its rules, ours says by them where
 * it is. */
const MOVES = /^SYSCALL_(?:SETNS|UNSHARE)_X$/;

/**
 * Event codes that the tables need: a source has to deliver them whatever the rules want. Reads,
 * writes and memory calls are left out as Falco leaves them out: they tell little and are many.
 */
export function stateCodes(): number[] {
  return EVENTS.filter(({ id, flags }) => {
    if (HANDLERS[id] === undefined) return false;
    if (MOVES.test(id)) return true;
    return id.endsWith("_X") ? flags.has("modifies_state") : !ENTRY_OR_SWITCH.test(id);
  }).map((event) => event.code);
}
