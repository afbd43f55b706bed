// The engine: batches of blocks come from the source, each event changes the tables and is held
// against the rules, alerts go out batch by batch. Runs on its own thread and may block there.
import { BlockWalk, Step } from "../../events/blocks.ts";
import type { Event } from "../../events/event.ts";
import { NEW_SNAPSHOT } from "../../events/source.ts";
import { WAITING_MS } from "../host/container_source.ts";
import { HeldAlerts, type ReleasedAlert } from "./held_alerts.ts";
import type { CompiledRule, RenderedOutput, RuleSet } from "../../rules/rule_set.ts";
import type { Alert } from "../contract/alert.ts";
import { AlertPost } from "./alert_post.ts";
import { Counter } from "../contract/counters.ts";
import { Dossiers } from "./dossiers.ts";
import type { EngineParts } from "./engine_parts.ts";
import { LossGuard } from "./loss_actions.ts";
import type { DossierSettings } from "../contract/dossier.ts";
import type { DropSettings } from "../contract/messages.ts";
import { SievedWalk } from "./sieved_walk.ts";
import { Tallier } from "./tallier.ts";
import { tellLost, tellPassedOver, tellProgress, tellSource, tellTables } from "./tell.ts";
import { foreseeSum } from "../sums/program_sums.ts";
import type { InternalAlert, Tap } from "../captures/tap.ts";

/** Why `run` came back. */
export type Outcome = "ended" | "stopped" | "message" | "lossy";

/** The source's events are drained into this much memory at once. */
const BATCH_BYTES = 1 << 20;
/** Behind a batch: room for events that the sieve hands over late. */
const COPIES_BYTES = 1 << 18;
/** An idle engine that has to look by itself whether somebody wants it, or what it does is over,
 * wakes at least this often. */
const IDLE_MS = 100;
/** A live source's read that fills less than this found nothing more. */
const MORE_BYTES = BATCH_BYTES / 2;
/** How often the source and the tables are asked for their numbers. */
const STATS_MS = 1_000;
const UPKEEP_MS = 10_000;
/** A capture may bring in a second what a host brings in minutes. */
const CAPTURE_UPKEEP_MS = 1_000;
/** Batches that are taken after the end was asked for, at the most. */
const DRAIN_BATCHES = 32;
/** Where a block's body begins: behind its type and length. */
const FRAME_START = 8;

