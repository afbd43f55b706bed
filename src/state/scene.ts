// A machine and a way to tell it events by hand, for tests.
import { Event } from "../events/event.ts";
import { eventBytes, type ParamValue } from "../events/event_fixture.ts";
import { Context } from "./contract/context.ts";
import { createMachine } from "./create_machine.ts";
import type { MachineHost, MachineOptions } from "./contract/machine_host.ts";
import type { Thread } from "./tables/thread.ts";

type Params = Readonly<Record<string, ParamValue>>;

const START_NS = 1_700_000_000_000_000_000n;
/** Clone flags of a thread as the events have them (PPM_CL_*). */
export const THREAD_FLAGS = 1 << 13 | 1;
export const VFORK_FLAGS = 1 << 27;
export const IN_PIDNS = 1 << 29;

export class Scene {
  readonly machine: MachineHost;
  readonly context: Context;
  /** Milliseconds since the scene began: the time of the next event. */
  atMs = 0;

  constructor(options: Partial<MachineOptions> = {}) {
    this.machine = createMachine({
      paths: "caller",
      threadsMax: 1000,
      fdsMax: 10_000,
      hostname: "box",
      ...options,
    });
    this.context = new Context(this.machine, new Event());
  }

  /**
   * Tells one event. Its bytes stand alone in memory, so a look behind them fails. `own`: our own
   * five parameters, which follow Falco's.
   */
  event(id: string, tid: number, params: Params = {}, own: readonly ParamValue[] = []): Context {
    const time = START_NS + BigInt(this.atMs++) * 1_000_000n;
    const bytes = withOwn(eventBytes({ id, tid, time, params }), own);
    const { event } = this.context;
    event.bind(bytes);
    event.num++;
    if (!event.moveTo(0, bytes.length)) throw new Error(`${id} is not sound`);
    this.machine.apply(this.context);
    return this.context;
  }

  /** The creator's side of a fork; `flags` as PPM_CL_*. */
  forked(creator: number, child: number, flags = 0, more: Params = {}): Context {
    return this.event("SYSCALL_CLONE_20_X", creator, {
      ...program("sh", creator, 1),
      res: child,
      flags,
      ...more,
    });
  }

  /** The child's side of a fork. */
  born(
    child: number,
    pid: number,
    ptid: number,
    flags = 0,
    more: Params = {},
    own: readonly ParamValue[] = [],
  ): Context {
    const told = { ...program("sh", pid, ptid), res: 0, flags, tid: child, vtid: child, vpid: pid };
    return this.event("SYSCALL_CLONE_20_X", child, { ...told, ...more }, own);
  }

  exec(
    tid: number,
    comm: string,
    more: Params = {},
    own: readonly ParamValue[] = [],
  ): Context {
    const places = { trusted_exepath: `/usr/bin/${comm}`, filename: comm, pgid: tid, vpgid: tid };
    const told = { ...program(comm, tid, 1), res: 0, ...places };
    return this.event("SYSCALL_EXECVE_19_X", tid, { ...told, ...more }, own);
  }

  exit(tid: number, reaper = 0): Context {
    return this.event("PROCEXIT_1_E", tid, {
      status: 0,
      ret: 0,
      sig: 0,
      core: 0,
      reaper_tid: reaper,
    });
  }

  open(tid: number, fd: number, name: string, flags = 1): Context {
    return this.event("SYSCALL_OPENAT_2_X", tid, {
      fd,
      dirfd: -100,
      name,
      flags,
      mode: 0,
      dev: 1,
      ino: 2,
    });
  }

  close(tid: number, fd: number, res = 0): Context {
    return this.event("SYSCALL_CLOSE_X", tid, { res, fd });
  }

  /** Any event that changes nothing: what the last one left is carried out. */
  pass(tid = 1): Context {
    return this.event("SYSCALL_GETUID_X", tid, { uid: 0 });
  }

  thread(tid: number): Thread {
    const found = this.machine.threads.get(tid);
    if (found === undefined) throw new Error(`No thread ${tid}`);
    return found;
  }

  text(id: number): string | undefined {
    return this.machine.strings.text(id);
  }

  /** Names of the thread's descriptors by number. */
  fds(tid: number): Record<number, string> {
    const names: Record<number, string> = {};
    for (const [number, fd] of this.machine.fdsOf(this.thread(tid))?.entries() ?? []) {
      names[number] = this.text(fd.name)!;
    }
    return names;
  }
}

/** The event's bytes with more parameters behind the others. */
function withOwn(bytes: Uint8Array, own: readonly ParamValue[]): Uint8Array {
  if (own.length === 0) return bytes;
  const parts = own.map((value) => typeof value === "string" ? nulls(value) : value as Uint8Array);
  const count = new DataView(bytes.buffer).getUint32(22, true);
  const lengthsEnd = 26 + count * 2;
  const lengths = Uint16Array.from(parts, (part) => part.length);
  const whole = new Uint8Array([
    ...bytes.subarray(0, lengthsEnd),
    ...new Uint8Array(lengths.buffer),
    ...bytes.subarray(lengthsEnd),
    ...parts.flatMap((part) => [...part]),
  ]);
  const view = new DataView(whole.buffer);
  view.setUint32(16, whole.length, true);
  view.setUint32(22, count + own.length, true);
  return whole;
}

/** Parameters that clone and exec share. */
export function program(comm: string, pid: number, ptid: number): Params {
  return {
    exe: comm,
    args: nulls("-x", "y"),
    tid: pid,
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
    cgroups: nulls("cpu=/"),
    env: nulls("HOME=/root"),
    uid: 0,
    gid: 0,
    vtid: pid,
    vpid: pid,
  };
}

/** A NUL-separated list as events have them. */
export function nulls(...texts: string[]): Uint8Array {
  return new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
}
