// What the web server tells about alerts, rules, configuration and the last day, as JSON has it:
// for clients of ours that read it (docs/status.md).
import type { PlainValue } from "../../engine/contract/plain_value.ts";

/** GET /alerts/ID. */
export interface AlertAnswer {
  /** As `json_output` writes it, with all its properties. */
  readonly alert: AlertJson;
  readonly dossier: DossierJson | null;
  /** Why there is none, in words. */
  readonly no_dossier?: string;
}

/** An alert as Falco's JSON has it, with saker's own keys. */
export interface AlertJson {
  readonly id: string;
  readonly seq: number;
  readonly time: string;
  readonly rule: string;
  readonly priority: string;
  readonly source: string;
  readonly hostname: string;
  /** With time and priority before it; `message`: without. */
  readonly output: string;
  readonly message: string;
  readonly output_fields: Readonly<Record<string, unknown>>;
  readonly degraded: boolean;
  readonly tags?: readonly string[];
  readonly container_metadata?: "missing";
}

export interface DossierJson {
  /** Those of the output and a standard set (docs/status.md); `null`: the event has none. */
  readonly fields: Readonly<Record<string, PlainValue>>;
  /** The process and its ancestors by birth, from the process itself up; `null`: there is none. */
  readonly processes: readonly ProcessJson[] | null;
  readonly why: WhyJson;
  readonly rule: RuleTextJson;
  /** The capture around the event, where an alert started one: a file on that host. */
  readonly capture: string | null;
}

export interface ProcessJson {
  readonly pid: number;
  readonly name: string;
  readonly exe: string;
  readonly exepath: string;
  /** `null`: not kept. */
  readonly cmdline: string | null;
  /** `null`: it was there before saker, or nobody saw it begin. */
  readonly started: string | null;
  /** It has ended, or ran another program, when the alert was made. */
  readonly past: boolean;
  /** How it is known to be an ancestor of the one before it: `null` for the process itself,
   * `seen` as it made it, `listed` as its parent in /proc. */
  readonly known: "seen" | "listed" | null;
  /** Ancestors between the two that are not known; `null`: nobody knows how many. */
  readonly unknown_between: number | null;
}

export interface WhyJson {
  /** The view of the event under which the rule matched; `null`: there was one alone. */
  readonly view: string | null;
  readonly tree: WhyPartJson | null;
  /** Parts of the condition beyond the bound of what is kept. */
  readonly left_off: number;
}

export interface WhyPartJson {
  readonly kind: "and" | "or" | "not" | "check";
  /** `null`: not known when the dossier was made. */
  readonly holds: boolean | null;
  /** The macro that it stands for. */
  readonly macro?: string;
  /** Of a check: as in the condition, and the values that it saw. */
  readonly text?: string;
  readonly values?: readonly { readonly of: string; readonly is: string }[];
  /** Of all others. */
  readonly children?: readonly WhyPartJson[];
}

export interface RuleTextJson {
  readonly name: string;
  readonly source: string;
  readonly priority: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** As its file has it; "" where it cannot be told from what is around it. */
  readonly text: string;
  /** `FILE:LINE` of what was appended to its condition, or replaced it. */
  readonly also_at: readonly string[];
  readonly condition: string;
  readonly output: string;
}

/** GET /alerts/recent: held alerts that the query takes, the newest first. */
export interface RecentAnswer {
  readonly alerts: readonly RecentJson[];
  /** There may be older ones that the query takes: what to ask for as `before`; `null`: none. */
  readonly next: string | null;
  /** Alerts that are held at the moment, and those that had to give way so far. */
  readonly held: number;
  readonly given_way: number;
}

export interface RecentJson {
  readonly alert: AlertJson;
  /** Whether GET /alerts/ID has a dossier. */
  readonly dossier: boolean;
  /** With `with=fields`: as in the dossier; `null` where there is none. */
  readonly fields?: Readonly<Record<string, PlainValue>> | null;
}

/** GET /rules. */
export interface RulesAnswer {
  readonly generation: number;
  readonly since: string;
  /** Why the texts are not there; then each rule has but its name and numbers. */
  readonly error?: string;
  /** In the order in which they are tried; those that are not enabled too. */
  readonly rules: readonly RuleJson[];
  /** How many the query takes; `rules` begins at `from` and has `limit` at the most. */
  readonly total: number;
  /** What the sieve does with events, by the event's name: lines of `saker rules filter`. */
  readonly sieve: Readonly<Record<string, readonly string[]>>;
}

export interface RuleJson extends RuleTextJson {
  readonly enabled: boolean;
  /** Alerts so far; times are sampled (docs/metrics.md). */
  readonly matches: number;
  readonly condition_ms: number;
  readonly output_ms: number;
  readonly last_fired: string | null;
  /** Why it cannot match here, or not all that it names. */
  readonly dead: readonly string[];
  /** Names of the events that it is tried on; `null`: nearly all. */
  readonly events: readonly string[] | null;
}

/** GET /config. */
export interface ConfigAnswer {
  readonly files: readonly string[];
  readonly keys: readonly ConfigKeyJson[];
  /** What was wrong with it: at its loading, and with what was refused since. */
  readonly problems: readonly string[];
  readonly rules_warnings: readonly string[];
  readonly reload: {
    readonly generation: number;
    readonly since: string;
    /** Of configuration and rules; `null` where they are not read anew. */
    readonly sha256: string | null;
    readonly refusals: number;
    /** The newest last. */
    readonly refused: readonly { readonly at: string; readonly error: string }[];
    /** Keys that wait for a restart. */
    readonly restart: readonly string[];
  };
}

export interface ConfigKeyJson {
  readonly key: string;
  /** In force; secrets are `(not shown)`. */
  readonly value: unknown;
  /** `FILE:LINE`, `-o`, or `default`. */
  readonly where: string;
  /** As `saker config --explain`; `null` for defaults. */
  readonly fate: string | null;
  readonly why: string | null;
  /** A change takes a restart. */
  readonly restart: boolean;
}

/** GET /series: what happened in each step, the oldest first. */
export interface SeriesAnswer {
  readonly step_s: 1 | 60;
  /** Ends of the steps, ms since the epoch. A step that nobody measured is not there. */
  readonly at_ms: readonly number[];
  /** A second. */
  readonly events: readonly number[];
  readonly passed_over: readonly number[];
  readonly lost_critical: readonly number[];
  readonly lost_bulk: readonly number[];
  readonly alerts: readonly number[];
  /** Milliseconds: half and 99 of 100 took no longer; `null`: there was none in that step. */
  readonly event_to_engine_p50: readonly (number | null)[];
  readonly event_to_engine_p99: readonly (number | null)[];
  readonly alert_to_output_p50: readonly (number | null)[];
  readonly alert_to_output_p99: readonly (number | null)[];
  /** Events a second that reached the engine, by name: of each step the twelve with the most, and
   * of the span those twelve that had the most. */
  readonly by_type: Readonly<Record<string, readonly number[]>>;
}
