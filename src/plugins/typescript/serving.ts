// The plugin's thread, once its module runs: what is asked over the channel is answered, columns by
// the functions of its fields. Whatever the plugin does wrong ends in the channel's state.
import type { PluginFieldType } from "../contract.ts";
import { Batches } from "./batches.ts";
import {
  type Channel,
  COLUMN_VALUES,
  INDEX_ARGUMENT,
  NO_ARGUMENT,
  Outcome,
  Request,
  State,
  TEXT_BYTES,
  Word,
} from "./channel.ts";
import { ENCODES } from "./encode.ts";
import { type Answer, Failure, GivenEvent } from "./given_event.ts";
import { putLine } from "./log_ring.ts";
import { Usual } from "./usual.ts";

const BEAT_MS = 500;
/** After an answer the thread waits so long for the next question: columns come one by one. */
const LINGER_MS = 2;
/** A column is cut off here, and the rest asked for again. */
const COLUMN_MS = 250;
const CLOCK_EVERY = 64;
const WARN_MS = 10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface ServingOptions {
  readonly memoryKib: () => number;
  readonly wordsOf: (failure: unknown) => string;
  readonly config: unknown;
}

interface SourceOf {
  events(params: string, signal: AbortSignal, config: unknown): AsyncIterable<unknown>;
  text?(event: GivenEvent): unknown;
  readonly name: string;
}

interface FieldOf {
  readonly name: string;
  readonly type: PluginFieldType;
  readonly list?: boolean;
  value(event: GivenEvent, argument?: string | number): unknown;
}

export class Serving {
  readonly #channel: Channel;
  readonly #options: ServingOptions;
  readonly #abort = new AbortController();
  readonly #later = globalThis.setTimeout;
  #source: SourceOf | undefined;
  #fields: readonly FieldOf[] = [];
  #batches: Batches | undefined;
  readonly #usual = new Usual<FieldOf>();
  #heard: (() => void) | undefined;
  #warnedMs = -WARN_MS;

  constructor(channel: Channel, options: ServingOptions) {
    this.#channel = channel;
    this.#options = options;
    const beat = () => {
      channel.set(Word.HeapKib, options.memoryKib());
      channel.add(Word.Beat);
    };
    beat();
    globalThis.setInterval(beat, BEAT_MS);
  }

