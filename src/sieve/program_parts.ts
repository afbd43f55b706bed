// What is left of parts of rules once a thread's program and container are known. Most parts ask
// for the program first, so that of most programs hardly any is left, and a thread is asked for
// its arguments, environment and user for those alone. In: a thread and all parts; out: the bits
// that hold of it for certain, and the parts that are still to be asked.
import { and, constant, type Formula, or } from "./formula.ts";
import type { Thread } from "../state/tables/thread.ts";

/** A part, and where its bit stands in the two words of facts. */
export interface PlacedPart {
  readonly formula: Formula;
  readonly word: number;
  readonly mask: number;
}

/** What is left of all parts. */
export interface PartsLeft {
  /** Bits that hold whatever else is asked. */
  readonly facts: readonly [low: number, high: number];
  readonly parts: readonly PlacedPart[];
}

/** Whether an atom holds, by its place; undefined: program and container do not decide it. */
export type Decided = (place: number) => boolean | undefined;

interface Entry extends PartsLeft {
  readonly comm: number;
  readonly exe: number;
  readonly exepath: number;
  readonly containerId: number;
}

/** Programs that are remembered; a power of two. A newer one takes an older one's place. */
const PROGRAMS = 1 << 8;

export class ProgramParts {
  readonly #entries: (Entry | undefined)[] = new Array(PROGRAMS).fill(undefined);

  /** What is left of the parts of a thread; undefined: it must be found first. */
  of({ comm, exe, exepath, containerId }: Thread): PartsLeft | undefined {
    const entry = this.#entries[placeOf(comm, exe, exepath)];
    return entry !== undefined && entry.comm === comm && entry.exe === exe &&
        entry.exepath === exepath && entry.containerId === containerId
      ? entry
      : undefined;
  }

  /** Finds and remembers it. */
  learn(thread: Thread, all: readonly PlacedPart[], decided: Decided): PartsLeft {
    const { comm, exe, exepath, containerId } = thread;
    const facts: [number, number] = [0, 0];
    const parts: PlacedPart[] = [];
    for (const { formula: whole, word, mask } of all) {
      const formula = leftOf(whole, decided);
      if (formula.kind === "true") facts[word] = facts[word]! | mask;
      else if (formula.kind !== "false") parts.push({ formula, word, mask });
    }
    const entry = { comm, exe, exepath, containerId, facts, parts };
    return this.#entries[placeOf(comm, exe, exepath)] = entry;
  }

  /** The ids stand for other strings, or the parts are others. */
  forget(): void {
    this.#entries.fill(undefined);
  }
}

/** The formula with what is decided put in. */
function leftOf(formula: Formula, decided: Decided): Formula {
  switch (formula.kind) {
    case "thread": {
      const holds = decided(formula.place);
      return holds === undefined ? formula : constant(holds !== formula.negated);
    }
    case "and":
      return and(formula.parts.map((part) => leftOf(part, decided)));
    case "or":
      return or(formula.parts.map((part) => leftOf(part, decided)));
    default:
      return formula;
  }
}

function placeOf(comm: number, exe: number, exepath: number): number {
  const hash = Math.imul(comm, 0x9e3779b1) ^ Math.imul(exe, 0x85ebca6b) ^ exepath;
  return (hash ^ hash >>> 15) & (PROGRAMS - 1);
}
