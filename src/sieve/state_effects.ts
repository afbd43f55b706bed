// What an event of each code does to the tables, as far as the sieve over captures has to know it
// (bindings-rs/src/sieve/): which events only keep descriptors right, and which change so much that
// everything held back has to be handed over first. A kind with a handler that is not named here is
// of the latter.
import { EVENTS } from "../events/table.ts";
import { HANDLER_OF } from "../state/events/handlers.ts";

export const enum Effect {
  /** Its thread becomes known, nothing else. */
  None = 0,
  /** Makes a descriptor of a file from its own path. */
  Open = 1,
  Close = 2,
  Fcntl = 3,
  /** Copies a descriptor. */
  Dup = 4,
  /** Data went through a descriptor, which tells of sockets only. */
  Transfer = 5,
  /** Changes its thread, but neither descriptors nor its directory. */
  Thread = 6,
  /** Changes descriptors that it names. */
  Descriptors = 7,
  /** Threads, whole tables, directories. */
  Much = 8,
  /** Not of a thread. */
  Meta = 9,
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  SYSCALL_OPEN_X: Effect.Open,
  SYSCALL_CREAT_X: Effect.Open,
  SYSCALL_OPENAT_2_X: Effect.Open,
  SYSCALL_OPENAT2_X: Effect.Open,
  SYSCALL_CLOSE_X: Effect.Close,
  SYSCALL_FCNTL_X: Effect.Fcntl,
  SYSCALL_DUP_1_X: Effect.Dup,
  SYSCALL_DUP2_X: Effect.Dup,
  SYSCALL_DUP3_X: Effect.Dup,
  ...all(Effect.Transfer, "READ READV PREAD PREADV WRITE WRITEV PWRITE PWRITEV", "SYSCALL_"),
  ...all(Effect.Transfer, "RECV RECVFROM RECVMSG RECVMMSG", "SOCKET_"),
  ...all(Effect.Descriptors, "SEND SENDTO SENDMSG SENDMMSG SOCKET BIND CONNECT", "SOCKET_"),
  ...all(Effect.Descriptors, "ACCEPT_5 ACCEPT4_6 SOCKETPAIR", "SOCKET_"),
  ...all(
    Effect.Descriptors,
    "OPEN_BY_HANDLE_AT PIPE PIPE2 EVENTFD EVENTFD2 SIGNALFD SIGNALFD4 TIMERFD_CREATE " +
      "INOTIFY_INIT INOTIFY_INIT1 BPF_2 USERFAULTFD IO_URING_SETUP EPOLL_CREATE EPOLL_CREATE1 " +
      "MEMFD_CREATE PIDFD_OPEN",
    "SYSCALL_",
  ),
  ...all(
    Effect.Thread,
    "SETSID PRCTL CAPSET SETUID SETREUID SETRESUID SETGID SETREGID SETRESGID GETRLIMIT " +
      "SETRLIMIT PRLIMIT BRK_4 MMAP MMAP2 MUNMAP",
    "SYSCALL_",
  ),
};

function all(effect: Effect, names: string, prefix: string): Record<string, Effect> {
  return Object.fromEntries(names.split(" ").map((name) => [`${prefix}${name}_X`, effect]));
}

const META = /^(CONTAINER|USER_|GROUP_|PLUGINEVENT|ASYNCEVENT)/;
/** Kinds without a thread of their own, or whose thread is not looked up. */
const APART = /^(SCHEDSWITCH|PROCINFO|NOTIFICATION|INFRASTRUCTURE|DROP|CPU_HOTPLUG|TRACER)/;

const BY_CODE = Uint8Array.from(EVENTS, ({ code, id, flags }) => {
  if (META.test(id) || APART.test(id)) return Effect.Meta;
  if (EFFECTS[id] !== undefined) return EFFECTS[id];
  if (HANDLER_OF[code] !== undefined) return Effect.Much;
  return flags.has("skip_parse_reset") ? Effect.Meta : Effect.None;
});

/** What events tell of threads that many captures are full of and few rules ask for: how much
 * memory they have, how many descriptors they may have. */
export type Aside = "memory" | "limits";
/** Kinds that tell of it, and change nothing else. */
const TOLD_BY: Readonly<Record<Aside, RegExp>> = {
  memory: /^SYSCALL_(BRK_4|MMAP2?|MUNMAP)_X$/,
  limits: /^SYSCALL_(GETRLIMIT|SETRLIMIT|PRLIMIT)_X$/,
};

/** `ignored`: what nobody asks for. */
export function effectOf(code: number, ignored: readonly Aside[] = []): Effect {
  const { id } = EVENTS[code]!;
  return ignored.some((aside) => TOLD_BY[aside].test(id)) ? Effect.None : BY_CODE[code]!;
}
