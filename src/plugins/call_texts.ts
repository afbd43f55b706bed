// A system call as plugins in TypeScript are shown it: an event at hand and the names of fields
// come in; JSON of its type, number, arguments and those fields goes out, behind a header as plugin
// events have it, so that both are asked in one way.
import { type EventInfo, EVENTS } from "../events/table.ts";
import { PLUGIN_DATA_AT, PLUGIN_EVENT_AT } from "../events/plugin_block.ts";
import { type FieldOptions, FieldSet } from "../fields/field_set.ts";
import { asShown, shownValue, valueJson } from "../fields/render.ts";
import type { Bound } from "../fields/row/field.ts";
import type { Context } from "../state/contract/context.ts";

/** Where the data stands, from the event's header on. */
const DATA_AT = PLUGIN_DATA_AT - PLUGIN_EVENT_AT;
const TIME_BYTES = 8;

/** What is wrong with the names of fields that a plugin reads; undefined: nothing. */
export function readsMistake(
  { name, reads = [] }: { readonly name: string; readonly reads?: readonly string[] },
  fields: FieldSet,
): string | undefined {
  for (const text of reads) {
    const found = fields.resolve(text);
    if (!("error" in found)) continue;
    const hint = found.suggestion === undefined ? "" : `, did you mean ${found.suggestion}?`;
    return `Plugin '${name}' reads the field '${text}' of system calls: ${found.error}${hint}`;
  }
  return undefined;
}

export class CallTexts {
  readonly #fields: FieldSet;
  readonly #reads: readonly Bound[];
  /** By event code: its parameters. */
  readonly #args = new Map<number, readonly (readonly [name: string, bound: Bound])[]>();
  readonly #encoder = new TextEncoder();

  /** `reads`: sound names of saker's own fields. */
  constructor(reads: readonly string[], options: FieldOptions) {
    this.#fields = new FieldSet(options);
    this.#reads = reads.flatMap((text) => this.#boundOf(text));
  }

  /** Bytes as of an event; they hold for as long as whoever got them wants. */
  of(context: Context): Uint8Array {
    const { event } = context;
    const text = this.#encoder.encode(asShown(context, () => this.#json(context)));
    const bytes = new Uint8Array(DATA_AT + text.length);
    bytes.set(event.bytes.subarray(event.offset, event.offset + TIME_BYTES));
    bytes.set(text, DATA_AT);
    return bytes;
  }

  #json(context: Context): string {
    const { code, num } = context.event;
    const show = (bound: Bound) => valueJson(bound, shownValue(bound, context));
    const args = this.#argsOf(code).map(([name, bound]) => [name, show(bound)]);
    const fields = this.#reads.map((bound) => [bound.text, show(bound)]);
    return JSON.stringify({
      type: EVENTS[code]!.name,
      num,
      args: Object.fromEntries(args),
      fields: Object.fromEntries(fields),
    }, plainNumber);
  }

  #argsOf(code: number): readonly (readonly [string, Bound])[] {
    const made = this.#args.get(code) ?? this.#boundArgs(EVENTS[code]!);
    this.#args.set(code, made);
    return made;
  }

  #boundArgs({ params }: EventInfo): readonly (readonly [string, Bound])[] {
    return params.flatMap(({ name }) =>
      this.#boundOf(`evt.arg.${name}`).map((bound) => [name, bound] as const)
    );
  }

  #boundOf(text: string): Bound[] {
    const found = this.#fields.resolve(text);
    return "error" in found ? [] : [found.bound];
  }
}

/** Numbers that JSON's readers would round are texts. */
function plainNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
