// For tests: captures of events by chance, about what the sieve holds back: files, sockets, threads
// that begin, execute, share their descriptors and end. In: a seed. Out: a capture's bytes.
import { BLOCK_EVENT } from "../src/events/blocks.ts";
import { eventBytes, type EventValues } from "../src/events/event_fixture.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { putInterfaces, putMachine, putSection } from "../src/events/scap/state_blocks.ts";
import type { Chance } from "../src/rules/check/condition_fixture.ts";
import { type ChanceEvent, DESCRIPTORS, eventByChance, TIDS } from "../src/sieve/chance_fixture.ts";
import { endEvents } from "../src/sieve/ends_chance_fixture.ts";

const START_NS = 1_700_000_000_000_000_000n;
/** Numbers of calls in events: times and sched_yield, which have no event of their own, futex. */
const CALLS = [31, 99, 154];
/** Clone flags as events have them: the same descriptors, the same process. */
const CL_FILES = 1 << 0 | 1 << 13;

/** Puts the event into a capture, as one of the first processor. */
export function putEvent(out: BlockBuffer, event: EventValues): void {
  out.beginBlock(BLOCK_EVENT);
  out.u16(0);
  out.raw(eventBytes(event));
  out.endBlock();
}

export function list(...texts: string[]): Uint8Array {
  return new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
}

export function program(comm: string, tid: number, pid: number, ptid: number) {
  return {
    exe: comm,
    args: list("-x"),
    tid,
    pid,
    ptid,
    cwd: "",
    fdlimit: 1024,
    pgft_maj: 0,
    pgft_min: 0,
    vm_size: 1,
    vm_rss: 1,
    vm_swap: 0,
    comm,
    cgroups: list("cpu=/"),
    uid: 0,
    gid: 0,
    vtid: tid,
    vpid: pid,
  };
}

/** Threads begin, change their program and their directory, share descriptors, end. */
function lifeByChance(chance: Chance, tid: number): ChanceEvent {
  const other = chance.of(TIDS);
  const shares = chance.below(2) === 0;
  const pid = shares ? other : tid;
  switch (chance.below(7)) {
    case 0:
      return {
        id: "SYSCALL_CLONE_20_X",
        tid,
        params: { ...program("t", tid, pid, 1), res: 0, flags: shares ? CL_FILES : 0 },
      };
    case 1:
      return {
        id: "SYSCALL_CLONE_20_X",
        tid: other,
        params: { ...program("t", other, other, 1), res: tid, flags: shares ? CL_FILES : 0 },
      };
    case 2:
      return {
        id: "SYSCALL_EXECVE_19_X",
        tid,
        params: {
          ...program(chance.of(["b", "sh"]), tid, tid, 1),
          res: 0,
          env: list("A=b"),
          trusted_exepath: "/usr/bin/b",
          filename: "b",
          flags: 0,
          pgid: 1,
          vpgid: 1,
        },
      };
    case 3:
      return {
        id: "PROCEXIT_1_E",
        tid,
        params: { status: 0, ret: 0, sig: 0, core: 0, reaper_tid: 0 },
      };
    case 4:
      return { id: "SYSCALL_FCHDIR_X", tid, params: { res: 0, fd: chance.of(DESCRIPTORS) } };
    case 5:
      return {
        id: "SYSCALL_CLOSE_RANGE_X",
        tid,
        params: { res: 0, first: 3, last: chance.of(DESCRIPTORS), flags: chance.of([0, 4]) },
      };
    default:
      return {
        id: "SYSCALL_DUP3_X",
        tid,
        params: {
          res: chance.of(DESCRIPTORS),
          oldfd: chance.of(DESCRIPTORS),
          newfd: chance.of(DESCRIPTORS),
          flags: chance.of([0, 1 << 12]),
        },
      };
  }
}

/** Two ends, of few addresses and ports. */
function pairByChance(chance: Chance): Uint8Array {
  const end = () => [127, 0, 0, 1 + chance.below(2), 1 + chance.below(3), 0];
  return new Uint8Array([2, ...end(), ...end()]);
}

/** Mostly such a pair; also two ends of IPv6, whose bytes may be an address of IPv4, two of a unix
 * socket, and what is cut off. */
