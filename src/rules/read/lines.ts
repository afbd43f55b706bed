// Offsets of a text in, lines and columns out. Marks of YAML, and so those of Falco, count bytes;
// people and editors count characters.
import type { Position } from "../diagnostic.ts";
import { byteLength } from "../../words/raw_text.ts";

export class Lines {
  readonly #text: string;
  readonly #starts: number[] = [0];
  /** Where each line begins in bytes; undefined where all characters have one. */
  readonly #byteStarts: number[] | undefined;

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
    if (byteLength(text) === text.length) return;
    let bytes = 0;
    this.#byteStarts = this.#starts.map((start, line) => {
      const begin = bytes;
      bytes += byteLength(text.slice(start, this.#starts[line + 1] ?? text.length));
      return begin;
    });
  }

  /** Line, column and offset, in bytes from 0. */
  at(offset: number): Position {
    const position = this.inCharacters(offset);
    if (this.#byteStarts === undefined) return position;
    const { line } = position;
    const column = byteLength(this.#text.slice(this.#starts[line]!, offset));
    return { line, column, offset: this.#byteStarts[line]! + column };
  }

  inCharacters(offset: number): Position {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low, column: offset - this.#starts[low]!, offset };
  }
}
