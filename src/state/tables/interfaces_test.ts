// Addresses of the machine: which of them a socket has towards another, where it says none.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Fd, FdKind } from "./fd.ts";
import { EMPTY } from "./strings.ts";
import { Interfaces } from "./interfaces.ts";

const bytes = (...numbers: number[]) => Uint8Array.from(numbers);
const LOOPBACK = { address: bytes(127, 0, 0, 1), netmask: bytes(255, 0, 0, 0) };
const HOME = { address: bytes(192, 168, 1, 7), netmask: bytes(255, 255, 255, 0) };
const FAR = { address: bytes(10, 0, 0, 5), netmask: bytes(255, 0, 0, 0) };

function interfaces(): Interfaces {
  const made = new Interfaces();
  for (const one of [LOOPBACK, HOME, FAR]) made.list.push({ name: "i", ...one } as never);
  return made;
}

function socket(source: number[], destination: number[], from = 1, to = 2): Fd {
  const fd = new Fd(FdKind.Ipv4, EMPTY);
  fd.sourceIp = bytes(...source);
  fd.destinationIp = bytes(...destination);
  fd.sourcePort = from;
  fd.destinationPort = to;
  return fd;
}

Deno.test("towards another goes its own address, one of its network, or the first", () => {
  const known = interfaces();
  deepStrictEqual(known.towards(bytes(10, 0, 0, 5)), FAR.address);
  deepStrictEqual(known.towards(bytes(10, 9, 9, 9)), FAR.address);
  deepStrictEqual(known.towards(bytes(8, 8, 8, 8)), HOME.address);
  strictEqual(known.towards(new Uint8Array(16)), undefined);
});

Deno.test("an end that is all zeros gets the likely address, another one is left", () => {
  const known = interfaces();
  const ends = ([source, destination]: number[][], from?: number, to?: number) => {
    const fd = socket(source!, destination!, from, to);
    known.complete(fd);
    return [[...fd.sourceIp!], [...fd.destinationIp!]];
  };
  const zero = [0, 0, 0, 0];
  deepStrictEqual(ends([[1, 1, 1, 1], [8, 8, 8, 8]]), [[1, 1, 1, 1], [8, 8, 8, 8]]);
  deepStrictEqual(ends([zero, [8, 8, 8, 8]]), [[192, 168, 1, 7], [8, 8, 8, 8]]);
  deepStrictEqual(ends([[10, 1, 1, 1], zero]), [[10, 1, 1, 1], [10, 0, 0, 5]]);
  // Both ends would be one and the same.
  deepStrictEqual(ends([zero, [10, 0, 0, 5]], 53, 53), [zero, [10, 0, 0, 5]]);
  deepStrictEqual(ends([zero, [10, 0, 0, 5]], 53, 54), [[10, 0, 0, 5], [10, 0, 0, 5]]);
  const unknown = new Fd(FdKind.Ipv4, EMPTY);
  known.complete(unknown);
  strictEqual(unknown.sourceIp, undefined);
});

Deno.test("a machine without interfaces has zeros for what it does not know", () => {
  const fd = socket([0, 0, 0, 0], [8, 8, 8, 8]);
  new Interfaces().complete(fd);
  deepStrictEqual([...fd.sourceIp!], [0, 0, 0, 0]);
});

Deno.test("an address is the machine's whole in IPv4, by its network of 64 bits in IPv6", () => {
  const known = new Interfaces();
  const own = bytes(0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  for (const address of [HOME.address, own]) {
    known.add({ name: "i", address, netmask: address, broadcast: address, linkspeed: 0n });
  }
  for (const address of [HOME.address, own]) {
    strictEqual(known.has(address), true);
    for (let at = 0; at < address.length; at++) {
      const other = Uint8Array.from(address);
      other[at]! ^= 1;
      strictEqual(known.has(other), address.length === 16 && at >= 8, `byte ${at}`);
    }
  }
  strictEqual(known.has(own.slice(0, 4)), false);
  known.clear();
  strictEqual(known.has(HOME.address), false);
});

Deno.test("the loopback's address is nobody's first choice, in either family", () => {
  const first = (address: Uint8Array) => {
    const known = new Interfaces();
    const netmask = new Uint8Array(address.length).fill(255);
    known.add({ name: "i", address, netmask, broadcast: address, linkspeed: 0n });
    const stranger = new Uint8Array(address.length).fill(9);
    return known.towards(stranger) === address;
  };
  const zeros = (...end: number[]) => bytes(...new Array<number>(16 - end.length).fill(0), ...end);
  strictEqual(first(bytes(127, 0, 0, 1)), false);
  for (const other of [[126, 0, 0, 1], [127, 1, 0, 1], [127, 0, 1, 1], [127, 0, 0, 2]]) {
    strictEqual(first(bytes(...other)), true, other.join());
  }
  strictEqual(first(zeros(1)), false);
  for (const other of [zeros(2), zeros(1, 1), zeros(0)]) strictEqual(first(other), true);
});

Deno.test("more interfaces than any machine has are refused and counted", () => {
  const known = new Interfaces();
  const entry = { name: "i", ...HOME, broadcast: HOME.address, linkspeed: 0n };
  while (!known.refuses()) known.add(entry);
  const kept = known.list.length;
  strictEqual(known.refused, 1);
  known.add(entry);
  deepStrictEqual([known.list.length, known.refused], [kept, 2]);
  known.clear();
  strictEqual(known.refuses(), false);
});
