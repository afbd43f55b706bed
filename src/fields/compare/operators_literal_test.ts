// Constants as values of their type: numbers at the ends of each type (what is beyond wraps, as in
// Falco), ports, addresses, networks, bytes.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { ParamType } from "../../events/table.ts";
import {
  addressBytes,
  canonicalAddress,
  type Literal,
  networkHolds,
  parseLiteral,
} from "./operators_literal.ts";

function read(text: string, type: ParamType): Literal | undefined {
  const parsed = parseLiteral(text, type, "=");
  return "value" in parsed ? parsed.value : undefined;
}

const SIGNED: readonly (readonly [type: ParamType, bits: number])[] = [
  ["INT8", 8],
  ["INT16", 16],
  ["INT32", 32],
  ["INT64", 64],
  ["FD", 64],
  ["ERRNO", 64],
  ["PID", 64],
];

const UNSIGNED: readonly (readonly [type: ParamType, bits: number])[] = [
  ["UINT8", 8],
  ["FLAGS8", 8],
  ["ENUMFLAGS8", 8],
  ["SIGTYPE", 8],
  ["UINT16", 16],
  ["FLAGS16", 16],
  ["ENUMFLAGS16", 16],
  ["SYSCALLID", 16],
  ["UINT32", 32],
  ["FLAGS32", 32],
  ["ENUMFLAGS32", 32],
  ["MODE", 32],
  ["UINT64", 64],
  ["RELTIME", 64],
  ["ABSTIME", 64],
];

/** The same number, however it is held. */
const exact = (value: Literal | undefined) => BigInt(value as number | bigint);

for (const [type, bits] of [...SIGNED, ...UNSIGNED]) {
  Deno.test(`a constant of ${type} has ${bits} bits`, () => {
    const isSigned = SIGNED.some(([other]) => other === type);
    const size = 1n << BigInt(bits);
    const least = isSigned ? -size / 2n : 0n;
    const most = least + size - 1n;
    strictEqual(exact(read(`${least}`, type)), least);
    strictEqual(exact(read(`${most}`, type)), most);
    strictEqual(exact(read(`${most + 1n}`, type)), least, "one more is the least");
    strictEqual(exact(read(`${least - 1n}`, type)), most, "one less is the most");
  });
}

Deno.test("numbers that are exact are numbers, others are big", () => {
  strictEqual(read("9007199254740991", "UINT64"), 9_007_199_254_740_991);
  strictEqual(read("9007199254740992", "UINT64"), 9_007_199_254_740_992n);
  deepStrictEqual([read(" +7", "INT32"), read("-0", "INT32")], [7, 0]);
  for (const text of ["", "x", "1x", "0x10", "1.5", "--1", "1 2"]) {
    strictEqual(read(text, "INT32"), undefined, text);
  }
});

/** What /etc/services of Debian says of the services that rules name. */
const SERVICES = `
ftp 21/tcp, ssh 22/tcp, telnet 23/tcp, smtp 25/tcp, domain 53/tcp, bootps 67/udp, bootpc 68/udp,
tftp 69/udp, http 80/tcp, kerberos 88/tcp, pop3 110/tcp, sunrpc 111/tcp, ntp 123/udp,
netbios-ns 137/udp, netbios-dgm 138/udp, netbios-ssn 139/tcp, imap2 143/tcp, snmp 161/tcp,
bgp 179/tcp, irc 194/tcp, ldap 389/tcp, https 443/tcp, microsoft-ds 445/tcp, syslog 514/udp,
submission 587/tcp, ldaps 636/tcp, rsync 873/tcp, imaps 993/tcp, pop3s 995/tcp, socks 1080/tcp,
openvpn 1194/tcp, ms-sql-s 1433/tcp, nfs 2049/tcp, mysql 3306/tcp, ms-wbt-server 3389/tcp,
postgresql 5432/tcp, amqp 5672/tcp, redis 6379/tcp, http-alt 8080/tcp`;

