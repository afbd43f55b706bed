// A plugin of Falco's, as the addon runs it (in this process or in one of its own), as the port
// that sources and fields ask. Columns come packed; bindings-rs/plugins.d.ts has their layout.
import type { Plugin } from "../../../bindings-rs/plugins.d.ts";
import type {
  OpenParam,
  PluginArgument,
  PluginColumn,
  PluginInfo,
  PluginMetric,
  PluginNotice,
  PluginNumbers,
  PluginPort,
} from "../../plugins/contract.ts";

const COLUMN_BYTES = 1 << 16;
/** Counts of events, of values, of bytes, and one that is 0. */
const HEAD_WORDS = 4;
const NOTHING: PluginColumn = {
  counts: new Uint32Array(1),
  ends: new Uint32Array(0),
  bytes: new Uint8Array(0),
};

export class LibraryPort implements PluginPort {
  readonly info: PluginInfo;
  readonly lend: PluginPort["lend"];
  readonly #plugin: Plugin;
  readonly #isHere: boolean;
  #out = new Uint8Array(COLUMN_BYTES);

  /** `isHere`: the plugin runs in this process. */
  constructor(plugin: Plugin, info: PluginInfo, isHere: boolean) {
    this.#plugin = plugin;
    this.info = info;
    this.#isHere = isHere;
    // A question to another process costs more than most answers.
    this.lend = isHere
      ? undefined
      : (blocks, source, firstNumber) => void plugin.lend(blocks, source, firstNumber);
  }

  open(params: string): void {
    this.#plugin.open(params);
  }

  read(buffer: Uint8Array): number {
    return this.#plugin.read(buffer);
  }

  wait(timeoutMs: number): void {
    this.#plugin.wait(timeoutMs);
  }

  column(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn {
    const { key, index } = given(argument);
    // Plugins keep what they read of the event that was asked last: one field of many events after
    // the other would have each of them read anew. (A process of its own is asked for all fields
    // of an event together.)
    const events = this.#isHere ? 1 : count;
    return this.#column((out) => this.#plugin.column(field, key, index, first, events, out));
  }

  lentColumn(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn {
    const { key, index } = given(argument);
    return this.#column((out) => this.#plugin.lentColumn(field, key, index, first, count, out));
  }

  columnOf(
    event: Uint8Array,
    number: number,
    source: string,
    field: number,
    argument: PluginArgument | undefined,
  ): PluginColumn {
    const { key, index } = given(argument);
    return this.#column((out) =>
      this.#plugin.columnOf(event, number, source, field, key, index, out)
    );
  }

  eventText(event: Uint8Array, number: number): string | undefined {
    return this.#plugin.eventText(event, number) ?? undefined;
  }

  progress(): { readonly share: number; readonly text: string } | undefined {
    return this.#plugin.progress() ?? undefined;
  }

  openParams(): readonly OpenParam[] {
    return JSON.parse(this.#plugin.openParams());
  }

  parse(bytes: Uint8Array, start: number, end: number, number: number, source: string): void {
    this.#plugin.parse(bytes, start, end, number, source);
  }

  beginAsync(ofSystemCalls: boolean): void {
    this.#plugin.beginAsync(ofSystemCalls);
  }

  takeAsync(buffer: Uint8Array, sourceId: number): number {
    return this.#plugin.takeAsync(buffer, sourceId);
  }

  endAsync(): void {
    this.#plugin.endAsync();
  }

  dumpState(sourceId: number): Uint8Array {
    return this.#plugin.dumpState(sourceId);
  }

  captureOpen(): void {
    this.#plugin.captureOpen();
  }

  captureClose(): void {
    this.#plugin.captureClose();
  }

  metrics(): readonly PluginMetric[] {
    return this.#plugin.metrics() as unknown as PluginMetric[];
  }

  numbers(): PluginNumbers {
    return this.#plugin.numbers() as PluginNumbers;
  }

  takeNotices(): readonly PluginNotice[] {
    return this.#plugin.takeNotices() as unknown as PluginNotice[];
  }

  close(): void {
    this.#plugin.close();
  }

  #column(ask: (out: Uint8Array) => number): PluginColumn {
    let bytes = ask(this.#out);
    if (bytes < 0) {
      this.#out = new Uint8Array(-bytes);
      bytes = ask(this.#out);
    }
    return bytes <= 0 ? NOTHING : columnIn(this.#out, bytes);
  }
}

function given(argument: PluginArgument | undefined) {
  return { key: argument?.key ?? null, index: argument?.index ?? null };
}

/** The column that the bytes hold; one that does not hold together is none. */
export function columnIn(out: Uint8Array, length: number): PluginColumn {
  const words = length >> 2;
  if (words < HEAD_WORDS) return NOTHING;
  const view = new Uint32Array(out.buffer, out.byteOffset, words);
  const [events, values, size] = [view[0]!, view[1]!, view[2]!];
  const from = (HEAD_WORDS + events + values) * 4;
  if (from + size > length) return NOTHING;
  return {
    counts: view.subarray(HEAD_WORDS, HEAD_WORDS + events),
    ends: view.subarray(HEAD_WORDS + events, HEAD_WORDS + events + values),
    bytes: out.subarray(from, from + size),
  };
}
