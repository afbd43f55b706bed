// Captures made up for the benchmark: a mix of events like what Falco records of a busy machine
// (open, fcntl, close, then sockets, and a process now and then), and tables of a wanted size.
import { eventBytes, type ParamValue } from "../../src/events/event_fixture.ts";
import { BlockBuffer } from "../../src/events/scap/block_buffer.ts";
import { putMachine, putSection } from "../../src/events/scap/state_blocks.ts";

type Params = Readonly<Record<string, ParamValue>>;

const START_NS = 1_700_000_000_000_000_000n;
const BLOCK_EVENT = 0x216;
const O_RDONLY_CLOEXEC = 1 | 1 << 12;
const DIRECTORY = 1 << 10;
const F_DUPFD_CLOEXEC = 26;
/** Different files that are opened. */
const FILES = 4000;

/** Event blocks that are put together one after the other. */
export class Workload {
  readonly out: BlockBuffer = new BlockBuffer(1 << 20);
  events = 0;
  #time = START_NS;
  #seed = 1;

  begin(): void {
    putSection(this.out);
    putMachine(this.out, {
      cpus: 2,
      memoryBytes: 1n << 32n,
      pidMax: 4_194_304n,
      hostname: "box",
      bootTs: START_NS,
    });
  }

  /** A number from 0 to `below`, the same in each run. */
  random(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (this.#seed >>> 8) % below;
  }

  put(id: string, tid: number, params: Params): void {
    this.#time += 1000n;
    const { out } = this;
    out.beginBlock(BLOCK_EVENT);
    out.u16(tid & 1);
    out.raw(eventBytes({ id, tid, time: this.#time, params }));
    out.endBlock();
    this.events++;
  }

  born(tid: number, ptid: number): void {
    this.put("SYSCALL_CLONE_20_X", tid, { ...program("sh", tid, ptid), res: 0, flags: 0 });
  }

  exec(tid: number, ptid: number, comm: string): void {
    this.put("SYSCALL_EXECVE_19_X", tid, {
      ...program(comm, tid, ptid),
      res: 0,
      env: list("HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C"),
      trusted_exepath: `/usr/bin/${comm}`,
      filename: `/usr/bin/${comm}`,
      loginuid: 0xffffffff,
      flags: 0,
      pgid: 1,
      vpgid: 1,
    });
  }

  exit(tid: number): void {
    this.put("PROCEXIT_1_E", tid, { status: 0, ret: 0, sig: 0, core: 0, reaper_tid: 1 });
  }

  open(tid: number, fd: number, dirfd: number, name: string, flags = O_RDONLY_CLOEXEC): void {
    const ino = 131_072 + name.length * 7919;
    const params = { fd, dirfd, name, flags, mode: 0, dev: 0xfd00, ino };
    this.put("SYSCALL_OPENAT_2_X", tid, params);
  }

  close(tid: number, fd: number): void {
    this.put("SYSCALL_CLOSE_X", tid, { res: 0, fd });
  }

  /** About `events` events of 40 lasting processes, some of which start others. */
  mixed(events: number): void {
    const until = this.events + events;
    for (let tid = 101; tid <= 140; tid++) {
      this.born(tid, 1);
      this.exec(tid, 1, ["bash", "find", "nginx", "python3", "cron"][tid % 5]!);
      this.open(tid, 20, -100, `/usr/lib/dir${tid % 7}`, DIRECTORY);
    }
    let next = 1000;
    while (this.events < until) {
      const tid = 101 + this.random(40);
      for (let count = 0; count < 12; count++) this.#walk(tid);
      if (this.random(3) === 0) this.#talk(tid);
      if (this.random(4) === 0) this.#start(++next, tid);
    }
    for (let tid = 101; tid <= 140; tid++) this.exit(tid);
  }

  /** Opens a file below an open directory, or by its whole path, duplicates and closes it. */
  #walk(tid: number): void {
    const file = this.random(FILES);
    if (file % 3 === 0) this.open(tid, 5, -100, `/usr/share/some/place/file-${file}.txt`);
    else this.open(tid, 5, 20, `entry-${file}`);
    this.put("SYSCALL_FCNTL_X", tid, { res: 6, fd: 5, cmd: F_DUPFD_CLOEXEC, arg: 3 });
    this.put("SYSCALL_FCNTL_X", tid, { res: 1, fd: 6, cmd: 2, arg: 0 });
    this.close(tid, 5);
    this.close(tid, 6);
  }

  #talk(tid: number): void {
    const peer = new Uint8Array([10, 0, 0, this.random(200), 187, 1]);
    const tuple = new Uint8Array([2, 10, 0, 0, 1, 0, 64 + this.random(64), ...peer]);
    this.put("SOCKET_SOCKET_X", tid, { fd: 7, domain: 2, type: 1, proto: 6, flags: 0 });
    this.put("SOCKET_CONNECT_X", tid, {
      res: 0,
      tuple,
      fd: 7,
      addr: new Uint8Array([2, ...peer]),
    });
    this.put("SOCKET_SENDTO_X", tid, { res: 9, fd: 7, size: 9, tuple, data: list("GET / ok") });
    this.put("SOCKET_RECVFROM_X", tid, { res: 9, fd: 7, size: 9, tuple, data: list("answered") });
    this.close(tid, 7);
  }

  #start(tid: number, ptid: number): void {
    this.born(tid, ptid);
    this.exec(tid, ptid, ["ls", "cat", "grep", "sed"][tid % 4]!);
    this.open(tid, 3, -100, "/etc/ld.so.cache");
    this.close(tid, 3);
    this.open(tid, 3, -100, "/lib/x86_64-linux-gnu/libc.so.6");
    this.close(tid, 3);
    this.exit(tid);
  }

  /** So many processes with so many descriptors each, all of which last. */
  tables(processes: number, descriptors: number): void {
    for (let index = 0; index < processes; index++) this.#lasting(100_000 + index, descriptors);
  }

  #lasting(tid: number, descriptors: number): void {
    this.born(tid, 1);
    this.exec(tid, 1, `worker-${tid % 100}`);
    for (let fd = 3; fd < 3 + descriptors; fd++) {
      this.open(tid, fd, -100, `/srv/data/${tid % 1000}/${fd}-${tid % 7}`, 1);
    }
  }

  /** Opens and closes spread over the processes that `tables` made. */
  spread(processes: number, events: number): void {
    for (const until = this.events + events; this.events < until;) {
      const tid = 100_000 + this.random(processes);
      this.open(tid, 1, -100, `/var/tmp/${this.random(FILES)}`);
      this.put("SYSCALL_FCNTL_X", tid, { res: 2, fd: 1, cmd: F_DUPFD_CLOEXEC, arg: 0 });
      this.close(tid, 1);
      this.close(tid, 2);
    }
  }
}

function program(comm: string, pid: number, ptid: number): Params {
  return {
    exe: comm,
    args: list("-l", "--some=argument", "/a/path"),
    tid: pid,
    pid,
    ptid,
    cwd: "",
    fdlimit: 1024,
    pgft_maj: 0,
    pgft_min: 100,
    vm_size: 10_000,
    vm_rss: 1000,
    vm_swap: 0,
    comm,
    cgroups: list("cpuset=/", "cpu=/init.scope", "io=/init.scope", "memory=/init.scope"),
    uid: 0,
    gid: 0,
    vtid: pid,
    vpid: pid,
  };
}

function list(...texts: string[]): Uint8Array {
  return new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
}
