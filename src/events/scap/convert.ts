// Brings the events of old captures to the current versions. Drivers once wrote two events for a
// call, one on entry and one on exit, and the exit event had fewer parameters. An entry event is
// kept until the thread's exit event comes and lends it its parameters; a few are handed on.
//
// Parameters have the same names in all versions, so the current event's list says what to look
// for: in the old exit event, then in the entry event; else the parameter is empty, or zero.
import { type EventInfo, EVENTS, type ParamType } from "../table.ts";
import { OWN_PARAMS, PARAMS_MAX } from "../event.ts";

/** What is to be done with an event as it is, by code (see `fate`). */
const PASS = 0;
const DROP = 1;
/** Passes with exactly as many parameters as the table has, or ours besides. */
const IF_COMPLETE = 2;
const CONVERT = 3;

const FATES = Uint8Array.from(EVENTS, (event) => {
  const { flags } = event;
  if (flags.has("unused")) return DROP;
  if (event.id === "CONTAINER_E" || event.id === "CONTAINER_JSON_E") return PASS;
  if (!flags.has("converter_managed")) {
    return flags.has("old_version") && event.code % 2 === 0 ? DROP : PASS;
  }
  return event.code % 2 === 0 || flags.has("old_version") ? CONVERT : IF_COMPLETE;
});
const COUNTS = Uint8Array.from(EVENTS, (event) => event.params.length);

/** Whether an event goes on unchanged; most do. */
export function isCurrent(code: number, paramCount: number): boolean {
  const fate = FATES[code];
  if (fate === PASS) return true;
  if (fate !== IF_COMPLETE) return false;
  const expected = COUNTS[code]!;
  return paramCount === expected || paramCount === expected + OWN_PARAMS;
}

/** By code, with how many parameters an event is current, ours not counted; 255: any number, 254:
 * it never is. */
export const CURRENT_COUNTS: Uint8Array = FATES.map((fate, code) =>
  fate === PASS ? 255 : fate === IF_COMPLETE ? COUNTS[code]! : 254
);

/** Entry events that are handed on, since an exit event may lack what they tell. */
const HANDED_ON = new Set([
  "SYSCALL_OPEN_E",
  "SYSCALL_CREAT_E",
  "SYSCALL_OPENAT_2_E",
  "SYSCALL_OPENAT2_E",
  "SYSCALL_EXECVE_19_E",
  "SYSCALL_EXECVEAT_E",
  "SOCKET_CONNECT_E",
]);
/** Those of them that are kept for their exit event as well. */
const KEPT_TOO = new Set(["SYSCALL_EXECVE_19_E", "SOCKET_CONNECT_E"]);

/** Parameters whose name changed: current event, current name → older name. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  SYSCALL_DUP_1_X: { oldfd: "fd" },
  SYSCALL_BPF_2_X: { fd: "res_or_fd" },
};
/** Where an entry event of the same name says something else. */
const NOT_FROM_ENTRY: Readonly<Record<string, string>> = { SYSCALL_EXECVEAT_X: "flags" };

/** Events whose numbers are zero, not missing, where no entry event tells them. */
const ZERO_WHEN_MISSING = new Set(
  (
    "SOCKET_ACCEPT4_6 SOCKET_ACCEPT_5 SOCKET_BIND SOCKET_CONNECT SOCKET_LISTEN SOCKET_RECVFROM " +
    "SOCKET_RECVMSG SOCKET_RECV SOCKET_SENDMSG SOCKET_SENDTO SOCKET_SEND SOCKET_SHUTDOWN " +
    "SOCKET_SOCKETPAIR SOCKET_SOCKET SYSCALL_ACCESS SYSCALL_CLOSE SYSCALL_COPY_FILE_RANGE " +
    "SYSCALL_EPOLLWAIT SYSCALL_EPOLL_CREATE1 SYSCALL_EPOLL_CREATE SYSCALL_EVENTFD2 " +
    "SYSCALL_EVENTFD SYSCALL_FCNTL SYSCALL_FLOCK SYSCALL_FSTAT SYSCALL_FUTEX " +
    "SYSCALL_GETDENTS64 SYSCALL_GETDENTS SYSCALL_GETRLIMIT SYSCALL_INOTIFY_INIT SYSCALL_KILL " +
    "SYSCALL_LLSEEK SYSCALL_LSEEK SYSCALL_MMAP2 SYSCALL_MMAP SYSCALL_MOUNT SYSCALL_MPROTECT " +
    "SYSCALL_MUNMAP SYSCALL_NANOSLEEP SYSCALL_POLL SYSCALL_PPOLL SYSCALL_PREADV SYSCALL_PREAD " +
    "SYSCALL_PWRITEV SYSCALL_PWRITE SYSCALL_QUOTACTL SYSCALL_READV SYSCALL_READ " +
    "SYSCALL_SECCOMP SYSCALL_SEMCTL SYSCALL_SEMGET SYSCALL_SEMOP SYSCALL_SENDFILE " +
    "SYSCALL_SETRLIMIT SYSCALL_SIGNALFD4 SYSCALL_SIGNALFD SYSCALL_SPLICE SYSCALL_TGKILL " +
    "SYSCALL_TIMERFD_CREATE SYSCALL_TKILL SYSCALL_UMOUNT2 SYSCALL_UNSHARE SYSCALL_WRITEV " +
    "SYSCALL_WRITE"
  ).split(" ").map((name) => `${name}_X`),
);

