// A plugin of numbered texts in TypeScript: what plugins do without a library, for tests. It counts
// how it was asked.
import { BlockWalk, Step } from "../events/blocks.ts";
import { Event } from "../events/event.ts";
import { PLUGIN_DATA_AT, pluginBlockBytes, PluginFrames } from "../events/plugin_block.ts";
import type {
  PluginArgument,
  PluginColumn,
  PluginField,
  PluginInfo,
  PluginNumbers,
  PluginPort,
} from "./contract.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function pluginField(name: string, more: Partial<PluginField> = {}): PluginField {
  return {
    name,
    type: "string",
    description: `What ${name} is.`,
    isList: false,
    addOutput: false,
    properties: [],
    ...more,
  };
}

export function pluginInfo(more: Partial<PluginInfo> = {}): PluginInfo {
  return {
    name: "texts",
    version: "1.2.0",
    description: "Texts, for tests",
    contact: "nobody",
    requiredApiVersion: "3.12.0",
    capabilities: ["sourcing", "extraction"],
    id: 998,
    source: "texts",
    fields: [
      pluginField("text.all"),
      pluginField("text.length", { type: "uint64" }),
      pluginField("text.words", { isList: true }),
      pluginField("text.word", {
        argument: { isRequired: true, isIndex: true, isKey: false },
      }),
      pluginField("text.is_long", { type: "bool", addOutput: true }),
      pluginField("text.address", { type: "ipaddr" }),
    ],
    extractSources: [],
    extractEventTypes: [],
    parseSources: [],
    parseEventTypes: [],
    asyncSources: [],
    asyncEvents: [],
    ...more,
  };
}

/** Gives the texts, so many in a batch, then its end. */
export class TextsPort implements PluginPort {
  readonly info: PluginInfo;
  readonly #texts: readonly string[];
  readonly #perBatch: number;
  readonly #frames = new PluginFrames();
  #at = 0;
  #batch: readonly string[] = [];
  columns = 0;
  singles = 0;
  closed = false;

  constructor(texts: readonly string[], perBatch = 64, info = pluginInfo()) {
    this.#texts = texts;
    this.#perBatch = perBatch;
    this.info = info;
  }

  open(): void {}

  read(buffer: Uint8Array): number {
    if (this.#at >= this.#texts.length) return -1;
    this.#frames.bind(buffer);
    this.#batch = this.#texts.slice(this.#at, this.#at + this.#perBatch);
    let filled = 0;
    for (const [place, text] of this.#batch.entries()) {
      const bytes = encoder.encode(text);
      buffer.set(bytes, filled + PLUGIN_DATA_AT);
      this.#frames.write(filled, bytes.length, this.info.id, 1000 + this.#at + place, 0);
      filled += pluginBlockBytes(bytes.length);
    }
    this.#at += this.#batch.length;
    return filled;
  }

  wait(): void {}

  column(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn {
    this.columns++;
    return columnOf(
      this.#batch.slice(first, first + count).map((text) => valuesOf(text, field, argument)),
    );
  }

  columnOf(
    event: Uint8Array,
    _number: number,
    _source: string,
    field: number,
    argument: PluginArgument | undefined,
  ): PluginColumn {
    this.singles++;
    return columnOf([valuesOf(textOf(event), field, argument)]);
  }

  eventText(event: Uint8Array): string {
    return `text: ${textOf(event)}`;
  }

  metrics() {
    return [{ name: "texts", kind: "counter" as const, value: this.#at }];
  }

  numbers(): PluginNumbers {
    const none = { restarts: 0, errors: 0, dropped: 0, timeouts: 0, residentBytes: 0 };
    return { state: "running", ...none, blockedMs: 0 };
  }

  takeNotices() {
    return [];
  }

  close(): void {
    this.closed = true;
  }
}

/** Gives values of others' events as well, which are lent to it. */
export class LendingPort extends TextsPort {
  lent: { source: string; firstNumber: number }[] = [];
  asked: { first: number; count: number }[] = [];
  #texts: string[] = [];

  readonly lend = (blocks: Uint8Array, source: string, firstNumber: number): void => {
    this.lent.push({ source, firstNumber });
    this.#texts = [];
    const walk = new BlockWalk(new Event());
    walk.begin(blocks, blocks.length);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      const { bytes, offset, end } = walk.event;
      this.#texts.push(textOf(bytes.subarray(offset, end)));
    }
  };

  lentColumn(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn {
    this.asked.push({ first, count });
    const texts = this.#texts.slice(first, first + count);
    return columnOf(texts.map((text) => valuesOf(text, field, argument)));
  }
}

function textOf(event: Uint8Array): string {
  return decoder.decode(event.subarray(PLUGIN_DATA_AT - 10));
}

function valuesOf(
  text: string,
  field: number,
  argument: PluginArgument | undefined,
): Uint8Array[] {
  const words = text.split(" ");
  switch (field) {
    case 0:
      return [encoder.encode(text)];
    case 1:
      return [number(text.length)];
    case 2:
      return words.map((word) => encoder.encode(word));
    case 3: {
      const word = words[argument?.index ?? -1];
      return word === undefined ? [] : [encoder.encode(word)];
    }
    case 4:
      return [number(text.length > 10 ? 1 : 0)];
    default:
      return [Uint8Array.of(10, 0, 0, text.length & 255)];
  }
}

function number(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >> 8, 0, 0, 0, 0, 0, 0);
}

function columnOf(values: readonly Uint8Array[][]): PluginColumn {
  const all = values.flat();
  let end = 0;
  return {
    counts: Uint32Array.from(values, ({ length }) => length),
    ends: Uint32Array.from(all, (bytes) => end += bytes.length),
    bytes: Uint8Array.from(all.flatMap((bytes) => [...bytes])),
  };
}
