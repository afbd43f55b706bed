// Which rules fire where: of each alert its rule, host and time come in; for each rule a count, its
// last time and the hosts that it fired on go out. It can be written down and read again, so that a
// page goes on counting where it was.

export interface Fired {
  readonly rule: string;
  readonly host: string;
  /** When the server took the alert. */
  readonly tookMs: number;
}

export interface RuleFired {
  readonly rule: string;
  readonly count: number;
  readonly lastMs: number;
  /** Those with most alerts first. */
  readonly hosts: readonly (readonly [host: string, count: number])[];
  /** Alerts of hosts that found no room among them. */
  readonly elsewhere: number;
}

/** A tally as JSON has it. */
export interface KeptTally {
  readonly sinceMs: number | null;
  readonly read: number;
  readonly refused: number;
  readonly unnamed: number;
  readonly rules: readonly RuleFired[];
}

interface Tally {
  count: number;
  lastMs: number;
  readonly hosts: Map<string, number>;
  elsewhere: number;
}

const RULES_MAX = 1000;
const HOSTS_MAX = 100;
/** Hosts beside a rule that are written down, from the most that are tried to the fewest. */
const KEPT_HOSTS = [HOSTS_MAX, 30, 10, 3, 0];
const NAME_MAX = 512;

export class RuleTally {
  readonly #rules = new Map<string, Tally>();
  #sinceMs: number | undefined;
  #read = 0;
  #refused = 0;
  #unnamed = 0;

  /** When the server took the first alert that is counted; undefined: there is none. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  get read(): number {
    return this.#read;
  }

  /** Alerts of rules that found no room. */
  get refused(): number {
    return this.#refused;
  }

  /** Messages that do not say of which rule they are. */
  get unnamed(): number {
    return this.#unnamed;
  }

  /** A rule "" is one that is not said. */
  take({ rule, host, tookMs }: Fired): void {
    this.#read++;
    this.#sinceMs ??= tookMs;
    if (rule === "") return void this.#unnamed++;
    let tally = this.#rules.get(rule);
    if (tally === undefined) {
      if (this.#rules.size >= RULES_MAX) return void this.#refused++;
      tally = { count: 0, lastMs: 0, hosts: new Map(), elsewhere: 0 };
      this.#rules.set(rule, tally);
    }
    tally.count++;
    if (tookMs > tally.lastMs) tally.lastMs = tookMs;
    const known = tally.hosts.get(host);
    if (known === undefined && tally.hosts.size >= HOSTS_MAX) tally.elsewhere++;
    else tally.hosts.set(host, (known ?? 0) + 1);
  }

  /** Those that fired most first. */
  rules(): RuleFired[] {
    return [...this.#rules].map(([rule, { hosts, ...tally }]) => ({
      rule,
      ...tally,
      hosts: [...hosts].sort(([, one], [, other]) => other - one),
    })).sort((one, other) => other.count - one.count);
  }

  /** What is to be written down: with fewer hosts beside each rule where `fits` refuses more. */
  kept(fits: (kept: KeptTally) => boolean): KeptTally {
    let kept = this.#keptWith(HOSTS_MAX);
    for (const hosts of KEPT_HOSTS) {
      kept = this.#keptWith(hosts);
      if (fits(kept)) break;
    }
    return kept;
  }

  #keptWith(most: number): KeptTally {
    const rules = this.rules().map(({ hosts, elsewhere, ...rule }) => ({
      ...rule,
      hosts: hosts.slice(0, most),
      elsewhere: hosts.slice(most).reduce((sum, [, count]) => sum + count, elsewhere),
    }));
    return {
      sinceMs: this.#sinceMs ?? null,
      read: this.#read,
      refused: this.#refused,
      unnamed: this.#unnamed,
      rules,
    };
  }

  /** Goes on from there; to be called before anything was counted. */
  restore(kept: KeptTally): void {
    this.#sinceMs = kept.sinceMs ?? undefined;
    this.#read = kept.read;
    this.#refused = kept.refused;
    this.#unnamed = kept.unnamed;
    this.#rules.clear();
    for (const { rule, hosts, ...tally } of kept.rules) {
      this.#rules.set(rule, { ...tally, hosts: new Map(hosts) });
    }
  }
}

/** What somebody wrote down → a tally that can be gone on from; undefined where it is none. */
export function parseTally(value: unknown): KeptTally | undefined {
  const { sinceMs, read, refused, unnamed, rules } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(rules) || rules.length > RULES_MAX) return undefined;
  const parsed = rules.map(parseRule);
  if (parsed.includes(undefined)) return undefined;
  if (![read, refused, unnamed].every(isCount)) return undefined;
  if (sinceMs !== null && !isCount(sinceMs)) return undefined;
  return {
    sinceMs: sinceMs as number | null,
    read: read as number,
    refused: refused as number,
    unnamed: unnamed as number,
    rules: parsed as RuleFired[],
  };
}

function parseRule(value: unknown): RuleFired | undefined {
  const { rule, count, lastMs, hosts, elsewhere } = (value ?? {}) as Record<string, unknown>;
  if (typeof rule !== "string" || rule === "" || rule.length > NAME_MAX) return undefined;
  if (![count, lastMs, elsewhere].every(isCount)) return undefined;
  if (!Array.isArray(hosts) || hosts.length > HOSTS_MAX || !hosts.every(isHost)) return undefined;
  return {
    rule,
    count: count as number,
    lastMs: lastMs as number,
    hosts: hosts as [string, number][],
    elsewhere: elsewhere as number,
  };
}

function isHost(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === "string" && value[0].length <= NAME_MAX &&
    isCount(value[1]);
}

/** A date can show it as well. */
function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 8.64e15;
}
