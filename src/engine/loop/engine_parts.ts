// What an engine is made of: where events come from, what they change, who is told what.
import type { ContainerSource } from "../host/container_source.ts";
import type { Event } from "../../events/event.ts";
import type { EventSource } from "../../events/source.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import type { Tap, TapHost } from "../captures/tap.ts";
import type { Alert } from "../contract/alert.ts";
import type { Counters } from "../contract/counters.ts";
import type { LossEntry } from "../contract/loss_journal.ts";
import type { DossierSettings } from "../contract/dossier.ts";
import type { DropSettings, NoticeLevel } from "../contract/messages.ts";
import type { ToldSieve } from "./sieved_walk.ts";
import type { TallierParts } from "./tallier.ts";

export interface EngineParts {
  readonly source: EventSource;
  readonly machine: MachineHost;
  readonly context: Context;
  readonly rules: RuleSet;
  readonly counters: Counters;
  readonly post: (alerts: readonly Alert[]) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Tells of the first event that could not be judged. */
  readonly onMistake: (line: string) => void;
  /** Tells whose events were lost where no alert tells it. */
  readonly onLoss: (line: string, level: NoticeLevel) => void;
  /** Takes each entry of the journal of losses. */
  readonly onLost?: (entry: LossEntry) => void;
  readonly options: EngineOptions;
  /** How much is told of alerts besides their outputs; absent: nothing. */
  readonly dossiers?: DossierSettings | undefined;
  /** Called about once in UPKEEP_MS. */
  readonly upkeep?: () => void;
  /** Called about once in STATS_MS, and at the end. */
  readonly perSecond?: () => void;
  /** Of a capture's events, who says which can matter. */
  readonly sieve?: ToldSieve;
  /** Who writes what passes, if anybody. */
  readonly tap?: (host: TapHost) => Tap;
  /** Plugins that parse events or send some of their own. */
  readonly plugins?: PluginEvents;
  /** Who tells of containers, live. */
  readonly containers?: Pick<ContainerSource, "take" | "isWaiting">;
  /** How counts by rule are taken, and who is told where they are. */
  readonly tally?: Pick<TallierParts, "stopwatch" | "programRuns" | "told" | "onBusy">;
}

/** What plugins do with events besides giving values of fields. */
export interface PluginEvents {
  /** By event code: 1 where one of them parses it. */
  readonly wanted: Uint8Array;
  /** Hands the event over, once the tables know of it. */
  parse(event: Event): void;
  /** Blocks of the asynchronous events that came since the last call. */
  take(nowMs: number): Uint8Array | undefined;
}

export interface EngineOptions {
  readonly drops: DropSettings;
  /** Wait for the main thread rather than drop alerts: a replay loses nothing. */
  readonly patient: boolean;
  /** Stop after so many seconds of event time. */
  readonly seconds: number | undefined;
  /** How many programs the source's probe should have attached; 0 without a probe. */
  readonly programsWanted: () => number;
  /** Bytes read of a capture, and bytes it has. */
  readonly progress?: () => { readonly read: number; readonly total: number } | undefined;
}
