// The table of threads as plugins' parsing sees it: Falco's fields and the tables within each
// thread, read from saker's own. In: which table, thread, entry and field, by the numbers of
// bindings-rs/plugin-host/src/tables/machine.rs. Out: numbers, texts as bytes, keys.
import type { Machine } from "../state/contract/machine.ts";
import { listedType } from "../state/snapshot/dump.ts";
import { type Fd, FdFlag, FdKind } from "../state/tables/fd.ts";
import { EMPTY, MISSING } from "../state/tables/strings.ts";
import { type Thread, ThreadFlag } from "../state/tables/thread.ts";

const WHICH = ["threads", "fds", "args", "env", "cgroups"] as const;
type Which = typeof WHICH[number];
type Lists = Exclude<Which, "threads" | "fds">;

/** What is asked of a table. */
const enum Ask {
  Size,
  Has,
  Keys,
  Read,
}

/** A number, or the bytes of a text; of keys, those of their doubles. */
export type Told = number | bigint | Uint8Array;
type Of<T> = (value: T, machine: Machine) => Told;

const NO_TEXT = new Uint8Array(0);

function flag(bit: ThreadFlag): Of<Thread> {
  return ({ flags }) => flags & bit ? 1 : 0;
}

function named(id: (thread: Thread) => number): Of<Thread> {
  return (thread, machine) => textOf(machine, id(thread));
}

/** Read as a table (undefined here), not as a value. */
const INNER = undefined;

/** In the order of machine.rs; a test holds the names against it. */
export const THREAD_FIELDS: readonly (readonly [name: string, of: Of<Thread> | undefined])[] = [
  ["tid", ({ tid }) => tid],
  ["pid", ({ pid }) => pid],
  ["ptid", ({ ptid }) => ptid],
  ["reaper_tid", ({ reaperTid }) => reaperTid],
  ["sid", ({ sid }) => sid],
  ["comm", named(({ comm }) => comm)],
  ["exe", named(({ exe }) => exe)],
  ["exe_path", named(({ exepath }) => exepath)],
  ["exe_writable", flag(ThreadFlag.ExeWritable)],
  ["exe_upper_layer", flag(ThreadFlag.ExeUpperLayer)],
  ["exe_lower_layer", flag(ThreadFlag.ExeLowerLayer)],
  ["exe_from_memfd", flag(ThreadFlag.ExeFromMemfd)],
  ["args", INNER],
  ["env", INNER],
  ["cgroups", INNER],
  ["flags", ({ cloneFlags }) => cloneFlags],
  ["fd_limit", ({ fdLimit }) => fdLimit],
  ["uid", ({ uid }) => uid],
  ["gid", ({ gid }) => gid],
  ["loginuid", ({ loginuid }) => loginuid],
  ["exe_ino", ({ exeIno }) => exeIno],
  ["exe_ino_ctime", ({ exeInoCtime }) => exeInoCtime],
  ["exe_ino_mtime", ({ exeInoMtime }) => exeInoMtime],
  ["vtid", ({ vtid }) => vtid],
  ["vpid", ({ vpid }) => vpid],
  ["vpgid", ({ vpgid }) => vpgid],
  ["pgid", ({ pgid }) => pgid],
  ["pidns_init_start_ts", ({ pidnsInitStartTs }) => pidnsInitStartTs],
  ["root", named(({ root }) => root)],
  ["tty", ({ tty }) => tty],
  ["file_descriptors", INNER],
  ["cwd", (thread, machine) => textOf(machine, (machine.mainOf(thread) ?? thread).cwd)],
  // Of Falco's container plugin, in whose place saker has a part of its own.
  ["container_id", ({ containerId }, machine) => containerIdOf(machine, containerId)],
];

function containerIdOf(machine: Machine, id: number): Uint8Array {
  const bytes = textOf(machine, id);
  return machine.strings.text(id) === "host" ? NO_TEXT : bytes;
}

