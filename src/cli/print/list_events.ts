// `--list-events`: the events that rules can name, as text, Markdown or JSON.
import { type EventInfo, EVENTS, type Param, SYSCALLS } from "../../events/table.ts";
import type { PrintFormat } from "./list_fields.ts";

interface Row {
  readonly name: string;
  readonly direction: ">" | "<";
  /** Collected without `base_syscalls.all`. */
  readonly available: boolean;
  readonly params: readonly Param[];
}

const CATEGORIES = [
  ["Syscall events", "syscall"],
  ["Tracepoint events", "tracepoint"],
  ["Plugin events", "plugin"],
  ["Metaevents", "metaevent"],
] as const;

/** Writes the event table; `ignored` names the events that are not collected by default. */
export function listEvents(
  format: PrintFormat,
  schemaVersion: string,
  ignored: ReadonlySet<string>,
  write: (text: string) => void,
): void {
  const sections = CATEGORIES.map(([title, kind]) => [title, rowsOf(kind, ignored)] as const);
  if (format === "json") {
    const all = { schema_version: schemaVersion, ...Object.fromEntries(sections.map(sectionJson)) };
    write(`${JSON.stringify(all, undefined, 2)}\n`);
    return;
  }
  write(`The events below are valid for Falco *Schema Version*: ${schemaVersion}\n`);
  for (const [title, rows] of sections) {
    write(`## ${title}\n\n`);
    if (format === "markdown") {
      write("Default | Dir | Name | Params \n:-------|:----|:-----|:-----\n");
      for (const row of rows) {
        const params = row.params.map((param) => paramText(param, "*")).join(", ");
        write(
          `${row.available ? "Yes" : "No"} | \`${row.direction}\` | \`${row.name}\` | ${params}\n`,
        );
      }
    } else {
      for (const row of rows) {
        const params = row.params.map((param) => paramText(param, "")).join(", ");
        write(`${row.direction} ${row.name}(${params})\n`);
      }
    }
    write("\n");
  }
}

function rowsOf(kind: string, ignored: ReadonlySet<string>): Row[] {
  const rows = EVENTS.filter((info) => info.code > 1 && kindOf(info) === kind && isCurrent(info))
    .map((info): Row => ({
      name: info.name,
      direction: info.code % 2 === 0 ? ">" : "<",
      available: !ignored.has(info.name),
      params: info.params,
    }));
  if (kind !== "syscall") return rows;
  const generic = EVENTS[1]!.params;
  for (const { name, exit } of SYSCALLS) {
    if (exit !== undefined) continue;
    rows.push({ name, direction: ">", available: true, params: generic });
    rows.push({ name, direction: "<", available: true, params: generic });
  }
  return rows;
}

function kindOf({ kind }: EventInfo): string | undefined {
  return CATEGORIES.find(([, name]) => kind.includes(name))?.[1];
}

function isCurrent({ flags, kind }: EventInfo): boolean {
  return !flags.has("old_version") && !flags.has("unused") && !kind.includes("unknown");
}

function paramText({ type, name, flags }: Param, mark: string): string {
  const start = `${type} **${name}**`;
  if (!type.includes("FLAGS") || flags === undefined) return start;
  return `${start}: ${flags.map((flag) => mark + flag.name + mark).join(", ")}`;
}

function sectionJson([title, rows]: readonly [string, readonly Row[]]): [string, unknown] {
  return [
    title,
    rows.map(({ name, direction, available, params }) => ({
      available,
      dir: direction,
      name,
      params: params.map(({ type, name, flags }) => ({
        ...type.includes("FLAGS") && flags && { flags: flags.map((flag) => flag.name) },
        name,
        type,
      })),
    })),
  ];
}
