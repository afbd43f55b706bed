// Atoms that the event's thread alone decides, and that hold of it until it executes a program:
// over captures the sieve is told of each thread which of them may hold and which may not. Two bits
// for an atom; a thread of which nothing is told has all.
import type { Context } from "../state/contract/context.ts";
import type { Atom } from "../rules/check/condition.ts";
import { MISSING } from "../state/tables/strings.ts";
import type { Thread } from "../state/tables/thread.ts";
import { type Formula, number } from "./formula.ts";

/** Only clones, executions and a new root set them (src/state/events/). */
const CONTAINER: ReadonlySet<string> = new Set(["container.id"]);
const FIELDS: ReadonlySet<string> = new Set([
  "proc.name",
  "proc.exe",
  "proc.exepath",
  ...CONTAINER,
]);
/** Bits of two words. */
const ATOMS_MAX = 32;
const ATOMS_OF_WORD = 16;
const ALL = 0xffff_ffff;
/** Programs whose answers are remembered; a power of two. A newer one takes an older one's
 * place. */
const MEMO_SIZE = 1 << 10;
/** Ids of what the fields show, then the two words. */
const MEMO_STRIDE = 6;

export class ThreadAtoms {
  /** Facts of the thread that was asked for last: two words. */
  readonly facts: Uint32Array = new Uint32Array(2);
  /** Most threads run a program that others run as well. */
  readonly #memo = new Int32Array(MEMO_SIZE * MEMO_STRIDE).fill(MISSING);
  #generation = 0;
  #atoms: Atom[] = [];
  #places = new Map<string, number>();

  /**
   * The formula of an atom, or of its contrary; undefined: the thread alone does not decide it, or
   * there is no bit left. `all`: of all that is known of threads, not only of their containers.
   */
  formulaOf(atom: Atom, negated: boolean, all: boolean): Formula | undefined {
    const { left, right, text } = atom;
    const fields = all ? FIELDS : CONTAINER;
    if (right !== undefined || left.bound === undefined || !fields.has(left.text)) return undefined;
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.#atoms.length;
      if (place === ATOMS_MAX) return undefined;
      this.#atoms.push(atom);
      this.#places.set(text, place);
    }
    const bit = BigInt(2 * place + (negated ? 1 : 0));
    return number({ kind: "any_bit", param: 0, form: "thread", value: 1n << bit });
  }

  /** Puts into `facts` what holds of the context's thread. */
  ask(context: Context): void {
    const { facts } = this;
    facts.fill(ALL);
    const { thread, machine } = context;
    // One that was made up is told more of by events that others make; and an event that tells of a
    // container stands before all threads.
    if (thread === undefined || thread.isInvalid || thread.isDead) return;
    if (machine.eventContainer !== undefined) return;
    const { generation } = machine.strings;
    if (this.#generation !== generation) this.#forget(generation);
    if (this.#recall(thread)) return;
    facts.fill(0);
    for (const [place, atom] of this.#atoms.entries()) {
      const holds = atom.test(atom.left.read((bound) => bound.extract(context)), undefined);
      const word = place < ATOMS_OF_WORD ? 0 : 1;
      const bit = 2 * (place % ATOMS_OF_WORD) + (holds ? 0 : 1);
      facts[word] = facts[word]! | 1 << bit;
    }
    // A container is looked for as long as none is known.
    if (thread.containerId !== MISSING) this.#remember(thread);
  }

  /** Fills `facts` as for another thread that shows the same; whether there was one. */
  #recall(thread: Thread): boolean {
    const memo = this.#memo;
    const at = placeOf(thread);
    if (
      memo[at] !== thread.comm || memo[at + 1] !== thread.exe ||
      memo[at + 2] !== thread.exepath || memo[at + 3] !== thread.containerId
    ) return false;
    this.facts[0] = memo[at + 4]!;
    this.facts[1] = memo[at + 5]!;
    return thread.containerId !== MISSING;
  }

  #remember(thread: Thread): void {
    const memo = this.#memo;
    const at = placeOf(thread);
    memo[at] = thread.comm;
    memo[at + 1] = thread.exe;
    memo[at + 2] = thread.exepath;
    memo[at + 3] = thread.containerId;
    memo[at + 4] = this.facts[0]!;
    memo[at + 5] = this.facts[1]!;
  }

  /** The ids stand for other strings, or the atoms are others. */
  #forget(generation: number): void {
    this.#memo.fill(MISSING);
    this.#generation = generation;
  }

  /** Other rules ask other things. */
  exchange(other: ThreadAtoms): void {
    this.#atoms = other.#atoms;
    this.#places = other.#places;
    this.#forget(this.#generation);
  }
}

function placeOf({ comm, exe, exepath }: Thread): number {
  const hash = Math.imul(comm, 0x9e3779b1) ^ Math.imul(exe, 0x85ebca6b) ^ exepath;
  return ((hash ^ hash >>> 15) & (MEMO_SIZE - 1)) * MEMO_STRIDE;
}
