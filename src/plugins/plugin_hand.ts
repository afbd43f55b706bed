// What asks a running plugin for values: an event at hand and a field come in, the value goes out.
// Events of a plugin's batch are asked by column, once it shows that most of them are asked: of its
// own, and of another plugin's where it runs in a process of its own. All others one by one.
import type { Value } from "../fields/row/field.ts";
import { codeOf } from "../events/table.ts";
import { View } from "../state/contract/views.ts";
import type { CallTexts } from "./call_texts.ts";
import type { Context } from "../state/contract/context.ts";
import { ColumnValues } from "./column_values.ts";
import type { PluginArgument, PluginColumn, PluginPort } from "./contract.ts";
import { WorkCount } from "./plugin_work.ts";

/** Where an event stands in the batch that was read last. */
export interface Batches {
  /** Changes with each batch. */
  readonly batch: number;
  /** Events of the batch. */
  readonly size: number;
  /** Its blocks. */
  readonly blocks: Uint8Array;
  /** -1: it is none of the batch. */
  placeOf(context: Context): number;
}

/** Whose batches they are. */
export interface Given {
  readonly batches: Batches;
  readonly isOwn: boolean;
}

const PLUGIN_EVENT = codeOf("PLUGINEVENT_E");

/** Asked so often in a batch, and of one event in so many, the rest is fetched at once. */
const ASKED_MIN = 4;
/** Of who says nothing else (PluginPort.askedShare). */
const ASKED_SHARE = 4;

export class PluginHand {
  readonly port: PluginPort;
  /** How often it was asked for values. */
  readonly work = new WorkCount();
  /** Name of the source whose events are asked. */
  readonly #source: string;
  readonly #batches: Batches | undefined;
  readonly #columns: Columns | undefined;

  /** `given`: the batches of the source, where they come from a plugin that runs. */
  constructor(port: PluginPort, source: string, given?: Given) {
    this.port = port;
    this.#source = source;
    if (given === undefined || !(given.isOwn || port.lend)) return;
    const { batches, isOwn } = given;
    this.#batches = batches;
    this.#columns = isOwn ? port.column.bind(port) : lentColumns(port, source, batches);
  }

  /** Reads the field (its place in the plugin's fields) with that argument; `texts`: how system
   * calls are shown, to who is not given them as they are. */
  reader(
    field: number,
    argument: PluginArgument | undefined,
    texts?: CallTexts,
  ): (context: Context) => Value {
    const [batches, columns, work] = [this.#batches, this.#columns, this.work];
    const single = this.#single(field, argument, texts);
    if (batches === undefined || columns === undefined) return single;
    const { type, isList } = this.port.info.fields[field]!;
    const fetch = (place: number, count: number, num: number) => {
      work.question(count);
      return new ColumnValues(columns(field, argument, place, count, num), type, isList);
    };
    const kept = new KeptColumn(batches, fetch, this.port.askedShare ?? ASKED_SHARE);
    return (context) => {
      const place = batches.placeOf(context);
      return place < 0 ? single(context) : kept.at(place, context.event.num);
    };
  }

  /** The plugin's own words of its event. */
  eventText(context: Context): Value {
    const { event } = context;
    return this.port.eventText?.(event.bytes.subarray(event.offset, event.end), event.num);
  }

  #single(
    field: number,
    argument: PluginArgument | undefined,
    texts: CallTexts | undefined,
  ): (context: Context) => Value {
    const { port, work } = this;
    const { type, isList } = port.info.fields[field]!;
    const kept = new AtHand();
    return (context) => {
      if (!kept.isNew(context)) return kept.value;
      const { event } = context;
      work.question(1);
      const bytes = texts === undefined || event.code === PLUGIN_EVENT
        ? event.bytes.subarray(event.offset, event.end)
        : texts.of(context);
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
  #view: View = View.Kernel;

  isNew({ event, view }: Context): boolean {
    const { num, offset, bytes } = event;
    const isSame = num === this.#num && offset === this.#offset && bytes === this.#bytes;
    if (isSame && view === this.#view) return false;
    this.#view = view;
    this.#num = num;
    this.#offset = offset;
    this.#bytes = bytes;
    this.value = undefined;
    return true;
  }
}

/** Columns of a batch at hand: `num` is `evt.num` of the event at `first`. */
type Columns = (
  field: number,
  argument: PluginArgument | undefined,
  first: number,
  count: number,
  num: number,
) => PluginColumn;

/** Another plugin's batch is handed over when it is asked of for the first time. */
function lentColumns(port: PluginPort, source: string, batches: Batches): Columns {
  let lent = -1;
  return (field, argument, first, count, num) => {
    if (lent !== batches.batch) {
      port.lend!(batches.blocks, source, num - first);
      lent = batches.batch;
    }
    return port.lentColumn!(field, argument, first, count);
  };
}

/** What is known of one field in the present batch. */
class KeptColumn {
  readonly #batches: Batches;
  readonly #ask: (place: number, count: number, num: number) => ColumnValues;
  readonly #share: number;
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
    batches: Batches,
    ask: (place: number, count: number, num: number) => ColumnValues,
    share: number,
  ) {
    this.#batches = batches;
    this.#ask = ask;
    this.#share = share;
  }

  at(place: number, num: number): Value {
    if (this.#batch !== this.#batches.batch) this.#begin();
    if (place === this.#place) return this.#value;
    this.#place = place;
    this.#asked++;
    if (place < this.#first || place >= this.#end) this.#fetch(place, num);
    return this.#value = this.#values!.of(place - this.#first);
  }

  #begin(): void {
    this.#isOften = this.#asked >= ASKED_MIN && this.#asked * this.#share >= this.#size;
    this.#batch = this.#batches.batch;
    this.#size = this.#batches.size;
    this.#asked = 0;
    this.#first = this.#end = 0;
    this.#place = -1;
  }

  #fetch(place: number, num: number): void {
    const isOften = this.#isOften ||
      (this.#asked >= ASKED_MIN && this.#asked * this.#share >= place);
    this.#values = this.#ask(place, isOften ? this.#size - place : 1, num);
    this.#first = place;
    // Fewer may have come than were asked for.
    this.#end = place + Math.max(this.#values.events, 1);
  }
}