  /** The module has run: from now on it may be asked. */
  begin(exports: Record<string, unknown>): void {
    this.#source = exports.source as SourceOf | undefined;
    const fields = (exports.fields as { fields?: Record<string, Omit<FieldOf, "name">> })?.fields;
    this.#fields = Object.entries(fields ?? {}).map(([name, field]) => ({
      name,
      type: field.type,
      list: field.list === true,
      value: field.value.bind(field),
    }));
    this.#channel.set(Word.State, State.Ready);
    this.#channel.rouse(Word.News);
    this.look();
  }

  /** There may be something to do. */
  look(): void {
    const channel = this.#channel;
    const heard = this.#heard;
    this.#heard = undefined;
    heard?.();
    for (;;) {
      const seen = channel.get(Word.Wake);
      if (this.serve()) continue;
      if (!channel.sleep(Word.Wake, seen, LINGER_MS)) return;
    }
  }

  /** Answers what is asked; whether something was. */
  serve(): boolean {
    const channel = this.#channel;
    const asked = channel.get(Word.Asked);
    if (asked === channel.get(Word.Answered)) return false;
    channel.add(Word.Beat);
    let outcome: number = Outcome.Done;
    try {
      this.#answer();
    } catch (error) {
      outcome = Outcome.Failed;
      this.#putText(this.#options.wordsOf(error));
    }
    channel.set(Word.Outcome, outcome);
    channel.set(Word.Answered, asked);
    channel.rouse(Word.News);
    return true;
  }

  fail(error: string): void {
    this.#channel.fail(error);
  }

  log(level: string, line: string): void {
    putLine(this.#channel, level === "warning", line);
  }

  #answer(): void {
    const channel = this.#channel;
    switch (channel.get(Word.Request)) {
      case Request.Open:
        return this.#open(this.#text());
      case Request.Close:
        return this.#abort.abort();
      case Request.Column: {
        const first = channel.get(Word.First);
        const events = this.#batches?.events[channel.get(Word.Slot)] ?? [];
        return this.#column(events, first, first + channel.get(Word.Count));
      }
      case Request.ColumnOf:
        return this.#column([this.#eventAlone()], 0, 1);
      case Request.TextOf: {
        const text = this.#source?.text?.(this.#eventAlone());
        return this.#putText(text === undefined ? "" : String(text));
      }
    }
  }

  #open(params: string): void {
    const channel = this.#channel;
    const source = this.#source;
    if (source === undefined) throw new Error("it has no source");
    const events = source.events(params, this.#abort.signal, this.#options.config);
    const later = this.#later;
    this.#batches = new Batches({
      channel,
      source: source.name,
      serve: () => {
        while (this.serve());
      },
      warn: (line) => this.#warn(line),
      breathe: () => new Promise((resolve) => later(resolve, 0)),
      awaitMessage: () => new Promise((resolve) => this.#heard = resolve),
      later: (callback, ms) => later(callback, ms),
    });
    later(() => {
      if (channel.get(Word.State) !== State.Ready) return;
      channel.set(Word.State, State.Running);
      channel.rouse(Word.News);
    }, 0);
    this.#batches.run(events).catch((error) => this.fail(this.#options.wordsOf(error)));
  }

  #column(events: readonly GivenEvent[], from: number, to: number): void {
    const channel = this.#channel;
    const field = this.#fields[channel.get(Word.Field)]!;
    const argument = this.#argument();
    const encode = ENCODES[field.type];
    const isMany = to - from > 1;
    const usual = isMany
      ? this.#usual.asked(field, argument)
      : this.#usual.placeOf(field, argument);
    const { counts, ends, values } = channel;
    const untilMs = performance.now() + COLUMN_MS;
    let [at, place, bytes] = [from, 0, 0];
    for (; at < to; at++) {
      if (at % CLOCK_EVERY === 0 && at > from && performance.now() > untilMs) break;
      const event = events[at];
      if (isMany && usual >= 0) this.#answerUsual(event, usual);
      const answer = event?.answers?.[usual] ?? valueOf(field, event, argument);
      if (answer instanceof Failure) this.#fieldError(field, answer.error);
      const given = answer instanceof Failure ? NONE : answer;
      let [end, count] = [bytes, 0];
      for (const value of given) {
        try {
          end = place + count < COLUMN_VALUES ? encode(value, values, end) : -1;
        } catch (error) {
          this.#fieldError(field, error);
          continue;
        }
        if (end < 0) break;
        ends[place + count++] = end;
      }
      if (end < 0) {
        // The next question begins here, but where one event alone is too much.
        if (at > from) break;
        this.#fieldError(field, new Error("its values are more than a column may hold"));
        [end, count] = [bytes, 0];
      }
      counts[at - from] = count;
      place += count;
      bytes = end;
    }
    channel.set(Word.AnsweredEvents, at - from);
    channel.set(Word.Values, place);
    channel.set(Word.ValueBytes, bytes);
  }

  /** All that is usually asked of an event, once one of it is. */
  #answerUsual(event: GivenEvent | undefined, asked: number): void {
    if (event === undefined || event.answers?.[asked] !== undefined) return;
    const answers = event.answers ??= [];
    this.#usual.each(({ field, argument }, place) => {
      answers[place] ??= valueOf(field, event, argument);
    });
    event.forget();
  }

  #fieldError(field: FieldOf, error: unknown): void {
    this.#channel.add(Word.FieldErrors);
    this.#warn(`field ${field.name}: ${this.#options.wordsOf(error)}`);
  }

  /** Not each of them. */
  #warn(line: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#warnedMs < WARN_MS) return;
    this.#warnedMs = nowMs;
    this.log("warning", line);
  }

  #argument(): string | number | undefined {
    const channel = this.#channel;
    const bytes = channel.get(Word.Argument);
    if (bytes === NO_ARGUMENT) return undefined;
    if (bytes === INDEX_ARGUMENT) return channel.get(Word.ArgumentIndex) >>> 0;
    return decoder.decode(channel.argument.slice(0, bytes));
  }

  /** The event that was sent by itself: its data, and the name of its source behind them. */
  #eventAlone(): GivenEvent {
    const channel = this.#channel;
    const bytes = channel.get(Word.EventBytes);
    const low = BigInt(channel.get(Word.EventTimeLow) >>> 0);
    const high = BigInt(channel.get(Word.EventTimeHigh) >>> 0);
    const source = this.#text() || this.#source?.name || "";
    return new GivenEvent(source, high << 32n | low, channel.event.slice(0, bytes), () => 0);
  }

  #text(): string {
    return decoder.decode(this.#channel.text.slice(0, this.#channel.get(Word.TextBytes)));
  }

  #putText(text: string): void {
    const bytes = encoder.encode(text).subarray(0, TEXT_BYTES);
    this.#channel.text.set(bytes);
    this.#channel.set(Word.TextBytes, bytes.length);
  }
}

const NONE: readonly unknown[] = [];

/** The event's values; a failure is told where somebody asks for them. */
function valueOf(
  field: FieldOf,
  event: GivenEvent | undefined,
  argument: string | number | undefined,
): Answer {
  if (event === undefined) return NONE;
  try {
    const value = field.value(event, argument);
    if (value === undefined || value === null) return NONE;
    if (field.list !== true) return [value];
    if (Array.isArray(value)) return value;
    throw new TypeError("expected an array: the field is a list");
  } catch (error) {
    return new Failure(error);
  }
}
