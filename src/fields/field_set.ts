// All fields, and how a field's text in a rule becomes something that can be read.
import type { Zone } from "./text/times.ts";
import { containerFields } from "./rows/container.ts";
import { clusterFields } from "./rows/k8smeta.ts";
import { argumentFields } from "./rows/evt_args.ts";
import { eventFields } from "./rows/evt.ts";
import { openFields } from "./rows/evt_open.ts";
import { commonEventFields, eventTimeFields, type SourceGiver } from "./rows/evt_time.ts";
import { fdEndFields } from "./rows/fd_ends.ts";
import { fdFields } from "./rows/fd_fields.ts";
import { fdListFields } from "./rows/fd_list.ts";
import { type Bound, type Field, isOfPlugin } from "./row/field.ts";
import { fsPathFields } from "./rows/fs_path.ts";
import { hashField } from "./rows/hash.ts";
import { LeftOver } from "./text/left_over.ts";
import type { BufferFormat } from "./text/params.ts";
import { processFields } from "./rows/proc.ts";
import { birthFields } from "./rows/proc_birth.ts";
import { lineageFields } from "./rows/proc_lineage.ts";
import { field, fields } from "./row/row.ts";
import { threadFields } from "./rows/thread_fields.ts";
import { userFields } from "./rows/user.ts";
import { viewFields } from "./rows/view_fields.ts";
import { nearest } from "../words/nearest.ts";

export interface FieldOptions {
  /** Time zone of the clock fields (`evt.time` …). */
  readonly zone: Zone;
  /** How byte buffers are written: the setting `buffer_format_base64`. */
  readonly bufferFormat: BufferFormat;
  /** `static.NAME` fields: the setting `static_fields`. */
  readonly staticFields: Readonly<Record<string, string>>;
  /** Whose ancestors Falco's fields of them show: the setting `engine.lineage`. */
  readonly lineage: "kernel" | "birth";
}

export const DEFAULT_OPTIONS: FieldOptions = {
  zone: "local",
  bufferFormat: "dots",
  staticFields: {},
  lineage: "kernel",
};

export type Resolved = { readonly bound: Bound; readonly end: number } | {
  readonly error: string;
  /** A known field that the text may have meant. */
  readonly suggestion?: string | undefined;
};

export class FieldSet {
  readonly options: FieldOptions;
  readonly #rows: (options: FieldOptions) => readonly Field[];
  #made:
    | { readonly fields: readonly Field[]; readonly byName: ReadonlyMap<string, Field> }
    | undefined;
  /** What unknown names may have meant. */
  readonly #meant = new Map<string, string | undefined>();

  /** `rows`: those of the source; default: of system calls. */
  constructor(options: Partial<FieldOptions> = {}, rows = syscallRows) {
    this.options = { ...DEFAULT_OPTIONS, ...options };
    this.#rows = rows;
  }

  /** In the order of `--list`: by class. */
  get fields(): readonly Field[] {
    return this.#all().fields;
  }

