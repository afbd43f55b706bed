// What a plugin is to saker, wherever it runs: C in this process, C in a process of its own, or
// TypeScript in a worker. Plugins implement `PluginPort`; sources and fields ask it. All that
// crosses a thread (`PluginInfo`) is plain data.
import type { ModuleText } from "./typescript/module_text.ts";

export type PluginCapability = "sourcing" | "extraction" | "parsing" | "async" | "listening";

/** Types of Falco's plugin fields. */
export type PluginFieldType =
  | "string"
  | "uint64"
  | "bool"
  | "reltime"
  | "abstime"
  | "ipaddr"
  | "ipnet";

export interface PluginField {
  readonly name: string;
  readonly type: PluginFieldType;
  readonly description: string;
  readonly display?: string;
  readonly isList: boolean;
  /** Absent: it takes none. */
  readonly argument?: {
    readonly isRequired: boolean;
    readonly isIndex: boolean;
    readonly isKey: boolean;
  };
  /** It is added to outputs under `suggested_output`. */
  readonly addOutput: boolean;
  /** Falco's `properties`: hidden, info, conversation. */
  readonly properties: readonly string[];
}

/** What a plugin says of itself: texts as it gave them, JSON read and checked. */
export interface PluginInfo {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly contact: string;
  readonly requiredApiVersion: string;
  readonly capabilities: readonly PluginCapability[];
  /** Of plugins that source events; 0 and "": events of the source `syscall`, or none. */
  readonly id: number;
  readonly source: string;
  readonly fields: readonly PluginField[];
  /** Names of sources; empty: all. A plugin's own source is always in a list that is not. */
  readonly extractSources: readonly string[];
  /** Event codes; empty: all where `syscall` is compatible, else plugin events alone. */
  readonly extractEventTypes: readonly number[];
  readonly parseSources: readonly string[];
  readonly parseEventTypes: readonly number[];
  readonly asyncSources: readonly string[];
  readonly asyncEvents: readonly string[];
  /** Of plugins in TypeScript with fields of system calls: saker's own fields that it is shown of
   * them (call_texts.ts). */
  readonly reads?: readonly string[];
  /** JSON schema of `init_config`, as text. */
  readonly initSchema?: string;
}

/** What `open_params` may say, as a plugin suggests it. */
export interface OpenParam {
  readonly value: string;
  readonly description: string;
  readonly separator: string;
}

/** A plugin as the configuration wants it; plain data. */
export interface PluginSetting {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** A shared object, or a module in TypeScript or JavaScript. */
  readonly kind: "library" | "module";
  /** Text; of a map its JSON. */
  readonly initConfig: string;
  readonly openParams: string;
  /** A library runs in this process, on the thread that asks it. */
  readonly inProcess: boolean;
  /** What its own process may have; of a module, its thread. */
  readonly memoryMb: number;
  /** Its own process may start others. */
  readonly processes?: boolean;
  /** What the configuration grants a module; "asked": all that it asks for, since it is ours. */
  readonly permissions: PluginGrants | "asked";
  /** A module as it was read when it was described; it is run as that. */
  readonly module?: PluginModule;
}

/** Addresses to connect to or to listen at, files and directories to read, variables. */
export type PluginPermissions = {
  readonly [kind in "net" | "read" | "env"]: readonly string[];
};
export type PluginGrants = Partial<PluginPermissions>;

/** All that a thread needs to run a plugin in TypeScript; plain data. */
export interface PluginModule {
  readonly info: PluginInfo;
  /** The last one is the plugin itself. */
  readonly files: readonly ModuleText[];
  readonly permissions: PluginPermissions;
  /** `init_config`, as the module gets it. */
  readonly config: unknown;
  readonly memoryMb: number;
  /** Its thread is in a process of its own, not in saker's. */
  readonly ownProcess: boolean;
}

/** What stands in a field's brackets; both where it can be meant as both. */
export type PluginArgument =
  | { readonly key: string; readonly index?: number }
  | { readonly index: number; readonly key?: undefined };

/**
 * Values of one field for some events in a row. `counts[n]` values belong to the n-th of them
 * (none: the event has no value; one, unless the field is a list). The values of all stand one
 * after the other: the n-th value is `bytes[ends[n - 1] ?? 0 .. ends[n])`: of uint64, bool,
 * reltime and abstime 8 bytes, little end first; of string UTF-8 without the NUL; of ipaddr 4 or
 * 16; of ipnet 4 or 16 and one more byte, the length of the prefix. It holds until the port is
 * asked again; all three may lie in shared memory. Who makes it has checked it: counts add up to
 * the length of `ends`, and ends rise and stay within `bytes`.
 */
