// Times of alerts as text. Nanoseconds since the epoch come in; nothing of a digit is lost.

const NS_PER_SECOND = 1_000_000_000n;

/** The second that was asked for last: alerts of a flood share theirs. */
const last = { second: NaN, iso: "", clock: "" };

/** `2026-01-31T23:59:59.000000001Z`. */
export function isoTimeUtc(time: bigint): string {
  return `${look(time).iso}.${fraction(time)}Z`;
}

/** `2026-01-31T23:59:59.000000001+0000`, as `time_format_iso_8601` shows it. */
export function isoTime(time: bigint): string {
  return `${look(time).iso}.${fraction(time)}+0000`;
}

/** `23:59:59.000000001` in the local time zone. */
export function clockTime(time: bigint): string {
  return `${look(time).clock}.${fraction(time)}`;
}

function look(time: bigint): typeof last {
  const second = Number(time / NS_PER_SECOND);
  if (second === last.second) return last;
  const date = new Date(second * 1000);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  last.clock = parts.map((part) => String(part).padStart(2, "0")).join(":");
  // A hostile capture may hold a time beyond what a date can show.
  const shown = second > DATE_SECONDS_MAX ? new Date(DATE_SECONDS_MAX * 1000) : date;
  last.iso = shown.toISOString().slice(0, 19);
  last.second = second;
  return last;
}

/** The last second of the year 9999. */
const DATE_SECONDS_MAX = 253_402_300_799;

function fraction(time: bigint): string {
  return String(time % NS_PER_SECOND).padStart(9, "0");
}
