// Addresses as text: each form of IPv6, mapped addresses, what is cut short.
import { deepStrictEqual, strictEqual } from "node:assert";
import ipaddr from "ipaddr.js";
import { AddressText, isAddress, isAt, isMapped, isTuple } from "./address.ts";
import { Fd, FdKind } from "./fd.ts";
import { Strings } from "./strings.ts";

const strings = new Strings();
const addresses = new AddressText(strings);

/** Sixteen bytes of eight words. */
function v6(...words: number[]): number[] {
  return words.flatMap((word) => [word >> 8, word & 255]);
}

function port(number: number): number[] {
  return [number & 255, number >> 8];
}

function address6(words: number[], number: number): string {
  const bytes = new Uint8Array([10, ...v6(...words), ...port(number)]);
  return strings.text(addresses.address(bytes, 0, bytes.length))!;
}

Deno.test("an IPv6 address is written with its first longest run of zeros left out", () => {
  const forms: readonly (readonly [words: number[], text: string])[] = [
    [[0, 0, 0, 0, 0, 0, 0, 0], "::"],
    [[0, 0, 0, 0, 0, 0, 0, 1], "::1"],
    [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], "2001:db8::"],
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"],
    [[0xfe80, 0, 0, 0, 0x10, 0xa00, 0xff, 0x100], "fe80::10:a00:ff:100"],
    [[1, 0, 0, 2, 0, 0, 0, 3], "1:0:0:2::3"],
    [[0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x0001], "::ffff:10.0.0.1"],
    [[0, 0, 0, 0, 0, 0, 0x0a00, 0x0001], "::10.0.0.1"],
    [[0, 0, 0, 0, 0, 0xfffe, 0x0a00, 0x0001], "::fffe:a00:1"],
  ];
  for (const [words, text] of forms) strictEqual(address6(words, 443), `${text}:443`);
});

Deno.test("a tuple of two mapped addresses is one of IPv4, of one alone of IPv6", () => {
  const mapped = v6(0, 0, 0, 0, 0, 0xffff, 0x7f00, 0x0001);
  const plain = v6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
  const text = (one: number[], other: number[]) => {
    const bytes = new Uint8Array([10, ...one, ...port(1), ...other, ...port(65535)]);
    return strings.text(addresses.tuple(bytes, 0, bytes.length));
  };
  strictEqual(text(mapped, mapped), "127.0.0.1:1->127.0.0.1:65535");
  strictEqual(text(mapped, plain), "::ffff:127.0.0.1:1->2001:db8::9:65535");
  strictEqual(text(plain, plain), "2001:db8::9:1->2001:db8::9:65535");
});

Deno.test("only ::ffff:0:0/96 and the unspecified address are mapped", () => {
  const mapped = (...words: number[]) => isMapped(new Uint8Array(v6(...words)), 0);
  strictEqual(mapped(0, 0, 0, 0, 0, 0xffff, 1, 2), true);
  strictEqual(mapped(0, 0, 0, 0, 0, 0, 0, 0), true);
  strictEqual(mapped(0, 0, 0, 0, 0, 0, 0, 1), false);
  strictEqual(mapped(0, 0, 0, 0, 1, 0xffff, 1, 2), false);
  strictEqual(mapped(0, 0, 0, 0, 0, 0xff00, 1, 2), false);
});

Deno.test("what is shorter than its family needs is no tuple and no address", () => {
  const sound = (family: number, length: number) => {
    const bytes = new Uint8Array(64);
    bytes[0] = family;
    return [isTuple(bytes, 0, length), isAddress(bytes, 0, length)];
  };
  deepStrictEqual(sound(2, 0), [false, false]);
  deepStrictEqual(sound(2, 6), [false, false]);
  deepStrictEqual(sound(2, 7), [false, true]);
  deepStrictEqual(sound(2, 13), [true, true]);
  deepStrictEqual(sound(10, 18), [false, false]);
  deepStrictEqual(sound(10, 19), [false, true]);
  deepStrictEqual(sound(10, 36), [false, true]);
  deepStrictEqual(sound(10, 37), [true, true]);
  deepStrictEqual(sound(17, 1), [true, true], "of another family nothing is known");
});

