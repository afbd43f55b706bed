// State blocks: the machine, its interfaces and users, the processes and their descriptors as they
// were when a capture began, or as the addon read them from /proc. Every version of each list is
// read; a list that ends within an entry gives the entries before.
import { NAMESPACES_MARK, OWN_ENTRY_MARK } from "../../events/scap/state_blocks.ts";
import {
  FD_LISTS,
  INTERFACE_LISTS,
  MACHINE_INFO,
  PROCESS_LISTS,
  SECTION,
  USER_LISTS,
} from "../../events/scap/state_types.ts";
import { settleAll } from "../tables/residence.ts";
import type { Tables } from "../tables/tables.ts";
import { BirthReader } from "./births.ts";
import { Cursor } from "./snapshot_cursor.ts";
import { SnapshotFds } from "./snapshot_fds.ts";
import { CL_CHILD_IN_PIDNS } from "../tables/clone_flags.ts";
import { EMPTY } from "../tables/strings.ts";
import { NO_BYTES } from "../tables/seen_bytes.ts";
import { Thread, ThreadFlag } from "../tables/thread.ts";

/** What a process entry's end holds at the most where two fields in its middle are missing, as
 * libs before 0.10 wrote it. */
const OLD_TAIL_BYTES = 29;
/** Bytes of what our own captures have behind a thread at the least, and of where it lives, both
 * without their marks. */
const OWN_THREAD_BYTES = 22;
const NAMESPACES_BYTES = 12;
/** Bytes of what stands behind that since there are two views, at the least. */
const OWN_VIEW_BYTES = 18;
/** Bytes of long lists, at the least. */
const LISTS_BYTES = 17;
/** Flags of a thread that no list of Falco's tells. */
export const OWN_THREAD_FLAGS = ThreadFlag.Dead | ThreadFlag.Subreaper;

export class Snapshot {
  /** Whether threads were loaded that have no kin yet. */
  unsettled = false;
  readonly #machine: Tables;
  readonly #fds: SnapshotFds;
  readonly #births: BirthReader;
  /** By tid: a list may tell of one thread again and again. */
  #loaded = new Map<number, Thread>();
  #lookingUp = false;
  #completing = false;
  /** Whose users a list tells: the host's, or those of the container that was asked about. */
  #accountsOf = "";

  constructor(machine: Tables) {
    this.#machine = machine;
    this.#fds = new SnapshotFds(machine);
    this.#births = new BirthReader(machine);
  }

