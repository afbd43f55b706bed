// Texts and numbers as the page shows them. What others have named comes in as data and goes out as
// one line of it: the page's last step (document.tsx) makes harmless whatever slips through here.
import { isoTimeUtc } from "../../alerts/format/time.ts";
import { visibleLine } from "../../words/visible.ts";

/** Characters of one text in a list; the alert's own page has all of it. */
const SHORT_MAX = 400;

/** One line, whole. */
export function shown(text: string): string {
  return visibleLine(text);
}

/** One line, cut where it is long. */
export function short(text: string, most = SHORT_MAX): string {
  // Cut first: a name of megabytes is not looked through. A pair of surrogates stays whole.
  const cut = text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
  return visibleLine(cut);
}

/** A value of a field: texts as they are, all else as JSON has it. */
export function valueText(value: unknown): string {
  return typeof value === "string" ? shown(value) : shown(JSON.stringify(value) ?? "");
}

/** `1234567.8` → `1,234,568`; small ones with one digit behind the point. */
export function count(value: number): string {
  const rounded = Math.abs(value) < 10 && !Number.isInteger(value)
    ? value.toFixed(1)
    : Math.round(value).toString();
  return rounded.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Milliseconds as people say them. */
export function duration(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 10_000) return `${Math.round(ms)} ms`;
  return age(ms / 1000);
}

/** Seconds: `5 s`, `12 min`, `3 h 20 min`, `4 d 2 h`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let [size, unit] = [value, 0];
  while (size >= 1000 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** Of a time as ISO 8601 has it: the day, and the time of day to the second. */
export function dayOf(iso: string): string {
  return iso.slice(0, 10);
}

export function clockOf(iso: string): string {
  return iso.slice(11, 19);
}

/** `many(2, "event")` → `2 events`. */
export function many(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Fields whose number is a time: ns since the epoch. */
const TIME_FIELD = /(^|[._])(time|rawtime|datetime|ts|ctime|mtime)([._]|$)/;
/** From 2001 to 2100. */
const [FIRST_NS, LAST_NS] = [1_000_000_000_000_000_000n, 4_102_444_800_000_000_000n];

/** A field's value with what it says as a time beside it, where it is one in nanoseconds. */
export function fieldText(name: string, value: string): string {
  const text = shown(value);
  if (!TIME_FIELD.test(name) || !/^\d{19}$/.test(value)) return text;
  const ns = BigInt(value);
  if (ns < FIRST_NS || ns > LAST_NS) return text;
  return `${text} (${isoTimeUtc(ns).replace("T", " ").replace("Z", " UTC")})`;
}
