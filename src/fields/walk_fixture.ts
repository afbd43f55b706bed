// A long walk of made up events for tests: the same calls by several threads, in an order that a
// seed gives, on few descriptors and names, so that each meets what the others left.
import { codeOf, type EventInfo, EVENTS, type Param } from "../events/table.ts";
import { bytesOf } from "../words/raw_text.ts";
import type { EventValues, ParamValue } from "../events/event_fixture.ts";
import { CHILD, clone, exec, nulList, SHELL } from "./context_fixture.ts";
import { ADDRESS, madeUp, tableEvents, TUPLE } from "./shown_fixture.ts";
import { SAID } from "./shown_files_fixture.ts";

const THREADS = [SHELL, CHILD, 300, 301, 400];
const NAMES = ["/etc/passwd", "rel/a", "../up", "/", ".", "", "/tmp/x y", "//d//e/", "/dev/log"];
const FLAGS = [0, 1, 2, 3, 4, 66, 1 << 10, 1 << 12, 1 << 13, 1 << 21, 1 << 22, 0x8001];
const DOMAINS = [1, 2, 10, 16, 17];
const V4_MAPPED = Uint8Array.of(10, ...mapped(1), 80, 0, ...mapped(2), 0xbb, 1);
const ADDRESSES = [...Object.values(ADDRESS), undefined, Uint8Array.of(2, 1)];
const TUPLES = [...Object.values(TUPLE), V4_MAPPED, undefined, Uint8Array.of(10, 1)];

function mapped(last: number): number[] {
  return [...new Array<number>(10).fill(0), 0xff, 0xff, 10, 0, 0, last];
}

