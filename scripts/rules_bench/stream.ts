// A stream of events for benchmarks of the rules alone: threads of many programs open, close,
// connect, remove and start programs. The machine is a real one; its tables are filled by hand.
import { Event } from "../../src/events/event.ts";
import { eventBytes } from "../../src/events/event_fixture.ts";
import { Context } from "../../src/state/contract/context.ts";
import { createMachine } from "../../src/state/create_machine.ts";
import { Fd, FdKind } from "../../src/state/tables/fd.ts";
import type { MachineHost } from "../../src/state/contract/machine_host.ts";
import { Thread } from "../../src/state/tables/thread.ts";
import { seeded } from "./generated.ts";

const THREADS = 300;
const PROGRAMS = 120;
const FILES = 4_000;

const encoder = new TextEncoder();

type Kind = "open" | "create" | "close" | "connect" | "unlink" | "exec";
type Offsets = Readonly<Record<Kind, number>>;

export class EventStream {
  readonly machine: MachineHost;
  readonly context: Context;
  readonly #event = new Event();
  readonly #threads: Thread[] = [];
  readonly #files: Fd[] = [];
  readonly #sockets: Fd[] = [];
  readonly #random: () => number;
  readonly #bytes: Uint8Array;
  readonly #at: Offsets;
  #count = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.machine = createMachine({
      paths: "caller",
      threadsMax: 100_000,
      fdsMax: 100_000,
      hostname: "bench",
    });
    this.context = new Context(this.machine, this.#event);
    const events = {
      open: eventBytes({
        id: "SYSCALL_OPENAT_2_X",
        tid: 1,
        params: { fd: 5, dirfd: -100, name: "x", flags: 1, mode: 0, dev: 0, ino: 0 },
      }),
      create: eventBytes({
        id: "SYSCALL_OPENAT_2_X",
        tid: 1,
        params: { fd: 5, dirfd: -100, name: "x", flags: 6, mode: 0, dev: 0, ino: 0 },
      }),
      close: eventBytes({ id: "SYSCALL_CLOSE_X", tid: 1, params: { res: 0, fd: 5 } }),
      connect: eventBytes({ id: "SOCKET_CONNECT_X", tid: 1, params: { res: 0, fd: 6 } }),
      unlink: eventBytes({
        id: "SYSCALL_UNLINKAT_2_X",
        tid: 1,
        params: { res: 0, dirfd: -100, name: "x", flags: 0 },
      }),
      exec: eventBytes({ id: "SYSCALL_EXECVE_19_X", tid: 1, params: { res: 0, exe: "x" } }),
    };
    this.#bytes = new Uint8Array(Object.values(events).reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    this.#at = Object.fromEntries(
      Object.entries(events).map(([name, bytes]) => {
        this.#bytes.set(bytes, at);
        at += bytes.length;
        return [name, at - bytes.length];
      }),
    ) as Offsets;
    this.#event.bind(this.#bytes);
    this.#fill();
  }

  /** Makes the next event the context's. */
  next(): void {
    const { context } = this;
    const event = this.#event;
    const thread = this.#threads[this.#pick(THREADS)]!;
    event.num = ++this.#count;
    context.thread = thread;
    context.process = thread;
    const kind = this.#random();
    if (kind < 0.4) this.#file(kind < 0.3 ? "open" : "create");
    else if (kind < 0.75) this.#file("close");
    else if (kind < 0.85) this.#descriptor("connect", this.#sockets[this.#pick(200)]!);
    else if (kind < 0.9) this.#descriptor("unlink", undefined);
    else {
      if (kind < 0.93) this.#program(thread);
      this.#descriptor("exec", undefined);
    }
  }

  #file(kind: "open" | "create" | "close"): void {
    // One name in fifty was never seen before, as temporary files are.
    if (kind === "create" && this.#random() < 0.2) {
      const name = `/tmp/build-${this.#count}/out.o`;
      this.#files[this.#pick(FILES)] = this.#fd(FdKind.File, name);
    }
    // A few files have most of the opens.
    const at = Math.floor(this.#random() ** 3 * FILES);
    this.#descriptor(kind, this.#files[at]!);
  }

  #descriptor(kind: Kind, fd: Fd | undefined): void {
    const { context } = this;
    this.#event.moveTo(this.#at[kind], this.#bytes.length);
    context.fd = fd;
    context.fdNumber = fd === undefined ? -2_147_483_648 : 5;
    context.fdName = fd?.name ?? -1;
    context.fdNameRaw = context.fdName;
  }

  #fd(kind: FdKind, name: string): Fd {
    return new Fd(kind, this.machine.strings.internText(name));
  }

  /** The thread runs another program now. */
  #program(thread: Thread): void {
    const { strings } = this.machine;
    const program = this.#pick(PROGRAMS);
    thread.comm = strings.internText(`prog${program}`);
    thread.exe = strings.internText(`/usr/bin/prog${program}`);
    thread.exepath = thread.exe;
    thread.args = encoder.encode(`--flag${this.#pick(50)}\0/tmp/file${this.#pick(500)}\0`);
    thread.version++;
  }

  #fill(): void {
    const threads = this.machine.threads as Map<number, Thread>;
    for (let tid = 100; tid < 100 + THREADS; tid++) {
      const thread = new Thread(tid, tid);
      // Ancestors up to four levels: 100 is everybody's.
      thread.ptid = tid === 100 ? 0 : 100 + Math.floor((tid - 100) / 4);
      thread.uid = tid % 3 === 0 ? 0 : 1000;
      thread.containerId = this.machine.strings.internText("");
      threads.set(tid, thread);
      this.#threads.push(thread);
      this.#program(thread);
    }
    for (let index = 0; index < FILES; index++) {
      const name = index % 3 === 0
        ? `/usr/lib/x86_64/lib${index}.so`
        : index % 3 === 1
        ? `/srv/app${index}/data/file${index}`
        : `/home/user/work/${index % 40}/source${index}.ts`;
      this.#files.push(this.#fd(FdKind.File, name));
    }
    for (let index = 0; index < 200; index++) {
      const fd = this.#fd(
        FdKind.Ipv4,
        `10.0.0.2:${40_000 + index}->10.0.${index}.1:${index + 400}`,
      );
      fd.sourceIp = Uint8Array.from([10, 0, 0, 2]);
      fd.destinationIp = Uint8Array.from([10, 0, index, 1]);
      fd.sourcePort = 40_000 + index;
      fd.destinationPort = index + 400;
      fd.flags = 1;
      fd.l4proto = 6;
      this.#sockets.push(fd);
    }
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }
}