  /** Reads the blocks of a thread that was looked up; what is known of others stays. */
  loadThread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#lookingUp = true;
    this.#walk(bytes);
    this.#lookingUp = false;
    this.settle();
  }

  /** Reads the lists of descriptors alone, and of those what the tables lack. */
  completeDescriptors(bytes: Uint8Array): void {
    this.#completing = true;
    this.#walk(bytes);
    this.#completing = false;
  }

  /** Reads a list of users and groups as those of a container ("": of the host); undefined:
   * there is none. Returns whether there was one. */
  loadAccounts(containerId: string, bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) return false;
    this.#accountsOf = containerId;
    this.#walk(bytes);
    this.#accountsOf = "";
    return true;
  }

  #walk(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 12 <= bytes.length;) {
      const length = view.getUint32(at + 4, true);
      if (length < 12 || at + length > bytes.length) return;
      this.load(view.getUint32(at, true), bytes, at + 8, at + length - 4);
      at += length;
    }
  }

  /** Reads the body of one block. */
  load(type: number, bytes: Uint8Array, start: number, end: number): void {
    const input = new Cursor(bytes, start, end);
    const descriptors = FD_LISTS.get(type);
    if (descriptors !== undefined) {
      return this.#fds.load(input, descriptors >= 2, this.#completing);
    }
    if (this.#completing) return;
    if (MACHINE_INFO.has(type)) return this.#machineInfo(input);
    const processes = PROCESS_LISTS.get(type);
    if (processes !== undefined) return this.#processes(input, processes);
    const users = USER_LISTS.get(type);
    if (users !== undefined) return this.#users(input, users >= 2);
    const interfaces = INTERFACE_LISTS.get(type);
    if (interfaces !== undefined) return this.#interfaces(input, interfaces >= 2);
    if (type !== SECTION) return;
    this.#loaded.clear();
    this.unsettled = false;
    this.#fds.forget();
    this.#births.forget();
    this.#machine.reset();
  }

  /** Gives the loaded threads their kin, and the loaded sockets their roles. */
  settle(): void {
    const machine = this.#machine;
    const loaded = [...this.#loaded.values()];
    this.#loaded.clear();
    this.unsettled = false;
    for (const thread of loaded) {
      if (thread.isMain) this.#births.settle(thread);
      machine.relate(thread);
      if (thread.group === undefined) continue;
      if (thread.isDead) thread.group.alive--;
      if (thread.flags & ThreadFlag.Subreaper) thread.group.reaper = true;
    }
    settleAll(machine, loaded);
    for (const thread of loaded) this.#fds.giveRoles(thread);
    this.#fds.forget();
    this.#births.forget();
    machine.lineage++;
  }

  #machineInfo(input: Cursor): void {
    const machine = this.#machine;
    machine.cpus = input.u32();
    machine.memoryBytes = input.u64();
    machine.pidMax = input.u64();
    input.skip(128);
    machine.bootTs = input.u64();
  }

  #interfaces(input: Cursor, withLength: boolean): void {
    while (input.left >= 8) {
      const length = withLength ? input.u32() : 0;
      const from = input.at;
      // What is not kept is not made an object of: a capture may list any number.
      if (withLength && this.#machine.interfaces.refuses()) {
        input.goTo(from + length);
        continue;
      }
      const type = input.u16();
      const nameLength = input.u16();
      const size = type === 1 || type === 3 ? 4 : 16;
      const address = input.bytes(size);
      const netmask = input.bytes(size);
      const broadcast = input.bytes(size);
      const hasSpeed = type === 1 || type === 2;
      const linkspeed = hasSpeed ? input.u64() : 0n;
      const name = input.text(nameLength);
      if (input.cut || type < 1 || type > 4) return;
      this.#machine.interfaces.add({ name, address, netmask, broadcast, linkspeed });
      if (withLength) input.goTo(from + length);
    }
  }

  #users(input: Cursor, withLength: boolean): void {
    while (input.left >= 4) {
      const from = input.at;
      const length = withLength ? input.u32() : 0;
      const isUser = input.u8() === 0;
      if (isUser) {
        const uid = input.u32();
        const gid = input.u32();
        const name = input.text(input.u16());
        const homedir = input.text(input.u16());
        const shell = input.text(input.u16());
        if (input.cut) return;
        this.#machine.users.addUser(this.#accountsOf, { uid, gid, name, homedir, shell });
      } else {
        const gid = input.u32();
        const name = input.text(input.u16());
        if (input.cut) return;
        this.#machine.users.addGroup(this.#accountsOf, { gid, name });
      }
      if (withLength) input.goTo(from + length);
    }
  }

  #processes(input: Cursor, version: number): void {
    while (input.left >= 4) {
      const from = input.at;
      const length = version >= 9 ? input.u32() : 0;
      const thread = this.#process(input, version, from, length);
      if (thread === undefined) return;
      if (length > 0) input.goTo(from + length);
      if (this.#lookingUp && this.#machine.threads.get(thread.tid)?.isInvalid === false) continue;
      if (this.#machine.add(thread) === undefined) continue;
      this.#loaded.set(thread.tid, thread);
      this.unsettled = true;
      // A list may be of hundreds of thousands.
      if ((this.#loaded.size & 1023) === 0) this.#machine.keepWithin();
    }
  }

  #process(input: Cursor, version: number, from: number, length: number): Thread | undefined {
    const machine = this.#machine;
    const thread = new Thread(input.i64(), input.i64());
    thread.ptid = input.i64();
    thread.sid = version >= 6 ? input.i64() : -1;
    thread.vpgid = version >= 8 ? input.i64() : -1;
    thread.pgid = -1;
    thread.comm = input.string(machine);
    thread.exe = input.string(machine);
    if (version >= 7) thread.exepath = machine.paths.withoutDeleted(input.string(machine));
    thread.args = input.raw(input.u16());
    machine.seenBytes.copied += thread.args.length;
    const cwd = input.string(machine);
    thread.fdLimit = input.i64big();
    const flags = input.u32();
    thread.uid = input.u32();
    thread.gid = input.u32();
    if (version >= 2) {
      thread.vmSizeKb = input.u32();
      thread.vmRssKb = input.u32();
      thread.vmSwapKb = input.u32();
      thread.pageFaultsMajor = input.u64();
      thread.pageFaultsMinor = input.u64();
    }
    const env = version >= 3 ? input.raw(input.u16()) : NO_BYTES;
    thread.vtid = version >= 4 ? input.i64() : -1;
    thread.vpid = version >= 4 ? input.i64() : -1;
    if (version >= 4) thread.cgroups = input.list(machine);
    if (version >= 5) thread.root = input.string(machine);
    if (input.cut) return undefined;
    thread.reaperTid = -1;
    const end = length > 0 ? from + length : input.at;
    const cwdKnown = this.#tail(input, thread, end);
    thread.cloneFlags = flags;
    thread.flags |= ThreadFlag.FromSnapshot;
    if (flags & CL_CHILD_IN_PIDNS) thread.flags |= ThreadFlag.InPidNamespace;
    if (thread.isMain) {
      if (thread.lists === undefined) thread.env = env;
      machine.seenBytes.copied += env.length;
      if (!cwdKnown) thread.cwd = machine.paths.joinDirectory(EMPTY, cwd);
    }
    return thread;
  }

  /** Arguments and environment in full, where they are long. */
  #lists(input: Cursor, thread: Thread): void {
    const { longLists, seenBytes } = this.#machine;
    const [args, env, cut] = [input.u32(), input.u32(), input.u8()];
    const [longArgs, longEnv] = [input.raw(input.u32()), input.raw(input.u32())];
    if (input.cut) return;
    thread.lists = { args, env, argsCut: (cut & 1) !== 0, envCut: (cut & 2) !== 0 };
    thread.args = longLists.keep(longArgs);
    seenBytes.copied += longArgs.length + longEnv.length;
    // It is the main thread's, as that of the list.
    if (thread.isMain) thread.env = longLists.keep(longEnv);
  }

  /** What later versions added to the last list's entries; an entry may end before any of it.
   * Whether it told the working directory too. */
  #tail(input: Cursor, thread: Thread, end: number): boolean {
    if (end - input.at > OLD_TAIL_BYTES) {
      if (input.at + 8 <= end) thread.pidnsInitStartTs = input.u64();
      if (input.at + 4 <= end) thread.tty = input.u32();
    }
    if (input.at + 4 <= end) thread.loginuid = input.u32();
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeWritable, input.u8());
    if (input.at + 8 <= end) thread.capInheritable = input.u64();
    if (input.at + 8 <= end) thread.capPermitted = input.u64();
    if (input.at + 8 <= end) thread.capEffective = input.u64();
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeUpperLayer, input.u8());
    if (input.at + 8 <= end) thread.exeIno = input.u64();
    if (input.at + 8 <= end) thread.exeInoCtime = input.u64();
    if (input.at + 8 <= end) thread.exeInoMtime = input.u64();
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeFromMemfd, input.u8());
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeLowerLayer, input.u8());
    if (input.at + 8 <= end) thread.pgid = input.i64();
    // Ours: our own snapshot of /proc knows when a thread was made.
    if (input.at + 8 <= end) {
      thread.cloneTs = input.u64();
      if (thread.exeInoCtime !== 0n) thread.noteProgramAges();
    }
    let mark = input.at + 4 <= end ? input.u32() : 0;
    if (mark === NAMESPACES_MARK && input.at + NAMESPACES_BYTES <= end) {
      thread.namespaces = input.u32();
      thread.pidNamespace = input.u32();
      thread.mountNamespace = input.u32();
      mark = input.at + 4 <= end ? input.u32() : 0;
    }
    // What our own captures know besides (dump.ts).
    if (mark !== OWN_ENTRY_MARK || input.at + OWN_THREAD_BYTES > end) return false;
    thread.lastExecTs = input.u64();
    thread.reaperTid = input.i64();
    thread.flags |= input.u32() & OWN_THREAD_FLAGS;
    thread.cwd = input.string(this.#machine);
    if (input.at + OWN_VIEW_BYTES > end) return true;
    const callerCwd = input.string(this.#machine);
    if (callerCwd !== EMPTY) {
      if (this.#machine.bothPaths) thread.callerCwd = callerCwd;
      else if (!this.#machine.kernelPaths) thread.cwd = callerCwd;
    }
    thread.exeAgeAtStart = input.u64();
    thread.exeAgeInPidns = input.u64();
    if (input.at < end) this.#births.take(input, end, thread);
    if (input.at + LISTS_BYTES <= end) this.#lists(input, thread);
    return true;
  }
}

function setFlag(thread: Thread, flag: ThreadFlag, value: number): void {
  if (value !== 0) thread.flags |= flag;
}