function tupleByChance(chance: Chance): Uint8Array {
  const end =
    () => [...new Array(10).fill(0), ...chance.of([[255, 255], [0, 1]]), 127, 0, 0, 1, 2, 0];
  switch (chance.below(12)) {
    case 0:
      return new Uint8Array(0);
    case 1:
      return pairByChance(chance).subarray(0, 9);
    case 2:
      return new Uint8Array([1, ...new Array(16).fill(7), 47, 97, 0]);
    case 3:
    case 4:
      return new Uint8Array([10, ...end(), ...end()]);
    default:
      return pairByChance(chance);
  }
}

/** Sockets are made, led somewhere, used. */
function socketByChance(chance: Chance): ChanceEvent {
  const tid = chance.of(TIDS);
  const fd = chance.of(DESCRIPTORS);
  const res = chance.of([0, 0, 0, -115, -111]);
  const tuple = tupleByChance(chance);
  const addr = new Uint8Array([2, ...pairByChance(chance).subarray(1, 7)]);
  const data = new Uint8Array(2);
  switch (chance.below(8)) {
    case 0:
    case 1: {
      const kind = { domain: chance.of([1, 2, 10, 16]), type: chance.of([1, 2, 2, 3, 0x802]) };
      const proto = chance.of([0, 0, 0, 1, 6, 17, 132, 255]);
      const flags = chance.of([0, 1 << 12]);
      return { id: "SOCKET_SOCKET_X", tid, params: { fd, ...kind, proto, flags } };
    }
    case 2:
      return { id: "SOCKET_BIND_X", tid, params: { res, addr, fd } };
    case 3:
      return { id: "SOCKET_CONNECT_X", tid, params: { res, tuple, fd, addr } };
    case 4: {
      const queue = { queuepct: 0, queuelen: 0, queuemax: 5 };
      return { id: "SOCKET_ACCEPT4_6_X", tid, params: { fd, tuple, ...queue, flags: 0 } };
    }
    case 5:
      return { id: "SOCKET_SENDTO_X", tid, params: { res: 2, data, fd, size: 2, tuple } };
    case 6:
      return { id: "SOCKET_RECVFROM_X", tid, params: { res: 2, data, tuple, fd, size: 2 } };
    default:
      return { id: "SYSCALL_WRITE_X", tid, params: { res: 2, fd, data, size: 2 } };
  }
}

/** Data goes through sockets, pipes and what is known of neither, which are made, led somewhere and
 * copied meanwhile; directories are told. */
function transferByChance(chance: Chance): ChanceEvent {
  const tid = chance.of(TIDS);
  const fd = chance.of(DESCRIPTORS);
  const res = chance.of([2, 2, 2, 0, -11]);
  const io = { data: new Uint8Array(2), size: 2 };
  const tuple = tupleByChance(chance);
  switch (chance.below(12)) {
    case 0:
      return { id: "SYSCALL_READ_X", tid, params: { res, fd, ...io } };
    case 1:
      return { id: "SYSCALL_WRITEV_X", tid, params: { res, fd, size: 2, data: io.data } };
    case 2:
      return { id: "SYSCALL_WRITE_X", tid, params: { res, fd, ...io } };
    case 3:
      return { id: "SOCKET_SENDTO_X", tid, params: { res, fd, ...io, tuple } };
    case 4:
      return { id: "SOCKET_RECVFROM_X", tid, params: { res, fd, ...io, tuple } };
    case 5: {
      const made = { msgcontrol: new Uint8Array(0), ...io, tuple };
      return { id: "SOCKET_RECVMSG_X", tid, params: { res, fd, ...made } };
    }
    case 6: {
      const ends = { fd1: fd, fd2: chance.of(DESCRIPTORS), ino: 9 };
      return {
        id: "SYSCALL_PIPE2_X",
        tid,
        params: { res: chance.of([0, -24]), ...ends, flags: 0 },
      };
    }
    case 7: {
      const path = chance.of(["/", "/etc", "/etc/b", "(unreachable)/x"]);
      return { id: "SYSCALL_GETCWD_X", tid, params: { res: chance.of([0, 0, -34]), path } };
    }
    case 8: {
      const option = chance.of([15, 36, 37, 38]);
      const said = { option, arg2_str: "", arg2_int: chance.below(2) };
      return { id: "SYSCALL_PRCTL_X", tid, params: { res: chance.of([0, 0, -22]), ...said } };
    }
    default:
      return socketByChance(chance);
  }
}