for (const [, name, port] of SERVICES.matchAll(/([a-z][a-z0-9-]*) ([0-9]+)\//g)) {
  Deno.test(`the port ${name} is ${port}`, () => strictEqual(read(name!, "PORT"), Number(port)));
}

Deno.test("a port is a name, a number of 16 bits, or 0 where nothing stands", () => {
  const ports = ["", "0", "65535", "65536", "65537", "18446744073709551617"];
  deepStrictEqual(ports.map((text) => read(text, "PORT")), [0, 0, 65535, 0, 1, 1]);
  for (const text of ["SSH", "ssh ", "-1", "+1", "1.0", "toString", "nosuch"]) {
    deepStrictEqual(parseLiteral(text, "PORT", "="), { error: `unrecognized protocol ${text}` });
  }
});

/** What is read of a text, or why it is not. */
function told(text: string, type: ParamType): unknown {
  const parsed = parseLiteral(text, type, "=");
  return "error" in parsed ? parsed.error : parsed.value;
}

Deno.test("an address is one in four decimal parts, or any text of IPv6's", () => {
  const address = (text: string) => ({ kind: "address", text });
  const rows: readonly (readonly [text: string, told: unknown])[] = [
    ["1.2.3.4", address("1.2.3.4")],
    ["255.255.255.255", address("255.255.255.255")],
    ["0.0.0.0", address("0.0.0.0")],
    ["256.1.1.1", "unrecognized IPv4 address 256.1.1.1"],
    ["1.2.3", "unrecognized IPv4 address 1.2.3"],
    ["1.2.3.4.5", "unrecognized IPv4 address 1.2.3.4.5"],
    ["0x1.2.3.4", "unrecognized IPv4 address 0x1.2.3.4"],
    ["", "unrecognized IPv6 address "],
    ["12", "unrecognized IPv6 address 12"],
    ["::", address("0:0:0:0:0:0:0:0")],
    ["FE80::0:1", address("fe80:0:0:0:0:0:0:1")],
    ["1:2:3:4:5:6:7:8", address("1:2:3:4:5:6:7:8")],
    ["::1%eth0", "unrecognized IPv6 address ::1%eth0"],
    ["1:2", "unrecognized IPv6 address 1:2"],
    ["1::2::3", "unrecognized IPv6 address 1::2::3"],
    ["::12345", "unrecognized IPv6 address ::12345"],
  ];
  for (const [text, expected] of rows) deepStrictEqual(told(text, "IPADDR"), expected, text);
  deepStrictEqual(canonicalAddress("::0001"), "0:0:0:0:0:0:0:1");
});

Deno.test("a network is an address of either kind and how many of its bits count", () => {
  const v4 = (...bytes: number[]) => ({
    kind: "network",
    bytes: bytes.slice(0, 4),
    bits: bytes[4],
  });
  const v6 = (first: number, bits: number) => {
    return { kind: "network", bytes: [first, ...new Array(15).fill(0)], bits };
  };
  const rows: readonly (readonly [text: string, told: unknown])[] = [
    ["10.0.0.1/8", v4(10, 0, 0, 1, 8)],
    ["10.0.0.1/0", v4(10, 0, 0, 1, 0)],
    ["10.0.0.1/32", v4(10, 0, 0, 1, 32)],
    ["10.0.0.1/ 8", v4(10, 0, 0, 1, 8)],
    ["10.0.0.1/+8", v4(10, 0, 0, 1, 8)],
    ["10.0.0.1/33", "invalid netmask 33"],
    ["10.0.0.1/", " is not a valid number"],
    ["10.0.0.1/x", "x is not a valid number"],
    ["10.0.0.1/-1", "-1 is not a valid number"],
    ["10.0.0.1", "unrecognized IP network 10.0.0.1"],
    ["10.0.0/8", "unrecognized IP address 10.0.0/8"],
    ["::ffff:1.2.3.4/96", "unrecognized IP address ::ffff:1.2.3.4/96"],
    ["fd00::/1", v6(0xfd, 1)],
    ["fd00::/128", v6(0xfd, 128)],
    ["fd00::/0", "invalid v6 netmask 0"],
    ["fd00::/129", "invalid v6 netmask 129"],
    ["fd00::", "invalid v6 netmask: fd00::"],
    ["fd0::0::/8", "unrecognized IPv6 address fd0::0::/8"],
    ["x/8", "unrecognized IPv6 address x/8"],
  ];
  for (const [text, expected] of rows) deepStrictEqual(told(text, "IPNET"), expected, text);
});

Deno.test("a network holds the addresses that share its bits, at each length", () => {
  for (const size of [4, 16]) {
    const bytes = Array.from({ length: size }, (_, at) => 0xa5 ^ at);
    for (let bits = 0; bits <= 8 * size; bits++) {
      const network = { kind: "network", bytes, bits } as const;
      for (let flipped = 0; flipped < 8 * size; flipped++) {
        const address = Uint8Array.from(bytes);
        address[flipped >> 3]! ^= 0x80 >> (flipped & 7);
        const label = `/${bits} of ${size} bytes with bit ${flipped} turned`;
        strictEqual(networkHolds(network, address), flipped >= bits, label);
      }
      strictEqual(networkHolds(network, Uint8Array.from(bytes)), true);
      strictEqual(networkHolds(network, new Uint8Array(20 - size)), false, "another family");
    }
  }
});

Deno.test("constants of bcontains and bstartswith are pairs of hexadecimal digits", () => {
  for (const operator of ["bcontains", "bstartswith"] as const) {
    const parse = (text: string) => parseLiteral(text, "BYTEBUF", operator);
    deepStrictEqual(parse("00fFA5"), { value: Uint8Array.of(0, 0xff, 0xa5) });
    deepStrictEqual(parse(""), { value: new Uint8Array(0) });
    for (const text of ["0", "0g", "0x00", " 00"]) {
      deepStrictEqual(parse(text), {
        error: "filter error: bcontains and bstartswith operator support hex strings only",
      });
    }
  }
});

Deno.test("constants of truth are true and false, some types have no constants", () => {
  deepStrictEqual([read("true", "BOOL"), read("false", "BOOL")], [true, false]);
  for (const text of ["True", "1", ""]) {
    strictEqual(told(text, "BOOL"), `filter error: unrecognized boolean value ${text}`);
  }
  strictEqual(told("x", "SIGSET"), "wrong param type SIGSET");
});

Deno.test("bytes of an address are four or sixteen, of anything else none", () => {
  deepStrictEqual(addressBytes("1.2.3.4"), Uint8Array.of(1, 2, 3, 4));
  deepStrictEqual(addressBytes("1::2"), Uint8Array.of(0, 1, ...new Array(13).fill(0), 2));
  deepStrictEqual(addressBytes("nothing"), new Uint8Array(0));
  deepStrictEqual(addressBytes("1.2.3.4"), Uint8Array.of(1, 2, 3, 4), "asked again");
});
