// Texts of short pieces of JSON: the same verbs, users and namespaces come again and again, so that
// what was made of some bytes is kept. Bytes come in, the text goes out.
import { rawText } from "../../words/raw_text.ts";

/** Longer ones are seldom the same. */
export const SHORT_BYTES_MAX = 64;
/** A power of two; of two pieces that meet in one place the later one stays. */
const PLACES = 1 << 12;

export class ShortTexts {
  readonly #texts: string[] = Array(PLACES).fill("");
  readonly #lengths = new Uint8Array(PLACES);
  readonly #bytes = new Uint8Array(PLACES * SHORT_BYTES_MAX);

  /** The text of at most SHORT_BYTES_MAX bytes. */
  of(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    let hash = length;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
    const place = hash & (PLACES - 1);
    const kept = this.#bytes;
    const from = place * SHORT_BYTES_MAX;
    if (this.#lengths[place] === length) {
      let same = 0;
      while (same < length && kept[from + same] === bytes[start + same]) same++;
      if (same === length) return this.#texts[place]!;
    }
    const text = rawText(bytes.subarray(start, end));
    for (let at = 0; at < length; at++) kept[from + at] = bytes[start + at]!;
    this.#lengths[place] = length;
    return this.#texts[place] = text;
  }
}
