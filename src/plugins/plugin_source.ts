// A plugin as an event source: its port's batches of blocks in, the same out, and where each of
// their events stands, so that fields can be asked by column.
import { Event } from "../events/event.ts";
import { BlockWalk, Step } from "../events/blocks.ts";
import type { EventSource, SourceStats } from "../events/source.ts";
import { codeOf } from "../events/table.ts";
import type { Context } from "../state/contract/context.ts";
import type { PluginPort } from "./contract.ts";
import type { Batches } from "./plugin_hand.ts";

const PLUGIN_EVENT = codeOf("PLUGINEVENT_E");

export class PluginSource implements EventSource, Batches {
  readonly name: string;
  readonly source: string;
  readonly isPiecemeal = true;
  readonly #port: PluginPort;
  readonly #offsets: number[] = [];
  readonly #walk = new BlockWalk(new Event());
  #buffer: Uint8Array | undefined;
  #bytes = 0;
  /** Place of the event that was asked for last: the next one is mostly the next. */
  #found = -1;
  #batch = 0;
  #events = 0;

  constructor(port: PluginPort) {
    this.#port = port;
    this.name = port.info.name;
    this.source = port.info.source === "" ? "syscall" : port.info.source;
  }

  get batch(): number {
    return this.#batch;
  }

  get size(): number {
    return this.#offsets.length;
  }

  get blocks(): Uint8Array {
    return this.#buffer?.subarray(0, this.#bytes) ?? new Uint8Array();
  }

  placeOf({ event }: Context): number {
    // What comes from elsewhere is put into the same memory: asynchronous events.
    if (event.bytes !== this.#buffer || event.code !== PLUGIN_EVENT) return -1;
    const { offset } = event;
    const near = this.#found;
    if (near >= 0 && this.#offsets[near] === offset) return near;
    return this.#found = this.#offsets[near + 1] === offset
      ? near + 1
      : this.#offsets.indexOf(offset);
  }

  read(buffer: Uint8Array): number {
    const bytes = this.#port.read(buffer);
    if (bytes <= 0) return bytes;
    this.#batch++;
    this.#found = -1;
    this.#buffer = buffer;
    this.#bytes = bytes;
    this.#offsets.length = 0;
    const walk = this.#walk;
    walk.begin(buffer, bytes);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.Event) this.#offsets.push(walk.event.offset);
    }
    this.#events += this.#offsets.length;
    return bytes;
  }

  wait(timeoutMs: number): void {
    this.#port.wait(timeoutMs);
  }

  stats(): SourceStats {
    const { dropped } = this.#port.numbers();
    return { events: this.#events, lost: [0, dropped], truncated: 0, programs: 0 };
  }

  progress(): { readonly read: number; readonly total: number } | undefined {
    const share = this.#port.progress?.()?.share;
    return share === undefined ? undefined : { read: Math.round(share * 10_000), total: 10_000 };
  }

  snapshot(): Uint8Array {
    return new Uint8Array();
  }

  setInterest(): void {}

  close(): void {
    this.#port.close();
  }
}
