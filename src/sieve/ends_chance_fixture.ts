// For tests: conditions and socket events by chance, about where sockets lead: addresses, networks
// and ports of either end, kinds, of calls that connect and accept, and of what else changes ends.
import type { Chance } from "../rules/check/condition_fixture.ts";
import { type ChanceEvent, DESCRIPTORS, sieveCondition, TIDS } from "./chance_fixture.ts";

const V4 = [
  "127.0.0.1",
  "127.0.0.2",
  "10.1.2.3",
  "10.1.2.4",
  "172.16.0.9",
  "192.168.1.1",
  "93.184.216.34",
  "0.0.0.0",
  "255.255.255.255",
];
/** Their bytes beside their texts, some of which are odd. */
export const V6: readonly (readonly [string, readonly number[]])[] = [
  ["::", new Array(16).fill(0)],
  ["::1", [...new Array(15).fill(0), 1]],
  ["::1.2.0.0", [...new Array(12).fill(0), 1, 2, 0, 0]],
  ["::ffff:10.1.2.3", [...new Array(10).fill(0), 255, 255, 10, 1, 2, 3]],
  ["::ffff:127.0.0.1", [...new Array(10).fill(0), 255, 255, 127, 0, 0, 1]],
  ["fe80::1", [0xfe, 0x80, ...new Array(13).fill(0), 1]],
  ["2001:db8::7", [0x20, 1, 0x0d, 0xb8, ...new Array(11).fill(0), 7]],
];
const NETS = [
  '"10.0.0.0/8"',
  '"127.0.0.0/8"',
  '"172.16.0.0/12"',
  '"192.168.0.0/16"',
  '"10.1.2.4/31"',
  '"0.0.0.0/0"',
  '"fe80::/10"',
  '"2001:db8::/33"',
  '"::/96"',
];
const PORTS = ["0", "1", "2", "22", "53", "80", "443", "8080", "30000", "65535", "ssh"];
const LETTERS = ["c", "s", "l", "r"];

/** A condition of at most `depth` levels, about ends for the most part. */
export function endCondition(chance: Chance, depth: number): string {
  const kind = depth <= 0 ? 5 : chance.below(8);
  if (kind < 3) {
    const word = kind === 0 ? " or " : " and ";
    const parts = Array.from(
      { length: 2 + chance.below(3) },
      () => endCondition(chance, depth - 1),
    );
    return `(${parts.join(word)})`;
  }
  if (kind === 3) return `not ${endCondition(chance, depth - 1)}`;
  return chance.below(8) === 0 ? sieveCondition(chance, 0) : endCheck(chance);
}

export function endCheck(chance: Chance): string {
  const letter = chance.of([...LETTERS, ""]);
  const equals = () => chance.of(["=", "!="]);
  const address = () => `"${chance.of([...V4, ...V6.map(([text]) => text)])}"`;
  switch (chance.below(10)) {
    case 0:
      return `fd.${letter}ip ${equals()} ${address()}`;
    case 1:
      return `fd.${letter}ip in (${address()}, ${address()}, ${address()})`;
    case 2:
    case 3:
      return `fd.${letter}net ${equals()} ${chance.of(NETS)}`;
    case 4:
      return `fd.${letter}net in (${chance.some(NETS, 4).join(", ")})`;
    case 5:
    case 6:
      return `fd.${letter}port ${chance.of(["=", "!=", "<", "<=", ">", ">="])} ${chance.of(PORTS)}`;
    case 7:
      return chance.of([
        `fd.${letter}port in (${chance.some(PORTS, 4).join(", ")})`,
        `fd.${letter}ip exists`,
        `fd.${letter}port exists`,
        `fd.${letter}net exists`,
        `fd.${chance.of(LETTERS)}ip.name in (pool.example, "")`,
        `fd.${chance.of(LETTERS)}proto = 80`,
        "fd.proto = ssh",
      ]);
    case 8:
      return chance.of([
        "fd.type in (ipv4, ipv6)",
        "fd.type != unix",
        "fd.typechar = 4",
        "fd.typechar in (4, 6)",
        "fd.typechar = u",
        "fd.typechar = o",
        "fd.sockfamily = ip",
        "fd.sockfamily != unix",
        "fd.l4proto in (udp, icmp)",
        "fd.l4proto in (tcp)",
        "fd.is_server = true",
      ]);
    default:
      return chance.of([
        "evt.type = connect",
        "evt.type in (connect, accept4)",
        "evt.rawres >= 0",
        "evt.res = SUCCESS",
        "evt.res = EINPROGRESS",
        "evt.res in (EINPROGRESS, ECONNREFUSED)",
        "evt.res != EINPROGRESS",
      ]);
  }
}

