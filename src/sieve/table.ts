// The sieve's table as bytes, as probe-rs/src/sieve/table.rs reads them: guards by event code, then
// the automaton.
import { EVENTS } from "../events/table.ts";
import { buildAutomaton, IRREGULAR_BIT } from "./automaton.ts";
import { type Clause, CLAUSES_MAX, type Fact, type Group, TESTS_MAX } from "./clauses.ts";
import { type EventText, TEXTS_MAX } from "./event_texts.ts";

export const MAGIC = 0x5645_4953;
export const VERSION = 1;
export const HEAD_BYTES = 40;
export const GUARD_BYTES = 656;
export const CLAUSES_AT = 16 + 16 * TESTS_MAX;
export const CLAUSE_BYTES = 24;

export const enum Verdict {
  Drop = 0,
  Keep = 1,
  Ask = 2,
}

export const TEST_KINDS = [
  "none",
  "equal",
  "less",
  "greater",
  "any_bit",
  "present",
  "always",
  "among",
] as const;
export const FORMS = [
  "u8",
  "u16",
  "u32",
  "i32",
  "i64",
  "result",
  "descriptor",
  "protocol",
  "address",
  "port",
  "socket",
] as const;
export const TEXT_KINDS = ["none", "path", "descriptor"] as const;
/** `directory` of a text that starts from the working directory. */
export const CWD = 255;

/** What is asked of the events of one code. */
export interface Guard {
  readonly verdict: Verdict;
  /** One must hold; empty unless the verdict is to ask. */
  readonly clauses: readonly Clause[];
  readonly texts: readonly EventText[];
  /** What the event does to the tables (state_effects.ts). */
  readonly effect: number;
}

/** The bytes of a table. Names that have no room are not asked for. */
export function tableBytes(guards: readonly Guard[]): Uint8Array<ArrayBuffer> {
  const groups = new Groups();
  // A group that must not match needs a bit of its own; the others may share what is left.
  for (const { clauses } of guards) for (const { without } of clauses) groups.add(without, true);
  for (const { clauses } of guards) {
    for (const clause of clauses) clause.groups.forEach((group) => groups.add(group, false));
  }
  const built = buildAutomaton(groups.marked());
  const automaton = built ?? buildAutomaton([])!;
  const sizes = automaton.states * 16 + (automaton.next.length * 2);
  const bytes = new Uint8Array(HEAD_BYTES + EVENTS.length * GUARD_BYTES + 256 + sizes);
  const view = new DataView(bytes.buffer);
  const { states, classes, shift } = automaton;
  [MAGIC, VERSION, EVENTS.length, states, classes, shift].forEach((word, at) =>
    view.setUint32(at * 4, word, true)
  );
  view.setBigUint64(24, automaton.joined, true);
  view.setBigUint64(32, automaton.raw, true);
  for (const [code, guard] of guards.entries()) {
    const at = HEAD_BYTES + code * GUARD_BYTES;
    putGuard(view, at, guard, {
      marks: (clause) =>
        built === undefined
          ? 0n
          : clause.groups.reduce((bits, group) => bits | groups.mask(group, false), 0n),
      without: ({ without }) =>
        built === undefined || built.isCut ? 0n : groups.mask(without, true),
    });
  }
  let at = HEAD_BYTES + EVENTS.length * GUARD_BYTES;
  bytes.set(automaton.class, at);
  at += 256;
  for (const part of [automaton.marks, automaton.ends, automaton.next]) {
    bytes.set(new Uint8Array(part.buffer), at);
    at += part.byteLength;
  }
  return bytes;
}

/** For each event code and each clause that a guard may have, of which threads or parents of theirs
 * the clause is: two words, all bits where it has none. */
