// How much an exception rests on: how many alerts, over which time, by how many processes, users,
// containers and hosts, with examples as they were printed.
import { visibleLine } from "../words/visible.ts";
import type { PrintedAlert } from "./alert.ts";

export interface Evidence {
  /** With those that a grouped alert stands for. */
  readonly alerts: number;
  /** ns since the epoch; undefined where no alert has a time. */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  /** 0 where no alert tells. */
  readonly processes: number;
  readonly users: number;
  readonly containers: number;
  readonly hosts: number;
  /** Visible lines, shortened. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 3;
const EXAMPLE_CHARS = 240;

export function evidenceOf(alerts: readonly PrintedAlert[]): Evidence {
  const times = alerts.flatMap(({ time }) => time === undefined ? [] : [time]);
  const distinct = (read: (alert: PrintedAlert) => unknown) => {
    const found = new Set(
      alerts.map(read).filter((value) => value !== undefined && value !== null),
    );
    return found.size;
  };
  const field = (name: string) => (alert: PrintedAlert) => alert.fields.get(name);
  const examples: string[] = [];
  const kinds = new Set<string>();
  for (const { output, time } of alerts) {
    if (examples.length === EXAMPLES_MAX) break;
    const text = shortened(visibleLine(output.replace(/^[\dT:.+-]+Z?: \w+ /, "")));
    // Equal but for times and numbers of processes they are the same example.
    const kind = text.replace(/\d+/g, "0");
    if (!kinds.has(kind)) {
      kinds.add(kind);
      examples.push(`${time === undefined ? "" : `${isoTime(time)} `}${text}`);
    }
  }
  return {
    alerts: countOf(alerts),
    first: times.length === 0 ? undefined : times.reduce((one, two) => one < two ? one : two),
    last: times.length === 0 ? undefined : times.reduce((one, two) => one > two ? one : two),
    processes: distinct((alert) =>
      alert.fields.has("proc.pid") ? `${alert.hostname} ${alert.fields.get("proc.pid")}` : undefined
    ),
    users: distinct((alert) =>
      alert.fields.get("user.uid") ?? alert.fields.get("user.name") ??
        alert.fields.get("ka.user.name")
    ),
    containers: distinct((alert) => {
      const id = field("container.id")(alert);
      return id === "host" || id === "" ? undefined : id;
    }),
    hosts: distinct(({ hostname }) => hostname === "" ? undefined : hostname),
    examples,
  };
}

export function countOf(alerts: readonly PrintedAlert[]): number {
  return alerts.reduce((sum, { count }) => sum + count, 0);
}

/** Seconds precision: a person reads it. */
export function isoTime(time: bigint): string {
  return new Date(Number(time / 1_000_000n)).toISOString().replace(/\.\d+Z$/, "Z");
}

/** `40 alerts from … to …, by 3 processes of 1 user in 2 containers on 1 host`. */
export function evidenceText({ alerts, first, last, ...rest }: Evidence): string {
  const some = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const span = first === undefined || last === undefined
    ? ""
    : first === last
    ? ` at ${isoTime(first)}`
    : ` from ${isoTime(first)} to ${isoTime(last)}`;
  const by = [
    ...rest.processes > 0
      ? [`by ${some(rest.processes, "process").replace("processs", "processes")}`]
      : [],
    ...rest.users > 0 ? [`of ${some(rest.users, "user")}`] : [],
    ...rest.containers > 0 ? [`in ${some(rest.containers, "container")}`] : [],
    ...rest.hosts > 0 ? [`on ${some(rest.hosts, "host")}`] : [],
  ];
  return `${some(alerts, "alert")}${span}${by.length === 0 ? "" : `, ${by.join(" ")}`}`;
}

function shortened(text: string): string {
  return text.length <= EXAMPLE_CHARS ? text : `${text.slice(0, EXAMPLE_CHARS - 1)}…`;
}
