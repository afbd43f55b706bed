// Which user's socket a connection of this host comes from: the kernel's table of TCP sockets in,
// the client's user id out. Source: Linux, Documentation/networking/proc_net_tcp.rst.
import ipaddr from "ipaddr.js";
import { readTextFile } from "../files/read_text.ts";

export interface End {
  readonly address: string;
  readonly port: number;
}

/** A table of a hundred thousand connections. */
const TABLE_BYTES_MAX = 16 << 20;
/** Places of a line's words. */
const LOCAL = 1;
const REMOTE = 2;
const UID = 7;

/** The user of the socket at `client`, whose other end is `server`; undefined: cannot be told. */
export function socketOwner(client: End, server: End): number | undefined {
  for (const table of ["tcp", "tcp6"]) {
    let text: string;
    try {
      text = readTextFile(`/proc/self/net/${table}`, TABLE_BYTES_MAX);
    } catch {
      continue;
    }
    const owner = ownerIn(text, table === "tcp6", client, server);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/** `isLong`: addresses of the table have 16 bytes. */
export function ownerIn(
  table: string,
  isLong: boolean,
  client: End,
  server: End,
): number | undefined {
  const local = hexOf(client, isLong);
  const remote = hexOf(server, isLong);
  if (local === undefined || remote === undefined) return undefined;
  for (const line of table.split("\n")) {
    if (!line.includes(local)) continue;
    const words = line.trim().split(/\s+/);
    if (words[LOCAL] !== local || words[REMOTE] !== remote) continue;
    const uid = Number(words[UID]);
    return Number.isInteger(uid) ? uid : undefined;
  }
  return undefined;
}

/** As the kernel prints it: words of four bytes in the order of this machine, which is x86_64. */
function hexOf({ address, port }: End, isLong: boolean): string | undefined {
  const parsed = ipaddr.process(address);
  if (!isLong && parsed.kind() === "ipv6") return undefined;
  const long = parsed.kind() === "ipv6" ? parsed : (parsed as ipaddr.IPv4).toIPv4MappedAddress();
  const bytes = isLong ? long.toByteArray() : parsed.toByteArray();
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    for (let byte = 3; byte >= 0; byte--) text += hex(bytes[at + byte]!, 2);
  }
  return `${text}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
