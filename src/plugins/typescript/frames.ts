// What crosses between saker and the process of a plugin in TypeScript, over two pipes: frames of
// what stands in the channel of each side (channel.ts).
//
//   kind u32, bytes u32, the bytes
//
// In: numbers and areas of a channel. Out: frames; and of pieces of a pipe the frames in them.
import { type Channel, Request, Word } from "./channel.ts";

export const Frame = {
  /** To the process: what to run, JSON; a question; a batch that is judged. */
  Run: 1,
  Ask: 2,
  Free: 3,
  /** From it: a batch, an answer, how it is (JSON). */
  Batch: 4,
  Answer: 5,
  Status: 6,
} as const;

const HEAD_BYTES = 8;
/** A batch has the most: its events' heads, and a MiB of data. */
export const FRAME_BYTES_MAX = 4 << 20;

/** Words of a question, as they stand in its frame: first its number, which is set last. */
export const ASK_WORDS: readonly number[] = [
  Word.Asked,
  Word.Request,
  Word.Field,
  Word.Argument,
  Word.ArgumentIndex,
  Word.Slot,
  Word.First,
  Word.Count,
  Word.EventBytes,
  Word.EventTimeLow,
  Word.EventTimeHigh,
  Word.EventNumber,
  Word.TextBytes,
];
/** Of an answer: the first is the question's number. */
export const ANSWER_WORDS: readonly number[] = [
  Word.Answered,
  Word.Outcome,
  Word.AnsweredEvents,
  Word.Values,
  Word.ValueBytes,
  Word.TextBytes,
];

/** A part of an area of a channel, and how many bytes of it are meant. */
export type Part = readonly [area: Uint8Array | Uint32Array, bytes: number];

/** A frame of the words and the parts, in memory that nobody shares. */
export function frameOf(
  kind: number,
  words: readonly number[],
  parts: readonly Part[] = [],
): Uint8Array<ArrayBuffer> {
  const bytes = words.length * 4 + parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  const frame = new Uint8Array(HEAD_BYTES + bytes);
  new Int32Array(frame.buffer, 0, 2 + words.length).set([kind, bytes, ...words]);
  let at = HEAD_BYTES + words.length * 4;
  for (const [area, length] of parts) {
    frame.set(new Uint8Array(area.buffer, area.byteOffset, length), at);
    at += length;
  }
  return frame;
}

export function jsonFrame(kind: number, value: unknown): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(value));
  return frameOf(kind, [], [[text, text.length]]);
}

/** A frame that came, taken apart from its front. */
export class FrameBody {
  readonly kind: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(kind: number, bytes: Uint8Array<ArrayBuffer>) {
    this.kind = kind;
    this.#bytes = bytes;
  }

  words(count: number): Int32Array {
    if (this.#at + count * 4 > this.#bytes.length) throw new Error(SHORT);
    const words = new Int32Array(this.#bytes.slice(this.#at, this.#at + count * 4).buffer);
    this.#at += count * 4;
    return words;
  }

  /** Copies so many bytes into an area. */
  into(area: Uint8Array | Uint32Array, bytes: number): void {
    if (!(bytes >= 0 && bytes <= area.byteLength && this.#at + bytes <= this.#bytes.length)) {
      throw new Error(SHORT);
    }
    new Uint8Array(area.buffer, area.byteOffset, bytes)
      .set(this.#bytes.subarray(this.#at, this.#at + bytes));
    this.#at += bytes;
  }

  json(): unknown {
    return JSON.parse(new TextDecoder().decode(this.#bytes.subarray(this.#at)));
  }
}

const SHORT = "it gave what is no message";

/** Puts frames together of pieces as they come; throws for what can be none. */
export class FrameReader {
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headAt = 0;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #bodyAt = 0;

  *take(piece: Uint8Array): Iterable<FrameBody> {
    let at = 0;
    while (at < piece.length || this.#isWhole) {
      if (this.#body === undefined) {
        at += this.#copy(piece, at, this.#head, this.#headAt);
        if (this.#headAt < HEAD_BYTES) return;
        const [, bytes] = new Int32Array(this.#head.buffer);
        if (!(bytes! >= 0 && bytes! <= FRAME_BYTES_MAX)) throw new Error(SHORT);
        this.#body = new Uint8Array(bytes!);
        this.#bodyAt = 0;
      }
      at += this.#copy(piece, at, this.#body, this.#bodyAt);
      if (!this.#isWhole) return;
      const kind = new Int32Array(this.#head.buffer)[0]!;
      const body = new FrameBody(kind, this.#body);
      this.#body = undefined;
      this.#headAt = 0;
      yield body;
    }
  }

  get #isWhole(): boolean {
    return this.#body !== undefined && this.#bodyAt === this.#body.length;
  }

  #copy(piece: Uint8Array, at: number, into: Uint8Array, from: number): number {
    const part = piece.subarray(at, at + into.length - from);
    into.set(part, from);
    if (into === this.#head) this.#headAt += part.length;
    else this.#bodyAt += part.length;
    return part.length;
  }
}

/** What belongs to the question whose words stand in the channel. */
function askParts(channel: Channel): readonly Part[] {
  const request = channel.get(Word.Request);
  const isOfEvent = request === Request.ColumnOf || request === Request.TextOf;
  return [
    [channel.argument, Math.max(channel.get(Word.Argument), 0)],
    [channel.event, isOfEvent ? channel.get(Word.EventBytes) : 0],
    [channel.text, channel.get(Word.TextBytes)],
  ];
}

/** The same of an answer. */
function answerParts(channel: Channel): readonly Part[] {
  const request = channel.get(Word.Request);
  const isColumn = request === Request.Column || request === Request.ColumnOf;
  const of = (word: number) => isColumn ? channel.get(word) : 0;
  return [
    [channel.counts, of(Word.AnsweredEvents) * 4],
    [channel.ends, of(Word.Values) * 4],
    [channel.values, of(Word.ValueBytes)],
    [channel.text, channel.get(Word.TextBytes)],
  ];
}

/** Puts words and what belongs to them into a channel; returns the first word, to be set last. */
function takeInto(
  channel: Channel,
  frame: FrameBody,
  words: readonly number[],
  partsOf: (channel: Channel) => readonly Part[],
): number {
  const [first, ...others] = frame.words(words.length);
  words.slice(1).forEach((word, at) => channel.set(word, others[at]!));
  for (const [area, bytes] of partsOf(channel)) frame.into(area, bytes);
  return first!;
}

/** The question that stands in the channel. */
export function askFrame(channel: Channel): Uint8Array<ArrayBuffer> {
  return frameOf(Frame.Ask, ASK_WORDS.map((word) => channel.get(word)), askParts(channel));
}

/** Puts a question into a channel; it is asked once its number stands there. */
export function takeAsk(frame: FrameBody, channel: Channel): void {
  channel.set(Word.Asked, takeInto(channel, frame, ASK_WORDS, askParts));
}

/** The answer that stands in the channel. */
export function answerFrame(channel: Channel): Uint8Array<ArrayBuffer> {
  return frameOf(Frame.Answer, ANSWER_WORDS.map((word) => channel.get(word)), answerParts(channel));
}

/** Puts an answer into the channel of who asked; returns the question's number, to be set last. */
export function takeAnswer(frame: FrameBody, channel: Channel): number {
  return takeInto(channel, frame, ANSWER_WORDS, answerParts);
}