export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e37_79b1);
    for (let at = 0; at < 3; at++) this.below(1);
  }

  below(count: number): number {
    this.#state = Math.imul(this.#state, 1_103_515_245) + 12_345 | 0;
    return (this.#state >>> 8) % count;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** A value that meets those of other events; undefined for what needs no more than any. */
function meeting(dice: Dice, { name, type, flags }: Param): ParamValue | undefined {
  switch (type) {
    case "FD":
      if (/dir|^mountfd/.test(name)) return dice.of([-100, -100, 3, 4, 9, -1]);
      return dice.of([0, 3, 4, 5, 6, 7, 8, 9, 10, 40, -2, -11]);
    case "ERRNO":
      return dice.of([0, 0, 0, 4, 9, -2, -9, -115]);
    case "PID":
      return dice.of([...THREADS, ...THREADS, 0, -1, 99_999, 302]);
    case "FSPATH":
    case "FSRELPATH":
      return dice.of(NAMES);
    case "SOCKADDR":
      return dice.of(ADDRESSES);
    case "SOCKTUPLE":
      return dice.of(TUPLES);
    case "UID":
    case "GID":
      return dice.of([0, 0, 33, 1000, -1]);
  }
  if (/^(domain|source|peer)$/.test(name)) return dice.of(DOMAINS);
  if (/^(type|proto)$/.test(name)) return dice.of([0, 1, 2, 3, 6, 17]);
  if (name === "flags" && flags !== undefined) return dice.of(FLAGS);
  if (/^(fd1|fd2|first|last|newfd|oldfd)$/.test(name)) return dice.of([3, 4, 5, 9, 40]);
  return undefined;
}

/** Calls that change the tables; the walk makes them more often than others. */
const OFTEN = `
SYSCALL_OPEN_X SYSCALL_OPENAT_2_X SYSCALL_OPENAT2_X SYSCALL_CREAT_X SYSCALL_OPEN_BY_HANDLE_AT_X
SYSCALL_CLOSE_X SYSCALL_CLOSE_RANGE_X SYSCALL_DUP_1_X SYSCALL_DUP2_X SYSCALL_DUP3_X SYSCALL_FCNTL_X
SYSCALL_PIPE2_X SYSCALL_EVENTFD2_X SYSCALL_MEMFD_CREATE_X SYSCALL_PIDFD_OPEN_X
SYSCALL_PIDFD_GETFD_X SYSCALL_FCHDIR_X SYSCALL_CHDIR_X SYSCALL_CHROOT_X SYSCALL_SETSID_X
SYSCALL_SETPGID_X SYSCALL_SETUID_X SYSCALL_SETRESUID_X SYSCALL_SETRESGID_X SYSCALL_PRCTL_X
SYSCALL_READ_X SYSCALL_WRITE_X SYSCALL_POLL_X SYSCALL_RENAMEAT2_X SYSCALL_LINKAT_2_X
SYSCALL_SYMLINKAT_X SYSCALL_MKDIRAT_X PROCEXIT_1_E SOCKET_SOCKET_X SOCKET_BIND_X SOCKET_LISTEN_X
SOCKET_CONNECT_X SOCKET_CONNECT_X SOCKET_ACCEPT_5_X SOCKET_ACCEPT4_6_X SOCKET_SENDTO_X
SOCKET_SENDMSG_X SOCKET_RECVFROM_X SOCKET_RECVMSG_X SOCKET_SOCKETPAIR_X SOCKET_SHUTDOWN_X
SOCKET_GETSOCKOPT_X SOCKET_SETSOCKOPT_X`.trim().split(/\s+/).map((id) => EVENTS[codeOf(id)]!);

const CONTAINER = "b".repeat(64);
/** What a runtime tells of the container, before anything else. */
const TOLD_CONTAINER: EventValues = {
  ...{ id: "ASYNCEVENT_E", tid: -1 },
  params: {
    ...{ plugin_id: 0, name: "container" },
    data: new TextEncoder().encode(JSON.stringify({
      container: {
        ...{ id: CONTAINER.slice(0, 12), full_id: CONTAINER, type: 0, name: "web", ip: "10.1.2.3" },
        ...{ image: "i:1", imagetag: "1", privileged: true, labels: { A: "1", flags: "2" } },
        Mounts: [{ Source: "/A", Destination: "/b", Mode: "z", RW: true, Propagation: "p" }],
        ...{ pod_sandbox_id: CONTAINER, pod_sandbox_labels: { name: "x" } },
      },
    })),
  },
};
const GROUPS = ["cpu=/", `cpu=/docker/${CONTAINER}`, "cpu=/lxc/box", "io=/a", ""];

function started(dice: Dice, values: EventValues): EventValues {
  const { params } = values;
  return {
    ...values,
    params: {
      ...params,
      res: values.id.includes("CLONE") ? dice.of([...THREADS, 0, -11]) : dice.of([0, 0, -2]),
      ptid: dice.of(THREADS),
      pid: dice.of([values.tid, values.tid, 300]),
      cwd: dice.of(["", "/srv", "/"]),
      tty: dice.of([0, 7, -1]),
      cgroups: nulList([dice.of(GROUPS), "io=/"]),
      flags: dice.of([0, 0, 1, 1 | 1 << 13, 1 << 27, 1 << 29, 1 << 1, 2]),
      vtid: dice.of([values.tid, 1, 2]),
      vpid: dice.of([values.tid, 1, 2]),
      env: nulList(dice.of([["A=1", "PATH=/b"], [], ["PATH="], ["HOME=/root"]])),
    },
  };
}

function anyBytes(dice: Dice): Uint8Array {
  return Uint8Array.from({ length: dice.below(10) }, () => dice.of([0, 1, 2, 10, 255]));
}

function ofTable(dice: Dice, info: EventInfo, tid: number): EventValues {
  const { id, params } = madeUp(info, dice.below(3));
  const met = info.params.map((param) => {
    // Sometimes a parameter is missing or of another length.
    const value = meeting(dice, param) ?? params[param.name];
    const chance = dice.below(40);
    if (chance === 0) return [param.name, undefined];
    if (chance === 1 && typeof value === "string") return [param.name, bytesOf(value)];
    if (chance === 2) return [param.name, anyBytes(dice)];
    return [param.name, value];
  });
  return { id, tid, params: Object.fromEntries(met) };
}

const PATHS = ["/real/a", "/etc/passwd", ""];
const CODES_MAX = 512;
/** What the kernel says of descriptors, by the names of SAID. */
const TOLD = [
  ...["no word", "cut short", "nothing", "the same file", "another file", "a directory", "pipe"],
  ...["a file that the call made", "memory", "a connection", "the connection turned round"],
  ...["a server", "a raw socket", "datagrams over IPv6", "a unix socket", "another family"],
  ...["a bound socket of IPv6", "a mapped connection from a low port"],
];

const START_NS = 1_700_000_000_000_000_000n;
/** Between two events: a thread of the last eighth is still young, all others are not. */
const STEP_NS = 250_000_000n;

/**
 * `count` events of the walk. Each has dice of its own, and an event of the table is chosen by its
 * code: what is added to the table later changes few of them.
 */
export function walk(seed: number, count: number): EventValues[] {
  const table = new Map(tableEvents().map((info) => [info.code, info]));
  const events = Array.from({ length: count }, (_, at): EventValues => {
    const dice = new Dice(seed * 100_003 + at * 7919);
    const tid = dice.below(30) === 0 ? dice.of([0, -1, 99_999, 302]) : dice.of(THREADS);
    const kind = dice.below(20);
    const any = table.get(dice.below(CODES_MAX));
    const info = kind < 13 || any === undefined ? dice.of(OFTEN) : any;
    const values = kind === 18
      ? started(dice, clone(tid, 0, dice.of(["sh", "cat"])))
      : kind === 19
      ? started(dice, exec(tid, dice.of(["sh", "cat"]), dice.of(["/bin/sh", "/bin/cat"]), ["a b"]))
      : ofTable(dice, info, tid);
    if (dice.below(3) > 0) return values;
    const said = dice.below(2) === 0 ? { files: SAID[dice.of(TOLD)]! } : {};
    return { ...values, own: { path: dice.of(PATHS), path2: dice.of(PATHS), ...said } };
  });
  return [TOLD_CONTAINER, ...events].map((values, at) => {
    return { ...values, time: START_NS + BigInt(at) * STEP_NS };
  });
}
