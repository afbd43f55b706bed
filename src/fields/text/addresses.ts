// IP addresses and socket ends as text: bytes in (network order), Falco's text out.
import { rawText } from "../../words/raw_text.ts";

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address as text; IPv6 as inet_ntop writes it. */
export function ipText(ip: Uint8Array): string {
  if (ip.length === 4) return `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}`;
  if (ip.length !== 16) return "<NA>";
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(ip[at]! << 8 | ip[at + 1]!);
  const [start, length] = longestZeros(groups);
  // ::a.b.c.d and ::ffff:a.b.c.d end in the form of IPv4.
  const embedded = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  const shown = embedded ? groups.slice(0, 6) : groups;
  let text = "";
  for (let index = 0; index < shown.length; index++) {
    if (length > 1 && index >= start && index < start + length) {
      if (index === start) text += ":";
      continue;
    }
    if (index > 0) text += ":";
    text += shown[index]!.toString(16);
  }
  if (embedded) return `${text}:${ipText(ip.subarray(12))}`;
  return length > 1 && start + length === 8 ? `${text}:` : text;
}

/** Whether an IPv6 address holds an IPv4 one (::ffff:a.b.c.d), or is all zeros. */
export function isMapped(ip: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (ip[at] !== 0) return false;
  if (ip[10] === 0xff && ip[11] === 0xff) return true;
  for (let at = 10; at < 16; at++) if (ip[at] !== 0) return false;
  return true;
}

/** Start and length of the longest run of zero groups; the first of equals. */
function longestZeros(groups: readonly number[]): [number, number] {
  let best: [number, number] = [-1, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > best[1]) best = [start, end - start];
    start = Math.max(start, end - 1);
  }
  return best;
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** A SOCKADDR parameter (family, then path or address and port). `bytes` holds it alone. */
export function socketAddressText(bytes: Uint8Array): string {
  const family = bytes[0]!;
  switch (family) {
    case AF_UNIX:
      return bytes.length >= 2 && bytes.at(-1) === 0 ? unixName(bytes, 1) : "INVALID PATH";
    case AF_INET:
      return bytes.length >= 7 ? endText(bytes, 1, 4) : "INVALID IPv4";
    case AF_INET6:
      return bytes.length >= 19 ? endText(bytes, 1, 16) : "INVALID IPv6";
    default:
      return `family ${family}`;
  }
}

/** A SOCKTUPLE parameter (family, then both ends). `bytes` holds it alone. */
export function socketTupleText(bytes: Uint8Array): string {
  const family = bytes[0]!;
  switch (family) {
    case AF_UNIX: {
      if (bytes.length < 18 || bytes.at(-1) !== 0) return "INVALID PATH";
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const source = view.getBigUint64(1, true).toString(16);
      return `${source}->${view.getBigUint64(9, true).toString(16)} ${unixName(bytes, 17)}`;
    }
    case AF_INET:
      if (bytes.length < 13) return "INVALID IPv4";
      return `${endText(bytes, 1, 4)}->${endText(bytes, 7, 4)}`;
    case AF_INET6: {
      if (bytes.length < 37) return "INVALID IPv6";
      const mapped = isMapped(bytes.subarray(1, 17)) && isMapped(bytes.subarray(19, 35));
      if (!mapped) return `${endText(bytes, 1, 16)}->${endText(bytes, 19, 16)}`;
      return `${endText(bytes, 13, 4)}->${endText(bytes, 31, 4)}`;
    }
    default:
      return `family ${family}`;
  }
}

/** `ip:port`: an address of `length` bytes with its port (host order) behind it. */
function endText(bytes: Uint8Array, at: number, length: 4 | 16): string {
  const port = bytes[at + length]! | bytes[at + length + 1]! << 8;
  return `${ipText(bytes.subarray(at, at + length))}:${port}`;
}

/** A path up to its NUL, or an abstract name by its length: our probe puts an "@" where its first
 * NUL was, as tools show it, and so are those inside shown. */
function unixName(bytes: Uint8Array, start: number): string {
  if (bytes[start] !== 64) return cText(bytes, start);
  return rawText(bytes.subarray(start, -1)).replaceAll("\0", "@");
}

/** The text from `start` to the first NUL. */
function cText(bytes: Uint8Array, start: number): string {
  const nul = bytes.indexOf(0, start);
  return rawText(bytes.subarray(start, nul < 0 ? bytes.length : nul));
}
