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
