// What the two views of an event mean for fields: which fields read differently under them, and
// saker's own fields that tell the view and the other one's paths.
import { EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { Differs, DIFFERS_FOR_SURE, View, VIEW_NAMES } from "../../state/contract/views.ts";
import type { Bound, Field, Value } from "../row/field.ts";
import { field } from "../row/row.ts";

const FURTHER = Differs.Host | Differs.Inode;
const FD = Differs.Fd | FURTHER;
const DIRECTORY = Differs.Directory | Differs.HostDirectory;
const NAMES = Differs.Fd | DIRECTORY | Differs.Paths | FURTHER;

/** By name of a field: what of Differs it depends on; 0 for most. */
const SEEN: ReadonlyMap<string, number> = new Map([
  ["fd.name", FD],
  ["fd.directory", FD],
  ["fd.filename", FD],
  ["fd.containername", FD],
  ["fd.containerdirectory", FD],
  ["evt.is_syslog", FD],
  ["fs.path.name", NAMES],
  ["fs.path.nameraw", NAMES],
  ["fs.path.source", NAMES],
  ["fs.path.target", NAMES],
  ["evt.abspath", NAMES],
  ["evt.args", NAMES],
  ["evt.info", NAMES],
  ["proc.cwd", DIRECTORY],
  ["proc.exepath", Differs.Program | FURTHER],
  ["fdlist.names", Differs.Others],
  ["proc.stdin.name", Differs.Others],
  ["proc.stdout.name", Differs.Others],
  ["proc.stderr.name", Differs.Others],
]);

const SHOWS_NAMES = new Set(["FD", "FD32", "FSPATH", "FSRELPATH"]);
/** Parameters whose text has a path in it. */
const NAMING_PARAMS: ReadonlySet<string> = new Set(
  EVENTS.flatMap(({ params }) =>
    params.filter(({ type }) => SHOWS_NAMES.has(type)).map(({ name }) => name)
  ),
);

/** What of Differs a field's value depends on. */
export function seenBy({ field, text }: Bound): number {
  if (field.flags.has("shows_call")) return DIFFERS_FOR_SURE | Differs.Others;
  if (field.name === "evt.view" || field.name.endsWith(OTHER)) return NAMES | Differs.Program;
  if (field.name !== "evt.arg") return SEEN.get(field.name) ?? 0;
  const argument = text.slice("evt.arg".length + 1);
  return /^\d/.test(argument) || NAMING_PARAMS.has(argument) ? NAMES : 0;
}

const OTHER = ".other";

/** Fields that have a row for the other view, and those that are told by it. */
const TOLD_BY: ReadonlyMap<string, string> = new Map([
  ["fd.name", "fd.name"],
  ["fd.directory", "fd.name"],
  ["fd.filename", "fd.name"],
  ["fd.containername", "fd.name"],
  ["fd.containerdirectory", "fd.name"],
  ["fs.path.name", "fs.path.name"],
  ["fs.path.source", "fs.path.source"],
  ["fs.path.target", "fs.path.target"],
  ["proc.cwd", "proc.cwd"],
  ["proc.exepath", "proc.exepath"],
]);

/** Name of the field that tells of a field under the other view. */
export function otherOf(name: string): string | undefined {
  const told = TOLD_BY.get(name);
  return told && told + OTHER;
}

/** The rows, made of those that they are about. */
export function viewFields(fields: readonly Field[]): Field[] {
  const names = new Set(TOLD_BY.values());
  return [
    field("evt", {
      name: "evt.via",
      type: "CHARBUF",
      description: "How a call came that is told as another: io_uring, of an operation of a " +
        "ring, or preadv2, pwritev2, fchmodat2, told as the older call too. saker's own.",
      extract: ({ event }) => event.via(),
    }),
    field("evt", {
      name: "evt.view",
      type: "CHARBUF",
      description: "Where the paths of an event's views differ: the one that the alert is about. " +
        "kernel: what the kernel acted on; caller: what the caller said; host: what the kernel " +
        "acted on as seen from the host's root; inode: the name that a rule has for the file, " +
        "which was used under another link. saker's own.",
      extract: ({ differs, view }) =>
        (differs & DIFFERS_FOR_SURE) === 0 ? undefined : VIEW_NAMES[view],
    }),
    ...fields.filter(({ name }) => names.has(name)).map(otherField),
  ];
}

function otherField(base: Field): Field {
  const bound = base.bind(undefined);
  if ("error" in bound) throw new Error(bound.error);
  return field(base.fieldClass, {
    name: base.name + OTHER,
    type: base.type,
    description: `${base.name} under the view of the event that the alert is not about; none ` +
      "where it is the same. saker's own.",
    extract: (context) => otherValue(bound, context),
  });
}

function otherValue(bound: Bound, context: Context): Value {
  if ((context.differs & DIFFERS_FOR_SURE) === 0) return undefined;
  const shown = bound.extract(context);
  const under = (view: View) => context.under(view, () => bound.extract(context));
  if (context.view !== View.Kernel) {
    const value = under(View.Kernel);
    return value === shown ? undefined : value;
  }
  const others = [
    View.CallerProgram,
    ...context.differs & Differs.Inode ? [View.Inode] : [],
    ...context.differs & (Differs.Host | Differs.HostDirectory) ? [View.Host] : [],
  ];
  return others.map(under).find((value) => value !== shown);
}