export class Engine {
  readonly #parts: EngineParts;
  readonly #memory: Uint8Array;
  readonly #buffer: Uint8Array;
  readonly #walk: BlockWalk;
  readonly #sieved: SievedWalk | undefined;
  readonly #event: Event;
  readonly #loss: LossGuard;
  readonly #post: AlertPost;
  readonly #dossiers: Dossiers;
  readonly #held: HeldAlerts;
  #walking = false;
  readonly #tap: Tap | undefined;
  #rules: RuleSet;
  #matched: Int32Array;
  readonly #tallier: Tallier;
  #events = 0;
  #malformed = 0;
  #sequence = 0;
  #lossy = false;
  #statsAtMs = 0;
  #upkeepAtMs = 0;
  #deadline: bigint | undefined;
  #wallDeadlineMs: number | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#event = parts.context.event;
    this.#walk = new BlockWalk(this.#event);
    const { sieve, machine, source, counters, clock } = parts;
    this.#memory = new Uint8Array(BATCH_BYTES + (sieve === undefined ? 0 : COPIES_BYTES));
    this.#buffer = this.#memory.subarray(0, BATCH_BYTES);
    if (sieve) this.#sieved = new SievedWalk({ ...sieve, walk: this.#walk, machine });
    this.#post = new AlertPost(parts);
    const stopwatch = () => performance.now();
    this.#dossiers = new Dossiers(parts.dossiers, { ...parts, stopwatch });
    this.#loss = new LossGuard({
      ...parts,
      drops: parts.options.drops,
      hostname: () => machine.hostname,
      push: (alert) => this.#post.push(alert),
      nextSequence: () => ++this.#sequence,
    });
    const release = (alert: ReleasedAlert) => this.#alertHeld(alert);
    this.#held = new HeldAlerts(machine, parts.counters, release, this.#dossiers);
    this.#tap = parts.tap?.({ alert: (alert) => this.#alertInternal(alert) });
    this.#rules = parts.rules;
    this.#matched = new Int32Array(Math.max(1, parts.rules.rules.length));
    this.#tallier = new Tallier(parts.rules, { source, counters, machine, clock, ...parts.tally });
    parts.counters.set(Counter.Rules, parts.rules.rules.length);
    const { seconds, patient } = parts.options;
    // A live host may be silent, so the wall clock ends the run as well.
    if (seconds !== undefined && !patient) this.#wallDeadlineMs = parts.clock() + seconds * 1000;
  }

  /** Loads the tables with the machine as it was when the source began. */
  loadSnapshot(): void {
    const sieved = this.#sieved;
    sieved?.beginAnew(this.#memory);
    if (sieved) this.#walkAll(sieved, this.#memory);
    const bytes = this.#parts.source.snapshot();
    this.#walk.begin(bytes, bytes.length);
    this.#walkAll(this.#walk, bytes);
    this.#sieved?.know();
  }

  /** Runs until the source ends, somebody asks for the engine, or a loss must end it. */
  run(): Outcome {
    const { source, counters, clock } = this.#parts;
    for (;;) {
      const nowMs = clock();
      counters.set(Counter.HeartbeatMs, nowMs);
      if (counters.stopping) {
        if (this.#tap !== undefined && !this.#parts.options.patient) this.#drain();
        return "stopped";
      }
      if (counters.takeMessage()) return "message";
      if (nowMs - this.#statsAtMs >= STATS_MS && this.readStats(nowMs)) return "lossy";
      this.takeAside(this.#parts.containers?.take(nowMs));
      this.takeAside(this.#parts.plugins?.take(nowMs));
      const bytes = source.read(this.#buffer);
      if (bytes === NEW_SNAPSHOT) {
        this.loadSnapshot();
        this.#tap?.section();
        continue;
      }
      if (bytes < 0) {
        this.readStats(nowMs);
        return "ended";
      }
      if (bytes > 0) {
        if (this.#takeBatch(bytes, nowMs)) {
          this.readStats(nowMs);
          return this.#lossy ? "lossy" : "ended";
        }
        if (source.readsAll !== true || bytes >= MORE_BYTES) continue;
      }
      counters.set(Counter.EmptyMs, nowMs);
      this.#post.flush();
      if (this.#wallDeadlineMs !== undefined && nowMs >= this.#wallDeadlineMs) return "ended";
      this.#tap?.idle();
      source.wait(this.#idleMs(nowMs), counters.bells);
    }
  }

  /** How long an idle engine may sleep: until it has its numbers to tell, if nobody asks sooner. */
  #idleMs(nowMs: number): number {
    const { source, containers, plugins } = this.#parts;
    if (containers?.isWaiting === true) return WAITING_MS;
    const looks = plugins !== undefined || this.#tap !== undefined ||
      this.#wallDeadlineMs !== undefined || source.looksAtBells !== true;
    return looks ? IDLE_MS : Math.min(STATS_MS, Math.max(1, this.#statsAtMs + STATS_MS - nowMs));
  }

  setDrops(drops: DropSettings): void {
    this.#loss.setDrops(drops);
  }

  /** How much dossiers may cost from now on; undefined: none are made. */
  setDossiers(settings: DossierSettings | undefined): void {
    this.#dossiers.setSettings(settings);
  }

  /** Takes a batch that was read before (SetAside), as if it came now. */
  takeAside(batch: Uint8Array | undefined): void {
    if (batch === undefined) return;
    this.#buffer.set(batch);
    this.#takeBatch(batch.length, this.#parts.clock());
  }

  /** Applies the batch in the buffer; whether the run is over. */
  #takeBatch(bytes: number, nowMs: number): boolean {
    const { counters, source: { isPiecemeal = false } } = this.#parts;
    this.#tap?.begin(this.#buffer, bytes);
    this.#walking = true;
    let ended = this.#walkBatch(bytes);
    this.#walking = false;
    if (this.#tap?.end(ended ? this.#walk.start - FRAME_START : bytes)) ended = true;
    // One message for each alert would cost more than judging the events.
    if (!isPiecemeal || this.#post.isDue(nowMs)) this.#post.flush();
    counters.set(Counter.Events, this.#events);
    counters.set(Counter.LastEventMs, nowMs);
    if (!this.#parts.options.patient && this.#event.num > 0) this.#tellLag();
    tellProgress(counters, this.#parts.options.progress?.());
    return ended;
  }

  /** How old the batch's last event is by now, in whole milliseconds. */
  #tellLag(): void {
    const { counters, clock } = this.#parts;
    const atMs = this.#event.timeMs();
    counters.set(Counter.LastEventTimeMs, atMs);
    counters.lag.add(clock() - atMs);
  }

  /** What happened before a recording was stopped belongs to it; new events come all the time. */
  #drain(): void {
    for (let batch = 0; batch < DRAIN_BATCHES; batch++) {
      const bytes = this.#parts.source.read(this.#buffer);
      if (bytes <= 0 || this.#takeBatch(bytes, this.#parts.clock())) return;
    }
  }

  /** Exchanges the rules between two events; counts by rule go on under the same names. */
  setRules(rules: RuleSet): void {
    this.#held.releaseAll(this.#parts.context);
    this.#rules = rules;
    this.#matched = new Int32Array(Math.max(1, rules.rules.length));
    this.#tallier.exchange(rules);
    this.#parts.counters.set(Counter.Rules, rules.rules.length);
  }

  alertsByRule(): [rule: string, priority: number, alerts: number][] {
    return this.#tallier.alertsByRule();
  }

  /** Tells where counts by rule, CPU and program are. */
  tellTallies(): void {
    this.#tallier.tell();
  }

  #walkBatch(length: number): boolean {
    if (this.#sieved !== undefined) {
      this.#sieved.begin(this.#memory, length);
      return this.#walkAll(this.#sieved, this.#memory);
    }
    this.#walk.begin(this.#buffer, length);
    return this.#walkAll(this.#walk, this.#buffer);
  }

  /** Takes the blocks into the tables and against the rules; whether the time of `-M` is over. */
  #walkAll(walk: BlockWalk | SievedWalk, bytes: Uint8Array): boolean {
    for (;;) {
      try {
        return walk instanceof SievedWalk ? this.#walkSieved(walk, bytes) : this.#walkOn(bytes);
      } catch (error) {
        // A mistake of ours on one event must not end the watch; the walk stands behind it.
        this.#fail(error);
      }
    }
  }

  #fail(error: unknown): void {
    const { counters, onMistake } = this.#parts;
    counters.add(Counter.Mistakes, 1);
    if (counters.get(Counter.Mistakes) > 1) return;
    const { num, code } = this.#event;
    onMistake(`Event ${num} (code ${code}) was passed over, by a mistake in saker: ${error}`);
  }

  #walkOn(bytes: Uint8Array): boolean {
    const walk = this.#walk;
    const limited = this.#parts.options.seconds !== undefined;
    const { simulates } = this.#loss;
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.Event) {
        this.#event.num = ++this.#events;
        if (limited && this.#timeIsOver()) return true;
        if (simulates && this.#loss.simulate(this.#event, this.#events)) return this.#lossy = true;
        this.#judge();
      } else this.#takeOther(step, bytes);
    }
    return false;
  }

  /** As `#walkOn`, over what the sieve left. */
  #walkSieved(sieved: SievedWalk, bytes: Uint8Array): boolean {
    for (;;) {
      const step = sieved.next();
      this.#events += sieved.passed;
      if (step === Step.End) return false;
      if (step === Step.Event) {
        if (!sieved.isCopy) this.#event.num = ++this.#events;
        this.#judge();
      } else this.#takeOther(step, bytes);
    }
  }

  /** Applies the event and holds it against the rules. */
  #judge(): void {
    const { machine, context, plugins } = this.#parts;
    const { event } = context;
    machine.apply(context);
    this.#tallier.saw(context);
    if (plugins !== undefined && plugins.wanted[event.code] === 1) plugins.parse(event);
    if (context.hashes !== undefined) foreseeSum(context);
    if (machine.awaited.active !== 0 && this.#held.take(context, this.#rules)) return;
    if (event.stateOnly || this.#rules.wanted[event.code] === 0) return;
    const matches = this.#rules.match(context, this.#matched);
    for (let at = 0; at < matches; at++) this.#alert(this.#rules.rules[this.#matched[at]!]!);
  }

  #takeOther(step: Step, bytes: Uint8Array): void {
    if (step === Step.Malformed) return void this.#malformed++;
    this.#parts.machine.load(this.#walk.type, bytes, this.#walk.start, this.#walk.end);
  }

  #timeIsOver(): boolean {
    const time = this.#event.time();
    this.#deadline ??= time + BigInt(this.#parts.options.seconds!) * 1_000_000_000n;
    return time > this.#deadline;
  }

  #alert(rule: CompiledRule): void {
    this.#tap?.matched(rule);
    const { context } = this.#parts;
    const time = this.#event.time();
    const output = this.#tallier.render(rule, context, time);
    const isUntold = this.#held.isUntold(rule, context);
    const dossier = this.#dossiers.make(this.#rules, rule, context, this.#tap?.file?.());
    this.#tell(rule, output, time, { isUntold, dossier });
  }

  #alertHeld({ rule, time, message, fields, ...more }: ReleasedAlert): void {
    if (this.#walking) this.#tap?.matched(rule);
    this.#tallier.count(rule, time);
    this.#tell(rule, { message, fields }, time, more);
  }

  #alertInternal({ rule, message, outputFields, priority }: InternalAlert): void {
    const about = { name: rule, priority, source: "internal", tags: undefined };
    this.#tell(about, { message, fields: outputFields }, BigInt(this.#parts.clock()) * 1_000_000n);
  }

  #tell(
    { name, priority, source, tags }: Pick<Alert, "priority" | "source" | "tags"> & {
      name: string;
    },
    { message, fields }: RenderedOutput,
    time: bigint,
    { isUntold, dossier }: Pick<ReleasedAlert, "isUntold" | "dossier"> = { isUntold: false },
  ): void {
    this.#post.push({
      hostname: this.#parts.machine.hostname,
      message,
      outputFields: fields,
      time,
      degraded: this.#post.degraded,
      sequence: ++this.#sequence,
      priority,
      rule: name,
      source,
      tags,
      ...(isUntold ? { containerUntold: true } : {}),
      ...(dossier === undefined ? {} : { dossier }),
    });
  }

  /** What has been written so far becomes whole. */
  closeTap(): void {
    this.#held.releaseAll(this.#parts.context);
    this.#post.flush();
    this.#tap?.close();
    this.#post.flush();
  }

  /** Brings the shared numbers up to date; whether a loss must end the run. */
  readStats(nowMs: number): boolean {
    this.#statsAtMs = nowMs;
    const upkeepMs = this.#parts.options.patient ? CAPTURE_UPKEEP_MS : UPKEEP_MS;
    if (nowMs - this.#upkeepAtMs >= upkeepMs) {
      this.#upkeepAtMs = nowMs;
      this.#parts.upkeep?.();
    }
    const { source, machine, context, counters, options, sieve, perSecond } = this.#parts;
    perSecond?.();
    const stats = source.stats();
    const { lost, excess = 0, skipped = 0 } = stats;
    counters.set(Counter.Malformed, this.#malformed + (source.malformed ?? 0));
    tellSource(counters, stats, options.programsWanted());
    tellPassedOver(counters, sieve?.sieve, source);
    tellLost(counters, lost[0] + lost[1], source);
    this.#tallier.update();
    tellTables(counters, machine.stats(), context.hashes?.postponed ?? 0);
    const totals = { events: this.#events, lostCritical: lost[0], lostBulk: lost[1], skipped };
    const mustEnd = this.#loss.update(totals, excess, nowMs);
    this.#post.lost = lost[0] + lost[1];
    this.#post.degraded = this.#loss.isDegraded(nowMs);
    this.#post.flush();
    return mustEnd;
  }
}
