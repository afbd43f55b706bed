// JSON read once and in place: bytes go in, a tape of where each value stands comes out, from which
// values are taken when somebody asks. Nothing is made on the way, and what is shown of a
// value is as it was received (order of keys, escapes, digits). What is taken for JSON is what the
// plugin's parser takes: control characters in strings, `NaN`, `0201`; of a repeated key the first.
// A tape may hold several documents of the same bytes, one behind the other.
//
//   tape:  one entry a value, in the order of the bytes; in an object each value stands behind its
//          key's entry. `next` of an entry is the one behind the value and all that is in it.

import { rawText } from "../../words/raw_text.ts";
import { unescaped } from "./json_escapes.ts";
import { SHORT_BYTES_MAX, ShortTexts } from "./short_texts.ts";

export const enum Kind {
  Object,
  Array,
  String,
  Number,
  True,
  False,
  Null,
  Key,
}

/** Values in one another, the document itself included. */
export const DEPTH_MAX = 300;
/** Entries of one document; a document of 16 MB has less of them where it says anything. */
const ENTRIES_MAX = 1 << 22;
const ENTRIES_AT_FIRST = 1 << 12;

const BLANK = Uint8Array.from({ length: 256 }, (_, code) => " \t\r\n".includes(char(code)) ? 1 : 0);
/** The same within a line. */
const LINE_BLANK = BLANK.with(0x0a, 0);
const LF = 0x0a;
const DIGIT = Uint8Array.from(
  { length: 256 },
  (_, code) => "0123456789.+-eE".includes(char(code)) ? 1 : 0,
);

function char(code: number): string {
  return String.fromCharCode(code);
}

export class JsonTape {
  bytes: Uint8Array = new Uint8Array(0);
  /** The value that is asked of: a whole document, or an event in it. */
  root = 0;
  /** How many entries there are. */
  length = 0;
  /** Whether there are blanks between the parts of the document that was read last, or is asked. */
  spaced = false;
  /** What is wrong, where there is no document. */
  error = "";
  kinds = new Uint8Array(ENTRIES_AT_FIRST);
  /** Of strings and keys: what is between their quotes. */
  starts = new Int32Array(ENTRIES_AT_FIRST);
  ends = new Int32Array(ENTRIES_AT_FIRST);
  nexts = new Int32Array(ENTRIES_AT_FIRST);
  /** Of strings and keys: 1 where there is a backslash. */
  escapes = new Uint8Array(ENTRIES_AT_FIRST);
  /** Where the line ends whose document was read last: at its newline, or where the bytes do. */
  lineEnd = 0;
  readonly #open = new Int32Array(DEPTH_MAX + 1);
  #view: DataView = new DataView(this.bytes.buffer);
  #blank: Uint8Array = BLANK;
  #short: ShortTexts | undefined;

  /** Reads the document from `from` to `to`; false where it is none. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    this.begin(bytes);
    return this.append(from, to) === 0;
  }

  /** Forgets all documents: others are in these bytes. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.root = 0;
    this.length = 0;
  }

  /** Reads one more document, from `from` to `to`; its entry, or -1 where it is none. */
  append(from: number, to: number): number {
    this.#blank = BLANK;
    return this.#append(from, to);
  }

  /** The same of a document that ends with its line, by `to` at the latest. */
  appendLine(from: number, to: number): number {
    this.#blank = LINE_BLANK;
    const entry = this.#append(from, to);
    if (entry < 0) {
      const newline = this.bytes.indexOf(LF, from);
      this.lineEnd = newline < 0 || newline > to ? to : newline;
    }
    return entry;
  }

  #append(from: number, to: number): number {
    const entry = this.length;
    this.error = "";
    const at = this.#blanks(from, to);
    this.spaced = false;
    if (this.#isEnd(at, to)) return this.#fail("there is nothing but blanks");
    const end = this.#value(at, to);
    if (end >= 0) {
      // Blanks around a document are not in it.
      const { spaced } = this;
      const behind = this.#blanks(end, to);
      this.spaced = spaced;
      if (this.#isEnd(behind, to)) {
        this.lineEnd = behind;
        return entry;
      }
      this.#fail(`there is more behind its end, at ${behind - from + 1}`);
    }
    this.length = entry;
    return -1;
  }

  #isEnd(at: number, to: number): boolean {
    return at >= to || (this.#blank === LINE_BLANK && this.bytes[at] === LF);
  }

