// Memory that a plugin's thread shares with the thread that judges its events. The plugin writes
// batches, columns, what it says and how it is; the other side copies and checks what it takes.
//
//   control words | text | failure | log lines | argument | one event | two batches | one column
//
// A batch: per event its bytes, seconds and nanoseconds since the epoch (u32 each, the fourth word
// is free), then the data of all, one after the other. A column: a count per event, the end of
// each value, the values' bytes (contract.ts says in which form).

/** Control words, by place. */
export const Word = {
  /** Changes with all that the plugin's thread should look at; it may sleep on it. */
  Wake: 0,
  /** Number of the request under way, and of the last one that was answered. */
  Asked: 1,
  Answered: 2,
  /** What is asked, and the numbers with it. */
  Request: 3,
  Field: 4,
  /** Bytes of the argument's text; -1: none, -2: the number that follows. */
  Argument: 5,
  ArgumentIndex: 6,
  Slot: 7,
  First: 8,
  Count: 9,
  /** Of one event by itself: bytes of its data, the halves of its time, its number. */
  EventBytes: 10,
  EventTimeLow: 11,
  EventTimeHigh: 12,
  EventNumber: 13,
  /** The answer: events that it is for, how many values, and bytes of them; or an outcome. */
  Outcome: 14,
  AnsweredEvents: 15,
  Values: 16,
  ValueBytes: 17,
  /** Changes with all that the other side should look at; it may sleep on it. */
  News: 18,
  State: 19,
  /** Bytes of the text area: what is asked, or the text of an answer. */
  TextBytes: 20,
  /** Rises as long as the plugin's thread comes round. */
  Beat: 21,
  /** 1: the plugin waits for a free batch and wants a message when there is one. */
  WantsSlot: 22,
  /** Of the two batches: who has it, and events in it. */
  SlotOwner: 23,
  SlotEvents: 25,
  /** Lines of the log that were written, that were read, that there was no room for. */
  LogWritten: 27,
  LogRead: 28,
  LogDropped: 29,
  /** What a field's function threw or gave that is no value; events larger than they may be. */
  FieldErrors: 30,
  EventsDropped: 31,
  /** Memory of the plugin's own heap and what hangs on it, in KiB. */
  HeapKib: 32,
  /** Events of the batch that is not handed over yet. */
  Pending: 33,
  /** Bytes of why it failed. */
  FailureBytes: 34,
  /** 1: the plugin's loops are to end. */
  Stop: 35,
  Words: 64,
} as const;

export const Request = { None: 0, Open: 1, Column: 2, ColumnOf: 3, TextOf: 4, Close: 5 } as const;
export const Outcome = { Done: 0, Failed: 1 } as const;
export const Owner = { Plugin: 0, Judge: 1 } as const;
export const State = { Starting: 0, Ready: 1, Running: 2, Ended: 3, Failed: 4 } as const;

export const NO_ARGUMENT = -1;
export const INDEX_ARGUMENT = -2;

export const TEXT_BYTES = 8_192;
export const LOG_LINES = 64;
export const LOG_LINE_BYTES = 1_024;
export const ARGUMENT_BYTES = 8_192;
/** Data of one event. */
export const EVENT_BYTES_MAX = 262_144;
/** Of the source's name, which follows the data of an event by itself. */
export const SOURCE_BYTES_MAX = 1_024;
export const SLOT_EVENTS = 4_096;
export const SLOT_BYTES = 1 << 20;
export const COLUMN_VALUES = 65_536;
export const COLUMN_BYTES = 2 << 20;
/** Words of a batch for each event. */
export const EVENT_WORDS = 4;

