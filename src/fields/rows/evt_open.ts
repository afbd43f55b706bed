// Fields of what an open asked for and did.
import { codeOf, EVENTS, flagValue, positionsOf } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import type { Field } from "../row/field.ts";
import { hasReturnValue, returnValue } from "../text/param_values.ts";
import { paramIndex } from "../text/params.ts";
import { fields } from "../row/row.ts";

const O_RDONLY = flagValue("file_flags", "O_RDONLY");
const O_WRONLY = flagValue("file_flags", "O_WRONLY");
const O_CREAT = flagValue("file_flags", "O_CREAT");
const O_TRUNC = flagValue("file_flags", "O_TRUNC");
const O_TMPFILE = flagValue("file_flags", "O_TMPFILE");
/** The call created the file. */
const O_F_CREATED = flagValue("file_flags", "O_F_CREATED");
const EXEC_BITS = 0o111;

const OPENS = new Set([
  "SYSCALL_OPEN_X",
  "SYSCALL_OPENAT_2_X",
  "SYSCALL_OPENAT2_X",
  "SYSCALL_OPEN_BY_HANDLE_AT_X",
]);
/** Places of flags and mode in the events that open files. */
const OPEN_PARAMS = EVENTS.map(({ id, code }) =>
  OPENS.has(id) ? { flags: paramIndex(code, "flags"), mode: paramIndex(code, "mode") } : undefined
);
const CREAT = codeOf("SYSCALL_CREAT_X");
const { mode: CREAT_MODE } = positionsOf("SYSCALL_CREAT_X", "mode");

function openFlags({ event }: Context): number {
  const place = OPEN_PARAMS[event.code];
  return place !== undefined && event.has(place.flags) ? event.uint32(place.flags) : 0;
}

/** Rows of the class evt about files that are opened. */
export function openFields(): Field[] {
  return fields("evt", [
    {
      name: "evt.is_open_read",
      type: "BOOL",
      description: "Whether a file is opened for reading.",
      extract: (context) => (openFlags(context) & O_RDONLY) !== 0,
    },
    {
      name: "evt.is_open_write",
      type: "BOOL",
      description: "Whether a file is opened for writing.",
      extract: (context) => (openFlags(context) & writing(context)) !== 0,
    },
    {
      name: "evt.is_open_exec",
      type: "BOOL",
      description: "Whether the open may create a file that somebody may execute.",
      extract: createsExecutable,
    },
    {
      name: "evt.is_open_create",
      type: "BOOL",
      description: "Whether the open created the file.",
      extract: (context) => {
        const flags = openFlags(context);
        if (flags & O_F_CREATED) return true;
        const { event } = context;
        return (flags & O_TMPFILE) !== 0 && hasReturnValue(event.code) && returnValue(event) >= 0;
      },
    },
  ]);
}

/** Flags that count as writing: live, also that the file is emptied. */
function writing({ event }: Context): number {
  return event.hasOwn ? O_WRONLY | O_TRUNC : O_WRONLY;
}

function createsExecutable(context: Context): boolean {
  const { event } = context;
  if (event.code === CREAT) {
    return event.has(CREAT_MODE) && (event.uint32(CREAT_MODE) & EXEC_BITS) !== 0;
  }
  const mode = OPEN_PARAMS[event.code]?.mode ?? -1;
  if (mode < 0 || !event.has(mode) || !(openFlags(context) & (O_TMPFILE | O_CREAT))) return false;
  return (event.uint32(mode) & EXEC_BITS) !== 0;
}
