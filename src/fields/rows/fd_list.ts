// Fields of the descriptors that poll and ppoll were asked about.
import { EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { type Fd, FdFlag } from "../../state/tables/fd.ts";
import { ipText } from "../text/addresses.ts";
import { isIp } from "./fd_fields.ts";
import type { Field, Value } from "../row/field.ts";
import { fields, type Row } from "../row/row.ts";

/** Text of one descriptor in the list; undefined leaves it out. */
type Item = (number: bigint, fd: Fd | undefined, context: Context) => string | undefined;

export function fdListFields(): Field[] {
  const list = (name: string, description: string, item: Item): Row => ({
    name,
    type: "CHARBUF",
    format: "NA",
    description,
    extract: (context) => listText(context, item),
  });
  return fields("fdlist", [
    { ...list("fdlist.nums", "Numbers of the polled descriptors.", String), format: "ID" },
    list("fdlist.names", "Names of the polled descriptors.", (_, fd, context) => {
      const name = fd && context.machine.strings.text(context.nameOf(fd));
      return name || "<NA>";
    }),
    list(
      "fdlist.cips",
      "Client addresses of the polled sockets.",
      (_, fd) => isConnection(fd) ? text(fd.sourceIp) : undefined,
    ),
    list("fdlist.sips", "Server addresses of the polled sockets.", (_, fd) => {
      if (fd === undefined || !isIp(fd)) return undefined;
      return text(fd.flags & FdFlag.Listening ? fd.sourceIp : fd.destinationIp);
    }),
    {
      ...list(
        "fdlist.cports",
        "Client ports of the polled sockets.",
        (_, fd) => isConnection(fd) ? String(fd.sourcePort) : undefined,
      ),
      format: "DEC",
    },
    {
      ...list(
        "fdlist.sports",
        "Server ports of the polled sockets.",
        (_, fd) => isConnection(fd) ? String(fd.destinationPort) : undefined,
      ),
      format: "DEC",
    },
  ]);
}

function isConnection(fd: Fd | undefined): fd is Fd {
  return fd !== undefined && isIp(fd) && (fd.flags & FdFlag.Listening) === 0;
}

function text(ip: Uint8Array | undefined): string | undefined {
  return ip && ipText(ip);
}

const POLLS = Uint8Array.from(EVENTS, (info) => {
  const polls = info.code % 2 === 1 && (info.name === "poll" || info.name === "ppoll");
  return polls ? 1 : 0;
});
const FDS = 1;
/** A descriptor's number and its flags. */
const ENTRY_BYTES = 10;

function listText(context: Context, item: Item): Value {
  const { event, thread, machine } = context;
  if (POLLS[event.code] === 0 || thread === undefined || event.paramLength(FDS) < 2) {
    return undefined;
  }
  const fds = machine.fdsOf(thread);
  const start = event.param(FDS) + 2;
  const room = Math.floor((event.paramLength(FDS) - 2) / ENTRY_BYTES);
  const count = Math.min(event.uint16(FDS), room);
  const parts: string[] = [];
  for (let index = 0; index < count; index++) {
    const number = event.view.getBigInt64(start + index * ENTRY_BYTES, true);
    const part = item(number, number < 0n ? undefined : fds?.get(Number(number)), context);
    if (part !== undefined) parts.push(part);
  }
  return parts.length === 0 ? undefined : parts.join(",");
}