/** Address and port of IPv4 in bytes. */
function end4(chance: Chance): number[] {
  return [...chance.of(V4).split(".").map(Number), ...portByChance(chance)];
}

function end6(chance: Chance): number[] {
  return [...chance.of(V6)[1], ...portByChance(chance)];
}

function portByChance(chance: Chance): number[] {
  const port = chance.of([0, 1, 2, 22, 53, 80, 443, 8080, 30_000, 65_535]);
  return [port & 255, port >> 8];
}

/** Two ends as events have them, of few enough addresses to meet again. */
function tupleByChance(chance: Chance, before: Uint8Array[]): Uint8Array {
  const kind = chance.below(16);
  const known = before.length > 0 ? chance.of(before) : undefined;
  if (known !== undefined && kind < 3) return kind === 0 ? known : reversed(known);
  if (kind === 3) return new Uint8Array([1, ...new Array(16).fill(7), 47, 97, 0]);
  if (kind === 4) return chance.of([new Uint8Array(0), new Uint8Array([16, 0, 0])]);
  if (kind === 5) return new Uint8Array([2, ...end4(chance)]);
  if (kind === 6) return new Uint8Array(13).fill(2, 0, 1);
  const tuple = kind < 12
    ? new Uint8Array([2, ...end4(chance), ...end4(chance)])
    : new Uint8Array([10, ...end6(chance), ...end6(chance)]);
  before.push(tuple);
  return tuple;
}

function reversed(tuple: Uint8Array): Uint8Array {
  const size = (tuple.length - 1) / 2;
  return new Uint8Array([tuple[0]!, ...tuple.subarray(1 + size), ...tuple.subarray(1, 1 + size)]);
}

/** Makes events that make sockets, lead them somewhere, copy and use them. */
export function endEvents(chance: Chance): () => ChanceEvent {
  const before: Uint8Array[] = [];
  return () => {
    const tid = chance.of(TIDS);
    const fd = chance.of(DESCRIPTORS);
    const tuple = tupleByChance(chance, before);
    const res = chance.of([0, 0, 0, -115, -111]);
    const data = new Uint8Array(2);
    const addr = chance.below(2) === 0
      ? new Uint8Array([2, ...end4(chance)])
      : new Uint8Array([10, ...end6(chance)]);
    const make = (id: string, params: ChanceEvent["params"]) => ({ id, tid, params });
    switch (chance.below(12)) {
      case 0:
      case 1: {
        const kind = { domain: chance.of([1, 2, 2, 10, 16]), type: chance.of([1, 2, 2, 3]) };
        return make("SOCKET_SOCKET_X", { fd, ...kind, proto: chance.of([0, 0, 6, 17]), flags: 0 });
      }
      case 2:
        return make("SOCKET_BIND_X", { res: chance.of([0, 0, -13]), addr, fd });
      case 3:
        return make("SOCKET_SENDTO_X", { res: 2, data, fd, size: 2, tuple });
      case 4:
        return make("SOCKET_RECVFROM_X", { res: 2, data, tuple, fd, size: 2 });
      case 5:
        return make("SYSCALL_DUP2_X", { res: fd, oldfd: chance.of(DESCRIPTORS), newfd: fd });
      case 6:
        return make("SYSCALL_CLOSE_X", { res: 0, fd });
      case 7:
      case 8: {
        const queue = { queuepct: 0, queuelen: 0, queuemax: 5 };
        const made = chance.below(6) === 0 ? -11 : fd;
        return chance.below(2) === 0
          ? make("SOCKET_ACCEPT4_6_X", { fd: made, tuple, ...queue, flags: 0 })
          : make("SOCKET_ACCEPT_5_X", { fd: made, tuple, ...queue });
      }
      default:
        return make("SOCKET_CONNECT_X", { res, tuple, fd, addr });
    }
  };
}