/** Bytes of a parameter that is zero, by type; types that are not here have no fixed size. */
const SIZES: Readonly<Partial<Record<ParamType, number>>> = {
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  ERRNO: 8,
  FD: 8,
  PID: 8,
  SYSCALLID: 2,
  SIGTYPE: 1,
  RELTIME: 8,
  ABSTIME: 8,
  PORT: 2,
  L4PROTO: 1,
  SOCKFAMILY: 1,
  BOOL: 4,
  IPV4ADDR: 4,
  FLAGS8: 1,
  FLAGS16: 2,
  FLAGS32: 4,
  UID: 4,
  GID: 4,
  DOUBLE: 8,
  SIGSET: 4,
  MODE: 4,
  ENUMFLAGS8: 1,
  ENUMFLAGS16: 2,
  ENUMFLAGS32: 4,
};

/** Where a current event's parameters come from, worked out once for each older event. */
interface Plan {
  readonly target: EventInfo;
  /** Per parameter: its index in the old event, in the entry event, and its size when zero. */
  readonly sources: readonly (readonly [old: number, entry: number, zeroBytes: number])[];
}

interface Entry {
  readonly code: number;
  readonly params: readonly Uint8Array[];
  readonly bytes: number;
}

/** An event taken apart; its parameters are views of the block that it stands in. */
export interface OldEvent {
  readonly code: number;
  readonly tid: bigint;
  readonly params: readonly Uint8Array[];
}

export interface CurrentEvent {
  readonly code: number;
  readonly params: readonly Uint8Array[];
}

/** Entry events that wait for their exit; the oldest goes when more threads wait. */
const WAITING_MAX = 65_536;
/** And when they hold more bytes. */
const WAITING_BYTES_MAX = 16 << 20;
const NONE = new Uint8Array(0);

export class Converter {
  readonly #waiting = new Map<bigint, Entry>();
  #waitingBytes = 0;
  readonly #plans = new Map<number, Plan | undefined>();

  /** The event in its current version; undefined where nothing is to be handed on. */
  convert(event: OldEvent): CurrentEvent | undefined {
    const fate = FATES[event.code];
    if (fate === undefined || fate === DROP) return undefined;
    if (fate === PASS) return event;
    const plan = this.#plan(event.code, event.params.length);
    if (plan === undefined) return undefined;
    const isEntry = event.code % 2 === 0 && !plan.target.id.startsWith("PROCEXIT") &&
      !plan.target.id.startsWith("SCHEDSWITCH");
    if (!isEntry) {
      const entry = this.#take(event);
      return { code: plan.target.code, params: paramsOf(plan, event.params, entry) };
    }
    if (!HANDED_ON.has(plan.target.id)) {
      this.#keep(event.tid, event.code, event.params);
      return undefined;
    }
    const current = { code: plan.target.code, params: paramsOf(plan, event.params, undefined) };
    if (KEPT_TOO.has(plan.target.id)) {
      this.#keep(event.tid, current.code, current.params);
    }
    return current;
  }