  /** The text between two offsets. */
  slice(start: number, end: number): string {
    if (end - start > SHORT_BYTES_MAX) return rawText(this.bytes.subarray(start, end));
    return (this.#short ??= new ShortTexts()).of(this.bytes, start, end);
  }

  /** The value of an object's member or an array's element; -1 where there is none. */
  get(entry: number, key: string): number {
    if (entry < 0) return -1;
    const kind = this.kinds[entry]!;
    if (kind === Kind.Object) return this.#member(entry, key);
    if (kind !== Kind.Array || !/^[+-]?\d+$/.test(key)) return -1;
    return this.element(entry, Number(key));
  }

  /** The array's element; -1 where there is none. */
  element(entry: number, index: number): number {
    if (index < 0) return -1;
    const end = this.nexts[entry]!;
    let at = entry + 1;
    for (let left = index; left > 0 && at < end; left--) at = this.nexts[at]!;
    return at < end ? at : -1;
  }

  #member(entry: number, key: string): number {
    const { bytes, starts, ends, nexts, escapes } = this;
    const end = nexts[entry]!;
    const { length } = key;
    let escaped = false;
    for (let at = entry + 1; at < end; at = nexts[at + 1]!) {
      const start = starts[at]!;
      if (escapes[at] === 1) {
        // What is written there means something else.
        escaped = true;
        continue;
      }
      if (ends[at]! - start !== length) continue;
      let same = 0;
      while (same < length && bytes[start + same] === key.charCodeAt(same)) same++;
      if (same === length) return at + 1;
    }
    return escaped || !isAscii(key) ? this.#memberByText(entry, key) : -1;
  }

