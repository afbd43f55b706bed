// Parts of rules that the event's thread alone decides, and that hold of it until it executes a
// program: over captures the sieve is told of each thread for which of them it may be. A part is
// what is left of a rule's condition where everything else may hold; a bit for each, or for several
// where there are more (shared_parts.ts), one of which always holds.
import type { Context } from "../state/contract/context.ts";
import type { Atom, Node, Operand } from "../rules/check/condition.ts";
import type { Bound, Value } from "../fields/row/field.ts";
import { MISSING } from "../state/tables/strings.ts";
import type { Thread } from "../state/tables/thread.ts";
import { EVERY_THREAD } from "./clauses.ts";
import { type Formula, TRUE } from "./formula.ts";
import { FormulaMaker } from "./need.ts";
import { type PartsLeft, type PlacedPart, ProgramParts } from "./program_parts.ts";
import { SharedParts } from "./shared_parts.ts";

/** Only clones, executions and a new root set them (src/state/events/). */
const FIELDS = ["proc.name", "proc.exe", "proc.exepath", "container.id"];
const OF_THREADS: ReadonlySet<string> = new Set(FIELDS);
/** What an execution's own event tells besides, or what is looked up by it: an execution's rules
 * are asked these of the thread that it makes (src/state/events/foreseen.ts). */
export const OF_EXECUTIONS: ReadonlySet<string> = new Set([
  ...FIELDS,
  "proc.args",
  "proc.cmdline",
  "proc.exeline",
  "proc.cmdnargs",
  "proc.cmdlenargs",
  "proc.env",
  "proc.is_exe_from_memfd",
  "proc.is_exe_upper_layer",
  "proc.is_exe_lower_layer",
  "proc.tty",
  "user.uid",
  "user.name",
  "group.gid",
  "group.name",
]);
/** Bits of two words, but the one that always holds: of one part each, then of many. */
const OWN_BITS = 55;
const SHARED_BITS = 8;
const PARTS_OF_WORD = 32;
const ALL = 0xffff_ffff;
const EVERY_THREAD_HIGH = Number(EVERY_THREAD >> 32n);
/** What is known of an atom. */
const UNTRIED = 0;
const HOLDS = 1;
const FAILS = 2;
/** Programs whose answers are remembered; a power of two. A newer one takes an older one's
 * place. */
const MEMO_SIZE = 1 << 10;
/** Ids of what the fields show, then the two words. */
const MEMO_STRIDE = 6;

export class ThreadParts {
  /** Facts of the thread that was asked for last: two words. */
  readonly facts: Uint32Array = new Uint32Array(2);
  /** Most threads run a program that others run as well. */
  readonly #memo = new Int32Array(MEMO_SIZE * MEMO_STRIDE).fill(MISSING);
  /** Whether events are kept back by these: of executions, else every process that executes is told
   * of, and to hold it back until then costs more than it brings. */
  decides = true;
  readonly #fields: ReadonlySet<string>;
  #generation = 0;
  /** Those with bits of their own. */
  #parts: PlacedPart[] = [];
  /** What is left of these of programs, where more than the program decides. */
  readonly #programs = new ProgramParts();
  #shared = new SharedParts();
  #bits = new Map<string, bigint>();
  #atoms: Atom[] = [];
  #places = new Map<string, number>();
  /** By atom: whether it holds of the thread that is asked for; the first atom of its field. */
  #known: number[] = [];
  #fieldOf: number[] = [];
  /** By the first atom of a field, what it shows of that thread. */
  #values: (Value | undefined)[] = [];
  #context: Context | undefined;
  /** Whether these are of the thread that is asked for. */
  #isBegun = false;

  readonly #maker: FormulaMaker;
  readonly #ofParents: FormulaMaker;