  #keep(tid: bigint, code: number, params: readonly Uint8Array[]): void {
    this.#forget(tid);
    const copies = copied(params);
    const bytes = copies.reduce((sum, param) => sum + param.length, 0);
    while (this.#waiting.size >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      if (this.#waiting.size === 0) break;
      this.#forget(this.#waiting.keys().next().value!);
    }
    this.#waiting.set(tid, { code, params: copies, bytes });
    this.#waitingBytes += bytes;
  }

  #forget(tid: bigint): void {
    this.#waitingBytes -= this.#waiting.get(tid)?.bytes ?? 0;
    this.#waiting.delete(tid);
  }

  #take(event: OldEvent): Entry | undefined {
    const entry = this.#waiting.get(event.tid);
    if (entry === undefined || EVENTS[entry.code]!.name !== EVENTS[event.code]!.name) {
      return undefined;
    }
    this.#forget(event.tid);
    return entry;
  }

  #plan(code: number, count: number): Plan | undefined {
    const key = code * (PARAMS_MAX + 1) + count;
    if (!this.#plans.has(key)) this.#plans.set(key, makePlan(code, count));
    return this.#plans.get(key);
  }
}

/** One piece of memory for all: a piece costs more than what is in most parameters. */
function copied(params: readonly Uint8Array[]): Uint8Array[] {
  const whole = new Uint8Array(params.reduce((sum, param) => sum + param.length, 0));
  let at = 0;
  return params.map((param) => {
    whole.set(param, at);
    at += param.length;
    return whole.subarray(at - param.length, at);
  });
}

function makePlan(code: number, count: number): Plan | undefined {
  const event = EVENTS[code]!;
  const target = targetOf(event);
  if (target === undefined) return undefined;
  const names = event.params.slice(0, count).map((param) => param.name);
  const entryEvent = code % 2 === 1 ? entryOf(event, target) : undefined;
  const entryNames = entryEvent?.params.map((param) => param.name) ?? [];
  const sources = target.params.map((param) => {
    const alias = RENAMED[target.id]?.[param.name] ?? param.name;
    const old = names.indexOf(names.includes(param.name) ? param.name : alias);
    const entry = NOT_FROM_ENTRY[target.id] === param.name
      ? -1
      : entryNames.indexOf(entryNames.includes(param.name) ? param.name : alias);
    const isResult = param.name === "res";
    const zero = isResult || ZERO_WHEN_MISSING.has(target.id) ? SIZES[param.type] ?? 0 : 0;
    return [old, entry, zero] as const;
  });
  return { target, sources };
}

/** The current version of an event. */
function targetOf(event: EventInfo): EventInfo | undefined {
  if (!event.flags.has("old_version")) return event;
  if (/^SYSCALL_EXECVE_\d+_E$/.test(event.id)) return byId("SYSCALL_EXECVE_19_E");
  if (/^SOCKET_ACCEPT4.*_X$/.test(event.id)) return byId("SOCKET_ACCEPT4_6_X");
  if (event.code % 2 === 0 && !/^(PROCEXIT|SCHEDSWITCH)/.test(event.id)) return event;
  return EVENTS.find((other) =>
    other.name === event.name && other.code % 2 === event.code % 2 &&
    !other.flags.has("old_version") && !other.flags.has("unused")
  );
}

/** The entry event whose names count: exec's is brought to its last version when it is kept. */
function entryOf(event: EventInfo, target: EventInfo): EventInfo | undefined {
  return target.id === "SYSCALL_EXECVE_19_X" ? byId("SYSCALL_EXECVE_19_E") : EVENTS[event.code - 1];
}

function byId(id: string): EventInfo | undefined {
  return EVENTS.find((event) => event.id === id);
}

function paramsOf(
  plan: Plan,
  old: readonly Uint8Array[],
  entry: Entry | undefined,
): Uint8Array[] {
  return plan.sources.map(([fromOld, fromEntry, zeroBytes], index) => {
    if (fromOld >= 0 && fromOld < old.length) return old[fromOld]!;
    const kept = fromEntry >= 0 ? entry?.params[fromEntry] : undefined;
    if (kept !== undefined) return kept;
    const param = plan.target.params[index]!;
    if (zeroBytes === 0) return NONE;
    const zero = new Uint8Array(zeroBytes);
    return param.type === "UID" || param.type === "GID" ? zero.fill(0xff) : zero;
  });
}