Deno.test("a port is shown up to the largest, whatever the digits", () => {
  for (const number of [0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 65_535]) {
    const bytes = new Uint8Array([2, 192, 168, 100, 7, ...port(number)]);
    strictEqual(strings.text(addresses.address(bytes, 0, 7)), `192.168.100.7:${number}`);
  }
});

Deno.test("the ends of a socket are shown with ports where the protocol has them", () => {
  const fd = new Fd(FdKind.Ipv6, 0);
  fd.sourceIp = new Uint8Array(v6(0xfe80, 0, 0, 0, 0, 0, 0, 1));
  fd.destinationIp = new Uint8Array(v6(0xfe80, 0, 0, 0, 0, 0, 0, 2));
  fd.sourcePort = 5;
  fd.destinationPort = 6;
  const shown = (protocol: number) => {
    fd.l4proto = protocol;
    return strings.text(addresses.connection(fd));
  };
  strictEqual(shown(6), "fe80::1:5->fe80::2:6");
  strictEqual(shown(17), "fe80::1:5->fe80::2:6");
  strictEqual(shown(1), "fe80::1->fe80::2");
  strictEqual(shown(255), "<unknown>");
  strictEqual(shown(0), "<unknown>");
  strictEqual(strings.text(addresses.dumped(fd)), "fe80::1:5->fe80::2:6");
  strictEqual(strings.text(addresses.local(fd)), "fe80::1:5");
});

Deno.test("the bytes of an IPv4 address are shared only by the same address", () => {
  const one = new Uint8Array([0, 10, 0, 0, 1, 0]);
  const other = new Uint8Array([10, 0, 0, 2]);
  const first = addresses.ip(one, 1, 4);
  strictEqual(addresses.ip(one, 1, 4), first);
  deepStrictEqual(addresses.ip(other, 0, 4), new Uint8Array([10, 0, 0, 2]));
  deepStrictEqual(first, new Uint8Array([10, 0, 0, 1]));
  strictEqual(isAt(first, one, 1), true);
  strictEqual(isAt(first, one, 0), false);
});

Deno.test("an IPv6 address with zeros in any of its words is written as RFC 5952 writes it", () => {
  const values = [0x1, 0x23, 0x456, 0x789a, 0xbcde, 0xf012, 0x10, 0xfff];
  for (let pattern = 0; pattern < 256; pattern++) {
    const words = values.map((value, word) => (pattern >> word) & 1 ? value : 0);
    // Six words of zeros, and no more, stand before an address of IPv4.
    const isDotted = words.slice(0, 6).every((word) => word === 0) && words[6] !== 0;
    const [high, low] = [words[6]!, words[7]!];
    const text = isDotted
      ? `::${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
      : new ipaddr.IPv6(words).toRFC5952String();
    strictEqual(address6(words, 80), `${text}:80`);
  }
});

Deno.test("a path is shown whole, however long", () => {
  for (const length of [1, 107, 511, 512, 513, 2000]) {
    const path = "/x".repeat(length).slice(0, length);
    const bytes = new Uint8Array([1, ...new TextEncoder().encode(path), 0, 77]);
    strictEqual(strings.text(addresses.address(bytes, 0, bytes.length - 1)), path);
    const pointers = [0x0f, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0x0a];
    const tuple = new Uint8Array([1, ...pointers, ...bytes.subarray(1)]);
    const text = strings.text(addresses.tuple(tuple, 0, tuple.length - 1));
    strictEqual(text, `f->a00000000000010 ${path}`);
  }
});

Deno.test("texts of tuples outlive the numbers of strings that were freed", () => {
  const own = new Strings();
  const ofOwn = new AddressText(own);
  const tuple = (last: number) =>
    own.text(ofOwn.tuple(new Uint8Array([2, 1, 1, 1, 1, 1, 0, 2, 2, 2, last, 2, 0]), 0, 13));
  for (let last = 0; last < 9; last++) strictEqual(tuple(last), `1.1.1.1:1->2.2.2.${last}:2`);
  own.sweep(() => {});
  for (let last = 8; last >= 0; last--) strictEqual(tuple(last), `1.1.1.1:1->2.2.2.${last}:2`);
});
