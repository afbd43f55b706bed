// The ends of a socket against a tuple: the same in either direction, or another in any byte.
import { deepStrictEqual, strictEqual } from "node:assert";
import { AddressText } from "./address.ts";
import { Fd, FdFlag, FdKind } from "./fd.ts";
import { hasEnds, isTcp, isUdp, overwriteBound, setEnds, swapEnds } from "./socket_ends.ts";
import { EMPTY, Strings } from "./strings.ts";

const addresses = new AddressText(new Strings());

interface Form {
  readonly kind: FdKind;
  readonly family: number;
  /** Bytes of an address in a tuple, and of the address that it stands for. */
  readonly size: number;
  readonly own: number;
  readonly one: readonly number[];
  readonly other: readonly number[];
}

const MAPPED = [...new Array<number>(10).fill(0), 0xff, 0xff];
const FORMS: Readonly<Record<string, Form>> = {
  IPv4: { kind: FdKind.Ipv4, family: 2, size: 4, own: 4, one: [10, 0, 0, 1], other: [10, 0, 0, 2] },
  IPv6: {
    ...{ kind: FdKind.Ipv6, family: 10, size: 16, own: 16 },
    one: [0x20, 1, ...new Array<number>(13).fill(0), 1],
    other: [0x20, 1, ...new Array<number>(13).fill(0), 2],
  },
  "mapped IPv4": {
    ...{ kind: FdKind.Ipv4, family: 10, size: 16, own: 4 },
    one: [...MAPPED, 10, 0, 0, 1],
    other: [...MAPPED, 10, 0, 0, 2],
  },
};
const PORTS = [[0x12, 0x34], [0x56, 0x78]] as const;

const tupleOf = ({ family, one, other }: Form) =>
  Uint8Array.of(family, ...one, ...PORTS[0], ...other, ...PORTS[1]);
const reversedOf = ({ family, one, other }: Form) =>
  Uint8Array.of(family, ...other, ...PORTS[1], ...one, ...PORTS[0]);

/** A socket with the tuple's ends. */
function connected(form: Form): Fd {
  const fd = new Fd(form.kind, EMPTY);
  fd.sourceIp = Uint8Array.from(form.one.slice(-form.own));
  fd.destinationIp = Uint8Array.from(form.other.slice(-form.own));
  fd.sourcePort = 0x3412;
  fd.destinationPort = 0x7856;
  fd.l4proto = 6;
  return fd;
}

const endsOf = (fd: Fd) => [fd.sourceIp, fd.sourcePort, fd.destinationIp, fd.destinationPort];

/** Bytes of a tuple that make it no longer one of mapped addresses. */
function isPrefix({ own, size }: Form, at: number): boolean {
  return own !== size && ((at >= 1 && at <= 12) || (at >= 19 && at <= 30));
}

for (const [name, form] of Object.entries(FORMS)) {
  Deno.test(`a socket of ${name} has the ends of its tuple in either direction, no others`, () => {
    for (const tuple of [tupleOf(form), reversedOf(form)]) {
      const fd = connected(form);
      const before = endsOf(fd);
      if (form.own === form.size) strictEqual(hasEnds(fd, tuple, 0), true);
      strictEqual(setEnds(fd, tuple, 0, addresses), false, "nothing changes");
      deepStrictEqual([endsOf(fd), fd.l4proto, fd.kind], [before, 6, form.kind]);
      for (let at = 1; at < tuple.length; at++) {
        if (isPrefix(form, at)) continue;
        const changed = Uint8Array.from(tuple);
        changed[at]! ^= 4;
        const other = connected(form);
        strictEqual(hasEnds(other, changed, 0), false, `byte ${at}`);
        strictEqual(setEnds(other, changed, 0, addresses), true, `byte ${at}`);
        const [{ own, size }, skip] = [form, form.size - form.own];
        deepStrictEqual(endsOf(other), [
          changed.slice(1 + skip, 1 + skip + own),
          changed[1 + size]! | changed[2 + size]! << 8,
          changed.slice(3 + size + skip, 3 + size + skip + own),
          changed[3 + 2 * size]! | changed[4 + 2 * size]! << 8,
        ]);
        strictEqual(other.l4proto, 6, "the protocol stays where the kind does");
      }
    }
  });

  Deno.test(`a bound socket that a tuple of ${name} connects keeps nothing of its own end`, () => {
    const fd = connected(form);
    fd.flags = FdFlag.Listening | FdFlag.RoleServer;
    strictEqual(hasEnds(fd, tupleOf(form), 0), false, "it listens");
    strictEqual(setEnds(fd, reversedOf(form), 0, addresses), true);
    strictEqual(fd.flags, FdFlag.RoleServer);
    deepStrictEqual(fd.sourceIp, Uint8Array.from(form.other.slice(-form.own)));
    strictEqual(fd.l4proto, name === "mapped IPv4" ? 0 : 6);
  });

  Deno.test(`a socket of another kind forgets its protocol over a tuple of ${name}`, () => {
    const fd = connected(form.own === 4 ? FORMS["IPv6"]! : FORMS["IPv4"]!);
    strictEqual(hasEnds(fd, tupleOf(form), 0), false);
    strictEqual(setEnds(fd, tupleOf(form), 0, addresses), true);
    deepStrictEqual([fd.kind, fd.l4proto, fd.sourcePort], [form.kind, 0, 0x3412]);
    deepStrictEqual(fd.sourceIp, Uint8Array.from(form.one.slice(-form.own)));
  });
}

