// Many texts looked for in one text at once: each is known by three characters in a row of it, a
// walk over the subject finds those that occur, and only their texts are compared whole.

/** Bits of the filter that says whether three characters begin anything. */
const FILTER_BITS = 1 << 14;

export class SearchIndex {
  readonly #filter = new Uint8Array(FILTER_BITS / 8);
  readonly #byKey = new Map<number, { readonly text: string; readonly ids: number[] }[]>();
  /** Texts too short to have three characters. */
  readonly #short = new Map<string, number[]>();
  readonly #entries = new Map<string, { readonly text: string; readonly ids: number[] }>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0 && this.#short.size === 0;
  }

  add(text: string, id: number): void {
    if (text.length < 3) {
      const known = this.#short.get(text);
      if (known === undefined) this.#short.set(text, [id]);
      else known.push(id);
      return;
    }
    const known = this.#entries.get(text);
    if (known !== undefined) {
      known.ids.push(id);
      return;
    }
    const entry = { text, ids: [id] };
    this.#entries.set(text, entry);
    const key = keyAt(text, middle(text));
    this.#filter[hashOf(key) >> 3]! |= 1 << (hashOf(key) & 7);
    const others = this.#byKey.get(key);
    if (others === undefined) this.#byKey.set(key, [entry]);
    else others.push(entry);
  }

  /** Adds the ids of the texts that occur in the subject. */
  find(subject: string, found: Set<number>): void {
    for (const [text, ids] of this.#short) {
      if (subject.includes(text)) { for (const id of ids) found.add(id); }
    }
    if (this.#byKey.size === 0) return;
    const filter = this.#filter;
    const last = subject.length - 3;
    for (let at = 0; at <= last; at++) {
      const key = keyAt(subject, at);
      const hash = hashOf(key);
      if ((filter[hash >> 3]! & (1 << (hash & 7))) === 0) continue;
      for (const { text, ids } of this.#byKey.get(key) ?? []) {
        if (subject.startsWith(text, at - middle(text))) { for (const id of ids) found.add(id); }
      }
    }
  }
}

/** The middle of a text tells more than its start, which paths and options share. */
function middle(text: string): number {
  return (text.length - 3) >> 1;
}

/** Three characters as 24 bits; others may have the same, texts are compared whole in any case. */
function keyAt(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xff) | (text.charCodeAt(at + 1) & 0xff) << 8 |
    (text.charCodeAt(at + 2) & 0xff) << 16;
}

function hashOf(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> 18;
}
