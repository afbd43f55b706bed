// Alerts as records of OpenTelemetry's log data model: the messages of a batch come in, records
// under what they are of (a host, and on it a container or a pod) go out, in the same order. What a
// message is made of stands in its JSON line, which is all that the spool has of it.
import type { Message } from "../format/message.ts";
import { idAmongHosts } from "./told_beside.ts";

/** A bigint is an integer of 64 bits, a number is a double. */
export type OtlpValue = string | boolean | number | bigint | readonly OtlpValue[];
export type OtlpAttributes = readonly (readonly [name: string, value: OtlpValue])[];

export interface OtlpRecord {
  /** Of the event, ns since the epoch. */
  readonly time: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string;
  readonly attributes: OtlpAttributes;
}

/** Records that follow each other and are of one thing. */
export interface OtlpRun {
  readonly resource: OtlpAttributes;
  readonly records: readonly OtlpRecord[];
}

export interface OtlpRequest {
  readonly runs: readonly OtlpRun[];
  readonly version: string;
  /** When saker had them; ns since the epoch. */
  readonly observed: bigint;
}

/** What is the same for all that this saker sends. */
export interface OtlpAbout {
  /** Of saker. */
  readonly version: string;
  /** The machine's own, where alerts are of this host. */
  readonly hostId?: string | undefined;
  /** Further attributes; they stand before ours of the same name. */
  readonly resource: Readonly<Record<string, string>>;
}

/** By priority: what the specification's appendix B says of syslog's severities, whose names and
 * order Falco's priorities have. */
const SEVERITIES: readonly (readonly [number: number, text: string])[] = [
  [21, "Emergency"],
  [19, "Alert"],
  [18, "Critical"],
  [17, "Error"],
  [13, "Warning"],
  [10, "Notice"],
  [9, "Informational"],
  [5, "Debug"],
];

const NS_OF_MS = 1_000_000n;

export const EVENT_NAME = "saker.alert";

/** Of an alert's JSON: what has a place of its own in a record, or stands in another one twice. */
const PLACED = new Set(["hostname", "message", "output", "output_fields", "priority", "time"]);

/** Attributes of the container and the pod that an alert is of, and the fields that tell them, the
 * best one first. */
const OF_SUBJECT: readonly (readonly [attribute: string, fields: readonly string[]])[] = [
  ["container.id", ["container.full_id", "container.id"]],
  ["container.name", ["container.name"]],
  ["container.image.name", ["container.image.repository"]],
  ["container.image.tags", ["container.image.tag"]],
  ["k8s.namespace.name", ["k8s.ns.name", "k8smeta.ns.name"]],
  ["k8s.pod.name", ["k8s.pod.name", "k8smeta.pod.name"]],
  ["k8s.pod.uid", ["k8s.pod.uid", "k8s.pod.id", "k8smeta.pod.uid"]],
  ["k8s.deployment.name", ["k8smeta.deployment.name"]],
  ["k8s.replicaset.name", ["k8smeta.rs.name"]],
];
/** The conventions have these as lists. */
const LISTS = new Set(["container.image.tags"]);
/** What container fields have for processes outside of any. */
const HOST = "host";

/** `nowMs`: since the epoch. */
export function requestOf(
  messages: readonly Message[],
  about: OtlpAbout,
  nowMs: number,
): OtlpRequest {
  const observed = BigInt(Math.trunc(nowMs)) * NS_OF_MS;
  return { runs: runsOf(messages, about), version: about.version, observed };
}

function runsOf(messages: readonly Message[], about: OtlpAbout): OtlpRun[] {
  const runs: { key: string; resource: OtlpAttributes; records: OtlpRecord[] }[] = [];
  for (const message of messages) {
    const { fields, rest } = parsed(message);
    const resource = resourceOf(message.hostname, fields, about);
    const key = JSON.stringify(resource);
    if (runs.at(-1)?.key !== key) runs.push({ key, resource, records: [] });
    runs.at(-1)!.records.push(recordOf(message, fields, rest));
  }
  return runs;
}

function recordOf({ text, priority, time, hostname }: Message, fields: Fields, rest: Fields) {
  const [severityNumber, severityText] = SEVERITIES[priority]!;
  const own = [...rest].filter(([name]) => !PLACED.has(name));
  const id = rest.get("id");
  return {
    time,
    severityNumber,
    severityText,
    body: textOf(rest.get("output")) ?? textOf(rest.get("message")) ?? text,
    attributes: [
      ...(id === undefined ? [] : [["log.record.uid", idAmongHosts(hostname, id, text)] as const]),
      ...own,
      ...[...fields].map(([name, value]) =>
        // A rule may name a field of its own as it likes; an attribute's name stands once.
        [rest.has(name) ? `output_fields.${name}` : name, value] as const
      ),
    ],
  };
}

function resourceOf(hostname: string, fields: Fields, about: OtlpAbout): OtlpAttributes {
  const all = new Map<string, OtlpValue>([
    ["service.name", "saker"],
    ["service.version", about.version],
    ["host.name", hostname],
  ]);
  if (about.hostId !== undefined) all.set("host.id", about.hostId);
  if (fields.get("container.id") !== HOST) {
    for (const [attribute, names] of OF_SUBJECT) {
      const value = names.map((name) => fields.get(name)).find(isTold);
      if (value !== undefined) all.set(attribute, LISTS.has(attribute) ? [value] : value);
    }
  }
  for (const [name, value] of Object.entries(about.resource)) all.set(name, value);
  return [...all];
}

function isTold(value: OtlpValue | undefined): value is string {
  return typeof value === "string" && value !== "" && value !== HOST;
}

function textOf(value: OtlpValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

type Fields = ReadonlyMap<string, OtlpValue>;
interface Parsed {
  readonly fields: Fields;
  /** The line's other keys. */
  readonly rest: Fields;
}

/** The values of a line; of one that is no alert's, nothing. */
function parsed({ text, time }: Message): Parsed {
  let all: unknown;
  try {
    all = JSON.parse(text);
    // To ask for each number as it stands there costs several times what reading it costs.
    if (hasInexact(all, Number(time))) {
      all = JSON.parse(text, exact as (key: string, value: unknown) => unknown);
    }
  } catch {
    all = undefined;
  }
  const values = (of: unknown) => new Map(isMap(of) ? valuesOf(of, time) : []);
  return { rest: values(all), fields: values(isMap(all) ? all["output_fields"] : undefined) };
}

type JsonMap = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The one large number that every alert has, and that its message has as well. */
const TIME = "evt.time";

/** Whether there is a whole number that is not what stands in the line, other than the time. */
function hasInexact(value: unknown, time: number): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, one]) =>
    (name !== TIME || one !== time) && hasInexact(one, time)
  );
}

function* valuesOf(all: JsonMap, time: bigint): Generator<[string, OtlpValue]> {
  for (const [name, value] of Object.entries(all)) {
    const isTime = name === TIME && typeof value === "number";
    const known = isTime && value === Number(time) ? time : valueOf(value);
    if (known !== undefined) yield [name, known];
  }
}

/** What an event does not have is not told, in lists neither. */
function valueOf(value: unknown): OtlpValue | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(valueOf).filter((one) => one !== undefined);
  return value === null || typeof value === "object" ? undefined : value as OtlpValue;
}

const INT64_MAX = 2n ** 63n - 1n;

/** Numbers as they stand there: integers whole, those beyond the protocol's as text. */
function exact(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== "number" || source === undefined) return value;
  if (!/^-?\d+$/.test(source)) return value;
  const whole = BigInt(source);
  return whole > INT64_MAX || whole < -INT64_MAX - 1n ? source : whole;
}