function textOf({ strings }: Machine, id: number): Uint8Array {
  return id === MISSING || id === EMPTY ? NO_TEXT : strings.bytes(id);
}

const isIp4 = ({ kind }: Fd) => kind === FdKind.Ipv4;
const isIp6 = ({ kind }: Fd) => kind === FdKind.Ipv6;
const listens = ({ flags }: Fd) => (flags & FdFlag.Listening) !== 0;
const only = (holds: (fd: Fd) => boolean, of: Of<Fd>): Of<Fd> => (fd, machine) =>
  holds(fd) ? of(fd, machine) : 0;
const socket4 = (of: Of<Fd>) => only((fd) => isIp4(fd) && !listens(fd), of);
const socket6 = (of: Of<Fd>) => only((fd) => isIp6(fd) && !listens(fd), of);
const server4 = (of: Of<Fd>) => only((fd) => isIp4(fd) && listens(fd), of);
const server6 = (of: Of<Fd>) => only((fd) => isIp6(fd) && listens(fd), of);

/** Bytes of an address as a number in memory, as Falco has them: the network's order. */
const word = (ip: Uint8Array | undefined) => ip === undefined ? 0 : Number(littleEnd(ip, 0, 4));
const half = (ip: Uint8Array | undefined, at: number) =>
  ip?.length === 16 ? littleEnd(ip, at, 8) : 0;

function littleEnd(bytes: Uint8Array, at: number, size: number): bigint {
  let number = 0n;
  for (let byte = at + size - 1; byte >= at; byte--) {
    number = number << 8n | BigInt(bytes[byte] ?? 0);
  }
  return number;
}

export const FD_FIELDS: readonly (readonly [name: string, of: Of<Fd>])[] = [
  ["type", listedType],
  ["open_flags", ({ openFlags }) => openFlags],
  ["name", ({ name }, machine) => textOf(machine, name)],
  [
    "name_raw",
    ({ name, nameRaw }, machine) => textOf(machine, nameRaw === MISSING ? name : nameRaw),
  ],
  // Nothing of these is kept.
  ["old_name", () => NO_TEXT],
  ["flags", () => 0],
  ["dev", ({ dev }) => dev],
  ["mount_id", () => 0],
  ["ino", ({ ino }) => ino],
  ["pid", ({ pid }) => pid],
  // Its key, which is not the descriptor's own: see `read`.
  ["fd", () => 0],
  ["socket_ipv4_src_ip", socket4(({ sourceIp }) => word(sourceIp))],
  ["socket_ipv4_dest_dip", socket4(({ destinationIp }) => word(destinationIp))],
  ["socket_ipv4_src_port", socket4(({ sourcePort }) => sourcePort)],
  ["socket_ipv4_dst_port", socket4(({ destinationPort }) => destinationPort)],
  ["socket_ipv4_l4_proto", socket4((fd) => layer4(fd))],
  ["socket_ipv6_src_ip_low", socket6(({ sourceIp }) => half(sourceIp, 0))],
  ["socket_ipv6_src_ip_high", socket6(({ sourceIp }) => half(sourceIp, 8))],
  ["socket_ipv6_dest_ip_low", socket6(({ destinationIp }) => half(destinationIp, 0))],
  ["socket_ipv6_dest_ip_high", socket6(({ destinationIp }) => half(destinationIp, 8))],
  ["socket_ipv6_src_port", socket6(({ sourcePort }) => sourcePort)],
  ["socket_ipv6_dst_port", socket6(({ destinationPort }) => destinationPort)],
  ["socket_ipv6_l4_proto", socket6((fd) => layer4(fd))],
  ["socket_ipv4_server_ip", server4(({ sourceIp }) => word(sourceIp))],
  ["socket_ipv4_server_port", server4(({ sourcePort }) => sourcePort)],
  ["socket_ipv4_server_l4_proto", server4((fd) => layer4(fd))],
  ["socket_ipv6_server_ip_low", server6(({ sourceIp }) => half(sourceIp, 0))],
  ["socket_ipv6_server_ip_high", server6(({ sourceIp }) => half(sourceIp, 8))],
  ["socket_ipv6_server_port", server6(({ sourcePort }) => sourcePort)],
  ["socket_ipv6_server_l4_proto", server6((fd) => layer4(fd))],
  ["socket_unix_src", ({ unixSource }) => unixSource],
  ["socket_unix_dest", ({ unixDestination }) => unixDestination],
];
const FD_NUMBER = FD_FIELDS.findIndex(([name]) => name === "fd");