export interface PluginColumn {
  readonly counts: Uint32Array;
  readonly ends: Uint32Array;
  readonly bytes: Uint8Array;
}

export type PluginMetric = {
  readonly name: string;
  /** Falco's: a counter rises only. */
  readonly kind: "counter" | "gauge";
  readonly value: number;
};

export type PluginState =
  | "running"
  /** It failed, and is started anew after a pause. */
  | "pausing"
  /** Its source came to its end. */
  | "ended"
  /** It does not come back: it stays away until the next start. */
  | "failed";

/** What happened to a plugin since the start; counts rise only. */
export interface PluginNumbers {
  readonly state: PluginState;
  /** How often it was started anew. */
  readonly restarts: number;
  /** Calls that failed, and answers that were refused for what they held. */
  readonly errors: number;
  /** Events that it gave and that were not taken: larger than a block may be, or lost with a
   * process. */
  readonly dropped: number;
  /** Times that it did not answer in time. */
  readonly timeouts: number;
  /** Memory of its own process; 0 where it has none. */
  readonly residentBytes: number;
  /** Why it last failed; one line without its name. */
  readonly lastError?: string;
  /** Milliseconds for which the call under way has blocked, 0 where none does. */
  readonly blockedMs: number;
}

/**
 * One plugin that runs, used by one thread. Nothing of it throws while it runs but `open` of the
 * first start: a plugin that fails is told by `takeNotices`, counted in `numbers`, and gives no
 * events and no values until it is back.
 */
export interface PluginPort {
  readonly info: PluginInfo;
  /** Starts what else starts with the first question, which whoever asks it would wait for. */
  begin?(): void;
  /** Opens its source; throws an Error of one line where it refuses. */
  open(params: string): void;
  /**
   * As EventSource.read: fills the buffer with whole .scap blocks of plugin events (with the
   * plugin's id and a time), and returns their bytes; 0: none now; -1: the source has ended.
   */
  read(buffer: Uint8Array): number;
  /** Blocks until there is something to read, or the time is over. */
  wait(timeoutMs: number): void;
  /** Values of the field (its place in `info.fields`) for `count` events of the batch that `read`
   * gave last, from its `first` on. */
  column(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn;
  /** The same for one event of whatever source: its bytes from the event's header on. `number`
   * is its `evt.num`. */
  columnOf(
    event: Uint8Array,
    number: number,
    source: string,
    field: number,
    argument: PluginArgument | undefined,
  ): PluginColumn;
  /** Where one event in so many is asked, the values of all are fetched at once; absent: as suits
   * who is asked by a call. */
  readonly askedShare?: number;
  /** Takes events of another source, whole .scap blocks, the first of them with that number
   * (`evt.num`); they hold until the next call of this or of `columnOf`. Only where asking them
   * together is quicker than one by one. */
  readonly lend?:
    | ((blocks: Uint8Array, source: string, firstNumber: number) => void)
    | undefined;
  /** As `column`, of the events that were lent last. */
  lentColumn?(
    field: number,
    argument: PluginArgument | undefined,
    first: number,
    count: number,
  ): PluginColumn;
  /** The plugin's own text of an event of its own (`evt.plugininfo`). */
  eventText?(event: Uint8Array, number: number): string | undefined;
  /** How far the source is, 0 to 1, and the plugin's words of it. */
  progress?(): { readonly share: number; readonly text: string } | undefined;
  openParams?(): readonly OpenParam[];
  /** Hands over an event of another source to be parsed: `bytes[start .. end)` from its header on.
   * Only where the plugin runs on this thread. */
  parse?(bytes: Uint8Array, start: number, end: number, number: number, source: string): void;
  /** From now on the plugin may send asynchronous events; throws where it refuses. */
  beginAsync?(ofSystemCalls: boolean): void;
  /** Fills the buffer with blocks of asynchronous events of that source; returns their bytes. */
  takeAsync?(buffer: Uint8Array, sourceId: number): number;
  endAsync?(): void;
  /** Blocks of events that tell the plugin's state, for a capture that begins. */
  dumpState?(sourceId: number): Uint8Array;
  /** The events begin, the tables know of the machine; throws where the plugin refuses. */
  captureOpen?(): void;
  captureClose?(): void;
  metrics(): readonly PluginMetric[];
  numbers(): PluginNumbers;
  /** Lines for the log since the last call, without the plugin's name: what it logs itself, what
   * went wrong with it. Bounded. */
  takeNotices(): readonly PluginNotice[];
  close(): void;
}

export interface PluginNotice {
  readonly level: "critical" | "warning" | "info";
  readonly line: string;
}
