// Whose ancestors a field shows, and what it shows of them: those that the kernel tells, as Falco,
// or those that the process was born with.
import type { Context } from "../../state/contract/context.ts";
import type { Machine } from "../../state/contract/machine.ts";
import { EMPTY, MISSING } from "../../state/tables/strings.ts";
import { type Birth, type Thread, UNCOUNTED } from "../../state/tables/thread.ts";
import { commandLine, joinShort } from "../text/arguments_text.ts";
import type { Elements, Field, FieldFlag, Origin, Value } from "../row/field.ts";
import { ofThread, shownId } from "./proc.ts";
import { indexArgument, withArgument } from "../row/row.ts";

/** What is known of an ancestor, which may have ended. */
export type Ancestor = Thread | Birth;

export interface Kin {
  /** The nearest. */
  first(thread: Thread, context: Context): Ancestor | undefined;
  /** The one above an ancestor. */
  above(ancestor: Ancestor, context: Context): Ancestor | undefined;
  /** The ancestor at a level, 0 the process itself; undefined where none is known there. */
  at(thread: Thread, level: number, context: Context): Ancestor | undefined;
}

/** More ancestors are not walked: a chain so long is a loop or an attack. */
export const LEVELS_MAX = 1024;

/** The ancestors that the kernel tells. */
export const KERNEL: Kin = {
  first: (thread, { machine }) => firstAbove(machine, thread),
  above: (ancestor, { machine }) => nextAbove(machine, ancestor as Thread),
  at: (thread, level, { machine }) => machine.ancestorOf(thread, level),
};

/** Those that the process was born with. */
export const BIRTH: Kin = {
  first(thread, context) {
    const maker = birthOf(thread, context)?.maker;
    return maker && asItIs(maker);
  },
  above(ancestor) {
    const birth = "tid" in ancestor ? ancestor.birth : ancestor;
    return birth?.maker && asItIs(birth.maker);
  },
  at(thread, level, context) {
    if (level === 0) return context.machine.mainOf(thread);
    let at = birthOf(thread, context);
    for (let above = 0; at !== undefined && above <= level; at = at.maker) {
      if (above === level) return asItIs(at);
      if (at.between === UNCOUNTED) return undefined;
      above += 1 + at.between;
    }
    return undefined;
  },
};

/** All ancestors, from the nearest on. */
export function ancestorsOf(kin: Kin, thread: Thread, context: Context): Ancestor[] {
  const list: Ancestor[] = [];
  let at = kin.first(thread, context);
  for (; at !== undefined && list.length < LEVELS_MAX; at = kin.above(at, context)) list.push(at);
  return list;
}

export function birthOf(thread: Thread, { machine }: Context): Birth | undefined {
  return machine.mainOf(thread)?.birth;
}

/** An ancestor as it is, or was. */
export function asItIs(birth: Birth): Ancestor {
  return birth.thread ?? birth;
}

/** A text of an ancestor, and what it is made of. */
export interface AncestorText {
  read(ancestor: Ancestor, context: Context): string | undefined;
  /** The same for outputs. */
  short(ancestor: Ancestor, context: Context): string | undefined;
  /** A string, and bytes besides where it is made of both. */
  id(ancestor: Ancestor): number;
  readonly bytes?: (ancestor: Ancestor) => Uint8Array | undefined;
}

/** An interned string of an ancestor. */
export function stringOf(id: (ancestor: Ancestor) => number): AncestorText {
  const read = (ancestor: Ancestor, { machine }: Context) => machine.strings.text(id(ancestor));
  return { read, short: read, id };
}

/** Its command line; nothing where there was no room for its arguments. In outputs both ends of a
 * long one. */
export const LINE: AncestorText & Required<Pick<AncestorText, "bytes">> = {
  read: (ancestor, { machine }) => hasArgs(ancestor) ? commandLine(machine, ancestor) : undefined,
  short: (ancestor, { machine }) =>
    hasArgs(ancestor) ? commandLine(machine, ancestor, joinShort) : undefined,
  id: (ancestor) => hasArgs(ancestor) ? ancestor.comm : EMPTY,
  bytes: (ancestor) => hasArgs(ancestor) ? ancestor.args : undefined,
};

function hasArgs(ancestor: Ancestor): boolean {
  return "tid" in ancestor || ancestor.hasArgs;
}

/** What the command line of the ancestor at a level is made of. */
export function lineOrigin(kin: Kin, level: number): Origin {
  const at = (context: Context) => context.thread && kin.at(context.thread, level, context);
  return {
    bytes(context) {
      const ancestor = at(context);
      return ancestor && LINE.bytes(ancestor);
    },
    id(context) {
      const ancestor = at(context);
      return ancestor === undefined ? EMPTY : LINE.id(ancestor);
    },
  };
}