Deno.test("a socket without an end has those of no tuple, but of one that is all zeros", () => {
  const form = FORMS["IPv4"]!;
  for (const end of ["sourceIp", "destinationIp"] as const) {
    const fd = connected(form);
    fd[end] = undefined;
    strictEqual(hasEnds(fd, tupleOf(form), 0), false);
  }
  const fd = new Fd(FdKind.Ipv4, EMPTY);
  strictEqual(setEnds(fd, Uint8Array.of(2, ...new Array<number>(12).fill(0)), 0, addresses), false);
  strictEqual(fd.sourceIp, undefined);
});

Deno.test("a tuple of one mapped address and one that is none stays IPv6", () => {
  const { one, other } = FORMS["mapped IPv4"]!;
  const plain = FORMS["IPv6"]!.one;
  for (const [source, destination] of [[one, plain], [plain, other]] as const) {
    const fd = new Fd(FdKind.Unknown, EMPTY);
    const tuple = Uint8Array.of(10, ...source, 1, 0, ...destination, 2, 0);
    strictEqual(setEnds(fd, tuple, 0, addresses), true);
    deepStrictEqual([fd.kind, fd.sourceIp, fd.destinationIp], [
      ...[FdKind.Ipv6, Uint8Array.from(source), Uint8Array.from(destination)],
    ]);
  }
});

Deno.test("ends that are swapped are each other's", () => {
  const fd = connected(FORMS["IPv4"]!);
  const [ip, port, otherIp, otherPort] = endsOf(fd);
  swapEnds(fd);
  deepStrictEqual(endsOf(fd), [otherIp, otherPort, ip, port]);
});

Deno.test("what overwrites a bound socket is the other address's first bytes, as in Falco", () => {
  for (const [byte, protocol] of [[0, 0], [1, 0], [2, 6], [3, 17], [4, 1], [5, 255], [6, 0]]) {
    const bytes = Uint8Array.from({ length: 40 }, (_, at) => at);
    bytes[3 + 21] = byte!;
    const fd = new Fd(FdKind.Ipv6, EMPTY);
    overwriteBound(fd, bytes, 3);
    deepStrictEqual(fd.sourceIp, bytes.slice(4, 20));
    deepStrictEqual([fd.sourcePort, fd.l4proto], [22 | 23 << 8, protocol]);
  }
});

Deno.test("only a connected socket of IPv4 is one of TCP or of UDP", () => {
  for (const kind of [FdKind.Ipv4, FdKind.Ipv6, FdKind.Unix]) {
    for (const flags of [0, FdFlag.Listening]) {
      for (const protocol of [0, 1, 6, 17, 255]) {
        const fd = new Fd(kind, EMPTY);
        fd.flags = flags;
        fd.l4proto = protocol;
        const may = kind === FdKind.Ipv4 && flags === 0;
        deepStrictEqual([isTcp(fd), isUdp(fd)], [may && protocol === 6, may && protocol === 17]);
      }
    }
  }
});