/** Falco's numbers of layer 4 protocols by IPPROTO_*. */
const LAYER4 = new Map([[6, 2], [17, 3], [1, 4], [255, 5]]);
function layer4({ l4proto }: Fd): number {
  return LAYER4.get(l4proto) ?? 0;
}

/** Answers of the tables, one question at a time. */
export class ThreadTables {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The one door for the addon; undefined: there is no such entry. */
  ask(what: number, which: number, tid: number, key: number, field: number): Told | undefined {
    const table = WHICH[which];
    if (table === undefined) return undefined;
    switch (what as Ask) {
      case Ask.Size:
        return this.#size(table, tid);
      case Ask.Has:
        return this.#has(table, tid, key) ? 1 : 0;
      case Ask.Keys: {
        const keys = Float64Array.from(this.#keys(table, tid));
        return new Uint8Array(keys.buffer);
      }
      case Ask.Read:
        return this.#read(table, tid, key, field);
      default:
        return undefined;
    }
  }

  #size(table: Which, tid: number): number {
    if (table === "threads") return this.#machine.threads.size;
    return table === "fds" ? this.#fds(tid)?.size ?? 0 : this.#items(table, tid).length;
  }

  #has(table: Which, tid: number, key: number): boolean {
    if (table === "threads") return this.#machine.threads.has(key);
    if (table === "fds") return this.#fds(tid)?.get(key) !== undefined;
    return key >= 0 && key < this.#items(table, tid).length;
  }

  #keys(table: Which, tid: number): Iterable<number> {
    if (table === "threads") return this.#machine.threads.keys();
    if (table === "fds") return [...this.#fds(tid)?.entries() ?? []].map(([number]) => number);
    return this.#items(table, tid).keys();
  }

  #read(table: Which, tid: number, key: number, field: number): Told | undefined {
    const machine = this.#machine;
    if (table === "threads") {
      const thread = machine.threads.get(key);
      return thread && THREAD_FIELDS[field]?.[1]?.(thread, machine);
    }
    if (table === "fds") {
      const fd = this.#fds(tid)?.get(key);
      if (fd === undefined) return undefined;
      return field === FD_NUMBER ? key : FD_FIELDS[field]?.[1](fd, machine);
    }
    const item = this.#items(table, tid)[key];
    if (item === undefined || table !== "cgroups") return item;
    const equals = item.indexOf(0x3d);
    return field === 0 ? item.subarray(0, equals) : item.subarray(equals + 1);
  }

  #fds(tid: number) {
    const thread = this.#machine.threads.get(tid);
    return thread && this.#machine.fdsOf(thread);
  }

  /** Texts that stand one behind the other, each with a NUL at its end. */
  #items(table: Lists, tid: number): Uint8Array[] {
    const thread = this.#machine.threads.get(tid);
    if (thread === undefined) return [];
    if (table === "args") return split(thread.args);
    if (table === "env") return split((this.#machine.mainOf(thread) ?? thread).env);
    const items = split(textOf(this.#machine, thread.cgroups));
    return items.filter((item) => item.includes(0x3d));
  }
}

function split(bytes: Uint8Array): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const nul = bytes.indexOf(0, at);
    const end = nul < 0 ? bytes.length : nul;
    items.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return items;
}
