// Fields of every event that tell its number, time and source.
import type { Context } from "../../state/contract/context.ts";
import { ASYNC_EVENT, asyncName, eventName, isMeta } from "../text/event_names.ts";
import type { Field, Value } from "../row/field.ts";
import { field, fields, type RowInfo } from "../row/row.ts";
import { clockText, dateTimeText, isoText, type Zone } from "../text/times.ts";

const SECOND = 1_000_000_000n;

/** Rows of the class evt that need no event parameters. `zone` is that of the clock fields. */
export function eventTimeFields(zone: Zone): Field[] {
  const common = commonEventFields(zone, { source: "syscall", info: missing });
  const clocks = common.findIndex(({ name }) => name === "evt.rawtime");
  return [
    ...common.slice(0, clocks),
    outputTime(zone),
    ...common.slice(clocks),
    ...["", ".s", ".ns"].map((part) => deltaField(part)),
    ...latencyFields(),
  ];
}

/** Who gives events of a source. */
export interface SourceGiver {
  readonly source: string;
  readonly plugin?: string;
  /** `evt.plugininfo`. */
  readonly info: (context: Context) => Value;
}

/** What events of every source have. */
export function commonEventFields(zone: Zone, { source, plugin, info }: SourceGiver): Field[] {
  return [
    ...fields("evt", [
      {
        name: "evt.num",
        type: "UINT64",
        format: "ID",
        description: "Number of the event in this run, from 1.",
        extract: ({ event }) => event.num,
      },
      ...shownAsTime([
        {
          name: "evt.time",
          description: "Time of the event as HH:MM:SS with nanoseconds.",
          text: (ns) => clockText(ns, zone, "ns"),
        },
        {
          name: "evt.time.s",
          description: "Time of the event as HH:MM:SS.",
          text: (ns) => clockText(ns, zone, "none"),
        },
        {
          name: "evt.time.iso8601",
          description: "Date and time of the event in UTC, ISO 8601 with nanoseconds.",
          text: isoText,
        },
        {
          name: "evt.datetime",
          description: "Date and time of the event with nanoseconds.",
          text: (ns) => dateTimeText(ns, zone, "ns"),
        },
        {
          name: "evt.datetime.s",
          description: "Date and time of the event.",
          text: (ns) => dateTimeText(ns, zone, "none"),
        },
      ]),
      {
        name: "evt.rawtime",
        type: "ABSTIME",
        format: "DEC",
        description: "Nanoseconds since the epoch.",
        extract: ({ event }) => event.time(),
      },
      {
        name: "evt.rawtime.s",
        type: "ABSTIME",
        format: "DEC",
        description: "Whole seconds since the epoch.",
        extract: ({ event }) => event.time() / SECOND,
      },
      {
        name: "evt.rawtime.ns",
        type: "ABSTIME",
        format: "10_PADDED_DEC",
        description: "Nanoseconds within the event's second.",
        extract: ({ event }) => event.time() % SECOND,
      },
      {
        name: "evt.reltime",
        type: "RELTIME",
        format: "10_PADDED_DEC",
        description: "Nanoseconds since the first event of the run.",
        extract: sinceFirst,
      },
      {
        name: "evt.reltime.s",
        type: "RELTIME",
        format: "DEC",
        description: "Whole seconds since the first event of the run.",
        extract: (context) => sinceFirst(context) / SECOND,
      },
      {
        name: "evt.reltime.ns",
        type: "RELTIME",
        format: "10_PADDED_DEC",
        description: "Nanoseconds within the second since the first event of the run.",
        extract: (context) => sinceFirst(context) % SECOND,
      },
      {
        name: "evt.pluginname",
        type: "CHARBUF",
        description: "Plugin that made the event.",
        extract: () => plugin,
      },
      {
        name: "evt.plugininfo",
        type: "CHARBUF",
        description: "Summary of the event by the plugin that made it.",
        extract: info,
      },
      {
        name: "evt.source",
        type: "CHARBUF",
        description: "Name of the source that the event comes from, such as syscall.",
        extract: () => source,
      },
      {
        name: "evt.is_async",
        type: "BOOL",
        description: "Whether the event tells of the tracer's own knowledge, not of a system call.",
        extract: ({ event }) => isMeta(event.code),
      },
      {
        name: "evt.asynctype",
        type: "CHARBUF",
        description: "What an asynchronous event is called, such as container.",
        extract: ({ event }) => {
          if (!isMeta(event.code)) return undefined;
          return event.code === ASYNC_EVENT ? asyncName(event) : eventName(event);
        },
      },
      {
        name: "evt.hostname",
        type: "CHARBUF",
        description: "Name of the machine; the environment variable FALCO_HOSTNAME changes it.",
        extract: ({ machine }) => machine.hostname,
      },
    ]),
  ];
}

function outputTime(zone: Zone): Field {
  return field("evt", {
    name: "evt.outputtime",
    type: "CHARBUF",
    flags: ["print_only"],
    description: "Time of the event, as evt.time.",
    extract: ({ event }) => clockText(event.time(), zone, "ns"),
  });
}

interface TimeRow {
  readonly name: string;
  readonly description: string;
  readonly text: (ns: bigint) => string;
}

function shownAsTime(rows: readonly TimeRow[]) {
  return rows.map(({ name, description, text }) => ({
    name,
    description,
    type: "CHARBUF" as const,
    extract: ({ event }: Context) => text(event.time()),
  }));
}

function missing(): Value {
  return undefined;
}

function sinceFirst(context: Context): bigint {
  return context.event.time() - context.firstEventTs;
}

/** Each use of the field keeps its own last time, as in Falco; outputs always show 0. */
function deltaField(part: string): Field {
  const row: RowInfo = {
    name: `evt.deltatime${part}`,
    type: "RELTIME",
    format: part === ".ns" ? "10_PADDED_DEC" : "DEC",
    description: part === ""
      ? "Nanoseconds since this field was last looked at."
      : part === ".s"
      ? "Whole seconds since this field was last looked at."
      : "Nanoseconds within the second since this field was last looked at.",
  };
  return field("evt", row, () => {
    let last: bigint | undefined;
    return {
      show: () => 0n,
      extract: ({ event }) => {
        const time = event.time();
        const delta = last === undefined ? 0n : time - last;
        last = time;
        if (part === "") return delta;
        return part === ".s" ? delta / SECOND : delta % SECOND;
      },
    };
  });
}

/** Remains of the time between a call's two events, of which one exists no more. */
function latencyFields(): Field[] {
  return fields("evt", [
    ...(["", ".s", ".ns"] as const).map((part) => ({
      name: `evt.latency${part}`,
      type: "RELTIME" as const,
      format: part === ".ns" ? "10_PADDED_DEC" as const : "DEC" as const,
      flags: ["deprecated" as const],
      description: "Always 0: events no longer tell when a call began.",
      extract: () => 0n,
    })),
    {
      name: "evt.latency.quantized",
      type: "UINT64",
      format: "DEC",
      flags: ["deprecated", "hidden"],
      description: "Always 0.",
      extract: () => 0,
    },
    {
      name: "evt.latency.human",
      type: "CHARBUF",
      flags: ["deprecated"],
      description: "Always 0ns.",
      extract: () => "0ns",
    },
    {
      name: "evt.wait_latency",
      type: "RELTIME",
      format: "DEC",
      flags: ["deprecated"],
      description: "Always 0.",
      extract: () => 0n,
    },
  ]);
}
