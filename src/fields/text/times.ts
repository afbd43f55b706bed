// Points in time as text. Nanoseconds since the epoch come in.

const SECOND = 1_000_000_000n;

/** Whether `evt.time` and the like use the machine's time zone or UTC. */
export type Zone = "local" | "utc";

/** `HH:MM:SS`, with `.nnnnnnnnn` where `fraction` is asked for. */
export function clockText(ns: bigint, zone: Zone, fraction: "ns" | "none"): string {
  return withFraction(dateIn(ns, zone).toISOString().slice(11, 19), ns, fraction);
}

/** `YYYY-MM-DD HH:MM:SS`, likewise. */
export function dateTimeText(ns: bigint, zone: Zone, fraction: "ns" | "none"): string {
  const text = dateIn(ns, zone).toISOString();
  return withFraction(`${text.slice(0, 10)} ${text.slice(11, 19)}`, ns, fraction);
}

/** `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000`: always UTC. */
export function isoText(ns: bigint): string {
  return `${withFraction(dateIn(ns, "utc").toISOString().slice(0, 19), ns, "ns")}+0000`;
}

function withFraction(text: string, ns: bigint, fraction: "ns" | "none"): string {
  return fraction === "none" ? text : `${text}.${String(ns % SECOND).padStart(9, "0")}`;
}

/** A Date whose UTC parts read as the time in the zone. */
function dateIn(ns: bigint, zone: Zone): Date {
  // Past the range of Date a capture's time is nonsense; the epoch then stands for it.
  const ms = ns / 1_000_000n;
  const date = new Date(ms < 8_640_000_000_000_000n ? Number(ms) : 0);
  if (zone === "utc") return date;
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
}
