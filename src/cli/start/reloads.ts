// Configuration and rules exchanged while a run goes on: read and tried by a thread of their own,
// then taken by the engine between two events, at which moment outputs and log change as well. What
// is bad is refused and told, and everything old stays.
import { changesOf } from "../../config/changes.ts";
import type { Config } from "../../config/schema.ts";
import type { Counters } from "../../engine/contract/counters.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import type { EnginePart } from "../../engine/thread/engines.ts";
import type { EngineThread, RulesTold } from "../../engine/thread/engine_thread.ts";
import type { Bundles } from "../../rollout/with_bundle.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import type { Flags } from "../flags.ts";
import type { Log } from "../log.ts";
import type { Terminal } from "../terminal.ts";
import { readAnew } from "./anew.ts";
import type { Anew } from "./anew_worker.ts";
import { engineSettings } from "./engine_start.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { OwnAlert } from "./own_alerts.ts";
import type { RolledOut } from "./rollout.ts";
import { rulesOfAll } from "./rules_of_all.ts";

export interface ReloadState {
  /** Counts what was taken since the start, which is 1. */
  readonly generation: number;
  /** Of configuration and rules. */
  readonly sha256: string;
  /** When they were taken, in ms since the epoch. */
  readonly atMs: number;
  readonly refusals: number;
  /** Why the last reload was refused; undefined where it was taken. */
  readonly refusal?: string;
  /** Keys that changed since the start and wait for the next one. */
  readonly restart: readonly string[];
}

/** What was read, for who wants to know it again. */
export interface FilesInForce {
  readonly rules: RulesStart["files"];
  readonly config: readonly string[];
  /** How the rules were read. */
  readonly start: RulesStart;
  readonly loaded: LoadedConfig;
}

export interface ReloadsOptions {
  /** Threads of other sources than the first. */
  readonly parts?: readonly EnginePart[] | undefined;
  readonly loaded: LoadedConfig;
  readonly rules: RulesStart;
  readonly sha256: string;
  readonly flags: Flags;
  readonly counters: Counters;
  readonly terminal: Terminal;
  readonly log: Log;
  readonly tell: (alert: OwnAlert) => void;
  /** Rules and configuration from elsewhere. */
  readonly rollout?: RolledOut | undefined;
  readonly onRules?: (told: RulesTold) => void;
  /** Called at the moment of the exchange, between two events. */
  readonly onTaken: (loaded: LoadedConfig, outputsChanged: boolean) => void;
  /** `files`: others are in force now. */
  readonly onState?: (state: ReloadState, files?: FilesInForce) => void;
}

/** Refused: the rule under which Falco tells it too. */
export const REFUSAL_RULE = "Falco internal: hot restart failure";
/** `Critical`. */
const REFUSAL_PRIORITY = 2;

const ENDING: ReloadOutcome = { reloaded: false, error: "saker is ending" };

export class Reloads {
  readonly #options: ReloadsOptions;
  /** What holds until the end, whatever is reloaded. */
  readonly #started: Config;
  #loaded: LoadedConfig;
  /** Files that had something in them. */
  #filled: readonly string[];
  #state: ReloadState;
  /** What the engine was asked to take, until it answers. */
  #asked: {
    readonly anew: Anew;
    readonly bundles: Bundles;
    readonly answer: (outcome: ReloadOutcome) => void;
  } | undefined;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#started = options.loaded.config;
    this.#loaded = options.loaded;
    this.#filled = filledOf(options.rules);
    this.#state = {
      generation: 1,
      sha256: options.sha256,
      atMs: Date.now(),
      refusals: 0,
      restart: [],
    };
    options.onState?.(this.#state, inForce(options.rules, options.loaded));
  }

  get state(): ReloadState {
    return this.#state;
  }

  /** One at a time; never rejects. */
  async reload(thread: EngineThread): Promise<ReloadOutcome> {
    const { flags, counters, terminal, rollout } = this.#options;
    const bundles = rollout?.current() ?? {};
    const answer = await readAnew({
      flags,
      filled: this.#filled,
      outIsTerminal: terminal.outIsTerminal,
      notices: this.#loaded.notices,
      plugins: this.#options.rules.plugins ?? [],
      bundles,
    });
    terminal.error(answer.told.error);
    for (const [severity, text] of answer.told.syslog) terminal.syslog(severity, text);
    if (counters.stopping) return ENDING;
    if ("error" in answer) return this.#refuse(answer.error, bundles);
    const { promise, resolve } = Promise.withResolvers<ReloadOutcome>();
    this.#asked = { anew: answer, bundles, answer: resolve };
    thread.reload(answer.rules, engineSettings(answer.loaded.config, flags));
    return await Promise.race([promise, thread.ended.then(() => ENDING)]);
  }

  /** The engine has exchanged the rules, or refused to. */
  answered(outcome: RulesTold | { readonly error: string }): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) return;
    asked.answer(
      "error" in outcome ? this.#refuse(outcome.error, asked.bundles) : this.#take(asked, outcome),
    );
  }

  #take(
    { anew, bundles }: { anew: Anew; bundles: Bundles },
    told: RulesTold,
  ): ReloadOutcome {
    const { loaded, rules, sha256 } = anew;
    const { log, counters, onTaken, onState, onRules, rollout } = this.#options;
    rollout?.settled(bundles, undefined);
    const { outputs } = changesOf(this.#loaded.config, loaded.config);
    const { restart } = changesOf(this.#started, loaded.config);
    onTaken(loaded, outputs);
    this.#loaded = { ...loaded, notices: [...this.#loaded.notices, ...loaded.notices] };
    this.#filled = filledOf(rules);
    for (const warning of told.warnings) log.warning(warning);
    for (const key of restart) {
      if (this.#state.restart.includes(key)) continue;
      log.warning(`Warning: ${key}: the change takes a restart; what held at the start holds on`);
    }
    onRules?.(told);
    const { generation, refusals } = this.#state;
    this.#state = {
      generation: generation + 1,
      sha256,
      atMs: Date.now(),
      refusals,
      restart,
    };
    const rulesNow = rulesOfAll(counters, this.#options.parts);
    log.info(`Reloaded: ${rulesNow} rules. Generation ${generation + 1}, ${sha256.slice(0, 12)}`);
    onState?.(this.#state, inForce(rules, loaded));
    return { reloaded: true, rules: rulesNow, generation: generation + 1, sha256, restart };
  }

  #refuse(error: string, bundles: Bundles): ReloadOutcome {
    const { log, tell, onState, rollout } = this.#options;
    // A bundle's refusal is told once, and is over when its source hands over the old one again.
    if (rollout?.settled(bundles, error)) return { reloaded: false, error };
    log.warning(`${error}\nThe new rules are refused, the old ones stay.`);
    tell({ rule: REFUSAL_RULE, priority: REFUSAL_PRIORITY, message: `${REFUSAL_RULE}: ${error}` });
    this.#state = { ...this.#state, refusals: this.#state.refusals + 1, refusal: error };
    onState?.(this.#state);
    return { reloaded: false, error };
  }
}

/** Files that have something in them. */
function filledOf({ files }: RulesStart): string[] {
  return files.filter(({ text }) => text.trim() !== "").map(({ name }) => name);
}

function inForce(start: RulesStart, loaded: LoadedConfig): FilesInForce {
  return { rules: start.files, config: loaded.files, start, loaded };
}
