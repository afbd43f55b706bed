// A plugin in TypeScript as the thread that judges its events holds it: a thread of the plugin's
// own runs the module, and what it puts into the channel is copied and checked here. A plugin that
// fails, does not answer, or grows is ended and started anew after a pause that grows.
import {
  PLUGIN_DATA_AT,
  PLUGIN_EVENT_AT,
  pluginBlockBytes,
  PluginFrames,
} from "../../events/plugin_block.ts";
import type {
  PluginArgument,
  PluginColumn,
  PluginInfo,
  PluginMetric,
  PluginModule,
  PluginNotice,
  PluginNumbers,
  PluginPort,
} from "../contract.ts";
import {
  EVENT_BYTES_MAX,
  EVENT_WORDS,
  Owner,
  Request,
  SLOT_BYTES,
  SLOT_EVENTS,
  Word,
} from "./channel.ts";
import { ColumnCopy } from "./column_copy.ts";
import { Keeper, STUCK_MS } from "./keeper.ts";

/** Where the data of a plugin event stands, from its header on. */
const DATA_AT = PLUGIN_DATA_AT - PLUGIN_EVENT_AT;

export class TypeScriptPort implements PluginPort {
  /** A question to another thread costs as much as many values. */
  readonly askedShare = 64;
  readonly info: PluginInfo;
  readonly #keeper: Keeper;
  readonly #frames = new PluginFrames();
  readonly #copy = new ColumnCopy();
  /** The batch at hand: its place, events in it, the next of them and where its data stand. */
  #slot = 0;
  #events = 0;
  #next = 0;
  #at = 0;
  #hasSlot = false;
  /** The start that the batches at hand are of. */
  #slotBy = 0;
  /** Where in the batch the events begin that `read` gave last, and the start they are of. */
  #given = 0;
  #givenBy = -1;
  #dropped = 0;
  #refused = 0;

  constructor(start: PluginModule, stuckMs = STUCK_MS) {
    this.info = start.info;
    this.#keeper = new Keeper(start, stuckMs);
  }

  begin(): void {
    this.#keeper.isUp();
  }

  open(params: string): void {
    this.#keeper.open(params);
  }

