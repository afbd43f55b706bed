// Alerts of a running saker as they come, through its absences: a client comes in, alerts go out,
// and between them where some are missing, that saker is gone, and that it is back.
import { NoAnswer, Refusal, type SakerClient } from "./saker_client.ts";
import type { ServerEvent } from "./server_events.ts";
import { recentPage, type ToldAlert, toldAlert } from "./told_alert.ts";

export type Followed =
  | { readonly kind: "alert"; readonly alert: ToldAlert }
  | { readonly kind: "missing"; readonly words: string }
  | { readonly kind: "gone"; readonly reason: string }
  | { readonly kind: "back" };

export interface Recent {
  /** At the most so many; the newest of them. */
  readonly count: number;
  /** None older, in ms since the epoch. */
  readonly sinceMs?: number;
}

export interface FollowOptions {
  /** What the server is asked for: priority, rule, source, process, container, search. */
  readonly query: URLSearchParams;
  /** What is told of the time before. */
  readonly recent: Recent;
  readonly stop: AbortSignal;
}

/** Alerts that one answer of /alerts/recent has. */
const PAGE_MAX = 1000;
/** As many as a saker holds. */
export const RECENT_MAX = 10_000;
/** Between two attempts to reach it. */
const AGAIN_MS = [250, 500, 1_000, 2_000];

/** Alerts that are held, the oldest first. Throws NoAnswer or Refusal. */
export async function recentAlerts(
  client: SakerClient,
  query: URLSearchParams,
  { count, sinceMs = -Infinity }: Recent,
): Promise<ToldAlert[]> {
  const found: ToldAlert[] = [];
  let before: string | undefined;
  while (found.length < count) {
    const asked = new URLSearchParams(query);
    asked.set("limit", `${Math.min(PAGE_MAX, count - found.length)}`);
    if (before !== undefined) asked.set("before", before);
    const page = recentPage(await client.text(`/alerts/recent?${asked}`));
    const young = page.alerts.filter(({ timeMs }) => timeMs >= sinceMs);
    found.push(...young);
    before = page.next;
    if (before === undefined || young.length < page.alerts.length) break;
  }
  return found.reverse();
}

/** Ends when it is told to stop. Throws NoAnswer where nobody answers at first, and Refusal. */
export async function* followAlerts(
  client: SakerClient,
  { query, recent, stop }: FollowOptions,
): AsyncGenerator<Followed, void> {
  const path = query.size === 0 ? "/alerts" : `/alerts?${query}`;
  const first = await client.follow(path, { stop });
  // What comes from here on is in the stream, so that none is missing between the two.
  let last = (await recentAlerts(client, new URLSearchParams(), { count: 1 }))[0]?.id;
  const told = await recentAlerts(client, query, recent);
  for (const alert of told) yield { kind: "alert", alert };
  const ids = new Set(told.map(({ id }) => id));
  let failures = 0;
  let stream: AsyncGenerator<ServerEvent, never> | undefined = first;
  while (!stop.aborted) {
    try {
      // Without a last one there was none at all: whatever is held is news.
      stream ??= await client.follow(path, { after: last ?? "0", stop });
      if (failures > 0) yield { kind: "back" };
      failures = 0;
      for await (const event of stream) {
        if (event.name === "gap") {
          if (last !== undefined) yield { kind: "missing", words: missingWords(event.data) };
          continue;
        }
        const alert = event.name === "message" ? toldAlert(event.data) : undefined;
        if (alert === undefined) continue;
        last = event.id || last;
        if (!ids.delete(alert.id)) yield { kind: "alert", alert };
      }
    } catch (error) {
      if (stop.aborted) return;
      // Too many follow it at the moment, or it is about to start.
      const passes = error instanceof NoAnswer ||
        (error instanceof Refusal && error.status >= 500 && failures > 0);
      if (!passes) throw error;
      if (failures === 0) yield { kind: "gone", reason: error.message };
      await pause(AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]!, stop);
    }
    stream = undefined;
  }
}

function missingWords(data: string): string {
  let gap: { readonly missed?: unknown; readonly reason?: unknown } = {};
  try {
    gap = JSON.parse(data) ?? {};
  } catch {
    // Whatever it says, something is missing.
  }
  const count = typeof gap.missed === "number" ? `${gap.missed} alerts are` : "alerts may be";
  const reason = typeof gap.reason === "string" ? `: ${gap.reason}` : "";
  return `${count} missing here${reason}`;
}

/** Settles after the time, or at once where it is told to stop. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  stop.addEventListener("abort", end);
  if (stop.aborted) end();
  return promise.finally(() => {
    clearTimeout(timer);
    stop.removeEventListener("abort", end);
  });
}
