// The plugin's thread: events that its source gives, into the batches of the channel. A batch is
// handed over when it is full, or when the source gives nothing more for now.
import {
  type Channel,
  EVENT_BYTES_MAX,
  EVENT_WORDS,
  Owner,
  SLOT_BYTES,
  SLOT_EVENTS,
  State,
  Word,
} from "./channel.ts";
import { GivenEvent } from "./given_event.ts";

const NS = 1_000_000_000n;
/** So long the thread sleeps on the channel while both batches are away, before it looks after its
 * own timers and sockets again; after so many times it waits for a message. */
const BLOCKED_MS = 4;
const BLOCKED_TIMES = 8;
/** Where a batch was handed over so lately, the next one waits so long for more events. */
const BUSY_MS = 50;
const GATHER_MS = 10;

export interface BatchesOptions {
  readonly channel: Channel;
  readonly source: string;
  /** Answers what was asked meanwhile. */
  readonly serve: () => void;
  readonly warn: (line: string) => void;
  /** Resolves once the thread has seen to all else. */
  readonly breathe: () => Promise<void>;
  /** Resolves when a message came that says that a batch is free. */
  readonly awaitMessage: () => Promise<void>;
  readonly later: (callback: () => void, ms: number) => void;
}

export class Batches {
  /** Of each of the two batches. */
  readonly events: readonly GivenEvent[][] = [[], []];
  readonly #options: BatchesOptions;
  #slot = 0;
  #count = 0;
  #bytes = 0;
  #isDue = false;
  #isEnded = false;
  #handedMs = -BUSY_MS;
  /** The runtime does not write texts into shared memory. */
  readonly #scratch = new Uint8Array(EVENT_BYTES_MAX);
  readonly #encoder = new TextEncoder();

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Takes all that the source gives. */
  async run(events: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    const { channel } = this.#options;
    try {
      for await (const given of events) {
        if (channel.get(Word.Asked) !== channel.get(Word.Answered)) this.#options.serve();
        // Mostly there is nothing to wait for, and a wait for nothing costs as much as an event.
        const waiting = this.#take(given);
        if (waiting !== undefined) await waiting;
      }
    } finally {
      if (this.#count > 0) this.#handOver();
      this.#isEnded = true;
    }
    channel.set(Word.State, State.Ended);
    channel.rouse(Word.News);
  }

  /** Puts it into the batch; where there is none free, once there is. */
  #take(given: unknown): Promise<void> | undefined {
    const { channel } = this.#options;
    const event = new GivenEvent(this.#options.source, -1n, given, now);
    channel.add(Word.Beat);
    const bytes = this.#bytesOf(event);
    if (bytes === undefined) {
      channel.add(Word.EventsDropped);
      this.#options.warn(`an event has more than ${EVENT_BYTES_MAX} bytes and is left out`);
      return undefined;
    }
    if (this.#count === SLOT_EVENTS || this.#bytes + bytes.length > SLOT_BYTES) this.#handOver();
    // Always before the first event of a batch: who has it decides.
    if (this.#count > 0) return this.#put(event, bytes);
    return this.#awaitSlot().then(() => this.#put(event, bytes));
  }

  /** Its data, which hold until the next one is taken; undefined where they are too many. */
  #bytesOf(event: GivenEvent): Uint8Array | undefined {
    const { given } = event;
    if (typeof given !== "string") {
      return given.length > EVENT_BYTES_MAX ? undefined : given;
    }
    const { read, written } = this.#encoder.encodeInto(given, this.#scratch);
    return read < given.length ? undefined : this.#scratch.subarray(0, written);
  }

  #put(event: GivenEvent, bytes: Uint8Array): undefined {
    const { channel } = this.#options;
    const heads = channel.heads[this.#slot]!;
    const at = this.#count * EVENT_WORDS;
    channel.data[this.#slot]!.set(bytes, this.#bytes);
    heads[at] = bytes.length;
    putTime(heads, at + 1, event.stamp);
    this.events[this.#slot]!.push(event);
    this.#count++;
    this.#bytes += bytes.length;
    channel.set(Word.Pending, this.#count);
    if (this.#isDue) return undefined;
    this.#isDue = true;
    // Who reads a file gives some events with each piece: each batch costs, so they are gathered.
    const isBusy = performance.now() - this.#handedMs < BUSY_MS;
    this.#options.later(() => {
      this.#isDue = false;
      if (this.#count > 0 && !this.#isEnded) this.#handOver();
    }, isBusy ? GATHER_MS : 0);
    return undefined;
  }

  #handOver(): void {
    const { channel } = this.#options;
    this.#handedMs = performance.now();
    channel.set(Word.SlotEvents + this.#slot, this.#count);
    channel.set(Word.SlotOwner + this.#slot, Owner.Judge);
    channel.set(Word.Pending, 0);
    channel.rouse(Word.News);
    this.#slot = 1 - this.#slot;
    this.#count = this.#bytes = 0;
  }

  async #awaitSlot(): Promise<void> {
    const { channel, serve, breathe, awaitMessage } = this.#options;
    const owner = Word.SlotOwner + this.#slot;
    for (let times = 0; channel.get(owner) === Owner.Judge; times++) {
      const seen = channel.get(Word.Wake);
      serve();
      if (channel.get(owner) !== Owner.Judge) break;
      channel.add(Word.Beat);
      if (times < BLOCKED_TIMES) {
        const isWoken = channel.sleep(Word.Wake, seen, BLOCKED_MS);
        if (isWoken) times = 0;
        else await breathe();
        continue;
      }
      channel.set(Word.WantsSlot, 1);
      if (channel.get(owner) === Owner.Judge) await awaitMessage();
      channel.set(Word.WantsSlot, 0);
    }
    this.events[this.#slot]!.length = 0;
  }
}

/** Milliseconds: most events have no time of their own, and big numbers cost. */
function now(): number {
  return Date.now();
}

/** Seconds and nanoseconds. */
function putTime(heads: Uint32Array, at: number, time: number | bigint): void {
  if (typeof time === "number") {
    heads[at] = Math.floor(time / 1000);
    heads[at + 1] = (time % 1000) * 1_000_000;
    return;
  }
  heads[at] = Number(time / NS);
  heads[at + 1] = Number(time % NS);
}
