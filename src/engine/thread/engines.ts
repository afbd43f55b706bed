// The threads that judge, as the main thread holds them: one of system calls, and one of audit
// events where those are wanted. Both are one thread to whoever starts, reloads and ends them; a
// failure of the second does not end the first.
import type { AuditSink } from "../../audit/contract.ts";
import type { Counters } from "../contract/counters.ts";
import type { EngineEnd, EngineStart } from "../contract/messages.ts";
import type { TalliesTold } from "../contract/tallies.ts";
import { QueueSink, type SinkNumbers } from "./audit_sink.ts";
import {
  type EngineEvents,
  type EngineThread,
  type RulesTold,
  startEngineThread,
} from "./engine_thread.ts";

export interface AuditPart {
  readonly start: EngineStart;
  readonly counters: Counters;
  /** The sink stands; its numbers can be asked for. */
  readonly onSink?: (sink: AuditSink, numbers: () => SinkNumbers) => void;
  readonly onTallies?: (tallies: TalliesTold) => void;
  /** It judges no more, for that reason, while the watch goes on. */
  readonly onFailure?: (error: string) => void;
}

export function startEngines(
  start: EngineStart,
  counters: Counters,
  events: EngineEvents,
  audit?: AuditPart,
): EngineThread {
  if (audit === undefined) return startEngineThread(start, counters, events);
  return new EnginePair(start, counters, events, audit);
}

type Reload = Parameters<EngineThread["reload"]>;
type Outcome = RulesTold | { readonly error: string };

class EnginePair implements EngineThread {
  readonly ended: Promise<EngineEnd>;
  readonly #events: EngineEvents;
  readonly #audit: AuditPart;
  readonly #first: EngineThread;
  readonly #second: EngineThread;
  readonly #sink: QueueSink;
  /** What each of them said of its first rules. */
  #readiness: RulesTold[] = [];
  #isReady = false;
  /** What the first said of rules that it took; they are for the second now. */
  #taken: { readonly rules: Reload; readonly told: RulesTold | undefined } | undefined;
  #secondLives = true;
  #isEnding = false;
  #sequence = 0;

  constructor(start: EngineStart, counters: Counters, events: EngineEvents, audit: AuditPart) {
    this.#events = events;
    this.#audit = audit;
    this.#sink = new QueueSink((number, piece) => this.#second.offer(number, piece));
    const onAlerts: EngineEvents["onAlerts"] = (alerts) =>
      events.onAlerts(alerts.map((alert) => ({ ...alert, sequence: ++this.#sequence })));
    this.#first = startEngineThread(start, counters, {
      ...events,
      onAlerts,
      onReady: (told) => this.#ready(told),
      onReloaded: (outcome) => this.#firstReloaded(outcome),
    });
    this.#second = startEngineThread(audit.start, audit.counters, {
      onAlerts,
      onReady: (told) => this.#ready(told),
      onReloaded: (outcome) => this.#secondReloaded(outcome),
      onNotice: events.onNotice,
      ...(audit.onTallies === undefined ? {} : { onTallies: audit.onTallies }),
      onVerdict: (number, verdict) => this.#sink.judged(number, verdict),
    });
    this.ended = this.#end();
  }

  /** The first reads them first: what it takes, the second, which reads the same, takes too. */
  reload(...rules: Reload): void {
    this.#taken = { rules, told: undefined };
    this.#first.reload(...rules);
  }

  offer(...piece: Parameters<EngineThread["offer"]>): void {
    this.#second.offer(...piece);
  }

  stop(limits: Parameters<EngineThread["stop"]>[0]): void {
    this.#isEnding = true;
    this.#first.stop(limits);
    if (this.#secondLives) this.#second.stop(limits);
  }

  async #end(): Promise<EngineEnd> {
    const second = this.#second.ended.then((end) => {
      this.#secondLives = false;
      this.#sink.end();
      this.#tellReady();
      this.#secondReloaded(undefined);
      if (end.error !== undefined && !this.#isEnding) this.#audit.onFailure?.(end.error);
      return end;
    });
    const first = await this.#first.ended;
    this.#isEnding = true;
    if (this.#secondLives) this.#second.stop(STOP);
    const { alertsByRule } = await second;
    return { error: first.error, alertsByRule: [...first.alertsByRule, ...alertsByRule] };
  }

  #ready(told: RulesTold): void {
    this.#readiness.push(told);
    this.#tellReady();
  }

  /** Once both are ready, or the second will never be. */
  #tellReady(): void {
    const wanted = this.#secondLives ? 2 : 1;
    if (this.#isReady || this.#readiness.length < wanted) return;
    this.#isReady = true;
    this.#events.onReady(merged(this.#readiness));
    this.#audit.onSink?.(this.#sink, () => this.#sink.numbers());
  }

  #firstReloaded(outcome: Outcome): void {
    const rules = this.#taken?.rules;
    if ("error" in outcome || rules === undefined || !this.#secondLives) {
      this.#taken = undefined;
      return this.#events.onReloaded(outcome);
    }
    this.#taken = { rules, told: outcome };
    this.#second.reload(...rules);
  }

  /** An end is an answer as well. */
  #secondReloaded(outcome: Outcome | undefined): void {
    const told = this.#taken?.told;
    if (told === undefined) return;
    this.#taken = undefined;
    this.#events.onReloaded(
      outcome === undefined ? told : "error" in outcome ? outcome : merged([told, outcome]),
    );
  }
}

/** Where the first ends by itself, the second has so long. */
const STOP = { timeoutMs: 2_000, stuckMs: 1_000 };

/** Both read the same files, and mostly say the same. */
function merged(told: readonly RulesTold[]): RulesTold {
  const warnings = [...new Set(told.flatMap(({ warnings }) => warnings))];
  const dead = new Map(told.flatMap(({ dead }) => dead).map((one) => [JSON.stringify(one), one]));
  const refused = told.flatMap(({ refused }) => refused);
  return { warnings, dead: [...dead.values()], refused };
}
