// Many texts looked for at the start, or at the end, of one text at once: a hash runs along the
// subject, and only where a filter knows it for that length are texts compared whole.

const FILTER_BITS = 1 << 14;

interface Entry {
  readonly text: string;
  readonly ids: number[];
}

export class PrefixIndex {
  /** Looked for at the end instead. */
  readonly #backwards: boolean;
  readonly #filter = new Uint8Array(FILTER_BITS / 8);
  readonly #byHash = new Map<number, Entry[]>();
  readonly #empty: number[] = [];
  #longest = 0;

  constructor(direction: "prefixes" | "suffixes") {
    this.#backwards = direction === "suffixes";
  }

  add(text: string, id: number): void {
    if (text === "") {
      this.#empty.push(id);
      return;
    }
    let hash = 0;
    for (let at = 0; at < text.length; at++) hash = this.#step(hash, text, at);
    const known = this.#byHash.get(hash);
    const entry = known?.find((other) => other.text === text);
    if (entry !== undefined) entry.ids.push(id);
    else if (known !== undefined) known.push({ text, ids: [id] });
    else this.#byHash.set(hash, [{ text, ids: [id] }]);
    this.#filter[hash >>> 21]! |= 1 << ((hash >>> 18) & 7);
    this.#longest = Math.max(this.#longest, text.length);
  }

  /** Adds the ids of the texts that the subject starts (or ends) with. */
  find(subject: string, found: Set<number>): void {
    for (const id of this.#empty) found.add(id);
    const filter = this.#filter;
    const length = Math.min(subject.length, this.#longest);
    let hash = 0;
    for (let at = 0; at < length; at++) {
      hash = this.#step(hash, subject, at);
      if ((filter[hash >>> 21]! & (1 << ((hash >>> 18) & 7))) === 0) continue;
      this.#collect(hash, subject, at + 1, found);
    }
  }

  #collect(hash: number, subject: string, length: number, found: Set<number>): void {
    for (const { text, ids } of this.#byHash.get(hash) ?? []) {
      if (text.length !== length) continue;
      if (!(this.#backwards ? subject.endsWith(text) : subject.startsWith(text))) continue;
      for (const id of ids) found.add(id);
    }
  }

  #step(hash: number, text: string, at: number): number {
    const unit = text.charCodeAt(this.#backwards ? text.length - 1 - at : at);
    return Math.imul(hash ^ unit, 0x9e3779b1) + 0x7f4a7c15 | 0;
  }
}
