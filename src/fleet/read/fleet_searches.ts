// The searches that people have asked for: a query → a search that runs, or one that has. The same
// query is the same search for a while, so that a page that is asked for again shows how far it is.
// Nobody's search goes on when nobody looks.
import type { NatsConnection } from "@nats-io/nats-core";
import { fleetFilter } from "./fleet_filter.ts";
import { type SearchProgress, StreamSearch } from "./stream_search.ts";

export interface SearchesOptions {
  readonly stream: string;
  readonly subject: string;
  readonly connection: () => NatsConnection | undefined;
}

export interface SearchesStats {
  readonly running: number;
  /** Since the start. */
  readonly begun: number;
  readonly refused: number;
}

interface Asked {
  readonly search: StreamSearch;
  readonly ended: Promise<void>;
  askedMs: number;
}

/** Searches at a time, and those that are remembered. */
export const RUNNING_MAX = 4;
const REMEMBERED_MAX = 16;
/** One that nobody has asked for since is stopped, and one that has ended is forgotten. */
const UNSEEN_MS = 15_000;
const FORGOTTEN_MS = 600_000;
const PARAMETERS = ["search", "host", "rule", "priority", "from", "to", "before"];

export class FleetSearches {
  readonly #options: SearchesOptions;
  readonly #searches = new Map<string, Asked>();
  #begun = 0;
  #refused = 0;

  constructor(options: SearchesOptions) {
    this.#options = options;
  }

  /**
   * The search for that, which begins where there is none. `stop` in the query: it ends; `again`:
   * one that has ended begins anew. An error is one of the query, or says that there is no room.
   */
  ask(query: URLSearchParams, nowMs: number): SearchProgress | { readonly error: string } {
    this.tick(nowMs);
    const filter = fleetFilter(query);
    if ("error" in filter) return filter;
    const key = keyOf(query);
    const known = this.#searches.get(key);
    const isAgain = query.has("again") && known?.search.progress().end !== undefined;
    if (known !== undefined && !isAgain) {
      if (query.has("stop")) known.search.stop();
      known.askedMs = nowMs;
      return known.search.progress();
    }
    const before = query.get("before") || undefined;
    if (before !== undefined && !/^\d{1,15}$/.test(before)) {
      return { error: `before "${before.slice(0, 40)}": expected a number of the stream` };
    }
    const connection = this.#options.connection();
    if (connection === undefined) return { error: "there is no connection to the server" };
    if (this.stats().running >= RUNNING_MAX) {
      this.#refused++;
      return { error: `${RUNNING_MAX} searches run already: try again when one has ended` };
    }
    const { stream, subject } = this.#options;
    const search = new StreamSearch({
      ...{ stream, subject, filter },
      before: before === undefined ? undefined : Number(before),
    });
    this.#begun++;
    this.#searches.delete(key);
    this.#makeRoom();
    this.#searches.set(key, { search, ended: search.run(connection), askedMs: nowMs });
    return search.progress();
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    for (const [key, { search, askedMs }] of this.#searches) {
      if (nowMs - askedMs > UNSEEN_MS) search.stop();
      if (nowMs - askedMs > FORGOTTEN_MS) this.#searches.delete(key);
    }
  }

  stats(): SearchesStats {
    let running = 0;
    for (const { search } of this.#searches.values()) {
      if (search.progress().end === undefined) running++;
    }
    return { running, begun: this.#begun, refused: this.#refused };
  }

  async close(): Promise<void> {
    const all = [...this.#searches.values()];
    for (const { search } of all) search.stop();
    await Promise.all(all.map(({ ended }) => ended));
  }

  /** Those that were asked for first go, none that runs. */
  #makeRoom(): void {
    for (const [key, { search }] of this.#searches) {
      if (this.#searches.size < REMEMBERED_MAX) return;
      if (search.progress().end !== undefined) this.#searches.delete(key);
    }
  }
}

/** Of a query what a search is of. */
export function searchQuery(query: URLSearchParams): URLSearchParams {
  const of = new URLSearchParams();
  for (const name of PARAMETERS) {
    for (const value of query.getAll(name)) if (value !== "") of.append(name, value);
  }
  return of;
}

function keyOf(query: URLSearchParams): string {
  return `${searchQuery(query)}`;
}
