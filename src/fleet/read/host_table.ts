// The hosts of a fleet: what each last told of itself comes in, lists go out, those in trouble
// first. A second costs what changed in it, not how many hosts there are: each host stands in the
// set of its state, and in the set of the second in which it will have been silent for too long.
import type { Presence } from "../contract/presence.ts";

/** In the order in which they are shown. */
export const HOST_STATES = [
  "silent",
  "losing",
  "refusing",
  "failing",
  "stopped",
  "running",
] as const;
export type HostState = typeof HOST_STATES[number];

export interface FleetHost {
  /** Its name in NATS, and what that says: whoever wrote the payload may have written another. */
  readonly token: string;
  readonly host: string;
  readonly presence: Presence;
  readonly state: HostState;
  /** When the server took what it last told, and when it came to be in this state. */
  readonly heardMs: number;
  readonly sinceMs: number;
  /** When its lost events last grew, as far as this page has seen it. */
  readonly lostMs: number | undefined;
}

/** When a host's lost events last grew, as somebody saw it. */
export interface HostLoss {
  readonly token: string;
  /** Of the run that lost them. */
  readonly started: string;
  readonly lost: number;
  readonly lostMs: number;
}

/** What a list of hosts is of: of all that are given, "" and undefined are nothing said. */
export interface HostsWanted {
  /** Held against names, in any case. */
  readonly search: string;
  readonly state: HostState | undefined;
  /** How the sum of the rules in force begins. */
  readonly rules: string;
  readonly version: string;
  /** Those in trouble first, or those with most alerts or lost events since their start. */
  readonly sort: HostSort;
}

export const HOST_SORTS = ["state", "alerts", "lost"] as const;
export type HostSort = typeof HOST_SORTS[number];

export interface TableStats {
  readonly hosts: number;
  readonly states: Readonly<Record<HostState, number>>;
  /** Hosts that found no room, what was no presence, and what told another host's name. */
  readonly refused: number;
  readonly unreadable: number;
  readonly misnamed: number;
}

export const HOSTS_MAX = 200_000;
/** A host that has not told of itself for so many of its own intervals is silent. */
export const SILENT_AFTER = 3;
/** Where it does not say how often it tells, or says so wrongly; and the longest, seconds. */
const EVERY_S = 30;
const EVERY_MAX_S = 86_400;

