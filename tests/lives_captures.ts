// For tests: captures of histories by chance: processes that fork, execute, begin threads, open,
// copy and close, and end, as a kernel would tell of them, and with events that are missing, come
// twice or in another order. In: a seed. Out: a capture's bytes.
import type { ParamValue } from "../src/events/event_fixture.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { putMachine, putProcesses, putSection } from "../src/events/scap/state_blocks.ts";
import type { Chance } from "../src/rules/check/condition_fixture.ts";
import { list, putEvent } from "./sieve_captures.ts";

const START_NS = 1_700_000_000_000_000_000n;
/** Clone flags as events have them. */
const CL_FILES = 1 << 0;
const CL_PARENT = 1 << 8;
const CL_THREAD = 1 << 13;
const CL_VFORK = 1 << 27;
const CL_CHILD_IN_PIDNS = 1 << 29;
const PROGRAMS = ["sh", "cat", "make", "cc", "nc", "find", "sshd"];
const NAMES = ["/etc/passwd", "/tmp/a", "/tmp/b", "lib/x.so", "../y", "/etc/shadow", "/dev/null"];
const CGROUPS = ["/", "/", "/user.slice", `/docker/${"0123456789abcdef".repeat(4)}`];
/** Few, so that they are used again. */
const TIDS_MAX = 24;

interface Task {
  readonly tid: number;
  readonly pid: number;
  ptid: number;
  comm: string;
  exe: string;
  args: readonly string[];
  cgroups: string;
  uid: number;
  vtid: number;
  vpid: number;
}

type Params = Readonly<Record<string, ParamValue>>;

class History {
  readonly #chance: Chance;
  readonly #out = new BlockBuffer(1 << 16);
  readonly #tasks = new Map<number, Task>();
  /** Events that come later than they should. */
  #late: (() => void)[] = [];
  #ns = START_NS;
  #nextTid = 100;

