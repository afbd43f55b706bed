// What running plugins do with the events of one source besides giving values: they parse them,
// send events of their own into the stream, and hear of its begin and end. In: ports, events.
// Out: blocks of asynchronous events; what goes wrong is the ports' to tell.
import type { Event } from "../events/event.ts";
import { codeOf, EVENTS } from "../events/table.ts";
import { listHas, parsesOther, sendsTo, SYSCALL_SOURCE } from "./compatible.ts";
import { BlockCopy } from "../events/scap/block_copy.ts";
import type { PluginInfo, PluginPort } from "./contract.ts";
import { WorkCount } from "./plugin_work.ts";

const PLUGIN_EVENT = codeOf("PLUGINEVENT_E");
/** Asynchronous events are looked for this often. */
const LOOK_MS = 10;
/** Blocks that are taken at once; an event may have 1 MiB. */
const TAKEN_BYTES = (1 << 20) - 4096;

/** Event codes that the plugin parses, of a source that is not its own. */
export function parsedCodes(info: PluginInfo): readonly number[] {
  if (info.parseEventTypes.length > 0) return info.parseEventTypes;
  return listHas(info, info.parseSources, SYSCALL_SOURCE)
    ? EVENTS.map(({ code }) => code)
    : [PLUGIN_EVENT];
}

export interface PluginEventsOptions {
  readonly source: string;
  /** The id of the plugin that is the source; 0: system calls. */
  readonly sourceId: number;
  /** A capture has its asynchronous events already. */
  readonly isCapture: boolean;
}

interface Parser {
  readonly port: PluginPort;
  readonly work: WorkCount;
  /** By event code. */
  readonly wanted: Uint8Array;
}

export class PluginEvents {
  /** By event code: 1 where one of them parses it. */
  readonly wanted = new Uint8Array(EVENTS.length);
  readonly #parsers: readonly Parser[];
  readonly #senders: readonly PluginPort[];
  readonly #listeners: readonly PluginPort[];
  readonly #options: PluginEventsOptions;
  readonly #works = new Map<PluginPort, WorkCount>();
  readonly #blocks = new BlockCopy();
  #buffer: Uint8Array | undefined;
  #lookedAtMs = 0;

  constructor(ports: readonly PluginPort[], options: PluginEventsOptions) {
    const { source, isCapture } = this.#options = options;
    this.#parsers = ports.filter(({ info, parse }) => parse && parsesOther(info, source))
      .map((port) => ({
        port,
        work: this.workOf(port),
        wanted: flags(parsedCodes(port.info)),
      }));
    for (const { wanted } of this.#parsers) {
      for (const [code, wants] of wanted.entries()) if (wants === 1) this.wanted[code] = 1;
    }
    this.#senders = isCapture ? [] : ports.filter(({ info }) => sendsTo(info, source));
    this.#listeners = ports.filter(({ info }) => info.capabilities.includes("listening"));
  }

  /** Names of the events that are parsed, and of those that a plugin asks for by themselves. */
  get parsedNames(): ReadonlySet<string> {
    return new Set(EVENTS.filter(({ code }) => this.wanted[code] === 1).map(({ name }) => name));
  }

  get namedEvents(): ReadonlySet<string> {
    const codes = this.#parsers.flatMap(({ port }) => port.info.parseEventTypes);
    return new Set(codes.flatMap((code) => EVENTS[code]?.name ?? []));
  }

  /** Nobody parses, sends or listens. */
  get isIdle(): boolean {
    return this.#parsers.length + this.#senders.length + this.#listeners.length === 0;
  }

  /** To be called once the tables are loaded; throws where a plugin refuses. */
  begin(): void {
    for (const port of this.#senders) port.beginAsync?.(this.#options.source === SYSCALL_SOURCE);
    for (const port of this.#listeners) port.captureOpen?.();
  }

  parse({ bytes, offset, end, num, code }: Event): void {
    for (const { port, work, wanted } of this.#parsers) {
      if (wanted[code] !== 1) continue;
      work.parsed++;
      port.parse?.(bytes, offset, end, num, this.#options.source);
    }
  }

  /** Blocks of the asynchronous events that came since the last look. */
  take(nowMs: number): Uint8Array | undefined {
    if (this.#senders.length === 0 || nowMs - this.#lookedAtMs < LOOK_MS) return undefined;
    this.#lookedAtMs = nowMs;
    const buffer = this.#buffer ??= new Uint8Array(TAKEN_BYTES);
    let at = 0;
    for (const port of this.#senders) {
      const taken = port.takeAsync?.(buffer.subarray(at), this.#options.sourceId) ?? 0;
      if (taken > 0) this.workOf(port).sent += this.#eventsIn(buffer.subarray(at, at + taken));
      at += taken;
    }
    return at === 0 ? undefined : buffer.subarray(0, at);
  }

  /** What it has parsed and sent. */
  workOf(port: PluginPort): WorkCount {
    const work = this.#works.get(port) ?? new WorkCount();
    this.#works.set(port, work);
    return work;
  }

  #eventsIn(bytes: Uint8Array): number {
    const blocks = this.#blocks;
    blocks.begin(bytes, bytes.length);
    let events = 0;
    while (blocks.next()) events++;
    return events;
  }

  /** Blocks of events that tell what plugins know, for a capture that begins. */
  dump(): Uint8Array[] {
    return this.#senders.map((port) => port.dumpState?.(this.#options.sourceId) ?? NOTHING)
      .filter(({ length }) => length > 0);
  }

  end(): void {
    for (const port of this.#senders) port.endAsync?.();
    for (const port of this.#listeners) port.captureClose?.();
  }
}

const NOTHING = new Uint8Array(0);

function flags(codes: readonly number[]): Uint8Array {
  const flags = new Uint8Array(EVENTS.length);
  for (const code of codes) if (code < flags.length) flags[code] = 1;
  return flags;
}
