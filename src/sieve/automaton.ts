// One automaton over the bytes of a name, from the patterns of all groups: a trie of literals with
// a way on for each byte (Aho and Corasick). What a prefix or a part says is noted on the way, what
// an end says where the name ends. Literals that are too many are cut, which keeps more.
import type { Pattern } from "./formula.ts";

/** Patterns that set one bit of the marks. */
export interface MarkedPatterns {
  readonly bit: number;
  readonly patterns: readonly Pattern[];
}

export interface Automaton {
  readonly states: number;
  readonly classes: number;
  /** A state's row begins at `state << shift`. */
  readonly shift: number;
  /** Marks that belong to the joined text, and to the raw one. */
  readonly joined: bigint;
  readonly raw: bigint;
  readonly class: Uint8Array;
  readonly marks: BigUint64Array;
  readonly ends: BigUint64Array;
  readonly next: Uint16Array;
  /** Whether literals were cut, so that marks may be there for other texts too. */
  readonly isCut: boolean;
}

/** As in probe-rs/src/sieve/names.rs. */
export const STATES_MAX = 1 << 14;
export const CELLS_MAX = 1 << 20;
export const IRREGULAR_BIT = 63;

/** What has to be folded before it is a path as fields show it. */
const IRREGULAR: readonly Omit<Pattern, "text">[] = [
  ...["//", "/./", "/../"].map((literal) => ({ kind: "contains", literal }) as const),
  ...["/", "/.", "/.."].map((literal) => ({ kind: "suffix", literal }) as const),
  ...["./", "../"].map((literal) => ({ kind: "prefix", literal }) as const),
  ...[".", ".."].map((literal) => ({ kind: "exact", literal }) as const),
];

/** Longest literals, tried one after the other. */
const CUTS = [255, 64, 40, 28, 20, 16, 12, 8, 6, 4];

/** The automaton; undefined where even short literals are too many. */
export function buildAutomaton(groups: readonly MarkedPatterns[]): Automaton | undefined {
  for (const longest of CUTS) {
    const trie = new Trie();
    if (trie.add(groups, longest)) {
      const built = trie.finish(groups, longest);
      if (built !== undefined) return built;
    }
  }
  return undefined;
}

class Trie {
  /** Children by byte; node 0 is the start of a name, node 1 the middle. */
  readonly #children: Map<number, number>[] = [new Map(), new Map()];
  readonly #marks: bigint[] = [0n, 0n];
  readonly #ends: bigint[] = [0n, 0n];
  #joined = 0n;
  #raw = 0n;

  /** Whether all patterns, cut to so many bytes, have room. */
  add(groups: readonly MarkedPatterns[], longest: number): boolean {
    for (const pattern of IRREGULAR) this.#put(pattern, 1n << BigInt(IRREGULAR_BIT));
    for (const { bit, patterns } of groups) {
      const mask = 1n << BigInt(bit);
      for (const pattern of patterns) {
        if (pattern.text === "joined") this.#joined |= mask;
        else this.#raw |= mask;
        this.#put(cut(pattern, longest), mask);
        if (this.#children.length > STATES_MAX) return false;
      }
    }
    return true;
  }

  #put({ kind, literal }: Omit<Pattern, "text">, mask: bigint): void {
    let node = kind === "exact" || kind === "prefix" ? 0 : 1;
    for (let at = 0; at < literal.length; at++) {
      const byte = literal.charCodeAt(at);
      let child = this.#children[node]!.get(byte);
      if (child === undefined) {
        child = this.#children.length;
        this.#children.push(new Map());
        this.#marks.push(0n);
        this.#ends.push(0n);
        this.#children[node]!.set(byte, child);
      }
      node = child;
    }
    const to = kind === "prefix" || kind === "contains" ? this.#marks : this.#ends;
    to[node] = to[node]! | mask;
  }

  finish(groups: readonly MarkedPatterns[], longest: number): Automaton | undefined {
    const states = this.#children.length;
    const { byteClass, classes } = this.#classes();
    const shift = Math.ceil(Math.log2(classes));
    if (states << shift > CELLS_MAX) return undefined;
    const width = 1 << shift;
    const next = new Uint16Array(states * width);
    const fail = this.#fails();
    for (const node of this.#inOrder()) {
      const row = node * width;
      // Where no literal goes on, it goes on as behind the longest beginning that ends here; the
      // start as the middle does.
      if (node === 1) next.fill(1, row, row + classes);
      else next.copyWithin(row, fail[node]! * width, fail[node]! * width + classes);
      for (const [byte, child] of this.#children[node]!) next[row + byteClass[byte]!] = child;
      next[row + classes - 1] = node;
      this.#marks[node] = this.#marks[node]! | this.#marks[fail[node]!]!;
      this.#ends[node] = this.#ends[node]! | this.#ends[fail[node]!]!;
    }
    return {
      states,
      classes,
      shift,
      joined: this.#joined,
      raw: this.#raw,
      class: byteClass,
      marks: BigUint64Array.from(this.#marks),
      ends: BigUint64Array.from(this.#ends),
      next,
      isCut: groups.some(({ patterns }) =>
        [...patterns].some(({ literal }) => literal.length > longest)
      ),
    };
  }

  /** Class 0 is that of bytes that no literal has, the last one NUL's. */
  #classes(): { byteClass: Uint8Array; classes: number } {
    const bytes = new Set<number>();
    for (const children of this.#children) for (const byte of children.keys()) bytes.add(byte);
    const byteClass = new Uint8Array(256);
    let classes = 1;
    for (const byte of [...bytes].sort((one, other) => one - other)) byteClass[byte] = classes++;
    byteClass[0] = classes;
    return { byteClass, classes: classes + 1 };
  }

  /** Nodes in the order of their depth: a node's fail is before it. */
  #inOrder(): number[] {
    const order = [1, 0];
    for (let at = 0; at < order.length; at++) order.push(...this.#children[order[at]!]!.values());
    return order;
  }

  /** By node: that of the longest text that ends it and is a literal's beginning. */
  #fails(): Int32Array {
    const fail = new Int32Array(this.#children.length).fill(1);
    for (const node of this.#inOrder()) {
      for (const [byte, child] of this.#children[node]!) {
        if (node === 1) continue;
        let back = fail[node]!;
        while (back !== 1 && !this.#children[back]!.has(byte)) back = fail[back]!;
        const found = this.#children[back]!.get(byte);
        fail[child] = found === undefined || found === child ? 1 : found;
      }
    }
    return fail;
  }
}

function cut({ kind, literal }: Pattern, longest: number): Omit<Pattern, "text"> {
  if (literal.length <= longest) return { kind, literal };
  if (kind === "suffix") return { kind, literal: literal.slice(-longest) };
  const start = literal.slice(0, longest);
  return { kind: kind === "exact" ? "prefix" : kind, literal: start };
}