export function threadWords(
  guards: readonly Guard[],
  whose: "threads" | "parents",
): Uint32Array {
  const words = new Uint32Array(guards.length * CLAUSES_MAX * 2).fill(0xffff_ffff);
  for (const [code, { clauses }] of guards.entries()) {
    for (const [index, { [whose]: bits }] of clauses.entries()) {
      const at = (code * CLAUSES_MAX + index) * 2;
      words[at] = Number(bits & 0xffff_ffffn);
      words[at + 1] = Number(bits >> 32n);
    }
  }
  return words;
}

/** Groups that must not match, at the most; what is more is not asked for. */
const WITHOUT_MAX = 24;

/** Groups of patterns, and the bit of each; more than there are bits share them. */
class Groups {
  readonly #bits = new Map<string, number>();
  readonly #groups = new Map<string, Group>();
  readonly #keys = new Map<Group, string>();
  #own = 0;

  add(group: Group | undefined, own: boolean): void {
    if (group === undefined || group.size === 0) return;
    const key = this.#keyOf(group, own);
    if (this.#bits.has(key) || own && this.#own === WITHOUT_MAX) return;
    const shared = IRREGULAR_BIT - this.#own;
    const bit = own ? this.#own++ : this.#own + (this.#bits.size - this.#own) % shared;
    this.#bits.set(key, bit);
    this.#groups.set(key, group);
  }

  mask(group: Group | undefined, own: boolean): bigint {
    if (group === undefined || group.size === 0) return 0n;
    const bit = this.#bits.get(this.#keyOf(group, own));
    return bit === undefined ? 0n : 1n << BigInt(bit);
  }

  marked() {
    return [...this.#groups].map(([key, group]) => ({
      bit: this.#bits.get(key)!,
      patterns: [...group.values()],
    }));
  }

  #keyOf(group: Group, own: boolean): string {
    let key = this.#keys.get(group);
    if (key === undefined) {
      key = [...group.keys()].sort().join("\n");
      this.#keys.set(group, key);
    }
    return own ? `!${key}` : key;
  }
}

/** The bits of a clause's groups. */
interface Masks {
  readonly marks: (clause: Clause) => bigint;
  readonly without: (clause: Clause) => bigint;
}

function putGuard(
  view: DataView,
  at: number,
  { verdict, clauses, texts, effect }: Guard,
  masks: Masks,
): void {
  const facts = new Map<string, Fact>();
  for (const clause of clauses) for (const [key, fact] of clause.facts) facts.set(key, fact);
  const bits = new Map([...facts.keys()].map((key, bit) => [key, bit]));
  view.setUint8(at, verdict);
  view.setUint8(at + 2, clauses.length);
  view.setUint8(at + 3, effect);
  for (let index = 0; index < TEXTS_MAX; index++) {
    const text = texts[index];
    const place = at + 4 + index * 4;
    view.setUint8(place, text === undefined ? 0 : TEXT_KINDS.indexOf(text.kind));
    view.setUint8(place + 1, text?.param ?? 0);
    view.setUint8(place + 2, text?.directory ?? CWD);
  }
  let place = at + 16;
  for (const [key, { tests }] of facts) {
    for (const { test, inverted } of tests) {
      view.setUint8(place, TEST_KINDS.indexOf(test.kind));
      view.setUint8(place + 1, test.param);
      view.setUint8(place + 2, FORMS.indexOf(test.form));
      view.setUint8(place + 3, inverted ? 1 : 0);
      view.setUint8(place + 4, bits.get(key)!);
      view.setBigInt64(place + 8, test.value, true);
      place += 16;
    }
  }
  view.setUint8(at + 1, (place - at - 16) / 16);
  place = at + CLAUSES_AT;
  for (const clause of clauses) {
    let all = 0;
    for (const key of clause.facts.keys()) all |= 1 << bits.get(key)!;
    view.setUint32(place, all >>> 0, true);
    view.setBigUint64(place + 8, masks.marks(clause), true);
    view.setBigUint64(place + 16, masks.without(clause), true);
    place += CLAUSE_BYTES;
  }
}
