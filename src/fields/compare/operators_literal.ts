// A constant of a condition, read as the type of the field that it is compared with.
import ipaddr from "ipaddr.js";
import type { ParamType } from "../../events/table.ts";
import { familyOf, type Operator } from "./operators.ts";

export type Literal = number | bigint | boolean | string | Uint8Array | Address | Network;

/** An IP address: the text that equal addresses share. */
export interface Address {
  readonly kind: "address";
  readonly text: string;
}

export interface Network {
  readonly kind: "network";
  readonly bytes: readonly number[];
  readonly bits: number;
}

export type ParsedLiteral = { readonly value: Literal } | { readonly error: string };

const encoder = new TextEncoder();

/**
 * Reads `text` as a value of `type`. `bytes` gives the constant's own bytes, which differ from
 * the text's where it was written with escapes. The errors are Falco's texts.
 */
export function parseLiteral(
  text: string,
  type: ParamType,
  operator: Operator,
  bytes: Uint8Array = encoder.encode(text),
): ParsedLiteral {
  if (operator === "bcontains" || operator === "bstartswith") {
    const value = fromHex(text);
    return value ? { value } : {
      error: "filter error: bcontains and bstartswith operator support hex strings only",
    };
  }
  switch (familyOf(type)) {
    case "buffer":
      return { value: bytes };
    case "string":
      return { value: text };
    case "boolean":
      if (text === "true" || text === "false") return { value: text === "true" };
      return { error: `filter error: unrecognized boolean value ${text}` };
    case "number":
      return type === "PORT" ? parsePort(text) : parseNumber(text, type);
    case "address":
      return parseAddress(text);
    case "network":
      return parseNetwork(text);
    case "none":
      return { error: `wrong param type ${type}` };
  }
}

const SIGNED_BITS: Partial<Record<ParamType, number>> = {
  INT8: 8,
  INT16: 16,
  INT32: 32,
  INT64: 64,
  FD: 64,
  ERRNO: 64,
  PID: 64,
  DOUBLE: 32,
};
const UNSIGNED_BITS: Partial<Record<ParamType, number>> = {
  FLAGS8: 8,
  UINT8: 8,
  ENUMFLAGS8: 8,
  SIGTYPE: 8,
  FLAGS16: 16,
  UINT16: 16,
  ENUMFLAGS16: 16,
  SYSCALLID: 16,
};

/** Decimal only, blanks before it allowed, negatives wrapped where the type has no sign. */
function parseNumber(text: string, type: ParamType): ParsedLiteral {
  if (!/^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(text)) return { error: `${text} is not a valid number` };
  const digits = text.trim();
  const exact = BigInt(digits[0] === "+" ? digits.slice(1) : digits);
  const signed = SIGNED_BITS[type];
  return {
    value: small(
      signed === undefined
        ? BigInt.asUintN(UNSIGNED_BITS[type] ?? (/32|MODE/.test(type) ? 32 : 64), exact)
        : BigInt.asIntN(signed, exact),
    ),
  };
}

/** As a number where that is exact. */
export function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The services that rules name; Falco asks the host's /etc/services. */
const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  http: 80,
  kerberos: 88,
  pop3: 110,
  sunrpc: 111,
  ntp: 123,
  "netbios-ns": 137,
  "netbios-dgm": 138,
  "netbios-ssn": 139,
  imap2: 143,
  snmp: 161,
  bgp: 179,
  irc: 194,
  ldap: 389,
  https: 443,
  "microsoft-ds": 445,
  syslog: 514,
  submission: 587,
  ldaps: 636,
  rsync: 873,
  imaps: 993,
  pop3s: 995,
  socks: 1080,
  openvpn: 1194,
  "ms-sql-s": 1433,
  nfs: 2049,
  mysql: 3306,
  "ms-wbt-server": 3389,
  postgresql: 5432,
  amqp: 5672,
  redis: 6379,
  "http-alt": 8080,
};

function parsePort(text: string): ParsedLiteral {
  if (text === "") return { value: 0 };
  if (/^[0-9]+$/.test(text)) return { value: Number(BigInt(text) & 0xffffn) };
  const known = Object.hasOwn(SERVICES, text) ? SERVICES[text] : undefined;
  return known === undefined ? { error: `unrecognized protocol ${text}` } : { value: known };
}

function parseAddress(text: string): ParsedLiteral {
  const canonical = canonicalAddress(text);
  if (canonical !== undefined) return { value: { kind: "address", text: canonical } };
  return { error: `unrecognized ${text.includes(".") ? "IPv4" : "IPv6"} address ${text}` };
}

/** The one text of an address; undefined for what is none. */
export function canonicalAddress(text: string): string | undefined {
  if (!text.includes(":")) return ipaddr.IPv4.isValidFourPartDecimal(text) ? text : undefined;
  if (!ipaddr.IPv6.isValid(text) || text.includes("%")) return undefined;
  return ipaddr.IPv6.parse(text).toNormalizedString();
}

function parseNetwork(text: string): ParsedLiteral {
  const v4 = text.includes(".");
  const [host = "", mask] = text.split("/", 2);
  if (mask === undefined) {
    return { error: v4 ? `unrecognized IP network ${text}` : `invalid v6 netmask: ${text}` };
  }
  const canonical = canonicalAddress(host);
  if (canonical === undefined || canonical.includes(":") === v4) {
    return { error: `unrecognized ${v4 ? "IP" : "IPv6"} address ${text}` };
  }
  if (!/^ *\+?[0-9]+$/.test(mask)) return { error: `${mask} is not a valid number` };
  const bits = Number(mask);
  if (v4 ? bits > 32 : bits === 0 || bits > 128) {
    return { error: v4 ? `invalid netmask ${mask}` : `invalid v6 netmask ${mask}` };
  }
  return { value: { kind: "network", bytes: ipaddr.parse(canonical).toByteArray(), bits } };
}

/** Whether the network holds the address, given as 4 or 16 bytes; none of another family. */
export function networkHolds({ bytes, bits }: Network, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false;
  for (let at = 0, left = bits; left > 0; at++, left -= 8) {
    const shift = left >= 8 ? 0 : 8 - left;
    if (bytes[at]! >> shift !== address[at]! >> shift) return false;
  }
  return true;
}

/** The bytes of an address as text; empty for what is none. */
export function addressBytes(text: string): Uint8Array {
  let bytes = knownAddresses.get(text);
  if (bytes !== undefined) return bytes;
  bytes = ipaddr.isValid(text) ? Uint8Array.from(ipaddr.parse(text).toByteArray()) : NO_BYTES;
  if (knownAddresses.size >= ADDRESSES_MAX) knownAddresses.clear();
  knownAddresses.set(text, bytes);
  return bytes;
}

/** Addresses whose bytes are kept: those of connections come again and again. */
const ADDRESSES_MAX = 8192;
const knownAddresses = new Map<string, Uint8Array>();
const NO_BYTES = new Uint8Array(0);

function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