  /** Made when they are first asked for: most rules are of one source. */
  #all() {
    if (this.#made === undefined) {
      const fields = this.#rows(this.options);
      this.#made = { fields, byName: new Map(fields.map((field) => [field.name, field])) };
    }
    return this.#made;
  }

  /** The field of exactly that name, without an argument. */
  get(name: string): Field | undefined {
    return this.#all().byName.get(name);
  }

  /** The field that all of `text` names, its argument included (`proc.aname[2]`). */
  resolve(text: string): Resolved {
    const found = this.read(text, 0);
    if ("error" in found || found.end === text.length) return found;
    return this.#unknown(text);
  }

  /**
   * The field that `text` has at `start`: the longest known name, then its argument. `end` is the
   * offset behind it.
   */
  read(text: string, start: number): Resolved {
    const word = WORD.exec(text.slice(start, start + NAME_LENGTH_MAX))?.[0] ?? "";
    const { byName } = this.#all();
    let found: Field | undefined;
    for (let length = word.length; length > 0 && found === undefined; length--) {
      found = byName.get(word.slice(0, length));
    }
    if (found === undefined) return this.#unknown(word);
    return bindAt(found, text, start + found.name.length);
  }

  #suggestion(name: string): string | undefined {
    if (this.#meant.has(name)) return this.#meant.get(name);
    const found = nearest(name, this.#all().byName.keys());
    if (this.#meant.size < MEANT_MAX) this.#meant.set(name, found);
    return found;
  }

  #unknown(text: string): Resolved {
    const suggest = (name: string) => this.#suggestion(name);
    return {
      error: `unknown field "${text}"`,
      // Looked for when somebody asks: rules are full of texts that are tried as fields.
      get suggestion() {
        return suggest(text.replace(/\[.*$/s, ""));
      },
    };
  }
}

/** Fields of system calls. */
export function syscallRows({ zone, bufferFormat, staticFields, lineage }: FieldOptions): Field[] {
  const leftOver = new LeftOver();
  const rows = [
    ...eventTimeFields(zone),
    ...eventFields(leftOver),
    ...argumentFields(bufferFormat, leftOver),
    ...openFields(),
    ...processFields(),
    ...lineageFields(lineage),
    ...birthFields(),
    hashField(),
    ...threadFields(),
    ...userFields(),
    ...fdFields(),
    ...fdEndFields(),
    ...fsPathFields(),
    ...fdListFields(),
    counterField(),
    ...containerFields(),
    ...clusterFields(),
    ...staticRows(staticFields),
  ];
  return [...rows, ...viewFields(rows)];
}

/** What events of every source have, of one that is not of system calls. */
export function ofEverySource(
  { zone, staticFields }: FieldOptions,
  giver: SourceGiver,
): Field[] {
  return [...commonEventFields(zone, giver), ...staticRows(staticFields)];
}

/** Suggestions that are remembered. */
const MEANT_MAX = 1000;
const WORD = /^[A-Za-z_][A-Za-z0-9_.]*/;
const NAME_LENGTH_MAX = 256;

/** Reads the field's argument, which may begin at `at`. */
function bindAt(field: Field, text: string, at: number): Resolved {
  const { argument } = field;
  if (argument === null && text[at] === "[" && isOfPlugin(field)) {
    const given = text.slice(at + 1).replace(/\].*$/s, "");
    return {
      error: `${field.name} does not allow nor require an argument but one is provided: ${given}`,
    };
  }
  let given: string | undefined;
  let end = at;
  if (argument !== null && text[at] === "[") {
    const close = text.indexOf("]", at);
    if (close < 0) return { error: `"]" is missing after "${text.slice(at - field.name.length)}"` };
    given = text.slice(at + 1, close);
    end = close + 1;
  } else if (argument?.afterDot !== undefined && text[at] === ".") {
    const length = argument.afterDot(text.slice(at + 1));
    if (length > 0) {
      given = text.slice(at + 1, at + 1 + length);
      end = at + 1 + length;
    }
  }
  const bound = field.bind(given);
  if ("error" in bound) {
    if (given !== undefined || text[at] !== ".") return bound;
    const rest = WORD.exec(text.slice(at + 1))?.[0] ?? "";
    return { error: `unknown argument "${rest}" of ${field.name}` };
  }
  const written = text.slice(at - field.name.length, end);
  return { bound: bound.text === written ? bound : { ...bound, text: written }, end };
}

function counterField(): Field {
  const row = {
    name: "util.cnt",
    type: "UINT64" as const,
    format: "ID" as const,
    flags: ["hidden"] as const,
    description: "A number that rises each time it is looked at.",
  };
  return field("util", row, () => {
    let count = 0;
    return { extract: () => ++count, show: () => 1 };
  });
}

function staticRows(values: Readonly<Record<string, string>>): Field[] {
  return fields(
    "static",
    Object.entries(values).map(([name, value]) => ({
      name: `static.${name}`,
      type: "CHARBUF" as const,
      flags: ["suggested" as const],
      description: "A constant of the configuration.",
      domain: "thread" as const,
      extract: () => value,
    })),
  );
}
