// What is kept of the moment of an alert, made while its event is at hand, within a budget: an
// alert beyond it has none and says so. Matches come in, dossiers go out.
import type { RuleAccount, RuleRecord, Taken } from "../../rules/rule_account.ts";
import type { CompiledRule, RuleSet, Settled } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import type { Dossier, DossierSettings, Moment, ProcessTold } from "../contract/dossier.ts";
import { type PlainValue, plainValue } from "../contract/plain_value.ts";
import { processesOf } from "./ancestry.ts";

export interface DossierParts {
  readonly counters: Counters;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds from anywhere, in fractions. */
  readonly stopwatch: () => number;
}

const WINDOW_MS = 1_000;
/** So many of each rule in a second are made although the budget is spent, up to twice as many as
 * it allows in all. */
const RARE = 2;
/** Characters of one dossier: of a longer one the values go, then the processes. */
const MOMENT_MAX = 32_768;

export class Dossiers {
  readonly #parts: DossierParts;
  #settings: DossierSettings | undefined;
  #windowMs = 0;
  #made = 0;
  #spentMs = 0;
  readonly #byRule = new Map<string, number>();

  constructor(settings: DossierSettings | undefined, parts: DossierParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Others from now on; undefined: none are made. */
  setSettings(settings: DossierSettings | undefined): void {
    this.#settings = settings;
  }

  /** Of the event that the rule just matched; undefined where none are made. */
  make(
    rules: RuleSet,
    rule: CompiledRule,
    context: Context,
    capture: string | undefined,
  ): Dossier | undefined {
    if (this.#settings === undefined) return undefined;
    if (!this.#admits(rule)) return this.#lack("budget");
    return this.#timed(() => {
      const account = rules.account?.(rule.index);
      if (account === undefined) return undefined;
      return finished(account, account.take(context), { processes: processesOf(context), capture });
    });
  }

  /** Whether one is to be begun of an event that is held, which the rule may match. */
  readonly begins = (rule: CompiledRule): boolean =>
    this.#settings !== undefined && this.#admits(rule);

  /** The processes of an event that is held. */
  processesOf(context: Context): readonly ProcessTold[] | undefined {
    return this.#settings === undefined ? undefined : processesOf(context);
  }

  /** Of an event that was held: what a runtime has told since is in `later`. */
  finish(
    told: Settled["told"],
    processes: readonly ProcessTold[] | undefined,
    later: Context,
  ): Dossier | undefined {
    if (this.#settings === undefined) return undefined;
    if (told === undefined) return this.#lack("budget");
    return this.#timed(() => finished(told.account, told.taken, { processes }, later));
  }

  #timed(make: () => Dossier | undefined): Dossier | undefined {
    const { counters, stopwatch } = this.#parts;
    const begun = stopwatch();
    try {
      const made = make();
      if (made !== undefined) counters.add(Counter.Dossiers, 1);
      return made;
    } catch {
      // An alert must not be lost over what is told besides.
      return this.#lack("mistake");
    } finally {
      const tookMs = stopwatch() - begun;
      this.#spentMs += tookMs;
      counters.add(Counter.DossierNs, tookMs * 1e6);
    }
  }

  #lack(none: "budget" | "mistake"): Dossier {
    this.#parts.counters.add(Counter.DossiersLeftOut, 1);
    return { none };
  }

  #admits({ name }: CompiledRule): boolean {
    const { perSecond, perRule, msPerSecond } = this.#settings!;
    const nowMs = this.#parts.clock();
    if (nowMs - this.#windowMs >= WINDOW_MS || nowMs < this.#windowMs) {
      this.#windowMs = nowMs;
      this.#made = this.#spentMs = 0;
      this.#byRule.clear();
    }
    const ofRule = this.#byRule.get(name) ?? 0;
    const isSpent = this.#made >= perSecond || ofRule >= perRule || this.#spentMs >= msPerSecond;
    // One rule that floods does not take what others would have.
    if (isSpent && (ofRule >= RARE || this.#made >= 2 * perSecond)) return false;
    this.#made++;
    this.#byRule.set(name, ofRule + 1);
    return true;
  }
}

interface Besides {
  readonly processes?: readonly ProcessTold[] | undefined;
  readonly capture?: string | undefined;
}

function finished(
  account: RuleAccount,
  taken: Taken,
  { processes, capture }: Besides,
  later?: Context,
): { readonly record: RuleRecord; readonly moment: string } {
  const { fields, answers, values } = account.answer(taken, later);
  const moment: Moment = {
    fields: fields.map(plainValue),
    ...(processes === undefined ? {} : { processes }),
    ...(taken.view === undefined ? {} : { view: taken.view }),
    answers,
    values,
    ...(capture === undefined ? {} : { capture }),
  };
  return { record: account.record, moment: written(moment) };
}

/** As text, within the bound. */
function written(moment: Moment): string {
  const whole = JSON.stringify(moment);
  if (whole.length <= MOMENT_MAX) return whole;
  const { processes, ...less } = { ...moment, fields: moment.fields.map(shortOf) };
  const cut = JSON.stringify({ ...less, ...(processes && { processes: processes.slice(0, 4) }) });
  if (cut.length <= MOMENT_MAX) return cut;
  return JSON.stringify({ ...less, values: less.values.map(() => "…") });
}

const SHORT_MAX = 256;

function shortOf(value: PlainValue): PlainValue {
  if (Array.isArray(value)) return value.slice(0, 8).map(shortOf);
  return typeof value === "string" && value.length > SHORT_MAX
    ? `${value.slice(0, SHORT_MAX)}…`
    : value;
}
