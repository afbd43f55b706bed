// Audit events in a watch: the thread that judges them, what brings them in, and the numbers of
// both. None of it holds up the watch of this host.
import type { AuditSink } from "../../audit/contract.ts";
import type { AuditSettings } from "../../config/audit_plugin.ts";
import type { Config } from "../../config/schema.ts";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import type { TalliesTold } from "../../engine/contract/tallies.ts";
import type { SinkNumbers } from "../../engine/thread/audit_sink.ts";
import type { AuditPart } from "../../engine/thread/engines.ts";
import type { AuditIntake, JudgedNumbers } from "../../metrics/audit_families.ts";
import type { Flags } from "../flags.ts";
import { auditDoor, type AuditRoute } from "./audit_door.ts";
import { auditStart, engineStart } from "./engine_start.ts";

/** A thread that has not come round for so long is stuck. */
const STUCK_MS = 10_000;

export interface AuditWatchOptions {
  readonly settings: AuditSettings;
  readonly config: Config;
  readonly flags: Flags;
  readonly rules: RulesStart;
  readonly hostname: string;
  readonly warn: (line: string) => void;
  readonly info: (line: string) => void;
  readonly onTallies: (tallies: TalliesTold) => void;
}

export class AuditWatch {
  /** For the session. */
  readonly part: AuditPart;
  readonly route: AuditRoute | undefined;
  readonly #door: ReturnType<typeof auditDoor>;
  readonly #counters = new Counters();
  readonly #isReadOnce: boolean;
  #sink: AuditSink | undefined;
  #queue: () => SinkNumbers = () => ({ waiting: 0, waitingBytes: 0, busy: 0 });
  #failure: string | undefined;

  constructor(options: AuditWatchOptions) {
    const { config, flags, rules, hostname, settings, warn } = options;
    this.#door = auditDoor({ ...options, sink: () => this.#sink });
    this.route = this.#door?.route;
    this.#isReadOnce = settings.input.kind === "once";
    const source = auditStart(settings);
    this.part = {
      start: engineStart(config, flags, { counters: this.#counters, source, rules, hostname }),
      counters: this.#counters,
      onTallies: options.onTallies,
      onSink: (sink, numbers) => {
        this.#sink = sink;
        this.#queue = numbers;
      },
      onFailure: (error) => {
        this.#failure = error;
        warn(`Warning: k8s_audit: ${error}; audit events are not judged any more`);
      },
    };
  }

  intake(): AuditIntake {
    return { judged: this.#judged(), ...this.#door?.intake() };
  }

  troubles(): readonly string[] {
    const failure = this.#failure ?? this.#stuck();
    const own = failure === undefined ? [] : [`k8s_audit: ${failure}`];
    return [...own, ...this.#door?.troubles() ?? []];
  }

  /** What is read once may be a pipe that nobody writes to, which is waited for. */
  #stuck(): string | undefined {
    if (this.#isReadOnce) return undefined;
    const movedMs = this.#counters.get(Counter.HeartbeatMs);
    const stuckMs = Date.now() - movedMs;
    if (movedMs === 0 || stuckMs < STUCK_MS) return undefined;
    return `audit events have not been judged for ${Math.round(stuckMs / 1000)} s: ` +
      "the thread that does it does not move";
  }

  begin(): void {
    this.#door?.begin();
  }

  async close(): Promise<void> {
    await this.#door?.close();
  }

  #judged(): JudgedNumbers {
    const get = (place: Parameters<Counters["get"]>[0]) => this.#counters.get(place);
    const { waiting, waitingBytes, busy } = this.#queue();
    return {
      rules: get(Counter.Rules),
      events: get(Counter.Events),
      malformed: get(Counter.Malformed),
      alerts: get(Counter.Alerts),
      alerts_dropped: get(Counter.AlertsDropped),
      mistakes: get(Counter.Mistakes),
      waiting,
      waiting_bytes: waitingBytes,
      busy,
    };
  }
}
