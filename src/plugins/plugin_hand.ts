// What asks a running plugin for values: an event at hand and a field come in, the value goes out.
// Events of the plugin's own batch are asked by column, once it shows that most of them are asked;
// all others one by one.
import type { Value } from "../fields/row/field.ts";
import type { Context } from "../state/contract/context.ts";
import { ColumnValues } from "./column_values.ts";
import type { PluginArgument, PluginPort } from "./contract.ts";

/** Where an event stands in the batch that was read last. */
export interface Batches {
  /** Changes with each batch. */
  readonly batch: number;
  /** Events of the batch. */
  readonly size: number;
  /** -1: it is none of the batch. */
  placeOf(context: Context): number;
}

/** Asked so often in a batch, and of one event in four, the rest is fetched at once. */
const ASKED_MIN = 4;
const ASKED_SHARE = 4;

export class PluginHand {
  readonly port: PluginPort;
  /** Name of the source whose events are asked. */
  readonly #source: string;
  readonly #batches: Batches | undefined;

  /** `batches`: of the plugin's own events, where it is the source of them. */
  constructor(port: PluginPort, source: string, batches?: Batches) {
    this.port = port;
    this.#source = source;
    this.#batches = batches;
  }

  /** Reads the field (its place in the plugin's fields) with that argument. */
  reader(field: number, argument: PluginArgument | undefined): (context: Context) => Value {
    const batches = this.#batches;
    if (batches === undefined) return this.#single(field, argument);
    const single = this.#single(field, argument);
    const kept = new KeptColumn(this.port, batches, field, argument);
    return (context) => {
      const place = batches.placeOf(context);
      return place < 0 ? single(context) : kept.at(place);
    };
  }

  /** The plugin's own words of its event. */
  eventText(context: Context): Value {
    const { event } = context;
    return this.port.eventText?.(event.bytes.subarray(event.offset, event.end), event.num);
  }

  #single(field: number, argument: PluginArgument | undefined): (context: Context) => Value {
    const { port } = this;
    const { type, isList } = port.info.fields[field]!;
    const kept = new AtHand();
    return (context) => {
      if (!kept.isNew(context)) return kept.value;
      const { event } = context;
      const bytes = event.bytes.subarray(event.offset, event.end);
      const column = port.columnOf(bytes, event.num, this.#source, field, argument);
      return kept.value = new ColumnValues(column, type, isList).of(0);
    };
  }
}

/** Conditions ask, then the text of an alert, then its fields: once for all. */
class AtHand {
  value: Value;
  #num = -1;
  #offset = -1;
  #bytes: Uint8Array | undefined;

  isNew({ event }: Context): boolean {
    const { num, offset, bytes } = event;
    if (num === this.#num && offset === this.#offset && bytes === this.#bytes) return false;
    this.#num = num;
    this.#offset = offset;
    this.#bytes = bytes;
    this.value = undefined;
    return true;
  }
}

/** What is known of one field in the present batch. */
class KeptColumn {
  readonly #port: PluginPort;
  readonly #batches: Batches;
  readonly #field: number;
  readonly #argument: PluginArgument | undefined;
  #batch = -1;
  /** Events of the batch that were asked; whether most of the one before were. */
  #asked = 0;
  #isOften = false;
  #values: ColumnValues | undefined;
  #first = 0;
  #end = 0;
  #place = -1;
  #value: Value;
  #size = 0;

  constructor(
    port: PluginPort,
    batches: Batches,
    field: number,
    argument: PluginArgument | undefined,
  ) {
    this.#port = port;
    this.#batches = batches;
    this.#field = field;
    this.#argument = argument;
  }

  at(place: number): Value {
    if (this.#batch !== this.#batches.batch) this.#begin();
    if (place === this.#place) return this.#value;
    this.#place = place;
    this.#asked++;
    if (place < this.#first || place >= this.#end) this.#fetch(place);
    return this.#value = this.#values!.of(place - this.#first);
  }

  #begin(): void {
    this.#isOften = this.#asked >= ASKED_MIN && this.#asked * ASKED_SHARE >= this.#size;
    this.#batch = this.#batches.batch;
    this.#size = this.#batches.size;
    this.#asked = 0;
    this.#first = this.#end = 0;
    this.#place = -1;
  }

  #fetch(place: number): void {
    const isOften = this.#isOften ||
      (this.#asked >= ASKED_MIN && this.#asked * ASKED_SHARE >= place);
    const count = isOften ? this.#size - place : 1;
    const { type, isList } = this.#port.info.fields[this.#field]!;
    const column = this.#port.column(this.#field, this.#argument, place, count);
    this.#values = new ColumnValues(column, type, isList);
    this.#first = place;
    // Fewer may have come than were asked for.
    this.#end = place + Math.max(this.#values.events, 1);
  }
}
