// What the native addon offers of Falco's plugins: a part of index.d.ts.

export interface PluginOptions {
  /** The shared object. */
  path: string;
  /** As the configuration names it: for `ps`, and for errors before it told its own name. */
  name: string;
  /** It runs in this process, on the threads that ask it. */
  inProcess: boolean;
  /** The program of its own process (dist/embed/plugin-host); not read where it runs in this. */
  host?: Uint8Array;
  /** Memory that its own process may have; beyond it, it is ended and started anew. */
  memoryMb: number;
  /** Its own process may start others; without it the kernel refuses that. */
  processes?: boolean;
}

/**
 * Answers what plugins ask of the table of threads and of those within each thread
 * (src/plugins/thread_tables.ts): `what` is 0 size, 1 whether an entry is there, 2 keys (the bytes
 * of doubles), 3 a field's value; `which` and `field` are places in
 * plugin-host/src/tables/machine.rs. Undefined: there is no such entry. Called while a plugin is.
 */
export type PluginTablesAsk = (
  what: number,
  which: number,
  tid: number,
  key: number,
  field: number,
) => number | bigint | Uint8Array | undefined;

/** State tables of the plugins of one thread. */
export class PluginTables {
  static make(ask: PluginTablesAsk): PluginTables;
  /** The thread is gone: what plugins keep of it goes too. */
  forget(tid: number): void;
  /** Whether plugins keep anything of threads. */
  hasColumns(): boolean;
  /** Values that the bounds refused. */
  refused(): number;
}

export interface PluginNoticeLine {
  /** "critical", "warning" or "info". */
  level: string;
  line: string;
}

export interface PluginMetricValue {
  name: string;
  /** "counter" or "gauge". */
  kind: string;
  value: number;
}

export interface PluginProgress {
  /** 0 to 1. */
  share: number;
  text: string;
}

/** As PluginNumbers of src/plugins/contract.ts. */
export interface PluginNumberValues {
  /** "running", "pausing", "ended" or "failed". */
  state: string;
  restarts: number;
  errors: number;
  dropped: number;
  timeouts: number;
  residentBytes: number;
  lastError?: string;
  blockedMs: number;
}

/**
 * One plugin, used by one thread. What `load`, `init`, `open` and `setConfig` throw is one line
 * without the plugin's name, as Falco says it where it does. Nothing else throws: a plugin that
 * fails later is told by `takeNotices`, counted, and started anew after a pause.
 *
 * A column is written to `out`, all numbers little end first: u32 events, u32 values, u32 bytes,
 * u32 0; then of each event a u32, how many values it has; then of each value a u32, where it ends
 * in the bytes; then the bytes: of uint64, bool, reltime and abstime 8, of string as the
 * plugin gave it, of ipaddr 4 or 16, of ipnet 4 or 16 and the length of the prefix. Returned are
 * the bytes of the column, or, where `out` is too small for it, what it takes as a negative number
 * (nothing is written then). A column has at most 16 MB: values of further events are left out
 * (the events are fewer than `count`), and of an event that has more by itself, too.
 */
export class Plugin {
  /** Loads and checks the library; nothing of it has been initialized yet. */
  static load(options: PluginOptions): Plugin;
  /** The JSON of a PluginInfo (src/plugins/contract.ts). */
  info(): string;
  /** What it and the others of this thread have of state tables, where it runs in this process; to
   * be called before `init`. Without, there are no threads. */
  useTables(tables: PluginTables): void;
  /** Loads and initializes another plugin in its process first, whose tables and columns it may
   * need; to be called before `init`. Nothing else is asked of that one. In saker's own process
   * they are there by `useTables`. */
  beginAfter(path: string, config: string): void;
  /** Holds the configuration against the plugin's schema, and initializes it. A switch `useAsync`
   * of the schema that the configuration does not set is off. */
  init(config: string): void;
  /** Event types are known once it is initialized: JSON of the lists of PluginInfo,
   * `{"extractEventTypes": [], "parseEventTypes": []}`. */
  eventTypes(): string;
  /** JSON of `[{"value": "", "description": "", "separator": ""}]`; "[]" where it tells none.
   * Throws where what it tells is none. */
  openParams(): string;
  open(params: string): void;
  /** As PluginPort.read. */
  read(buffer: Uint8Array): number;
  wait(timeoutMs: number): void;
  /** Of the events that `read` gave last. `key` and `index` are the field's argument: a
   * number stands in `index`, in both where the field takes either, and both are null where there
   * is none. */
  column(
    field: number,
    key: string | null,
    index: number | null,
    first: number,
    count: number,
    out: Uint8Array,
  ): number;
  /** Hands over events of another source, whole .scap blocks, the first of them with this number
   * (`evt.num`); returns how many there are. They hold until the next call of this or
   * of `columnOf`. One in this process takes none. */
  lend(blocks: Uint8Array, source: string, firstNumber: number): number;
  /** As `column`, of the events that were lent last. */
  lentColumn(
    field: number,
    key: string | null,
    index: number | null,
    first: number,
    count: number,
    out: Uint8Array,
  ): number;
  /** As `column`, of one event: its bytes from the event's header on. */
  columnOf(
    event: Uint8Array,
    number: number,
    source: string,
    field: number,
    key: string | null,
    index: number | null,
    out: Uint8Array,
  ): number;
  /** The plugin's own text of one of its events; null where it has none. */
  eventText(event: Uint8Array, number: number): string | null;
  progress(): PluginProgress | null;
  setConfig(config: string): void;
  /** Hands over one event of another source to be parsed, `bytes[start .. end)`. */
  parse(bytes: Uint8Array, start: number, end: number, number: number, source: string): void;
  /** As PluginPort.beginAsync; events for a source besides system calls name no thread. */
  beginAsync(ofSystemCalls: boolean): void;
  /** Fills `buffer` with blocks of asynchronous events; 0: none now. */
  takeAsync(buffer: Uint8Array, sourceId: number): number;
  endAsync(): void;
  dumpState(sourceId: number): Uint8Array;
  captureOpen(): void;
  captureClose(): void;
  metrics(): PluginMetricValue[];
  numbers(): PluginNumberValues;
  /** Lines for the log since the last call, without the plugin's name. */
  takeNotices(): PluginNoticeLine[];
  /** Closes its source, destroys it, ends its process. */
  close(): void;
}