/** Calls without an event of their own, and some that tell of memory or limits. */
function callByChance(chance: Chance): ChanceEvent {
  const tid = chance.of(TIDS);
  const memory = { vm_size: 1 + chance.below(99), vm_rss: chance.below(9), vm_swap: 0 };
  const [addr, length] = [4096n, 4096n];
  switch (chance.below(8)) {
    case 6:
      return {
        id: "SYSCALL_PRLIMIT_X",
        tid,
        params: {
          ...{ res: 0, newcur: 1 + chance.below(99), newmax: 99, oldcur: 1, oldmax: 99 },
          ...{ pid: chance.of([0, 77, ...TIDS]), resource: chance.of([3, 7]) },
        },
      };
    case 7:
      return {
        id: "SYSCALL_SETRLIMIT_X",
        tid,
        params: { res: 0, cur: 1 + chance.below(99), max: 99, resource: 7 },
      };
    case 0:
      return { id: "SYSCALL_BRK_4_X", tid, params: { res: 1n, ...memory, addr } };
    case 1:
      return { id: "SYSCALL_MUNMAP_X", tid, params: { res: 0, ...memory, addr, length } };
    case 2: {
      const fd = chance.of([-1, ...DESCRIPTORS]);
      const map = { addr, length, prot: 1, flags: 2, fd, offset: 0n };
      return { id: "SYSCALL_MMAP_X", tid, params: { res: addr, ...memory, ...map } };
    }
    default: {
      const ID = chance.of(CALLS);
      return { id: chance.of(["GENERIC_E", "GENERIC_X"]), tid, params: { ID, nativeID: ID } };
    }
  }
}

/** Kinds of events beside those of files and threads: nearly a third of all. */
export type Besides = "sockets" | "calls" | "transfers";
const BESIDES = { sockets: socketByChance, calls: callByChance, transfers: transferByChance };

/** A capture of events by chance. */
export function captureByChance(
  chance: Chance,
  events: number,
  besides: Besides | undefined,
): Uint8Array {
  const out = new BlockBuffer(1 << 16);
  putSection(out);
  putMachine(out, {
    cpus: 2,
    memoryBytes: 1n << 32n,
    pidMax: 4_194_304n,
    hostname: "box",
    bootTs: START_NS,
  });
  const calm = chance.below(2) === 0;
  for (let index = 0; index < events; index++) {
    const lives = chance.below(calm ? 40 : 8) === 0;
    const made = lives
      ? lifeByChance(chance, chance.of(TIDS))
      : besides !== undefined && chance.below(3) === 0
      ? BESIDES[besides](chance)
      : eventByChance(chance);
    putEvent(out, { ...made, time: START_NS + BigInt(index) * 1_000_000n });
  }
  return out.bytes.slice(0, out.length);
}

/** A capture of events that make sockets and lead them somewhere, under two threads or more, on a
 * machine of some of the addresses. */
export function endsByChance(chance: Chance, events: number): Uint8Array {
  const out = new BlockBuffer(1 << 16);
  putSection(out);
  putInterfaces(
    out,
    chance.some([[127, 0, 0, 1], [10, 1, 2, 3], [192, 168, 1, 1]], 3).map((address) => ({
      name: "eth0",
      address: new Uint8Array(address),
      netmask: new Uint8Array([255, 255, 255, 0]),
      broadcast: new Uint8Array([255, 255, 255, 255]),
      linkspeed: 0n,
    })),
  );
  const next = endEvents(chance);
  for (let index = 0; index < events; index++) {
    const kind = chance.below(12);
    const made = kind === 0
      ? lifeByChance(chance, chance.of(TIDS))
      : kind === 1
      ? eventByChance(chance)
      : next();
    putEvent(out, { ...made, time: START_NS + BigInt(index) * 1_000_000n });
  }
  return out.bytes.slice(0, out.length);
}
