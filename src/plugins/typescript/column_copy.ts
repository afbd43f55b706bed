// A column out of the channel: copied first, then checked, since the plugin may write meanwhile.
import type { PluginColumn, PluginFieldType } from "../contract.ts";
import { type Channel, COLUMN_BYTES, COLUMN_VALUES, SLOT_EVENTS, Word } from "./channel.ts";

/** Values of all events of a batch together, over several answers. */
const VALUES_MAX = COLUMN_VALUES * 4;
const BYTES_MAX = COLUMN_BYTES * 16;

/** Bytes that a value has; undefined: any number. */
const WIDTHS: Readonly<Record<PluginFieldType, readonly number[] | undefined>> = {
  string: undefined,
  uint64: [8],
  bool: [8],
  reltime: [8],
  abstime: [8],
  ipaddr: [4, 16],
  ipnet: [5, 17],
};

export class ColumnCopy {
  #counts = new Uint32Array(SLOT_EVENTS);
  #ends = new Uint32Array(256);
  #bytes = new Uint8Array(8_192);
  #wanted = 0;
  #events = 0;
  #values = 0;
  #used = 0;

  /** For so many events. */
  begin(count: number): this {
    if (count > this.#counts.length) this.#counts = new Uint32Array(count);
    this.#wanted = count;
    this.#events = this.#values = this.#used = 0;
    return this;
  }

  get events(): number {
    return this.#events;
  }

  get missing(): number {
    return this.#wanted - this.#events;
  }

  /** Adds an answer; what is wrong with it, if anything is. */
  take(channel: Channel, type: PluginFieldType): string | undefined {
    const events = channel.get(Word.AnsweredEvents);
    const values = channel.get(Word.Values);
    const bytes = channel.get(Word.ValueBytes);
    const isWithin = events > 0 && events <= this.missing && values >= 0 &&
      values <= COLUMN_VALUES && bytes >= 0 && bytes <= COLUMN_BYTES &&
      this.#values + values <= VALUES_MAX && this.#used + bytes <= BYTES_MAX;
    if (!isWithin) return NONE;
    this.#ends = grown(this.#ends, this.#values + values);
    this.#bytes = grown(this.#bytes, this.#used + bytes);
    this.#counts.set(channel.counts.subarray(0, events), this.#events);
    this.#ends.set(channel.ends.subarray(0, values), this.#values);
    this.#bytes.set(channel.values.subarray(0, bytes), this.#used);
    let sum = 0;
    for (let at = this.#events; at < this.#events + events; at++) {
      // Sums of 32 bits are exact.
      sum += this.#counts[at]!;
    }
    if (sum !== values) return NONE;
    const widths = WIDTHS[type];
    let from = 0;
    for (let at = this.#values; at < this.#values + values; at++) {
      const end = this.#ends[at]!;
      if (end < from || end > bytes) return NONE;
      if (widths !== undefined && !widths.includes(end - from)) return NONE;
      this.#ends[at] = end + this.#used;
      from = end;
    }
    this.#events += events;
    this.#values += values;
    this.#used += bytes;
    return undefined;
  }

  /** What there is; what is missing has no value. */
  rest(): PluginColumn {
    this.#counts.fill(0, this.#events, this.#wanted);
    return {
      counts: this.#counts.subarray(0, this.#wanted),
      ends: this.#ends.subarray(0, this.#values),
      bytes: this.#bytes.subarray(0, this.#used),
    };
  }
}

const NONE = "it gave a column that is none";

function grown<T extends Uint8Array | Uint32Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const made = array instanceof Uint8Array
    ? new Uint8Array(length * 2)
    : new Uint32Array(length * 2);
  made.set(array);
  return made as T;
}
