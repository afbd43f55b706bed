// Exceptions that suggest themselves for alerts, and must not be: fields that all of them share and
// that an intruder chooses.
import type { PrintedAlert } from "./alert.ts";
import { pickedBy } from "./pickers.ts";
import { placeOf } from "./places.ts";
import { isGeneral, kindOf } from "./programs.ts";
import { visibleLine } from "../words/visible.ts";

const TEMPTING_MAX = 4;
/** The first ones are those that people write. */
const OFTEN: readonly string[] = [
  "proc.name",
  "proc.cmdline",
  "proc.pname",
  "proc.pcmdline",
  "container.name",
  "container.image.repository",
];

/** `proc.name = backup: is the name of …`, for fields that are the same in all alerts. */
export function temptingOf(alerts: readonly PrintedAlert[]): string[] {
  const first = alerts[0];
  if (first === undefined) return [];
  const shared = [...first.fields].filter(([field, value]) =>
    typeof value === "string" && value !== "" && value !== "<NA>" && value !== "host" &&
    alerts.every(({ fields }) => fields.get(field) === value)
  ).map(([field, value]) => ({ field, value: String(value) }));
  const rank = (field: string) => {
    const at = OFTEN.indexOf(field);
    return at < 0 ? OFTEN.length : at;
  };
  const found = shared.flatMap(({ field, value }) => {
    const why = field === "proc.exepath" ? programWords(value) : pickedBy(field)?.why;
    return why === undefined ? [] : [{ field, text: `${field} = ${shortened(value)}: it ${why}` }];
  });
  return found.sort((one, two) => rank(one.field) - rank(two.field)).slice(0, TEMPTING_MAX)
    .map(({ text }) => text);
}

function programWords(path: string): string | undefined {
  const place = placeOf(path);
  if (place === "anyone") return "lies where everybody may put files";
  if (place === "memory") return "is no file of a disk: any program may be run so";
  if (!isGeneral(path)) return undefined;
  return kindOf(path) === "session" ? "begins anybody's session" : "does what its caller says";
}

function shortened(value: string): string {
  const line = visibleLine(value);
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}