  /** `fields`: those that decide a part, which are remembered for others where these are a
   * thread's; `codes`: of which events alone it will be asked, where that is known; `ofParents`:
   * the same of events whose rules are asked of a parent. */
  constructor(
    fields: ReadonlySet<string> = OF_THREADS,
    codes: readonly number[] = [],
    ofParents: readonly number[] = [],
  ) {
    this.#fields = fields;
    this.#maker = new FormulaMaker(codes, (atom, negated) => {
      const { left, right } = atom;
      if (right !== undefined || left.bound === undefined || !fields.has(left.text)) return TRUE;
      return { kind: "thread", place: this.#placeOf(atom), negated };
    });
    this.#ofParents = new FormulaMaker(ofParents, (atom, negated) => {
      const itself = ofItself(atom);
      if (itself === undefined) return TRUE;
      return { kind: "thread", place: this.#placeOf(itself), negated };
    });
  }

  /** Whether a part asks for a field. */
  asks(field: string): boolean {
    return this.#atoms.some(({ left }) => left.text === field);
  }

  get #remembers(): boolean {
    return this.#fields === OF_THREADS;
  }

  /** The bit of a condition's part; 0 where no thread can satisfy it. */
  bitOf(node: Node): bigint {
    return this.#bitOf(this.#maker.of(node));
  }

  /** The bit of what the condition asks of the parent of an event's thread: it is one of that
   * parent's own. */
  bitOfParent(node: Node): bigint {
    return this.#bitOf(this.#ofParents.of(node));
  }

  #bitOf(part: Formula): bigint {
    if (part.kind === "true") return EVERY_THREAD;
    if (part.kind === "false") return 0n;
    const key = keyOf(part);
    const known = this.#bits.get(key);
    if (known !== undefined) return known;
    const bit = this.#parts.length < OWN_BITS ? this.#own(part) : this.#sharedBit(part);
    this.#bits.set(key, bit);
    return bit;
  }

  #own(part: Formula): bigint {
    const place = this.#parts.length;
    const word = place < PARTS_OF_WORD ? 0 : 1;
    this.#parts.push({ formula: part, word, mask: 1 << place % PARTS_OF_WORD });
    return 1n << BigInt(place);
  }

  #sharedBit(part: Formula): bigint {
    const bit = OWN_BITS + this.#bits.size % SHARED_BITS;
    return this.#shared.add(part, bit, this.#atoms) ? 1n << BigInt(bit) : EVERY_THREAD;
  }

  #placeOf(atom: Atom): number {
    let place = this.#places.get(atom.text);
    if (place === undefined) {
      place = this.#atoms.length;
      this.#atoms.push(atom);
      this.#known.push(UNTRIED);
      const { text } = atom.left;
      const same = this.#atoms.findIndex(({ left }) => left.text === text);
      this.#fieldOf.push(same);
      this.#values.push(undefined);
      this.#places.set(atom.text, place);
    }
    return place;
  }

  /** Puts into `facts` what holds of the context's thread. */
  ask(context: Context): void {
    const { facts } = this;
    facts[0] = facts[1] = ALL;
    const { thread, machine } = context;
    // One that was made up is told more of by events that others make; and an event that tells of a
    // container stands before all threads.
    if (thread === undefined || thread.isInvalid || thread.isDead) return;
    if (machine.eventContainer !== undefined) return;
    const { generation } = machine.strings;
    if (this.#generation !== generation) this.#forget(generation);
    if (this.#remembers && this.#recall(thread)) return;
    this.#context = context;
    this.#isBegun = false;
    const left = this.#leftOf(thread);
    facts[0] = left.facts[0];
    facts[1] = left.facts[1] | EVERY_THREAD_HIGH;
    for (const { formula, word, mask } of left.parts) {
      if (holds(formula, this.#atom)) facts[word] = facts[word]! | mask;
    }
    this.#shared.ask(facts, this.#read, this.#holds);
    // A container is looked for as long as none is known.
    if (this.#remembers && thread.containerId !== MISSING) this.#remember(thread);
  }

  /** What is still to be asked of the thread. */
  #leftOf(thread: Thread): PartsLeft {
    if (this.#remembers || thread.containerId === MISSING) {
      return { facts: [0, 0], parts: this.#parts };
    }
    return this.#programs.of(thread) ??
      this.#programs.learn(
        thread,
        this.#parts,
        (place) => OF_THREADS.has(this.#atoms[place]!.left.text) ? this.#atom(place) : undefined,
      );
  }

  /** Nothing is known yet of the thread that is asked for. */
  #begin(): void {
    this.#isBegun = true;
    this.#known.fill(UNTRIED);
    this.#values.fill(undefined);
  }

  /** Whether an atom holds of the thread that is asked for: each is tried when it is first asked
   * for, and each field read once, since most parts end with the program's name. */
  readonly #atom = (place: number): boolean => {
    if (!this.#isBegun) this.#begin();
    const before = this.#known[place]!;
    if (before !== UNTRIED) return before === HOLDS;
    const holds = this.#atoms[place]!.test(this.#read(place), undefined);
    this.#known[place] = holds ? HOLDS : FAILS;
    return holds;
  };

  readonly #holds = (part: Formula): boolean => holds(part, this.#atom);

  readonly #read = (place: number): Value => {
    if (!this.#isBegun) this.#begin();
    const field = this.#fieldOf[place]!;
    return this.#values[field] ??= this.#atoms[field]!.left.read(this.#extract);
  };

  readonly #extract = (bound: Bound) => bound.extract(this.#context!);

  /** Fills `facts` as for another thread that shows the same; whether there was one. */
  #recall(thread: Thread): boolean {
    const memo = this.#memo;
    const at = memoPlaceOf(thread);
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
    const at = memoPlaceOf(thread);
    memo[at] = thread.comm;
    memo[at + 1] = thread.exe;
    memo[at + 2] = thread.exepath;
    memo[at + 3] = thread.containerId;
    memo[at + 4] = this.facts[0]!;
    memo[at + 5] = this.facts[1]!;
  }

  /** The ids stand for other strings, or the parts are others. */
  #forget(generation: number): void {
    this.#memo.fill(MISSING);
    this.#programs.forget();
    this.#generation = generation;
  }

  /** Other rules ask other things. */
  exchange(other: ThreadParts): void {
    this.decides = other.decides;
    this.#parts = other.#parts;
    this.#shared = other.#shared;
    this.#bits = other.#bits;
    this.#atoms = other.#atoms;
    this.#places = other.#places;
    this.#known = other.#known;
    this.#fieldOf = other.#fieldOf;
    this.#values = other.#values;
    this.#forget(this.#generation);
  }
}

/** What an atom on the parent's name, program or path says of that parent itself. */
function ofItself(atom: Atom): Atom | undefined {
  const { left, right } = atom;
  const extract = left.bound?.ofItself;
  if (right !== undefined || left.bound === undefined || extract === undefined) return undefined;
  const { extractId: _, ...rest } = left.bound;
  const bound: Bound = { ...rest, extract };
  const read: Operand["read"] = (values) => values(bound);
  const text = `itself ${left.text}`;
  return {
    ...atom,
    text: `itself ${atom.text}`,
    left: { ...left, text, bound, fields: [bound], read },
  };
}

function keyOf(part: Formula): string {
  switch (part.kind) {
    case "thread":
      return `${part.negated ? "!" : ""}${part.place}`;
    case "and":
    case "or":
      return `(${part.parts.map(keyOf).join(part.kind === "and" ? "&" : "|")})`;
    default:
      return part.kind;
  }
}

/** Whether a part may hold; `atoms`: whether that of a place does. */
function holds(part: Formula, atoms: (place: number) => boolean): boolean {
  switch (part.kind) {
    case "thread":
      return atoms(part.place) !== part.negated;
    case "and":
    case "or": {
      const isAny = part.kind === "or";
      for (const one of part.parts) if (holds(one, atoms) === isAny) return isAny;
      return !isAny;
    }
    default:
      return part.kind !== "false";
  }
}

function memoPlaceOf({ comm, exe, exepath }: Thread): number {
  const hash = Math.imul(comm, 0x9e3779b1) ^ Math.imul(exe, 0x85ebca6b) ^ exepath;
  return ((hash ^ hash >>> 15) & (MEMO_SIZE - 1)) * MEMO_STRIDE;
}
