// Fields of a socket's two ends: client and server, local and remote, either.
import type { Context } from "../../state/contract/context.ts";
import { type Fd, FdFlag, FdKind } from "../../state/tables/fd.ts";
import { ipText } from "../text/addresses.ts";
import { isIp, ofFd } from "./fd_fields.ts";
import { hasRole } from "../text/fd_types.ts";
import type { Field, FieldFlag, Value } from "../row/field.ts";
import { fields, type Row } from "../row/row.ts";
import { containerIdOf } from "../text/user_names.ts";

export function fdEndFields(): Field[] {
  return fields("fd", [...ends(), ...either(), isServer()]);
}

/** One end of a connection; its address is 0 where it is not known. */
interface End {
  readonly ip: Uint8Array;
  readonly port: number;
}

function source(fd: Fd): End {
  return { ip: fd.sourceIp ?? nowhere(fd), port: fd.sourcePort };
}

function destination(fd: Fd): End {
  return { ip: fd.destinationIp ?? nowhere(fd), port: fd.destinationPort };
}

const NOWHERE_4 = new Uint8Array(4);
const NOWHERE_6 = new Uint8Array(16);

function nowhere(fd: Fd): Uint8Array {
  return fd.kind === FdKind.Ipv6 ? NOWHERE_6 : NOWHERE_4;
}

function isListening(fd: Fd): boolean {
  return (fd.flags & FdFlag.Listening) !== 0;
}

/** The client is the connection's source, if it is known who is client. */
function client(fd: Fd): End | undefined {
  return isIp(fd) && !isListening(fd) && hasRole(fd) ? source(fd) : undefined;
}

function server(fd: Fd): End | undefined {
  if (!isIp(fd) || !hasRole(fd)) return undefined;
  return isListening(fd) ? source(fd) : destination(fd);
}

/** A client on one of the machine's addresses makes its end the local one. */
function local(fd: Fd, context: Context): End | undefined {
  const end = client(fd);
  return end === undefined || isLocal(end.ip, context) ? end : destination(fd);
}

function remote(fd: Fd, context: Context): End | undefined {
  const end = client(fd);
  return end === undefined || !isLocal(end.ip, context) ? end : destination(fd);
}

/**
 * Whether an address is the machine's. In a container it is only where a runtime told the
 * container's address, and never for IPv6: as in Falco.
 */
function isLocal(ip: Uint8Array, context: Context): boolean {
  const { machine, thread } = context;
  const id = thread === undefined ? "" : containerIdOf(context, thread);
  if (id !== "") {
    if (ip.length !== 4) return false;
    const own = machine.container(id)?.info?.["ip"];
    if (typeof own !== "string" || own === "") return false;
    if (own === ipText(ip)) return true;
  }
  return machine.isLocal(ip);
}

function addressOf(end: End | undefined): string | undefined {
  return end && ipText(end.ip);
}

type FindEnd = (fd: Fd, context: Context) => End | undefined;

const FILTER_ONLY: readonly FieldFlag[] = ["filter_only", "no_rhs", "no_transformer"];

function ends(): Row[] {
  const sides: readonly (readonly [letter: string, word: string, find: FindEnd])[] = [
    ["c", "client", client],
    ["s", "server", server],
    ["l", "local", local],
    ["r", "remote", remote],
  ];
  return sides.flatMap(([letter, word, find]): Row[] => [
    {
      name: `fd.${letter}ip`,
      type: "IPADDR",
      description: `IP address of the ${word} end.`,
      extract: ofFd((fd, context) => addressOf(find(fd, context))),
    },
    {
      name: `fd.${letter}port`,
      type: "PORT",
      format: "DEC",
      description: `Port of the ${word} end.`,
      extract: ofFd((fd, context) => portOf(letter, fd, context, find)),
    },
    {
      name: `fd.${letter}proto`,
      type: "CHARBUF",
      description: `Port of the ${word} end as text.`,
      extract: ofFd((fd, context) => protocolText(letter, fd, context, find)),
    },
    {
      name: `fd.${letter}net`,
      type: "IPNET",
      flags: FILTER_ONLY,
      description: `IP address of the ${word} end, to be held against networks.`,
      extract: ofFd((fd, context) => addressOf(find(fd, context))),
    },
    {
      // A name would have to be asked of the network, once an event.
      name: `fd.${letter}ip.name`,
      type: "CHARBUF",
      flags: ["no_rhs", "no_transformer"],
      description: `Domain name of the ${word} end's address; not looked up.`,
      extract: () => undefined,
    },
  ]);
}

/** A listening socket's port is the server's even while nobody has connected. */
function portOf(letter: string, fd: Fd, context: Context, find: FindEnd): Value {
  if (letter === "s" && isIp(fd) && isListening(fd)) return fd.sourcePort;
  return find(fd, context)?.port;
}

/**
 * Falco's text: a client port is "" on what is no connection but has a role; a server port is ""
 * on a listening socket.
 */
function protocolText(letter: string, fd: Fd, context: Context, find: FindEnd): Value {
  if (letter === "s" && isIp(fd) && isListening(fd)) return "";
  const end = find(fd, context);
  if (end !== undefined) return String(end.port);
  return letter === "c" && hasRole(fd) ? "" : undefined;
}

/** Both ends as a list; empty on what is no socket: the field exists but equals nothing. */
function either(): Row[] {
  const both = (read: (end: End) => Value): Row["extract"] =>
    ofFd((fd) => {
      if (!isIp(fd)) return [];
      const list = isListening(fd) ? [source(fd)] : [source(fd), destination(fd)];
      return list.map(read);
    });
  const flags: readonly FieldFlag[] = ["both_ends", ...FILTER_ONLY];
  return [
    {
      name: "fd.ip",
      type: "IPADDR",
      flags,
      description: "IP address of either end.",
      extract: both(addressOf),
    },
    {
      name: "fd.port",
      type: "PORT",
      format: "DEC",
      flags,
      description: "Port of either end.",
      extract: both((end) => end.port),
    },
    {
      name: "fd.proto",
      type: "PORT",
      flags,
      description: "Port of either end, by its service's name too.",
      extract: both((end) => end.port),
    },
    {
      name: "fd.net",
      type: "IPNET",
      flags,
      description: "IP address of either end, to be held against networks.",
      extract: both(addressOf),
    },
  ];
}

function isServer(): Row {
  return {
    name: "fd.is_server",
    type: "BOOL",
    description: "Whether this process owns the server's end of the connection.",
    extract: ofFd((fd, context) =>
      isIp(fd) && (isListening(fd) || isLocal(destination(fd).ip, context))
    ),
  };
}
