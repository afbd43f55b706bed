// The threads that judge, as the main thread holds them: one of system calls, and one for each
// other source that is wanted. They are one thread to whoever starts, reloads and ends them; a
// failure of another does not end the first.
import type { AuditSink } from "../../audit/contract.ts";
import type { Counters } from "../contract/counters.ts";
import type { EngineEnd, EngineStart, PluginTold } from "../contract/messages.ts";
import type { TalliesTold } from "../contract/tallies.ts";
import { QueueSink, type SinkNumbers } from "./audit_sink.ts";
import {
  type EngineEvents,
  type EngineThread,
  type RulesTold,
  startEngineThread,
} from "./engine_thread.ts";

/** The thread of one source besides system calls. */
export interface EnginePart {
  readonly start: EngineStart;
  readonly counters: Counters;
  /** Name of a plugin's source. */
  readonly source?: string;
  /** Where it is fed with audit events: the sink stands; its numbers can be asked for. */
  readonly onSink?: (sink: AuditSink, numbers: () => SinkNumbers) => void;
  readonly onTallies?: (tallies: TalliesTold) => void;
  readonly onPlugins?: (plugins: readonly PluginTold[]) => void;
  /** A failure before it is ready ends everything, as everything else that a start finds amiss. */
  readonly isNeeded?: boolean;
  /** It judges no more, for that reason, while the watch goes on. */
  readonly onFailure?: (error: string) => void;
  /** Its source came to its end while the watch goes on. */
  readonly onEnd?: () => void;
}

export interface EnginesOptions {
  /** The first has nothing to judge: once all others have ended, so does it. */
  readonly idleFirst?: boolean;
  /** A replay: each comes to its own end. */
  readonly eachToItsEnd?: boolean;
}

export function startEngines(
  start: EngineStart,
  counters: Counters,
  events: EngineEvents,
  parts: readonly EnginePart[] = [],
  options: EnginesOptions = {},
): EngineThread {
  if (parts.length === 0) return startEngineThread(start, counters, events);
  return new EngineGroup({ start, counters, events, parts, ...options });
}

type Reload = Parameters<EngineThread["reload"]>;
type Outcome = RulesTold | { readonly error: string };

interface Member {
  readonly part: EnginePart;
  readonly thread: EngineThread;
  readonly sink: QueueSink | undefined;
  lives: boolean;
  isReady: boolean;
  /** It was given new rules and has not answered yet. */
  isAsked: boolean;
}

interface Group extends EnginesOptions {
  readonly start: EngineStart;
  readonly counters: Counters;
  readonly events: EngineEvents;
  readonly parts: readonly EnginePart[];
}

class EngineGroup implements EngineThread {
  readonly ended: Promise<EngineEnd>;
  readonly #events: EngineEvents;
  readonly #first: EngineThread;
  readonly #members: Member[];
  readonly #idleFirst: boolean;
  readonly #eachToItsEnd: boolean;
  /** What each of them said of its first rules. */
  #readiness: RulesTold[] = [];
  #firstReady = false;
  #isReady = false;
  /** Rules that the first is asked to take, and are for the others then. */
  #asked: Reload | undefined;
  /** What was said of the rules that are being taken. */
  #taken: Outcome[] | undefined;
  #isEnding = false;
  /** Why a source that is needed could not begin. */
  #failure: string | undefined;
  #sequence = 0;

