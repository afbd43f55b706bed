// Which end of a connection is client, server, local, remote.
import { deepStrictEqual, strictEqual } from "node:assert";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { putInterfaces } from "../../events/scap/state_blocks.ts";
import { Bench, CHILD } from "../context_fixture.ts";

const OWN = [10, 0, 0, 5];
const OTHER = [93, 184, 216, 34];
const ENDS = ["fd.cip", "fd.sip", "fd.lip", "fd.rip", "fd.cport", "fd.sport", "fd.lport"];
const PORTS = ["fd.rport", "fd.is_server"];

/** A machine whose only interface has the address OWN. */
function bench(): Bench {
  const made = new Bench();
  const out = new BlockBuffer(256);
  const address = new Uint8Array(OWN);
  putInterfaces(out, [{
    name: "eth0",
    address,
    netmask: address,
    broadcast: address,
    linkspeed: 0n,
  }]);
  const view = new DataView(out.bytes.buffer, out.bytes.byteOffset);
  const length = view.getUint32(4, true);
  made.machine.load(view.getUint32(0, true), out.bytes, 8, length - 4);
  made.apply({
    id: "SOCKET_SOCKET_X",
    tid: CHILD,
    params: { fd: 3, domain: 2, type: 1, proto: 6, flags: 0 },
  });
  return made;
}

function tuple(source: number[], sport: number, destination: number[], dport: number): Uint8Array {
  const port = (number: number) => [number & 255, number >> 8];
  return new Uint8Array([2, ...source, ...port(sport), ...destination, ...port(dport)]);
}

function shown(made: Bench): unknown[] {
  return [...ENDS, ...PORTS].map((field) => made.value(field));
}

Deno.test("who connects is the client, and its end is the machine's own", () => {
  const made = bench();
  const params = { res: 0, tuple: tuple(OWN, 4000, OTHER, 443), fd: 3 };
  made.apply({ id: "SOCKET_CONNECT_X", tid: CHILD, params });
  deepStrictEqual(shown(made), [
    ...["10.0.0.5", "93.184.216.34", "10.0.0.5", "93.184.216.34", 4000, 443, 4000],
    ...[443, false],
  ]);
  deepStrictEqual(made.value("fd.ip"), ["10.0.0.5", "93.184.216.34"]);
  deepStrictEqual(made.value("fd.port"), [4000, 443]);
});

Deno.test("who accepts is the server, and the client is the remote end", () => {
  const made = bench();
  const params = { fd: 5, tuple: tuple(OTHER, 5555, OWN, 80), queuepct: 0, queuelen: 0 };
  made.apply({ id: "SOCKET_ACCEPT_5_X", tid: CHILD, params: { ...params, queuemax: 9 } });
  deepStrictEqual(shown(made), [
    ...["93.184.216.34", "10.0.0.5", "10.0.0.5", "93.184.216.34", 5555, 80, 80],
    ...[5555, true],
  ]);
});

Deno.test("a connection between addresses of nobody here has its client as the remote end", () => {
  const made = bench();
  const params = { res: 0, tuple: tuple([192, 0, 2, 9], 4000, OTHER, 443), fd: 3 };
  made.apply({ id: "SOCKET_CONNECT_X", tid: CHILD, params });
  strictEqual(made.value("fd.lip"), "93.184.216.34");
  strictEqual(made.value("fd.rip"), "192.0.2.9");
});

Deno.test("a listening socket has a server's end only", () => {
  const made = bench();
  const addr = new Uint8Array([2, ...OWN, 80, 0]);
  made.apply({ id: "SOCKET_BIND_X", tid: CHILD, params: { res: 0, addr, fd: 3 } });
  made.apply({ id: "SOCKET_LISTEN_X", tid: CHILD, params: { res: 0, fd: 3, backlog: 5 } });
  strictEqual(made.value("fd.cip"), undefined);
  strictEqual(made.value("fd.sport"), 80);
  strictEqual(made.value("fd.sproto"), "");
  strictEqual(made.value("fd.is_server"), true);
  deepStrictEqual(made.value("fd.ip"), ["10.0.0.5"]);
  deepStrictEqual(made.value("fd.port"), [80]);
});