  /** The same of keys that are not written as they are meant, or have other characters. */
  #memberByText(entry: number, key: string): number {
    const { starts, ends, nexts } = this;
    const end = nexts[entry]!;
    for (let at = entry + 1; at < end; at = nexts[at + 1]!) {
      if (unescaped(this.slice(starts[at]!, ends[at]!)) === key) return at + 1;
    }
    return -1;
  }

  /** Reads a value and all that is in it; where it ends, or -1. */
  #value(from: number, to: number): number {
    const { bytes } = this;
    const open = this.#open;
    let depth = 0;
    let at = from;
    for (;;) {
      // A value begins at `at`.
      const code = at < to ? bytes[at]! : 0;
      if (depth === DEPTH_MAX) {
        this.#fail(`there are more than ${DEPTH_MAX} values in one another`);
        return -1;
      }
      if (code === 0x7b || code === 0x5b) {
        const isObject = code === 0x7b;
        const entry = this.#push(isObject ? Kind.Object : Kind.Array, at, at);
        if (entry < 0) return -1;
        open[depth++] = entry;
        at = this.#skip(at + 1, to);
        if (at < to && bytes[at]! === (isObject ? 0x7d : 0x5d)) {
          at = this.#close(open[--depth]!, at);
        } else if (!isObject) continue;
        else if ((at = this.#key(at, to)) < 0) return -1;
        else continue;
      } else if ((at = this.#scalar(code, at, to)) < 0) return -1;
      // A value has ended: what follows belongs to what it is in.
      for (;;) {
        if (depth === 0) return at;
        const entry = open[depth - 1]!;
        const isObject = this.kinds[entry] === Kind.Object;
        if (at >= to || bytes[at]! !== 0x2c) at = this.#blanks(at, to);
        const mark = at < to ? bytes[at]! : 0;
        if (mark === 0x2c) {
          at = this.#skip(at + 1, to);
          if (isObject && (at = this.#key(at, to)) < 0) return -1;
          break;
        }
        if (at >= to || mark !== (isObject ? 0x7d : 0x5d)) {
          this.#expect(isObject ? '"," or "}"' : '"," or "]"', at, to);
          return -1;
        }
        depth--;
        at = this.#close(entry, at);
      }
    }
  }

  /** Reads a key and its colon; where the value begins, or -1. */
  #key(from: number, to: number): number {
    if (from >= to || this.bytes[from] !== 0x22) {
      this.#expect("a key", from, to);
      return -1;
    }
    let at = this.#string(Kind.Key, from + 1, to);
    if (at < 0) return -1;
    if (at >= to || this.bytes[at] !== 0x3a) at = this.#blanks(at, to);
    if (at >= to || this.bytes[at] !== 0x3a) {
      this.#expect('":"', at, to);
      return -1;
    }
    return this.#skip(at + 1, to);
  }

  #close(entry: number, at: number): number {
    this.ends[entry] = at + 1;
    this.nexts[entry] = this.length;
    return at + 1;
  }

  #scalar(code: number, at: number, to: number): number {
    switch (code) {
      case 0x22:
        return this.#string(Kind.String, at + 1, to);
      case 0x74:
        return this.#word("true", Kind.True, at, to);
      case 0x66:
        return this.#word("false", Kind.False, at, to);
      case 0x6e:
        if (this.bytes[at + 1] === 0x75) return this.#word("null", Kind.Null, at, to);
    }
    return this.#number(at, to);
  }

  #word(word: string, kind: Kind, at: number, to: number): number {
    const end = at + word.length;
    for (let same = 0; same < word.length; same++) {
      if (at + same < to && this.bytes[at + same] === word.charCodeAt(same)) continue;
      return this.#expect("a value", at, to);
    }
    return this.#push(kind, at, end) < 0 ? -1 : end;
  }

  /** The digits are not looked at closely: what stands there is kept as it is. */
  #number(from: number, to: number): number {
    const { bytes } = this;
    let at = from;
    while (at < to && DIGIT[bytes[at]!] === 1) at++;
    const isSign = at === from + 1 && (bytes[from] === 0x2b || bytes[from] === 0x2d);
    if (at === from || isSign) {
      const end = at + 3;
      if (end > to || !/^(nan|inf)$/i.test(this.slice(at, end))) {
        return this.#expect("a value", from, to);
      }
      at = end;
    }
    return this.#push(Kind.Number, from, at) < 0 ? -1 : at;
  }

  /** From behind the opening quote; returns where the closing one is behind. */
  #string(kind: Kind, from: number, to: number): number {
    const { bytes } = this;
    const view = this.#view;
    const isLine = this.#blank === LINE_BLANK;
    const whole = to - 4;
    let escaped = 0;
    for (let at = from; at < to;) {
      while (at <= whole && !isOfNote(view.getInt32(at, true))) at += 4;
      for (const stop = Math.min(to, at + 4); at < stop; at++) {
        const code = bytes[at]!;
        if (code === 0x5c) {
          escaped = 1;
          at++;
          if (isLine && bytes[at] === LF) return this.#fail("a string has no end");
        } else if (code === 0x22) {
          const entry = this.#push(kind, from, at);
          if (entry < 0) return -1;
          this.escapes[entry] = escaped;
          return at + 1;
        } else if (code === LF && isLine) return this.#fail("a string has no end");
      }
    }
    return this.#fail("a string has no end");
  }

  /** Mostly there are no blanks. */
  #skip(at: number, to: number): number {
    return at < to && this.bytes[at]! > 0x20 ? at : this.#blanks(at, to);
  }

  #blanks(from: number, to: number): number {
    const { bytes } = this;
    const blank = this.#blank;
    let at = from;
    while (at < to && blank[bytes[at]!] === 1) at++;
    if (at > from) this.spaced = true;
    return at;
  }

  #push(kind: Kind, start: number, end: number): number {
    const entry = this.length;
    if (entry === this.kinds.length && !this.#grow()) return -1;
    this.length = entry + 1;
    this.kinds[entry] = kind;
    this.starts[entry] = start;
    this.ends[entry] = end;
    this.nexts[entry] = entry + 1;
    this.escapes[entry] = 0;
    return entry;
  }

  #grow(): boolean {
    const size = this.kinds.length * 2;
    if (size > ENTRIES_MAX) {
      this.#fail(`it has more than ${ENTRIES_MAX} values`);
      return false;
    }
    const bytes = (old: Uint8Array) => {
      const larger = new Uint8Array(size);
      larger.set(old);
      return larger;
    };
    const numbers = (old: Int32Array) => {
      const larger = new Int32Array(size);
      larger.set(old);
      return larger;
    };
    this.kinds = bytes(this.kinds);
    this.escapes = bytes(this.escapes);
    this.starts = numbers(this.starts);
    this.ends = numbers(this.ends);
    this.nexts = numbers(this.nexts);
    return true;
  }

  #expect(what: string, at: number, to: number): -1 {
    const found = at < to ? JSON.stringify(this.slice(at, Math.min(to, at + 8))) : "its end";
    this.#fail(`expected ${what}, found ${found}`);
    return -1;
  }

  #fail(error: string): -1 {
    this.error ||= `no JSON: ${error}`;
    return -1;
  }
}

/** Whether among four bytes of a string there is a quote, a backslash or a control character. */
function isOfNote(four: number): boolean {
  const quote = four ^ 0x22222222;
  const backslash = four ^ 0x5c5c5c5c;
  // Of a byte that is 0, or below 0x20, the subtraction sets the highest bit.
  const found = (quote - 0x01010101 & ~quote) | (backslash - 0x01010101 & ~backslash) |
    (four - 0x20202020 & ~four);
  return (found & 0x80808080) !== 0;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
