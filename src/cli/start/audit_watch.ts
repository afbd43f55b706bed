// Audit events in a watch: the thread that judges them, what brings them in, and the numbers of
// both. None of it holds up the watch of this host.
import type { AuditSink } from "../../audit/contract.ts";
import type { AuditSettings } from "../../config/audit_plugin.ts";
import type { Config } from "../../config/schema.ts";
import type { PluginTold, RulesStart } from "../../engine/contract/messages.ts";
import type { TalliesTold } from "../../engine/contract/tallies.ts";
import type { SinkNumbers } from "../../engine/thread/audit_sink.ts";
import type { EnginePart } from "../../engine/thread/engines.ts";
import type { AuditIntake, JudgedNumbers } from "../../metrics/audit_families.ts";
import type { PluginSetting } from "../../plugins/contract.ts";
import type { Flags } from "../flags.ts";
import { auditDoor, type AuditRoute } from "./audit_door.ts";
import { auditStart, engineStart } from "./engine_start.ts";
import { SourceWatch } from "./source_watch.ts";

export interface AuditWatchOptions {
  readonly settings: AuditSettings;
  readonly config: Config;
  readonly flags: Flags;
  readonly rules: RulesStart;
  readonly hostname: string;
  readonly warn: (line: string) => void;
  readonly info: (line: string) => void;
  readonly onTallies: (tallies: TalliesTold) => void;
  /** Plugins whose fields rules on audit events may ask for, and who is told how they stand. */
  readonly extractors: readonly PluginSetting[];
  readonly onPlugins: (plugins: readonly PluginTold[]) => void;
}

export class AuditWatch {
  /** For the session. */
  readonly part: EnginePart;
  readonly route: AuditRoute | undefined;
  readonly #door: ReturnType<typeof auditDoor>;
  readonly #watch: SourceWatch;
  readonly #isReadOnce: boolean;
  #sink: AuditSink | undefined;
  #queue: () => SinkNumbers = () => ({ waiting: 0, waitingBytes: 0, busy: 0 });

  constructor(options: AuditWatchOptions) {
    const { config, flags, rules, hostname, settings, warn } = options;
    this.#door = auditDoor({ ...options, sink: () => this.#sink });
    this.route = this.#door?.route;
    this.#isReadOnce = settings.input.kind === "once";
    const source = auditStart(settings);
    this.#watch = new SourceWatch({ source: "k8s_audit", events: "audit events", warn });
    const { counters } = this.#watch;
    const start = engineStart(config, flags, { counters, source, rules, hostname });
    this.part = {
      ...this.#watch.part,
      start: { ...start, extractors: options.extractors },
      onPlugins: options.onPlugins,
      onTallies: options.onTallies,
      onSink: (sink, numbers) => {
        this.#sink = sink;
        this.#queue = numbers;
      },
    };
  }

  intake(): AuditIntake {
    return { judged: this.#judged(), ...this.#door?.intake() };
  }

  troubles(): readonly string[] {
    // What is read once may be a pipe that nobody writes to, which is waited for.
    const failure = this.#watch.trouble(this.#isReadOnce);
    const own = failure === undefined ? [] : [`k8s_audit: ${failure}`];
    return [...own, ...this.#door?.troubles() ?? []];
  }

  begin(): void {
    this.#door?.begin();
  }

  async close(): Promise<void> {
    await this.#door?.close();
  }

  #judged(): JudgedNumbers {
    const { waiting, waitingBytes, busy } = this.#queue();
    return {
      ...this.#watch.judged(),
      waiting,
      waiting_bytes: waitingBytes,
      busy,
    };
  }
}
