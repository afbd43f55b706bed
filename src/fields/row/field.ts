// What a field is: one row serves `--list`, checking, compiling and formatting.
import type { ParamFormat, ParamType } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";

/** A field's value; undefined: the event has none (`null` in JSON, `<NA>` in text). */
export type Value = string | number | bigint | boolean | Uint8Array | readonly Value[] | undefined;

/** What an event's code says of a value that it does not decide. */
export const UNDECIDED = Symbol("undecided");

/** What a value depends on, so that rules can keep what they learnt of it. */
export type Domain =
  /** The thread and its ancestors, users and containers: holds while `thread.version` and
   * `machine.lineage` do, but for the program under views that have other names of it
   * (showsOwnProgram), of which nothing is kept. */
  | "thread"
  /** `context.fdName` and the kind of `context.fd` alone. */
  | "name"
  /** Anything else: this event only. */
  | "event";

export type FieldFlag =
  /** Compares both ends of a connection (`fd.ip` …): the value is a list of one or two. */
  | "both_ends"
  | "filter_only"
  /** Not on the right of a comparison. */
  | "no_rhs"
  | "no_transformer"
  | "deprecated"
  /** Not shown by `--list`. */
  | "hidden"
  /** A plugin gives it: its lists are written as Falco writes those. */
  | "of_plugin"
  /** A plugin that is shown system calls gives it: it may depend on all that differs by view. */
  | "shows_call"
  | "print_only"
  /** Added to outputs under `suggested_output`. */
  | "suggested";

export interface Field {
  readonly name: string;
  readonly type: ParamType;
  readonly isList: boolean;
  readonly format: ParamFormat;
  readonly argument:
    | {
      readonly required: boolean;
      readonly kinds: readonly ("INDEX" | "KEY")[];
      /** Where the argument follows after a dot (`evt.arg.flags`) instead of in brackets: how many
       * characters of the text behind that dot it takes, 0 for none. */
      readonly afterDot?: (rest: string) => number;
    }
    | null;
  readonly flags: ReadonlySet<FieldFlag>;
  /** Class as `--list` groups them: evt, process, thread, user, group, fd, … */
  readonly fieldClass: string;
  readonly description: string;
  readonly domain: Domain;
  /**
   * Turns the argument's text into a function that reads the value, or says what is wrong with
   * it. `undefined` where no argument was given.
   */
  bind(argument: string | undefined): Bound | { readonly error: string };
}

/** All that a value is made of: of the same array and the same string, it is the same value. */
export interface Origin {
  bytes(context: Context): Uint8Array | undefined;
  /** A string's id; a constant where there is none. */
  id(context: Context): number;
}

/** The values of a list one after the other, by what each is made of: none is made for that. */
export interface Elements {
  /** Goes before the first one; false where there is no list. */
  begin(context: Context): boolean;
  /** Goes to the next one; false behind the last. */
  next(): boolean;
  /** What the present one is made of besides a string; undefined: of nothing else. */
  bytes(): Uint8Array | undefined;
  /** The string's id. */
  id(): number;
  /** The present one itself. */
  value(): Value;
}

/** A field with its argument, ready to be read. */
export interface Bound {
  /** As written, such as `proc.aname[2]` or `evt.arg.flags`. */
  readonly text: string;
  readonly field: Field;
  /** The field's type, or the parameter's for `evt.rawarg.*`. */
  readonly type: ParamType;
  readonly format: ParamFormat;
  readonly isList: boolean;
  readonly domain: Domain;
  /** An unindexed ancestor field: `extract` gives a list, and a condition is true when it is true
   * for any of it. */
  readonly anyOf: boolean;
  /** What conditions compare. */
  extract(context: Context): Value;
  /**
   * Where the value is a string of the machine's table: its id, MISSING for none. Compiled
   * rules prefer it, since what is known of an id is looked up, not computed.
   */
  readonly extractId?: (context: Context) => number;
  /** Of values that take long to make: rules look up what they know of the origin. */
  readonly origin?: Origin;
  /** Of lists with `anyOf`: rules look up what they know of each element. */
  readonly elements?: Elements;
  /** Where the value is the parent's, as the kernel tells of parents: the same of the context's own
   * thread. */
  readonly ofItself?: (context: Context) => Value;
  /** The value where an event's code alone decides it, such as that there is none. */
  readonly ofCode?: (code: number) => Value | typeof UNDECIDED;
  /** What outputs show, where that differs from `extract`; use `shownValue` of render.ts. */
  readonly show?: (context: Context) => Value;
}

/** Classes that Falco has from plugins, and saker of its own. */
const PLUGIN_CLASSES: ReadonlySet<string> = new Set(["ka", "json", "jevt"]);

/** Whether Falco has the field from a plugin: refused in words of their own, its lists written in a
 * way of their own. */
export function isOfPlugin({ fieldClass, flags }: Field): boolean {
  return PLUGIN_CLASSES.has(fieldClass) || flags.has("of_plugin");
}
