// Builds the rows of the field table, with and without arguments.
import type { ParamFormat, ParamType } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import type {
  Bound,
  Domain,
  Elements,
  Field,
  FieldFlag,
  Origin,
  UNDECIDED,
  Value,
} from "./field.ts";

/** What a row says besides how it is read. */
export interface RowInfo {
  readonly name: string;
  readonly type: ParamType;
  /** Default: NA. */
  readonly format?: ParamFormat;
  readonly isList?: boolean;
  readonly flags?: readonly FieldFlag[];
  readonly description: string;
  /** Default: "event". */
  readonly domain?: Domain;
}

/** How a value is read; what is not given is as in the row. */
export interface Reader {
  readonly extract: (context: Context) => Value;
  readonly extractId?: (context: Context) => number;
  readonly origin?: Origin;
  readonly elements?: Elements;
  readonly ofItself?: (context: Context) => Value;
  /** What outputs show where that differs from what conditions compare. */
  readonly show?: (context: Context) => Value;
  /** The value where an event's code alone decides it. */
  readonly ofCode?: (code: number) => Value | typeof UNDECIDED;
  readonly anyOf?: boolean;
  readonly type?: ParamType;
  readonly format?: ParamFormat;
  readonly domain?: Domain;
}

export type Row = RowInfo & Reader;

export type ArgumentInfo = NonNullable<Field["argument"]>;

type Read = Reader | { readonly error: string };

/** A field without an argument. `read` makes the reader anew for each use: some keep state. */
export function field(fieldClass: string, row: Row): Field;
export function field(fieldClass: string, row: RowInfo, read: () => Reader): Field;
export function field(fieldClass: string, row: RowInfo, read?: () => Reader): Field {
  return made(fieldClass, row, null, (argument) => {
    if (argument !== undefined) return { error: `${row.name} takes no argument` };
    return read === undefined ? row as Row : read();
  }, read === undefined);
}

/** Fields of one class. */
export function fields(fieldClass: string, rows: readonly Row[]): Field[] {
  return rows.map((row) => field(fieldClass, row));
}

/** A field whose argument's text `read` turns into a reader, or refuses. Readers keep nothing from
 * one event to the next: uses of the same argument share one. */
export function withArgument(
  fieldClass: string,
  row: RowInfo,
  argument: ArgumentInfo | null,
  read: (argument: string | undefined) => Read,
): Field {
  return made(fieldClass, row, argument, read, true);
}

/** Uses of one field that are kept; rules name each some hundred times. */
const SHARED_MAX = 1000;

function made(
  fieldClass: string,
  row: RowInfo,
  argument: ArgumentInfo | null,
  read: (argument: string | undefined) => Read,
  isShared: boolean,
): Field {
  const shared = new Map<string | undefined, ReturnType<Field["bind"]>>();
  const bind: Field["bind"] = (given) => {
    if (given === undefined && argument?.required) {
      return { error: `${row.name} requires an argument but none provided` };
    }
    const reader = read(given);
    return "error" in reader ? reader : bound(self, boundText(row.name, argument, given), reader);
  };
  const self: Field = {
    name: row.name,
    type: row.type,
    isList: row.isList ?? false,
    format: row.format ?? "NA",
    argument,
    flags: new Set(row.flags),
    fieldClass,
    description: row.description,
    domain: row.domain ?? "event",
    bind: !isShared ? bind : (given) => {
      const known = shared.get(given);
      if (known !== undefined) return known;
      const found = bind(given);
      if (shared.size < SHARED_MAX) shared.set(given, found);
      return found;
    },
  };
  return self;
}

function boundText(name: string, argument: ArgumentInfo | null, given: string | undefined): string {
  if (given === undefined) return name;
  return argument?.afterDot === undefined ? `${name}[${given}]` : `${name}.${given}`;
}

function bound(field: Field, text: string, reader: Reader): Bound {
  return {
    text,
    field,
    type: reader.type ?? field.type,
    format: reader.format ?? field.format,
    isList: field.isList,
    domain: reader.domain ?? field.domain,
    anyOf: reader.anyOf ?? false,
    extract: reader.extract,
    ...(reader.extractId && { extractId: reader.extractId }),
    ...(reader.origin && { origin: reader.origin }),
    ...(reader.elements && { elements: reader.elements }),
    ...(reader.ofItself && { ofItself: reader.ofItself }),
    ...(reader.ofCode && { ofCode: reader.ofCode }),
    ...(reader.show && { show: reader.show }),
  };
}

/** A reader of an interned string: `id` gives its id, MISSING for none. */
export function textOf(id: (context: Context) => number): Pick<Row, "extract" | "extractId"> {
  return { extract: (context) => context.machine.strings.text(id(context)), extractId: id };
}

/** The number in an argument such as the 2 of `proc.aname[2]`; undefined if it is none. */
export function indexArgument(text: string): number | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined;
  return Number(text);
}