  read(buffer: Uint8Array): number {
    const keeper = this.#keeper;
    const isUp = keeper.look();
    if (!isUp || this.#slotBy !== keeper.starts) this.#forget();
    if (!isUp) return keeper.isGone ? -1 : 0;
    for (;;) {
      if (!this.#hasSlot && !this.#takeSlot()) return keeper.hasEnded ? -1 : 0;
      this.#given = this.#next;
      this.#givenBy = keeper.starts;
      const filled = this.#fill(buffer);
      if (filled > 0) return filled;
      if (this.#next === this.#events) this.#release();
    }
  }

  wait(timeoutMs: number): void {
    this.#keeper.wait(timeoutMs, () => this.#isReady());
  }

  column(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn {
    const copy = this.#copy.begin(count);
    const keeper = this.#keeper;
    if (this.#givenBy !== keeper.starts) return copy.rest();
    const { type } = this.info.fields[field]!;
    while (copy.missing > 0) {
      const channel = keeper.channel;
      channel.set(Word.Slot, this.#slot);
      channel.set(Word.First, this.#given + first + copy.events);
      channel.set(Word.Count, copy.missing);
      if (!keeper.askField(Request.Column, field, argument)) break;
      const refused = copy.take(channel, type);
      if (refused === undefined) continue;
      this.#refused++;
      keeper.fail(refused);
      break;
    }
    return copy.rest();
  }

  columnOf(
    event: Uint8Array,
    _number: number,
    source: string,
    field: number,
    argument: PluginArgument | undefined,
  ): PluginColumn {
    const copy = this.#copy.begin(1);
    const keeper = this.#keeper;
    if (!this.#sendEvent(event, source)) return copy.rest();
    if (keeper.askField(Request.ColumnOf, field, argument)) {
      const refused = copy.take(keeper.channel, this.info.fields[field]!.type);
      if (refused !== undefined) {
        this.#refused++;
        keeper.fail(refused);
      }
    }
    return copy.rest();
  }

  eventText(event: Uint8Array): string | undefined {
    const keeper = this.#keeper;
    if (!this.#sendEvent(event, this.info.source)) return undefined;
    if (!keeper.ask(Request.TextOf)) return undefined;
    const text = keeper.text();
    return text === "" ? undefined : text;
  }

  metrics(): readonly PluginMetric[] {
    return [];
  }

  numbers(): PluginNumbers {
    return this.#keeper.numbers({ dropped: this.#dropped, refused: this.#refused });
  }

  takeNotices(): readonly PluginNotice[] {
    return this.#keeper.takeNotices();
  }

  close(): void {
    this.#keeper.close();
  }

  #sendEvent(event: Uint8Array, source: string): boolean {
    const keeper = this.#keeper;
    const data = event.subarray(DATA_AT);
    if (event.length < DATA_AT || data.length > EVENT_BYTES_MAX || !keeper.isUp()) return false;
    const { channel } = keeper;
    channel.event.set(data);
    channel.set(Word.EventBytes, data.length);
    channel.set(Word.EventTimeLow, numberAt(event, 0));
    channel.set(Word.EventTimeHigh, numberAt(event, 4));
    keeper.putText(source);
    return true;
  }

  #isReady(): boolean {
    return this.#hasSlot ||
      this.#keeper.channel.get(Word.SlotOwner + this.#slot) === Owner.Judge;
  }

  /** The plugin is away, or another one since: so is what it gave and what was not read yet, which
   * the keeper has counted, with what was read of the batch at hand. */
  #forget(): void {
    if (this.#hasSlot) this.#dropped -= this.#next;
    this.#hasSlot = false;
    this.#slot = 0;
    this.#slotBy = this.#keeper.starts;
  }

  #takeSlot(): boolean {
    const { channel } = this.#keeper;
    if (channel.get(Word.SlotOwner + this.#slot) !== Owner.Judge) return false;
    const events = channel.get(Word.SlotEvents + this.#slot);
    if (events < 0 || events > SLOT_EVENTS) {
      this.#refused++;
      this.#keeper.fail("it gave a batch that is none");
      return false;
    }
    this.#events = events;
    this.#next = this.#at = 0;
    this.#hasSlot = true;
    return true;
  }

  #release(): void {
    this.#hasSlot = false;
    this.#keeper.release(this.#slot);
    this.#slot = 1 - this.#slot;
  }

  /** Copies as many events as there is room for; each number is looked at once. */
  #fill(buffer: Uint8Array): number {
    const { channel } = this.#keeper;
    const heads = channel.heads[this.#slot]!;
    const data = channel.data[this.#slot]!;
    this.#frames.bind(buffer);
    let filled = 0;
    for (; this.#next < this.#events; this.#next++) {
      const head = this.#next * EVENT_WORDS;
      const bytes = heads[head]!;
      if (bytes > EVENT_BYTES_MAX || this.#at + bytes > SLOT_BYTES) {
        this.#refused++;
        this.#dropped += this.#events - this.#next;
        this.#next = this.#events;
        this.#keeper.fail("it gave an event that is larger than it may be");
        return filled;
      }
      const size = pluginBlockBytes(bytes);
      if (filled + size > buffer.length) {
        if (filled > 0) return filled;
        // No buffer is large enough for it. What comes next begins a batch of its own.
        this.#dropped++;
        this.#at += bytes;
        this.#given = this.#next + 1;
        continue;
      }
      buffer.set(data.subarray(this.#at, this.#at + bytes), filled + PLUGIN_DATA_AT);
      this.#frames.write(filled, bytes, this.info.id, heads[head + 1]!, heads[head + 2]! % 1e9);
      this.#at += bytes;
      filled += size;
    }
    return filled;
  }
}

/** 32 bits of the event's time, which stands first in its header. */
function numberAt(event: Uint8Array, at: number): number {
  return event[at]! | event[at + 1]! << 8 | event[at + 2]! << 16 | event[at + 3]! << 24;
}
