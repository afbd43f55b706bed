// Values as outputs show them: as text in a message, as data in JSON.
import { MISSING_TEXT } from "../words/missing.ts";
import { type Context, MISSING_FD } from "../state/contract/context.ts";
import { ipText } from "./text/addresses.ts";
import { givenDirectory } from "./rows/evt_args.ts";
import { type Bound, isOfPlugin, type Value } from "./row/field.ts";
import { numberText } from "./text/numbers.ts";
import { bufferText } from "./text/params.ts";
import { bytesOf, rawText, shownText } from "../words/raw_text.ts";

/** A value as JSON holds it: no bytes, no lists in lists. Undefined, `null` in JSON, for what is
 * not there. */
export type JsonValue = string | number | bigint | boolean | undefined | readonly JsonValue[];

/**
 * What an output shows of a field; conditions compare what `bound.extract` gives. To be called
 * within `asShown`, field after field in the order of the output.
 */
export function shownValue(bound: Bound, context: Context): Value {
  const value = bound.show === undefined ? bound.extract(context) : bound.show(context);
  if (bound.field.name === "evt.abspath" && !context.event.hasOwn) showDirectory(context);
  // The list of an ancestor field is one text: names joined by a blank.
  if (!bound.anyOf || !Array.isArray(value)) return value;
  return value.length === 0 ? undefined : value.join(" ");
}

/**
 * Runs `render`, which reads an output's fields. In Falco, showing evt.abspath makes the directory
 * that the call was given the event's descriptor, for the fields that follow; outputs of captures
 * look the same here, and the context is put back behind them.
 */
export function asShown<T>(context: Context, render: () => T): T {
  const { fd, fdName, fdNameRaw } = context;
  try {
    return render();
  } finally {
    context.fd = fd;
    context.fdName = fdName;
    context.fdNameRaw = fdNameRaw;
  }
}

/** The text of a value (of `shownValue`) in a message. */
export function valueText(bound: Bound, value: Value): string {
  if (value === undefined) return MISSING_TEXT;
  if (Array.isArray(value)) {
    if (!bound.isList && bound.anyOf) return shownText(value.join(" "));
    const texts = value.map((item) => single(bound, item));
    return isOfPlugin(bound.field) ? listText(texts) : `(${texts.join(",")})`;
  }
  return single(bound, value);
}

/** Bytes of a list's text in Falco: what is longer is cut. */
const LIST_BYTES_MAX = 1023;

/** As Falco writes a list of a plugin: empty texts at its front leave nothing, and no comma. */
function listText(texts: readonly string[]): string {
  const first = texts.findIndex((text) => text !== "");
  const whole = first < 0 ? "()" : `(${texts.slice(first).join(",")})`;
  if (whole.length * 3 <= LIST_BYTES_MAX) return whole;
  const bytes = bytesOf(whole);
  if (bytes.length <= LIST_BYTES_MAX) return whole;
  return shownText(rawText(bytes.subarray(0, LIST_BYTES_MAX)));
}

function single(bound: Bound, value: Value): string {
  switch (typeof value) {
    case "string":
      return shownText(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
    case "bigint":
      return numeric(bound, value);
    case "undefined":
      return MISSING_TEXT;
    default:
      return value instanceof Uint8Array ? bytesText(bound, value) : MISSING_TEXT;
  }
}

function numeric(bound: Bound, value: number | bigint): string {
  if (bound.type === "DOUBLE") return Number(value).toFixed(1);
  // A number without a format is not shown: Falco has it for `evt.type.is.*`.
  if (bound.format === "NA") return SHOWN_PLAIN.has(bound.type) ? String(value) : MISSING_TEXT;
  // The event's own type of the parameter may be another than the one that is compared.
  if (bound.field.name === "evt.rawarg") return String(value);
  return numberText(value, bound.type, bound.format);
}

/** Types that are decimal when they have no format. */
const SHOWN_PLAIN: ReadonlySet<string> = new Set(["INT64", "PID", "FD", "ERRNO"]);

function bytesText(bound: Bound, bytes: Uint8Array): string {
  if (bound.type === "IPADDR" || bound.type === "IPNET") return ipText(bytes);
  if (bound.type === "IPV4ADDR" || bound.type === "IPV6ADDR") return ipText(bytes);
  return bufferText(bytes, "dots");
}

/**
 * A value as `output_fields` holds it: numbers in decimal stay numbers, those with another format
 * become their text, a list becomes an array.
 */
export function valueJson(bound: Bound, value: Value): JsonValue {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) {
    if (!bound.isList) return valueText(bound, value);
    return value.length === 0 ? undefined : value.map((item) => singleJson(bound, item));
  }
  return singleJson(bound, value);
}

function singleJson(bound: Bound, value: Value): JsonValue {
  if (typeof value === "boolean") return value;
  if (typeof value !== "number" && typeof value !== "bigint") return single(bound, value);
  if (bound.type === "DOUBLE" || isDuration(bound)) return value;
  if (bound.format === "DEC" || bound.format === "ID") return value;
  if (bound.format === "NA" && !SHOWN_PLAIN.has(bound.type)) return undefined;
  return numeric(bound, value);
}

/** Times of events stay numbers even where text pads them to nine digits. */
function isDuration(bound: Bound): boolean {
  return /^evt\.(raw|rel|delta)time|^evt\.latency/.test(bound.text);
}

/** Fields whose JSON is the event's time in ns, whatever their text looks like. */
const CLOCKS: ReadonlySet<string> = new Set([
  "evt.time",
  "evt.time.s",
  "evt.time.iso8601",
  "evt.datetime",
  "evt.datetime.s",
  "evt.outputtime",
]);

/** What `output_fields` holds of a field; clock fields give nanoseconds since the epoch. */
export function jsonOf(bound: Bound, context: Context): JsonValue {
  // Falco takes it for signed here, and here alone.
  if (CLOCKS.has(bound.text)) return BigInt.asIntN(64, context.event.time());
  return valueJson(bound, shownValue(bound, context));
}

function showDirectory(context: Context): void {
  const directory = givenDirectory(context);
  if (directory === undefined || context.fdNumber === MISSING_FD) return;
  context.fd = directory;
  context.fdName = directory.name;
  context.fdNameRaw = directory.nameRaw;
}