  constructor(group: Group) {
    const { start, counters, events, parts, idleFirst = false, eachToItsEnd = false } = group;
    this.#eachToItsEnd = eachToItsEnd;
    this.#events = events;
    this.#idleFirst = idleFirst;
    const onAlerts: EngineEvents["onAlerts"] = (alerts) =>
      events.onAlerts(alerts.map((alert) => ({ ...alert, sequence: ++this.#sequence })));
    this.#first = startEngineThread(start, counters, {
      ...events,
      onAlerts,
      onReady: (told) => {
        this.#firstReady = true;
        this.#ready(told);
      },
      onReloaded: (outcome) => this.#firstReloaded(outcome),
    });
    this.#members = parts.map((part) => this.#begin(part, onAlerts));
    this.ended = this.#end();
  }

  #begin(part: EnginePart, onAlerts: EngineEvents["onAlerts"]): Member {
    const sink = part.onSink === undefined
      ? undefined
      : new QueueSink((number, piece) => member.thread.offer(number, piece));
    const thread = startEngineThread(part.start, part.counters, {
      onAlerts,
      onReady: (told) => {
        member.isReady = true;
        this.#ready(told);
      },
      onReloaded: (outcome) => this.#memberReloaded(member, outcome),
      onNotice: this.#events.onNotice,
      ...(part.onTallies === undefined ? {} : { onTallies: part.onTallies }),
      ...(part.onPlugins === undefined ? {} : { onPlugins: part.onPlugins }),
      onVerdict: (number, verdict) => sink?.judged(number, verdict),
    });
    const member: Member = {
      part,
      thread,
      sink,
      lives: true,
      isReady: false,
      isAsked: false,
    };
    return member;
  }

  /** The first reads them first: what it takes, the others, which read the same, take too. */
  reload(...rules: Reload): void {
    this.#asked = rules;
    this.#first.reload(...rules);
  }

  offer(...piece: Parameters<EngineThread["offer"]>): void {
    this.#members.find(({ sink }) => sink !== undefined)?.thread.offer(...piece);
  }

  stop(limits: Parameters<EngineThread["stop"]>[0]): void {
    this.#isEnding = true;
    this.#first.stop(limits);
    this.#stopMembers(limits);
  }

  #stopMembers(limits: Parameters<EngineThread["stop"]>[0]): void {
    for (const { lives, thread } of this.#members) if (lives) thread.stop(limits);
  }

  async #end(): Promise<EngineEnd> {
    const others = this.#members.map((member) =>
      member.thread.ended.then((end) => {
        this.#memberEnded(member, end);
        return end;
      })
    );
    const first = await this.#first.ended;
    if (!this.#eachToItsEnd || first.error !== undefined) {
      this.#isEnding = true;
      this.#stopMembers(STOP);
    }
    const ends = await Promise.all(others);
    const alertsByRule = [first, ...ends].flatMap((end) => end.alertsByRule);
    return { error: first.error ?? this.#failure, alertsByRule };
  }

  #memberEnded(member: Member, { error }: EngineEnd): void {
    member.lives = false;
    member.sink?.end();
    const { isNeeded, onFailure, onEnd } = member.part;
    if (!this.#isEnding) {
      if (error === undefined) onEnd?.();
      else if (isNeeded === true && !member.isReady) this.#failure ??= error;
      else onFailure?.(error);
    }
    const isOver = this.#idleFirst && this.#members.every(({ lives }) => !lives);
    if (isOver && !this.#isEnding && this.#failure === undefined) this.#failure = error;
    if (isOver || this.#failure !== undefined) {
      this.#isEnding = true;
      this.#first.stop(STOP);
      this.#stopMembers(STOP);
      return;
    }
    this.#tellReady();
    this.#memberReloaded(member, undefined);
  }

  #ready(told: RulesTold): void {
    this.#readiness.push(told);
    this.#tellReady();
  }

  /** Once all are ready, or will never be. */
  #tellReady(): void {
    if (this.#isReady || !this.#firstReady || this.#failure !== undefined) return;
    if (this.#members.some(({ lives, isReady }) => lives && !isReady)) return;
    this.#isReady = true;
    this.#events.onReady(merged(this.#readiness));
    for (const { part, sink } of this.#members) {
      if (sink !== undefined) part.onSink?.(sink, () => sink.numbers());
    }
  }

  #firstReloaded(outcome: Outcome): void {
    const rules = this.#asked;
    this.#asked = undefined;
    if ("error" in outcome || rules === undefined) return this.#events.onReloaded(outcome);
    this.#taken = [outcome];
    for (const member of this.#members) {
      if (!member.lives) continue;
      member.isAsked = true;
      member.thread.reload(...rules);
    }
    this.#tellReloaded();
  }

  /** An end is an answer as well. */
  #memberReloaded(member: Member, outcome: Outcome | undefined): void {
    if (!member.isAsked) return;
    member.isAsked = false;
    if (outcome !== undefined) this.#taken?.push(outcome);
    this.#tellReloaded();
  }

  #tellReloaded(): void {
    const taken = this.#taken;
    if (taken === undefined || this.#members.some(({ isAsked }) => isAsked)) return;
    this.#taken = undefined;
    const refused = taken.find((outcome) => "error" in outcome);
    this.#events.onReloaded(
      refused ?? merged(taken.flatMap((outcome) => "error" in outcome ? [] : [outcome])),
    );
  }
}

/** Where the first ends by itself, the others have so long. */
const STOP = { timeoutMs: 2_000, stuckMs: 1_000 };

/** All read the same files, and mostly say the same. */
function merged(told: readonly RulesTold[]): RulesTold {
  const warnings = [...new Set(told.flatMap(({ warnings }) => warnings))];
  const dead = new Map(told.flatMap(({ dead }) => dead).map((one) => [JSON.stringify(one), one]));
  const refused = told.flatMap(({ refused }) => refused);
  return { warnings, dead: [...dead.values()], refused };
}
