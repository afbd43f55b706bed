// Whose ancestors a field shows, and what it shows of them: those that the kernel tells, as Falco,
// or those that the process was born with.
import type { Context } from "../../state/contract/context.ts";
import type { Machine } from "../../state/contract/machine.ts";
import { MISSING } from "../../state/tables/strings.ts";
import { type Birth, type Thread, UNCOUNTED } from "../../state/tables/thread.ts";
import { commandLine, joinShort } from "../text/arguments_text.ts";
import type { Field, FieldFlag, Value } from "../row/field.ts";
import { ofThread, shownId } from "./proc.ts";
import { indexArgument, withArgument } from "../row/row.ts";

/** What is known of an ancestor, which may have ended. */
export type Ancestor = Thread | Birth;

export interface Kin {
  /** From the nearest on. */
  all(thread: Thread, context: Context): Ancestor[];
  /** The ancestor at a level, 0 the process itself; undefined where none is known there. */
  at(thread: Thread, level: number, context: Context): Ancestor | undefined;
}

/** More ancestors are not walked: a chain so long is a loop or an attack. */
export const LEVELS_MAX = 1024;

/** The ancestors that the kernel tells. */
export const KERNEL: Kin = {
  all(thread, { machine }) {
    const list: Thread[] = [];
    forEachAncestor(machine, thread, (ancestor) => list.push(ancestor) > 0);
    return list;
  },
  at: (thread, level, { machine }) => machine.ancestorOf(thread, level),
};

/** Those that the process was born with. */
export const BIRTH: Kin = {
  all(thread, context) {
    const found: Ancestor[] = [];
    let at = birthOf(thread, context)?.maker;
    for (; at !== undefined && found.length < LEVELS_MAX; at = at.maker) found.push(asItIs(at));
    return found;
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

export function birthOf(thread: Thread, { machine }: Context): Birth | undefined {
  return machine.mainOf(thread)?.birth;
}

/** An ancestor as it is, or was. */
export function asItIs(birth: Birth): Ancestor {
  return birth.thread ?? birth;
}

/** Its command line; nothing where there was no room for its arguments. */
export function ancestorLine(ancestor: Ancestor, { machine }: Context): string | undefined {
  return "hasArgs" in ancestor && !ancestor.hasArgs ? undefined : commandLine(machine, ancestor);
}

/** The same for outputs: of a long one both ends. */
export function shortLine(ancestor: Ancestor, { machine }: Context): string | undefined {
  return "hasArgs" in ancestor && !ancestor.hasArgs
    ? undefined
    : commandLine(machine, ancestor, joinShort);
}

/** Reads an interned string of an ancestor. */
export function textIn(read: (ancestor: Ancestor) => number) {
  return (ancestor: Ancestor, { machine }: Context) => machine.strings.text(read(ancestor));
}

/** Calls `visit` with each ancestor from the parent on, until it returns false. */
export function forEachAncestor(
  machine: Machine,
  thread: Thread,
  visit: (ancestor: Thread) => boolean,
): void {
  let at = machine.threads.get((machine.mainOf(thread) ?? thread).ptid);
  for (let level = 0; at !== undefined && at.tid !== -1 && level < LEVELS_MAX; level++) {
    if (!visit(at)) return;
    const next = machine.threads.get(at.ptid);
    if (next === undefined || next === at || next.tid === next.ptid) return;
    at = next;
  }
}

/** Reads of ancestor N; a condition without an index asks all of them. */
export function ancestorText(
  name: string,
  description: string,
  kin: Kin,
  read: (ancestor: Ancestor, context: Context) => string | undefined,
  readId?: (ancestor: Ancestor) => number,
  readShort = read,
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
          kin.all(thread, context).map((ancestor) => read(ancestor, context) ?? "")
        ),
        show: ofThread((thread, context) =>
          joined(kin.all(thread, context).map((ancestor) => readShort(ancestor, context) ?? ""))
        ),
      };
    }
    const level = indexArgument(argument);
    if (level === undefined) return { error: notALevel(argument) };
    const extract = ofThread((thread, context) => {
      const ancestor = kin.at(thread, level, context);
      return ancestor && read(ancestor, context);
    });
    if (readId === undefined) {
      return {
        extract,
        show: ofThread((thread, context) => {
          const ancestor = kin.at(thread, level, context);
          return ancestor && readShort(ancestor, context);
        }),
      };
    }
    return {
      extract,
      extractId: (context) => {
        const ancestor = context.thread && kin.at(context.thread, level, context);
        return ancestor === undefined ? MISSING : readId(ancestor);
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
        extract: ofThread((thread, context) => kin.all(thread, context).map(({ pid }) => pid)),
        show: idAt(0),
      };
    }
    const level = indexArgument(argument);
    return level === undefined ? { error: notALevel(argument) } : { extract: idAt(level) };
  });
}
