// The machine's network interfaces: which addresses are its own, and which of them a socket that
// is bound to no address speaks from.
import type { Fd } from "./fd.ts";

export interface Interface {
  readonly name: string;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly netmask: Uint8Array;
  readonly broadcast: Uint8Array;
  readonly linkspeed: bigint;
}

/** More than any machine has; a capture may claim any number. */
const INTERFACES_MAX = 16_384;

export class Interfaces {
  readonly list: Interface[] = [];
  /** Entries that the bound refused. */
  refused = 0;

  add(entry: Interface): void {
    if (this.list.length < INTERFACES_MAX) this.list.push(entry);
    else this.refused++;
  }

  /** Whether another one would be refused; then it is counted as that. */
  refuses(): boolean {
    if (this.list.length < INTERFACES_MAX) return false;
    this.refused++;
    return true;
  }

  clear(): void {
    this.list.length = 0;
  }

  /** Whether the address is an interface's; of IPv6 the network (64 bits) decides, as in Falco. */
  has(ip: Uint8Array): boolean {
    const bytes = ip.length === 4 ? 4 : 8;
    return this.list.some(({ address }) =>
      address.length === ip.length && startsEqual(address, ip, bytes)
    );
  }

  /**
   * The address that the machine would use to speak to `ip`: `ip` itself where it is the
   * machine's, else that of an interface in the same network, else the first that is not the
   * loopback's; undefined where there is none.
   */
  towards(ip: Uint8Array): Uint8Array | undefined {
    const family = this.list.filter((entry) => entry.address.length === ip.length);
    const found = family.find((entry) => equal(entry.address, ip)) ??
      family.find((entry) => sameNetwork(entry, ip)) ??
      family.find((entry) => !isLoopback(entry.address));
    return found?.address;
  }

  /** Puts a likely address where a connected socket has all zeros for one of its ends. */
  complete(fd: Fd): void {
    const { sourceIp, destinationIp } = fd;
    if (sourceIp === undefined || destinationIp === undefined) return;
    const noSource = isZero(sourceIp);
    if (!noSource && !isZero(destinationIp)) return;
    const known = noSource ? destinationIp : sourceIp;
    const likely = this.towards(known) ?? new Uint8Array(known.length);
    if (equal(likely, known) && fd.sourcePort === fd.destinationPort) return;
    if (noSource) fd.sourceIp = likely;
    else fd.destinationIp = likely;
  }
}

function isZero(ip: Uint8Array): boolean {
  return ip.every((byte) => byte === 0);
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function startsEqual(one: Uint8Array, other: Uint8Array, bytes: number): boolean {
  for (let at = 0; at < bytes; at++) if (one[at] !== other[at]) return false;
  return true;
}

function sameNetwork(entry: Interface, ip: Uint8Array): boolean {
  return entry.netmask.every((mask, at) => (entry.address[at]! & mask) === (ip[at]! & mask));
}

function isLoopback(ip: Uint8Array): boolean {
  if (ip.length === 4) return ip[0] === 127 && ip[1] === 0 && ip[2] === 0 && ip[3] === 1;
  return ip.every((byte, at) => byte === (at === 15 ? 1 : 0));
}