const CONTROL_BYTES = Word.Words * 4;
const LOG_AT = CONTROL_BYTES + 2 * TEXT_BYTES;
const ARGUMENT_AT = LOG_AT + LOG_LINES * LOG_LINE_BYTES;
const EVENT_AT = ARGUMENT_AT + ARGUMENT_BYTES;
const SLOTS_AT = EVENT_AT + EVENT_BYTES_MAX + SOURCE_BYTES_MAX;
const SLOT_HEADS = SLOT_EVENTS * EVENT_WORDS * 4;
const COLUMN_AT = SLOTS_AT + 2 * (SLOT_HEADS + SLOT_BYTES);
const ENDS_AT = COLUMN_AT + SLOT_EVENTS * 4;
const VALUES_AT = ENDS_AT + COLUMN_VALUES * 4;
const CHANNEL_BYTES = VALUES_AT + COLUMN_BYTES;

const encoder = new TextEncoder();

/** Views of the memory. */
export class Channel {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly text: Uint8Array<SharedArrayBuffer>;
  readonly failure: Uint8Array<SharedArrayBuffer>;
  readonly log: Uint8Array<SharedArrayBuffer>;
  readonly argument: Uint8Array<SharedArrayBuffer>;
  readonly event: Uint8Array<SharedArrayBuffer>;
  readonly heads: readonly Uint32Array<SharedArrayBuffer>[];
  readonly data: readonly Uint8Array<SharedArrayBuffer>[];
  readonly counts: Uint32Array<SharedArrayBuffer>;
  readonly ends: Uint32Array<SharedArrayBuffer>;
  readonly values: Uint8Array<SharedArrayBuffer>;
  /** Called where nobody sleeps on news. */
  onNews: (() => void) | undefined;

  constructor(shared = new SharedArrayBuffer(CHANNEL_BYTES)) {
    this.shared = shared;
    const bytes = (at: number, length: number) => new Uint8Array(shared, at, length);
    const words = (at: number, length: number) => new Uint32Array(shared, at, length);
    const slots = [SLOTS_AT, SLOTS_AT + SLOT_HEADS + SLOT_BYTES];
    this.words = new Int32Array(shared, 0, Word.Words);
    this.text = bytes(CONTROL_BYTES, TEXT_BYTES);
    this.failure = bytes(CONTROL_BYTES + TEXT_BYTES, TEXT_BYTES);
    this.log = bytes(LOG_AT, LOG_LINES * LOG_LINE_BYTES);
    this.argument = bytes(ARGUMENT_AT, ARGUMENT_BYTES);
    this.event = bytes(EVENT_AT, EVENT_BYTES_MAX + SOURCE_BYTES_MAX);
    this.heads = slots.map((at) => words(at, SLOT_EVENTS * EVENT_WORDS));
    this.data = slots.map((at) => bytes(at + SLOT_HEADS, SLOT_BYTES));
    this.counts = words(COLUMN_AT, SLOT_EVENTS);
    this.ends = words(ENDS_AT, COLUMN_VALUES);
    this.values = bytes(VALUES_AT, COLUMN_BYTES);
  }

  get(word: number): number {
    return Atomics.load(this.words, word);
  }

  set(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  add(word: number, by = 1): void {
    Atomics.add(this.words, word, by);
  }

  /** Changes the word and wakes who sleeps on it; how many did. */
  rouse(word: number): number {
    this.add(word);
    const woken = Atomics.notify(this.words, word);
    if (word === Word.News && woken === 0) this.onNews?.();
    return woken;
  }

  /** The plugin failed, which stays so: the first reason counts. */
  fail(error: string): void {
    if (this.get(Word.State) === State.Failed) return;
    const bytes = encoder.encode(error).subarray(0, TEXT_BYTES);
    this.failure.set(bytes);
    this.set(Word.FailureBytes, bytes.length);
    this.set(Word.State, State.Failed);
    this.rouse(Word.News);
  }

  /** Sleeps until the word is no longer `seen`, or the time is over; false: it was over. */
  sleep(word: number, seen: number, timeoutMs: number): boolean {
    return Atomics.wait(this.words, word, seen, timeoutMs) !== "timed-out";
  }
}
