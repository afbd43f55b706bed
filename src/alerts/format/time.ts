// Times of alerts as text. Nanoseconds since the epoch come in; nothing of a digit is lost.

const NS_PER_SECOND = 1_000_000_000n;

/** `2026-01-31T23:59:59.000000001Z`. */
export function isoTimeUtc(time: bigint): string {
  return `${isoSecond(time)}.${fraction(time)}Z`;
}

/** `2026-01-31T23:59:59.000000001+0000`, as `time_format_iso_8601` shows it. */
export function isoTime(time: bigint): string {
  return `${isoSecond(time)}.${fraction(time)}+0000`;
}

/** `23:59:59.000000001` in the local time zone. */
export function clockTime(time: bigint): string {
  const date = new Date(Number(time / NS_PER_SECOND) * 1000);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${parts.map((part) => String(part).padStart(2, "0")).join(":")}.${fraction(time)}`;
}

function isoSecond(time: bigint): string {
  // A hostile capture may hold a time beyond what a date can show.
  const seconds = Number(time / NS_PER_SECOND);
  const date = new Date(Math.min(seconds, DATE_SECONDS_MAX) * 1000);
  return date.toISOString().slice(0, 19);
}

/** The last second of the year 9999. */
const DATE_SECONDS_MAX = 253_402_300_799;

function fraction(time: bigint): string {
  return String(time % NS_PER_SECOND).padStart(9, "0");
}