export class HostTable {
  readonly #hosts = new Map<string, FleetHost>();
  readonly #states = new Map<HostState, Set<string>>(
    HOST_STATES.map((state) => [state, new Set<string>()] as const),
  );
  /** Second → hosts that are silent from then on. */
  readonly #due = new Map<number, Set<string>>();
  /** Of the rules in force: sum → hosts. */
  readonly #sums = new Map<string, number>();
  /** Version → hosts. */
  readonly #versions = new Map<string, number>();
  /** Of hosts that have not told of themselves yet. */
  readonly #recalled = new Map<string, HostLoss>();
  readonly #max: number;
  #lookedAt: number;
  /** Until then nobody could be heard. */
  #deafMs = 0;
  #refused = 0;
  #unreadable = 0;
  #misnamed = 0;

  constructor(nowMs: number, max = HOSTS_MAX) {
    this.#max = max;
    this.#lookedAt = Math.floor(nowMs / 1000);
  }

  /** Takes what a host told, at the server's time; undefined: it cannot be read. */
  take(token: string, host: string, presence: Presence | undefined, heardMs: number): void {
    if (presence === undefined) return void this.#unreadable++;
    if (presence.host !== host) this.#misnamed++;
    const known = this.#hosts.get(token);
    if (known === undefined && this.#hosts.size >= this.#max) return void this.#refused++;
    const isSameRun = known?.presence.started === presence.started;
    const hasLost = isSameRun && presence.events.lost > known!.presence.events.lost;
    const lostMs = hasLost ? heardMs : isSameRun ? known!.lostMs : undefined;
    this.#leave(known);
    // By the second's tick it is silent where that is long past; what is read again is no news.
    const isSilent = known?.state === "silent" && known.heardMs === heardMs;
    const state = isSilent ? "silent" : stateOf(presence);
    this.#enter(known, { token, host, presence, heardMs, lostMs, state });
    const recalled = this.#recalled.get(token);
    if (recalled !== undefined) {
      this.#recalled.delete(token);
      this.recall([recalled]);
    }
    if (presence.state === "stopped") return;
    this.#awaitUntil(dueMs(presence, heardMs), token);
  }

  #awaitUntil(silentMs: number, token: string): void {
    const second = Math.max(this.#lookedAt + 1, Math.ceil(silentMs / 1000));
    const due = this.#due.get(second);
    if (due === undefined) this.#due.set(second, new Set([token]));
    else due.add(token);
  }

  /**
   * Hosts can be heard again after a time without ticks: those that told nothing meanwhile have as
   * long as if they had told now.
   */
  hearAgain(nowMs: number): void {
    this.#deafMs = nowMs;
  }

  /** What is there no more. */
  remove(token: string): void {
    this.#leave(this.#hosts.get(token));
    this.#hosts.delete(token);
  }

  /** The newest losses first. */
  losses(limit: number): HostLoss[] {
    const found: HostLoss[] = [];
    for (const { token, presence: { started, events }, lostMs } of this.#hosts.values()) {
      if (lostMs !== undefined) found.push({ token, started, lost: events.lost, lostMs });
    }
    return found.sort((one, other) => other.lostMs - one.lostMs).slice(0, limit);
  }

  /** What this page saw before it ended; what grew meanwhile grew when that was told. */
  recall(losses: readonly HostLoss[]): void {
    for (const { token, started, lost, lostMs } of losses) {
      const host = this.#hosts.get(token);
      if (host === undefined) this.#recalled.set(token, { token, started, lost, lostMs });
      else if (host.lostMs === undefined) {
        const isSame = host.presence.started === started && host.presence.events.lost === lost;
        const hasGrown = host.presence.started === started && host.presence.events.lost > lost;
        const thenMs = isSame ? lostMs : hasGrown ? host.heardMs : undefined;
        if (thenMs !== undefined) this.#hosts.set(token, { ...host, lostMs: thenMs });
      }
    }
  }

  /** To be called about once a second while hosts can be heard: who has been silent too long. */
  tick(nowMs: number): void {
    const now = Math.floor(nowMs / 1000);
    // After a long pause it is shorter to ask what there is.
    const seconds = now - this.#lookedAt > this.#due.size
      ? [...this.#due.keys()].filter((second) => second <= now)
      : Array.from({ length: Math.max(0, now - this.#lookedAt) }, (_, at) => now - at);
    this.#lookedAt = Math.max(this.#lookedAt, now);
    for (const second of seconds) {
      for (const token of this.#due.get(second) ?? []) {
        const host = this.#hosts.get(token);
        if (host === undefined || host.state === "stopped" || host.state === "silent") continue;
        const silentMs = dueMs(host.presence, Math.max(host.heardMs, this.#deafMs));
        if (silentMs > nowMs) {
          if (host.heardMs < this.#deafMs) this.#awaitUntil(silentMs, token);
          continue;
        }
        this.#leave(host);
        this.#enter(host, { ...host, state: "silent" }, silentMs);
      }
      this.#due.delete(second);
    }
  }

  get(token: string): FleetHost | undefined {
    return this.#hosts.get(token);
  }

  /** A page of hosts, and how many there are of the kind; what is told of all sets alone is known
   * without going through them. */
  list(
    wanted: HostsWanted,
    { skip, limit }: { readonly skip: number; readonly limit: number },
  ): { readonly hosts: readonly FleetHost[]; readonly total: number } {
    const { search, state, rules, version, sort } = wanted;
    const sets = (state === undefined ? HOST_STATES : [state]).map((one) => this.#states.get(one)!);
    if (search === "" && rules === "" && version === "" && sort === "state") {
      const total = sets.reduce((sum, { size }) => sum + size, 0);
      return { hosts: [...this.#cut(sets, skip, limit)], total };
    }
    const word = search.toLowerCase();
    const found: FleetHost[] = [];
    for (const host of this.#cut(sets, 0, Infinity)) {
      const { presence } = host;
      if (word !== "" && !host.host.toLowerCase().includes(word)) continue;
      if (!presence.rules.sum.startsWith(rules)) continue;
      if (version === "" || presence.version === version) found.push(host);
    }
    if (sort !== "state") found.sort((one, other) => SIZES[sort](other) - SIZES[sort](one));
    return { hosts: found.slice(skip, skip + limit), total: found.length };
  }

  *#cut(sets: readonly ReadonlySet<string>[], skip: number, limit: number): Iterable<FleetHost> {
    let [left, room] = [skip, limit];
    for (const set of sets) {
      if (left >= set.size) {
        left -= set.size;
        continue;
      }
      for (const token of set) {
        if (left-- > 0) continue;
        if (room-- <= 0) return;
        yield this.#hosts.get(token)!;
      }
      left = 0;
    }
  }

  /** Sums of rules in force, those that most hosts run first. */
  sums(limit: number): readonly (readonly [sum: string, hosts: number])[] {
    return mostOf(this.#sums, limit);
  }

  /** Versions of saker, likewise. */
  versions(limit: number): readonly (readonly [version: string, hosts: number])[] {
    return mostOf(this.#versions, limit);
  }

  stats(): TableStats {
    return {
      hosts: this.#hosts.size,
      states: Object.fromEntries(
        HOST_STATES.map((state) => [state, this.#states.get(state)!.size]),
      ) as Record<HostState, number>,
      refused: this.#refused,
      unreadable: this.#unreadable,
      misnamed: this.#misnamed,
    };
  }

  #leave(host: FleetHost | undefined): void {
    if (host === undefined) return;
    this.#states.get(host.state)!.delete(host.token);
    const due = Math.ceil(dueMs(host.presence, host.heardMs) / 1000);
    this.#due.get(due)?.delete(host.token);
    const { rules, version } = host.presence;
    add(this.#sums, rules.sum, -1);
    add(this.#versions, version, -1);
  }

  #enter(
    known: FleetHost | undefined,
    host: Omit<FleetHost, "sinceMs">,
    fromMs = host.heardMs,
  ): void {
    const sinceMs = known?.state === host.state ? known.sinceMs : fromMs;
    this.#hosts.set(host.token, { ...host, sinceMs });
    this.#states.get(host.state)!.add(host.token);
    const { rules, version } = host.presence;
    add(this.#sums, rules.sum, 1);
    add(this.#versions, version, 1);
  }
}

const SIZES: Readonly<Record<Exclude<HostSort, "state">, (host: FleetHost) => number>> = {
  alerts: ({ presence }) => presence.alerts.total,
  lost: ({ presence }) => presence.events.lost,
};

/** What is counted to nothing is not there. */
function add(counts: Map<string, number>, key: string, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function mostOf(counts: ReadonlyMap<string, number>, limit: number) {
  return [...counts].sort(([, one], [, other]) => other - one).slice(0, limit);
}

function stateOf({ state, events, rules, config, outputs }: Presence): HostState {
  if (state === "stopped") return "stopped";
  if (events.lost > 0) return "losing";
  if (rules.refused !== null || (config?.refused ?? null) !== null) return "refusing";
  return outputs.some((output) => output.dropped > 0) ? "failing" : "running";
}

function dueMs({ every }: Presence, heardMs: number): number {
  const seconds = every > 0 ? Math.min(every, EVERY_MAX_S) : EVERY_S;
  return heardMs + SILENT_AFTER * seconds * 1000;
}
