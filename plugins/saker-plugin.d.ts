// Types of saker's plugins in TypeScript, for editors. Put this file beside the plugin:
//   saker plugin types > saker-plugin.d.ts

declare module "saker/plugin" {
  /** What the module says of itself: `export const plugin`. */
  export interface Plugin {
    /** As in rules' required_plugin_versions; without it the name in falco.yaml. */
    name?: string;
    /** Three numbers; without it 0.0.0. */
    version?: string;
    description?: string;
    contact?: string;
  }

  /**
   * What the plugin needs besides computing: `export const permissions`, or a function of
   * `init_config` and `open_params`. It gets what it asks for and `plugins[].permissions` of
   * falco.yaml grants; asked and not granted, saker does not start it and says what is missing.
   * `true` asks for whatever is granted.
   */
  export interface Permissions {
    /** "host", "host:port": to connect to, or to listen at. */
    net?: true | string[];
    /** Files and directories to be read. */
    read?: true | string[];
    /** Names of environment variables. */
    env?: true | string[];
  }

  /** One event, to fields. Each part is made when it is first asked for. */
  export interface SourceEvent {
    readonly bytes: Uint8Array;
    readonly text: string;
    /** The data read as JSON; undefined where it is none. */
    // deno-lint-ignore no-explicit-any
    readonly json: any;
    /** Nanoseconds since the epoch. */
    readonly time: bigint;
    /** Name of its source, as rules say it. */
    readonly source: string;
    /** Of the source syscall: the event, for which `bytes`, `text` and `json` are this as JSON. */
    readonly call: SystemCall | undefined;
  }

  /** A system call as a field is shown it. */
  export interface SystemCall {
    /** As evt.type has it. */
    readonly type: string;
    /** evt.num */
    readonly num: number;
    /** Its parameters by name, as `evt.arg.NAME` shows them. */
    readonly args: Readonly<Record<string, Shown>>;
    /** The fields that `reads` names, as alerts have them. */
    readonly fields: Readonly<Record<string, Shown>>;
  }

  /** Numbers above 2^53 are texts; undefined: the event has none. */
  export type Shown = string | number | boolean | Shown[] | undefined;

  /** Data of an event: an object is written as JSON. */
  export type EventData = string | Uint8Array | object;

  /** An event with a time of its own; without it an event has the time at which it is given. */
  export function at(time: Date | number | bigint, data: EventData): EventData;

  export interface Source {
    /** What rules say as `source:`. */
    name: string;
    /** Id of the plugin in captures; without it one that follows from the name. */
    id?: number;
    /**
     * Gives the events, until `signal` is aborted or there are no more. `params` is
     * `open_params`, `config` is `init_config`.
     */
    events(
      params: string,
      signal: AbortSignal,
      // deno-lint-ignore no-explicit-any
      config: any,
    ): AsyncIterable<EventData> | Iterable<EventData>;
    /** An event in a few words: evt.plugininfo. */
    text?(event: SourceEvent): string;
  }

  export function defineSource(source: Source): Source;

  interface Values {
    string: string;
    uint64: number | bigint;
    bool: boolean;
    /** Nanoseconds. */
    reltime: number | bigint;
    /** A Date, or nanoseconds since the epoch. */
    abstime: Date | bigint;
    /** "10.0.0.1", "fe80::1" */
    ipaddr: string;
    /** "10.0.0.0/8" */
    ipnet: string;
  }
  type Absent = undefined | null;
  interface Described {
    desc: string;
    display?: string;
    /** Added to outputs where falco.yaml wants suggested fields. */
    addOutput?: boolean;
  }
  /** What stands in a field's brackets: none, or a text, or a number; `?`: it may be left out. */
  type Arguments = {
    none: [];
    key: [string];
    "key?": [string | undefined];
    index: [number];
    "index?": [number | undefined];
  };
  type OneField = {
    [T in keyof Values]: {
      [A in keyof Arguments]:
        & Described
        & { type: T }
        & (A extends "none" ? { arg?: undefined } : { arg: A })
        & (
          | { list?: false; value(event: SourceEvent, ...arg: Arguments[A]): Values[T] | Absent }
          | { list: true; value(event: SourceEvent, ...arg: Arguments[A]): Values[T][] | Absent }
        );
    }[keyof Arguments];
  }[keyof Values];

  export interface FieldsOf {
    /** Sources whose events have the fields; without it the module's own. */
    sources?: string[];
    /** Of the source syscall: events that have the fields; without it all. */
    types?: string[];
    /** Of the source syscall: saker's fields that `event.call.fields` has. */
    reads?: string[];
    fields: Record<string, OneField>;
  }

  /** Fields by name: `export const fields`. They are functions of the event alone. */
  export function defineFields(fields: FieldsOf["fields"] | FieldsOf): FieldsOf;
}