  constructor(chance: Chance, disorder: boolean) {
    this.#chance = chance;
    putSection(this.#out);
    putMachine(this.#out, {
      cpus: 2,
      memoryBytes: 1n << 32n,
      pidMax: 4_194_304n,
      hostname: "box",
      bootTs: START_NS,
    });
    const eldest = [1, 10, 11, 12].map((tid) =>
      this.#begin({
        ...{ tid, pid: tid, ptid: tid === 1 ? 0 : 1, comm: "init", exe: "/sbin/init", args: [] },
        ...{ cgroups: "/", uid: 0, vtid: tid, vpid: tid },
      })
    );
    // They are listed, or their executions tell of them, or nothing does.
    const told = chance.below(disorder ? 3 : 2);
    if (told === 1) putProcesses(this.#out, eldest.map(listed));
    for (const task of eldest) {
      if (told === 0) this.#put("SYSCALL_EXECVE_19_X", task.tid, this.#execution(task, "init"));
    }
  }

  /** So many steps; the capture's bytes. */
  of(steps: number, disorder: boolean): Uint8Array {
    for (let step = 0; step < steps; step++) this.#step(disorder);
    for (const late of this.#late) late();
    return this.#out.bytes.slice(0, this.#out.length);
  }

  #begin(task: Task): Task {
    this.#tasks.set(task.tid, task);
    return task;
  }

  #put(id: string, tid: number, params: Params): void {
    const { below } = this.#chance;
    // Now and then two seconds pass, after which some things are of the past.
    this.#ns += below.call(this.#chance, 60) === 0 ? 1_500_000_000n : 1_000_000n;
    putEvent(this.#out, { id, tid, params, time: this.#ns });
  }

  #program(task: Task): Record<string, ParamValue> {
    const { tid, pid, ptid, comm, exe, args, cgroups, uid, vtid, vpid } = task;
    const memory = { pgft_maj: 0, pgft_min: 1, vm_size: 1, vm_rss: 1, vm_swap: 0 };
    return {
      ...{ exe, args: list(...args), tid, pid, ptid, cwd: "", fdlimit: 1024, ...memory, comm },
      ...{ cgroups: list(`cpu=${cgroups}`), uid, gid: uid, vtid, vpid },
    };
  }

  #execution(task: Task, comm: string): Params {
    const chance = this.#chance;
    task.comm = comm;
    task.exe = chance.of([comm, `/bin/${comm}`]);
    task.args = chance.some(["-x", "-l", "passwd", "a b"], 3);
    return {
      ...this.#program(task),
      res: 0,
      env: list("A=b", `B=${comm}`),
      tty: chance.below(2),
      vpgid: chance.of([task.pid, task.ptid, 10]),
      loginuid: 5,
      flags: chance.below(8) === 0 ? chance.of([1, 2, 4, 8]) : 0,
      ...{ cap_inheritable: 0, cap_permitted: 1, cap_effective: chance.below(3) },
      ...{ exe_ino: 7, exe_ino_ctime: 5n, exe_ino_mtime: 6n },
      trusted_exepath: `/usr/bin/${comm}`,
      pgid: chance.of([task.pid, task.ptid, 10]),
      filename: comm,
    };
  }

  #task(): Task {
    return this.#chance.of([...this.#tasks.values()]);
  }

  #freeTid(): number | undefined {
    for (let tried = 0; tried < TIDS_MAX; tried++) {
      const tid = 100 + this.#nextTid++ % TIDS_MAX;
      if (!this.#tasks.has(tid)) return tid;
    }
    return undefined;
  }

  #step(disorder: boolean): void {
    const chance = this.#chance;
    if (this.#late.length > 0 && chance.below(3) === 0) this.#late.shift()!();
    if (disorder && chance.below(40) === 0) return this.#stray();
    const kind = chance.below(24);
    const task = this.#task();
    if (kind < 5) return void this.#fork(task, disorder);
    if (kind < 8) {
      if (chance.below(5) !== 0) return this.#put(...this.#executed(task));
      return this.#fails(task);
    }
    if (kind < 12) return this.#end(task, disorder);
    if (kind === 12) return this.#family(task, disorder);
    this.#use(task);
  }

  /** It looks for a program in vain, once or more often. */
  #fails(task: Task): void {
    for (let times = 1 + this.#chance.below(2); times > 0; times--) {
      const id = this.#chance.of(["SYSCALL_EXECVE_19_X", "SYSCALL_EXECVEAT_X"]);
      this.#put(id, task.tid, { ...this.#program(task), res: -2, env: list("A=b") });
    }
  }

  /** A process begins, and before it executes a program others of its family do something: who made
   * it, the one above, who was born of either. */
  #family(parent: Task, disorder: boolean): void {
    const chance = this.#chance;
    const child = this.#fork(parent, disorder);
    if (child === undefined) return;
    for (let happens = chance.below(4); happens > 0; happens--) {
      const relatives = [...this.#tasks.values()].filter(({ tid, pid, ptid }) =>
        pid === parent.pid || pid === parent.ptid || tid !== child.tid && ptid === parent.pid
      );
      if (relatives.length === 0) break;
      const relative = chance.below(2) === 0 && this.#tasks.has(parent.tid)
        ? parent
        : chance.of(relatives);
      switch (chance.below(4)) {
        case 0:
          this.#put(...this.#executed(relative));
          break;
        case 1:
          this.#end(relative, disorder);
          break;
        case 2:
          this.#fork(relative, disorder);
          break;
        default:
          this.#use(relative);
      }
    }
    if (this.#tasks.get(child.tid) !== child) return;
    if (chance.below(2) === 0) this.#fails(child);
    this.#put(...this.#executed(child));
    if (chance.below(4) === 0) this.#fails(child);
  }

  #executed(task: Task): [string, number, Params] {
    const params = this.#execution(task, this.#chance.of(PROGRAMS));
    // The others of the process are gone then.
    for (const other of [...this.#tasks.values()]) {
      if (other.pid === task.pid && other !== task) this.#tasks.delete(other.tid);
    }
    return ["SYSCALL_EXECVE_19_X", task.tid, params];
  }

  /** Whom the creator made; nobody where no number is free. */
  #fork(creator: Task, disorder: boolean): Task | undefined {
    const chance = this.#chance;
    const tid = this.#freeTid();
    if (tid === undefined) {
      this.#end(creator, disorder);
      return undefined;
    }
    const kind = chance.below(12);
    const isThread = kind === 0;
    const isVfork = kind === 1 || kind === 2;
    const isInside = kind === 3;
    const isSiblings = kind === 4 && chance.below(3) === 0;
    const flags = (isThread ? CL_THREAD | CL_FILES : 0) | (isVfork ? CL_VFORK : 0) |
      (isInside ? CL_CHILD_IN_PIDNS : 0) | (isSiblings ? CL_PARENT : 0) |
      (kind === 5 && chance.below(3) === 0 ? CL_FILES : 0);
    const id = isVfork && chance.below(2) === 0
      ? "SYSCALL_VFORK_20_X"
      : chance.of(["SYSCALL_CLONE_20_X", "SYSCALL_CLONE3_X", "SYSCALL_FORK_20_X"]);
    const pid = isThread ? creator.pid : tid;
    const isNested = isInside || creator.vtid !== creator.tid;
    const child = this.#begin({
      ...creator,
      ...{ tid, pid, ptid: isThread || isSiblings ? creator.ptid : creator.pid },
      ...{ vtid: isNested ? tid - 90 : tid, vpid: isNested ? pid - 90 : pid },
      cgroups: chance.below(8) === 0 ? chance.of(CGROUPS) : creator.cgroups,
    });
    const own = { ...this.#program(child), res: 0, flags };
    const creators = { ...this.#program(creator), res: tid, flags };
    const tellOwn = () => this.#put(id, tid, own);
    const tellCreators = () => this.#put(id, creator.tid, creators);
    this.#tellBirth(disorder ? chance.below(14) : 2 + chance.below(9), tellOwn, tellCreators);
    return child;
  }

  #tellBirth(order: number, tellOwn: () => void, tellCreators: () => void): void {
    switch (order) {
      case 0:
        return tellOwn();
      case 1:
        return tellCreators();
      case 2:
      case 3:
      case 4:
      case 5:
        tellOwn();
        return tellCreators();
      case 6:
        tellOwn();
        this.#late.push(tellCreators);
        return;
      case 11:
        tellCreators();
        this.#late.push(tellOwn);
        return;
      case 12:
        tellOwn();
        tellOwn();
        return tellCreators();
      default:
        tellCreators();
        return tellOwn();
    }
  }

  #end(task: Task, disorder: boolean): void {
    const chance = this.#chance;
    const isOld = task.tid < 100 && chance.below(6) !== 0;
    if (isOld || task.tid === 1 || this.#tasks.size === 1) return;
    this.#tasks.delete(task.tid);
    if (disorder && chance.below(12) === 0) return;
    const children = [...this.#tasks.values()].filter(({ ptid }) => ptid === task.pid);
    const reaper = chance.of([0, 1, 10, this.#task().pid]);
    this.#put("PROCEXIT_1_E", task.tid, {
      ...{ status: 0, ret: 0, sig: 0, core: 0, reaper_tid: children.length === 0 ? 0 : reaper },
    });
    if (task.tid === task.pid) {
      for (const child of children) child.ptid = reaper === 0 ? 1 : reaper;
    }
  }

  /** Something that nobody expects. */
  #stray(): void {
    const chance = this.#chance;
    const tid = chance.of([100, 103, 110, 500]);
    switch (chance.below(4)) {
      case 0:
        return this.#put("SYSCALL_GETUID_X", tid, { uid: 0 });
      case 1:
        return this.#put("SCHEDSWITCH_6_E", tid, {
          ...{ next: 1, pgft_maj: 5, pgft_min: 6, vm_size: 7, vm_rss: 8, vm_swap: 9 },
        });
      case 2:
        return this.#put("USER_ADDED_E", 1, {
          ...{ uid: 5, gid: 5, name: chance.of(["eve", "bob"]), home: "/", shell: "/bin/sh" },
          container_id: "",
        });
      default:
        return this.#put("PROCEXIT_1_E", tid, {
          ...{ status: 0, ret: 0, sig: 0, core: 0, reaper_tid: 0 },
        });
    }
  }

  /** Its later events tell of it, or of who it was. */
  #changeUser(task: Task): void {
    const chance = this.#chance;
    const [uid, res] = [chance.of([0, 5]), chance.of([0, 0, -1])];
    if (res === 0 && chance.below(4) !== 0) task.uid = uid;
    const [id, params] = chance.below(2) === 0
      ? ["SYSCALL_SETUID_X", { uid }] as const
      : ["SYSCALL_SETREUID_X", { ruid: 0, euid: uid }] as const;
    this.#put(id, task.tid, { res, ...params });
    if (chance.below(2) === 0) this.#fails(task);
  }

  /** Whatever a thread does that makes no other and is no end. */
  #use(task: Task): void {
    const { tid, pid } = task;
    const chance = this.#chance;
    const fd = 3 + chance.below(5);
    const to = 3 + chance.below(5);
    const file = { flags: chance.of([1, 2, 1 << 12 | 1, 1 << 10 | 1]), mode: 0, dev: 1, ino: 2 };
    const put = (id: string, params: Params) => this.#put(id, tid, params);
    const data = new Uint8Array(2);
    const tuple = new Uint8Array([2, 127, 0, 0, 1, 1, 0, 127, 0, 0, 2, 2, 0]);
    switch (chance.below(23)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const dirfd = chance.of([-100, -100, 3, 4]);
        return put("SYSCALL_OPENAT_2_X", { fd, dirfd, name: chance.of(NAMES), ...file });
      }
      case 4:
      case 5:
        return put("SYSCALL_CLOSE_X", { res: 0, fd });
      case 6:
        return put("SYSCALL_DUP2_X", { res: to, oldfd: fd, newfd: to });
      case 7:
        return put("SYSCALL_FCNTL_X", { res: to, fd, cmd: chance.of([1, 2, 26]), arg: 1 });
      case 8:
        return put("SYSCALL_PIPE2_X", { res: 0, fd1: fd, fd2: to, ino: 9, flags: 0 });
      case 9:
        return put("SYSCALL_CHDIR_X", { res: 0, path: chance.of(["/tmp", "sub", "/", ".."]) });
      case 10:
        return put("SYSCALL_FCHDIR_X", { res: 0, fd });
      case 11:
        return put("SYSCALL_SETSID_X", { res: pid });
      case 12:
        return this.#changeUser(task);
      case 13:
        return put("SYSCALL_PRCTL_X", {
          ...{ res: 0, option: chance.of([15, 36, 36, 37]), arg2_str: "", arg2_int: 1 },
        });
      case 14: {
        const other = chance.of([0, this.#task().tid]);
        const limits = { newcur: chance.below(9), newmax: 9, oldcur: 1, oldmax: 9 };
        return put("SYSCALL_PRLIMIT_X", { res: 0, ...limits, pid: other, resource: 7 });
      }
      case 15:
        return put("SYSCALL_KILL_X", { res: 0, pid: this.#task().tid, sig: 9 });
      case 16:
        return put("SOCKET_SOCKET_X", { fd, domain: 2, type: 2, proto: 0, flags: 0 });
      case 17:
        return put("SOCKET_CONNECT_X", { res: 0, tuple, fd, addr: tuple.slice(0, 7) });
      case 18:
        return put("SYSCALL_WRITE_X", { res: 2, fd, data, size: 2 });
      case 19:
        return put("SYSCALL_CLOSE_RANGE_X", { res: 0, first: 3, last: fd, flags: 0 });
      case 20:
        return put("SYSCALL_GETCWD_X", { res: 0, path: chance.of(["/tmp", "/", "/sub"]) });
      case 21:
        return put("SYSCALL_UNLINK_2_X", { res: 0, path: chance.of(NAMES) });
      default:
        return put("SYSCALL_GETUID_X", { uid: 0 });
    }
  }
}

/** `disorder`: events are missing, come twice or much later. */
export function historyByChance(chance: Chance, steps: number, disorder: boolean): Uint8Array {
  return new History(chance, disorder).of(steps, disorder);
}

/** As the list has it that a capture begins with. */
function listed({ tid, pid, ptid, comm, exe, args, cgroups, uid, vtid, vpid }: Task) {
  const text = (text: string) => new TextEncoder().encode(text);
  const none = new Uint8Array();
  return {
    ...{ tid, pid, ptid, vtid, vpid, sid: pid, vpgid: pid, pgid: pid, uid, gid: uid, loginuid: 5 },
    ...{ comm: text(comm), exe: text(exe), exepath: text(`/usr/bin/${comm}`), args: list(...args) },
    ...{ env: list("A=b"), cwd: text("/"), cgroups: list(`cpu=${cgroups}`), root: text("/") },
    ...{ fdLimit: 1024n, cloneFlags: 0, tty: 0, vmSizeKb: 1, vmRssKb: 1, vmSwapKb: 0 },
    ...{ pageFaultsMajor: 0n, pageFaultsMinor: 0n, pidnsInitStartTs: 0n, capInheritable: 0n },
    ...{ capPermitted: 1n, capEffective: 1n, exeIno: 7n, exeInoCtime: 5n, exeInoMtime: 6n },
    ...{ exeWritable: false, exeUpperLayer: false, exeLowerLayer: false, exeFromMemfd: false },
    ...{ cloneTs: 0n, namespaces: 0, pidNamespace: 0, mountNamespace: 0, lastExecTs: 0n },
    ...{ reaperTid: -1, ownFlags: 0, ownCwd: none, callerCwd: none },
    ...{ exeAgeAtStart: 0n, exeAgeInPidns: 0n, putMore: () => {} },
  };
}
