// A machine with a shell and its child, for the tests of fields: events made by hand are applied
// to it, and fields read what they left.
import { Event } from "../events/event.ts";
import { eventBytes, type EventValues } from "../events/event_fixture.ts";
import { Context } from "../state/contract/context.ts";
import { createMachine } from "../state/create_machine.ts";
import type { MachineHost } from "../state/contract/machine_host.ts";
import type { Value } from "./row/field.ts";
import { FieldSet } from "./field_set.ts";
import { asShown, jsonOf, shownValue, valueText } from "./render.ts";

export const SHELL = 100;
export const CHILD = 200;
const ROOT = 0;
const TIME = 1_700_000_000_000_000_000n;

export class Bench {
  readonly fields: FieldSet;
  readonly machine: MachineHost;
  readonly context: Context;

  /** A shell (100, child of nobody known) and a program that it started (200). */
  constructor(paths: "kernel" | "caller" = "caller", fields = new FieldSet({ zone: "utc" })) {
    this.fields = fields;
    this.machine = createMachine({ paths, threadsMax: 1000, fdsMax: 10_000, hostname: "box" });
    this.context = new Context(this.machine, new Event());
    this.apply({ ...exec(SHELL, "bash", "/usr/bin/bash", ["-l"]) });
    this.apply(clone(SHELL, CHILD, "bash"));
    this.apply(exec(CHILD, "cat", "/usr/bin/cat", ["a b", "c"]));
  }

  apply(values: EventValues): void {
    const { event } = this.context;
    const bytes = eventBytes({ time: TIME, ...values });
    // As in a block, where the event is not the last.
    const block = new Uint8Array(bytes.length + 8);
    block.set(bytes);
    event.bind(block);
    if (!event.moveTo(0, bytes.length)) throw new Error("The event's bytes are not sound");
    event.num++;
    this.machine.apply(this.context);
  }

  /** What a condition sees. */
  value(field: string): Value {
    return this.#bound(field).extract(this.context);
  }

  /** What a message shows. */
  text(field: string): string {
    const bound = this.#bound(field);
    return asShown(this.context, () => valueText(bound, shownValue(bound, this.context)));
  }

  /** What a message shows of one field after the other. */
  texts(...fields: string[]): string[] {
    const bounds = fields.map((field) => this.#bound(field));
    return asShown(
      this.context,
      () => bounds.map((bound) => valueText(bound, shownValue(bound, this.context))),
    );
  }

  json(field: string): Value {
    const bound = this.#bound(field);
    return asShown(this.context, () => jsonOf(bound, this.context));
  }

  #bound(field: string) {
    const resolved = this.fields.resolve(field);
    if ("error" in resolved) throw new Error(resolved.error);
    return resolved.bound;
  }
}

const encoder = new TextEncoder();

/** NUL-terminated strings, as arguments and environments have them. */
export function nulList(texts: readonly string[]): Uint8Array {
  return encoder.encode(texts.map((text) => `${text}\0`).join(""));
}

export function exec(
  tid: number,
  comm: string,
  exepath: string,
  args: readonly string[],
): EventValues {
  return {
    id: "SYSCALL_EXECVE_19_X",
    tid,
    params: {
      res: 0,
      exe: comm,
      args: nulList(args),
      tid,
      pid: tid,
      ptid: tid === CHILD ? SHELL : 1,
      cwd: "",
      fdlimit: 1024,
      pgft_maj: 0,
      pgft_min: 0,
      vm_size: 100,
      vm_rss: 50,
      vm_swap: 0,
      comm,
      cgroups: nulList(["cpu=/", "io=/box"]),
      env: nulList(["HOME=/root", "PATH= /bin ", "EMPTY="]),
      tty: 7,
      vpgid: tid,
      loginuid: ROOT,
      flags: 1,
      cap_inheritable: 0,
      cap_permitted: 3,
      cap_effective: 0x400000,
      exe_ino: 5,
      exe_ino_ctime: 1_600_000_000_000_000_000n,
      exe_ino_mtime: 1_600_000_000_000_000_000n,
      uid: ROOT,
      trusted_exepath: exepath,
      pgid: tid,
      gid: ROOT,
      filename: exepath,
    },
  };
}

export function clone(tid: number, child: number, comm: string): EventValues {
  return {
    id: "SYSCALL_CLONE_20_X",
    tid,
    params: {
      res: child,
      exe: comm,
      args: nulList(["-l"]),
      tid,
      pid: tid,
      ptid: 1,
      cwd: "",
      fdlimit: 1024,
      pgft_maj: 0,
      pgft_min: 0,
      vm_size: 100,
      vm_rss: 50,
      vm_swap: 0,
      comm,
      cgroups: nulList(["cpu=/", "io=/box"]),
      flags: 0,
      uid: ROOT,
      gid: ROOT,
      vtid: tid,
      vpid: tid,
      pidns_init_start_ts: 0,
    },
  };
}

/** A successful open by the child. */
export function open(fd: number, name: string, flags = 1, dirfd = -100): EventValues {
  return {
    id: "SYSCALL_OPENAT_2_X",
    tid: CHILD,
    params: { fd, dirfd, name, flags, mode: 0o644, dev: 0x803, ino: 77 },
  };
}