function firstAbove(machine: Machine, thread: Thread): Thread | undefined {
  const first = parentIn(machine, machine.mainOf(thread) ?? thread);
  return first?.tid === -1 ? undefined : first;
}

function nextAbove(machine: Machine, at: Thread): Thread | undefined {
  const next = parentIn(machine, at);
  if (next === undefined || next === at || next.tid === next.ptid) return undefined;
  return next.tid === -1 ? undefined : next;
}

/** Who has it among its children need not be looked up. */
function parentIn(machine: Machine, { parent, ptid }: Thread): Thread | undefined {
  return parent?.tid === ptid ? parent : machine.threads.get(ptid);
}

/** A text of all ancestors, one after the other. */
class TextsOfAncestors implements Elements {
  readonly #kin: Kin;
  readonly #text: AncestorText;
  #context!: Context;
  #at: Ancestor | undefined;
  #level = 0;

  constructor(kin: Kin, text: AncestorText) {
    this.#kin = kin;
    this.#text = text;
  }

  begin(context: Context): boolean {
    this.#context = context;
    this.#at = undefined;
    this.#level = 0;
    return context.thread !== undefined;
  }

  next(): boolean {
    const context = this.#context;
    if (this.#level++ >= LEVELS_MAX) return false;
    this.#at = this.#at === undefined
      ? this.#kin.first(context.thread!, context)
      : this.#kin.above(this.#at, context);
    return this.#at !== undefined;
  }

  bytes(): Uint8Array | undefined {
    return this.#text.bytes?.(this.#at!);
  }

  id(): number {
    return this.#text.id(this.#at!);
  }

  value(): Value {
    return this.#text.read(this.#at!, this.#context) ?? "";
  }
}

/** Reads of ancestor N; a condition without an index asks all of them. */
export function ancestorText(
  name: string,
  description: string,
  kin: Kin,
  text: AncestorText,
): Field {
  const row = {
    name,
    type: "CHARBUF" as const,
    flags: flagsOf(name),
    description,
    domain: "thread" as const,
  };
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    if (argument === undefined) {
      return {
        anyOf: true,
        extract: ofThread((thread, context) =>
          ancestorsOf(kin, thread, context).map((ancestor) => text.read(ancestor, context) ?? "")
        ),
        show: ofThread((thread, context) =>
          joined(
            ancestorsOf(kin, thread, context).map((ancestor) =>
              text.short(ancestor, context) ?? ""
            ),
          )
        ),
        elements: new TextsOfAncestors(kin, text),
      };
    }
    const level = indexArgument(argument);
    if (level === undefined) return { error: notALevel(argument) };
    const extract = ofThread((thread, context) => {
      const ancestor = kin.at(thread, level, context);
      return ancestor && text.read(ancestor, context);
    });
    if (text.bytes !== undefined) {
      return {
        extract,
        show: ofThread((thread, context) => {
          const ancestor = kin.at(thread, level, context);
          return ancestor && text.short(ancestor, context);
        }),
        origin: lineOrigin(kin, level),
      };
    }
    return {
      extract,
      extractId: (context) => {
        const ancestor = context.thread && kin.at(context.thread, level, context);
        return ancestor === undefined ? MISSING : text.id(ancestor);
      },
    };
  });
}

export function notALevel(argument: string): string {
  return `"${argument}" is not the number of an ancestor, such as 1 for the parent`;
}

/** Texts in one, blanks between those that are not empty; nothing for an empty one. */
export function joined(texts: readonly string[]): Value {
  const text = texts.reduce((all, next) => all === "" ? next : `${all} ${next}`, "");
  return text === "" ? undefined : text;
}

/** Falco's fields of ancestors are not transformed; ours are, one at a time. */
function flagsOf(name: string): FieldFlag[] {
  return name.startsWith("proc.birth.") ? ["no_rhs"] : ["no_rhs", "no_transformer"];
}

/** An id of ancestor N; a condition without an index asks all of them. */
export function ancestorId(name: string, description: string, kin: Kin): Field {
  const row = {
    name,
    type: "INT64" as const,
    format: "ID" as const,
    flags: flagsOf(name),
    description,
    domain: "thread" as const,
  };
  const idAt = (level: number) =>
    ofThread((thread, context) => {
      const ancestor = kin.at(thread, level, context);
      return ancestor && shownId(ancestor.pid);
    });
  return withArgument("process", row, { required: false, kinds: [] }, (argument) => {
    if (argument === undefined) {
      return {
        anyOf: true,
        extract: ofThread((thread, context) =>
          ancestorsOf(kin, thread, context).map(({ pid }) => pid)
        ),
        show: idAt(0),
      };
    }
    const level = indexArgument(argument);
    return level === undefined ? { error: notALevel(argument) } : { extract: idAt(level) };
  });
}
