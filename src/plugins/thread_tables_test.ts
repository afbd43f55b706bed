// What plugins read of threads: the same fields as the addon names, and what they hold of a shell
// and the program that it started.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Bench, CHILD, SHELL } from "../fields/context_fixture.ts";
import { Fd, FdFlag, FdKind } from "../state/tables/fd.ts";
import { FdTable } from "../state/tables/fd_table.ts";
import { FD_FIELDS, THREAD_FIELDS, ThreadTables } from "./thread_tables.ts";

const [THREADS, FDS, ARGS, ENV, CGROUPS] = [0, 1, 2, 3, 4];
const [SIZE, HAS, KEYS, READ] = [0, 1, 2, 3];

const decoder = new TextDecoder();

function tables() {
  const { machine } = new Bench();
  const asked = new ThreadTables(machine);
  const fieldOf = (all: readonly (readonly [string, unknown])[], name: string) =>
    all.findIndex((field) => field[0] === name);
  return {
    machine,
    ask: asked.ask.bind(asked),
    thread: (tid: number, name: string) =>
      shown(asked.ask(READ!, THREADS!, 0, tid, fieldOf(THREAD_FIELDS, name))),
    fd: (tid: number, number: number, name: string) =>
      shown(asked.ask(READ!, FDS!, tid, number, fieldOf(FD_FIELDS, name))),
    keys: (which: number, tid: number) => {
      const bytes = asked.ask(KEYS!, which, tid, 0, 0) as Uint8Array<ArrayBuffer>;
      return [...new Float64Array(bytes.buffer)];
    },
  };
}

function shown(told: number | bigint | Uint8Array | undefined) {
  return told instanceof Uint8Array ? decoder.decode(told) : told;
}

Deno.test("fields of threads and descriptors stand in the addon's order", () => {
  const path = new URL("../../bindings-rs/plugin-host/src/tables/machine.rs", import.meta.url);
  const source = Deno.readTextFileSync(path);
  const names = (list: string) => {
    const start = source.indexOf(`pub static ${list}:`);
    const text = source.slice(start, source.indexOf("];", start));
    return [...text.matchAll(/(?:field|table)\(c"(\w+)"/g)].map(([, name]) => name);
  };
  deepStrictEqual(THREAD_FIELDS.map(([name]) => name), names("THREADS"));
  deepStrictEqual(FD_FIELDS.map(([name]) => name), names("FDS"));
});

Deno.test("a thread's fields are those that rules see", () => {
  const { machine, thread, ask, keys } = tables();
  strictEqual(thread(CHILD, "comm"), "cat");
  strictEqual(thread(CHILD, "exe_path"), "/usr/bin/cat");
  strictEqual(thread(CHILD, "ptid"), SHELL);
  strictEqual(thread(CHILD, "tid"), CHILD);
  deepStrictEqual([thread(CHILD, "exe_writable"), thread(CHILD, "exe_from_memfd")], [1, 0]);
  strictEqual(thread(CHILD, "container_id"), "");
  const child = machine.threads.get(CHILD)!;
  child.containerId = machine.strings.internText("host");
  strictEqual(thread(CHILD, "container_id"), "");
  child.containerId = machine.strings.internText("3ad7b26ded6d");
  strictEqual(thread(CHILD, "container_id"), "3ad7b26ded6d");
  strictEqual(thread(4711, "comm"), undefined);
  deepStrictEqual(keys(THREADS!, 0).sort(), [SHELL, CHILD].sort());
  strictEqual(ask(SIZE!, THREADS!, 0, 0, 0), 2);
  strictEqual(ask(HAS!, THREADS!, 0, CHILD, 0), 1);
  strictEqual(ask(HAS!, THREADS!, 0, 4711, 0), 0);
});

Deno.test("arguments and cgroups are tables within the thread", () => {
  const { machine, ask, keys } = tables();
  deepStrictEqual(keys(ARGS!, CHILD), [0, 1]);
  const text = (which: number, key: number, field = 0) =>
    shown(ask(READ!, which, CHILD, key, field));
  deepStrictEqual([text(ARGS!, 0), text(ARGS!, 1), text(ARGS!, 2)], ["a b", "c", undefined]);
  const child = machine.threads.get(CHILD)!;
  child.cgroups = machine.strings.internText("cpu=/a\0memory=/b=c\0");
  deepStrictEqual(keys(CGROUPS!, CHILD), [0, 1]);
  deepStrictEqual([text(CGROUPS!, 1), text(CGROUPS!, 1, 1)], ["memory", "/b=c"]);
  child.env = new TextEncoder().encode("A=1\0B=2\0");
  deepStrictEqual([ask(SIZE!, ENV!, CHILD, 0, 0), text(ENV!, 1)], [2, "B=2"]);
  strictEqual(ask(SIZE!, ARGS!, 4711, 0, 0), 0);
});

Deno.test("descriptors are told as Falco numbers them", () => {
  const { machine, fd, ask } = tables();
  const child = machine.threads.get(CHILD)!;
  child.fds = new FdTable({ held: 0, max: 10, refused: 0, added: 0, removed: 0 });
  const socket = new Fd(FdKind.Ipv4, machine.strings.internText("10.0.0.1:5->10.0.0.2:443"));
  socket.sourceIp = Uint8Array.of(10, 0, 0, 1);
  socket.destinationIp = Uint8Array.of(10, 0, 0, 2);
  socket.destinationPort = 443;
  socket.l4proto = 6;
  child.fds.set(7, socket);
  strictEqual(fd(CHILD, 7, "type"), 3);
  strictEqual(fd(CHILD, 7, "name"), "10.0.0.1:5->10.0.0.2:443");
  strictEqual(fd(CHILD, 7, "fd"), 7);
  strictEqual(fd(CHILD, 7, "socket_ipv4_dest_dip"), 0x0200000a);
  strictEqual(fd(CHILD, 7, "socket_ipv4_dst_port"), 443);
  strictEqual(fd(CHILD, 7, "socket_ipv4_l4_proto"), 2);
  strictEqual(fd(CHILD, 7, "socket_ipv4_server_port"), 0);
  strictEqual(fd(CHILD, 8, "type"), undefined);
  const server = new Fd(FdKind.Ipv6, machine.strings.internText("[::1]:80"));
  server.flags |= FdFlag.Listening;
  server.sourceIp = Uint8Array.of(...new Array(15).fill(0), 1);
  server.sourcePort = 80;
  child.fds.set(8, server);
  strictEqual(fd(CHILD, 8, "type"), 6);
  strictEqual(fd(CHILD, 8, "socket_ipv6_server_ip_high"), 1n << 56n);
  strictEqual(fd(CHILD, 8, "socket_ipv6_server_port"), 80);
  strictEqual(ask(SIZE!, FDS!, CHILD, 0, 0), 2);
});
