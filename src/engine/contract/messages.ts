// What the main thread and the engine thread say to each other. Numbers that change all the time
// are not said but shared (counters.ts).
import type { AuditPiece, AuditVerdict } from "../../audit/contract.ts";
import type { ClusterOptions, ClusterState } from "../../../bindings-rs/cluster.d.ts";
import type {
  RuntimesOptions,
  RuntimeState,
  RuntimeTotals,
} from "../../../bindings-rs/runtimes.d.ts";
import type {
  PluginInfo,
  PluginMetric,
  PluginNumbers,
  PluginSetting,
} from "../../plugins/contract.ts";
import type { PluginWork } from "../../plugins/plugin_work.ts";
import type { AppendOutput, RulesText } from "../../rules/load.ts";
import type { RuleSelection } from "../../rules/check/selection.ts";
import type { MachineOptions } from "../../state/contract/machine_host.ts";
import type { BusyWindow } from "./busiest.ts";
import type { DossierSettings } from "./dossier.ts";
import type { LossEntry } from "./loss_journal.ts";
import type { PackedAlerts } from "./packed_alerts.ts";
import type { TalliesTold } from "./tallies.ts";

/** What tells of system calls: the probe, the kernel module, or the tracer of processes; as
 * `engine.kind` has it. */
export type DriverKind = "modern_ebpf" | "kmod" | "ptrace";

/** A command, its words as the kernel has them, or a process that runs. `fast`: calls that no rule
 * needs do not stop, and the command ends with saker. */
export interface TraceStart {
  readonly command?: readonly Uint8Array[];
  readonly pid?: number;
  readonly fast?: boolean;
}

/** Watch this host through a driver. */
export interface LiveStart {
  readonly kind: "live";
  readonly driver: DriverKind;
  /** What the driver `ptrace` follows. */
  readonly trace?: TraceStart;
  readonly criticalRingBytes: number;
  readonly bulkRingBytes: number;
  readonly snaplen: number;
  /** Of these ports all that the probe can keep; absent: none. */
  readonly fullPorts?: [from: number, to: number];
  readonly dynamicSnaplen: boolean;
  readonly dropFailed: boolean;
  /** Of the engine's thread; 0 leaves it as it is. */
  readonly nice: number;
  /** Prefix of /proc and /etc; "" for this root. */
  readonly hostRoot: string;
  /** Absent: all that it was started with. */
  readonly rights?: KeptRights;
  /** Absent: no runtime is asked. */
  readonly containers?: ContainersStart;
  /** Absent: no cluster is asked. */
  readonly cluster?: ClusterStart;
}

/** What a watch may still do once it has started. */
export interface KeptRights {
  readonly afterSeconds: number;
  /** A bit for each capability (linux/capability.h), and their names. */
  readonly kept: bigint;
  readonly names: readonly string[];
}

/** Which container runtimes are asked, and how. */
export interface ContainersStart {
  readonly sockets: RuntimesOptions["sockets"];
  readonly labelMaxLen: number;
  readonly withSize: boolean;
  /** Alerts of a new container wait so long for what is known of it. */
  readonly waitMs: number;
}

/** Who is asked about pods, and how. */
export interface ClusterStart {
  readonly options: ClusterOptions;
  /** Of whom is asked, for people. */
  readonly address: string;
}

/** How the runtimes and the cluster stand. */
export interface RuntimesTold {
  readonly sockets: readonly RuntimeState[];
  readonly totals: RuntimeTotals;
  /** Absent: none is asked. */
  readonly cluster?: ClusterState & Pick<ClusterStart, "address">;
}

/** How a plugin stands on one thread. */
export interface PluginTold {
  readonly name: string;
  /** Of the events that it gives or is asked about. */
  readonly source: string;
  readonly numbers: PluginNumbers;
  readonly work: PluginWork;
  readonly metrics: readonly PluginMetric[];
}

/** Watch nothing: `engine.kind: nodriver`. */
export interface NothingStart {
  readonly kind: "nothing";
}

/** Read captures, one after the other; `-` is standard input. */
export interface CaptureStart {
  readonly kind: "capture";
  readonly files: readonly string[];
}

/** Judge audit events of Kubernetes: those of files, or pieces that the main thread hands over. */
export interface AuditStart {
  readonly kind: "audit";
  /** Read from front to back; `-` is standard input, of a directory its files. */
  readonly files?: readonly string[];
  /** Bytes of one event at the most; larger ones are counted. */
  readonly eventBytesMax: number;
}

/** Judge the events of a plugin's source. */
export interface PluginStart {
  readonly kind: "plugin";
  readonly plugin: PluginSetting;
  /** Captures whose events of the plugin are judged; absent: those that it gives itself. */
  readonly files?: readonly string[];
}

/** Judge system calls that a plugin gives, instead of the probe: one without a source of its own,
 * with `engine.kind: nodriver`. */
export interface RawStart {
  readonly kind: "raw";
  readonly plugin: PluginSetting;
  /** Where the machine's /proc is found, for what no event tells. */
  readonly hostRoot: string;
}

/** What a set of rules is made from; plain data, so that the engine thread compiles them. */
export interface RulesStart {
  readonly files: readonly RulesText[];
  /** Index into PRIORITY_NAMES: less important rules are not loaded. */
  readonly priority: number;
  readonly matching: "first" | "all";
  readonly selections: readonly RuleSelection[];
  readonly appendOutput: readonly AppendOutput[];
  readonly staticFields: Readonly<Record<string, string>>;
  readonly base64: boolean;
  /** Whose ancestors `proc.aname` and its kin show: the kernel's where nothing is said. */
  readonly lineage?: "kernel" | "birth";
  /** They are to watch a host: what cannot match there is told. */
  readonly live?: boolean;
  /** Plugins that are not built in, in the order in which they are loaded: rules may ask for their
   * sources and fields. */
  readonly plugins?: readonly PluginInfo[];
}

/** What `saker record` writes. Limits that are absent do not hold. */
export interface RecordStart {
  /** `-` is standard output; a number is put into the name where there can be several files. */
  readonly path: string;
  /** What is there is overwritten. */
  readonly force?: boolean;
  /** 1 to 9; 0: plain. */
  readonly compression: number;
  /** Text of a condition; what it does not take only keeps the tables right. */
  readonly filter?: string;
  readonly events?: number;
  /** Another file is begun at so many bytes or seconds; the oldest go where there are too many. */
  readonly fileBytes?: number;
  readonly fileSeconds?: number;
  readonly filesKept?: number;
}

/** Falco's `capture` section: captures that alerts start. */
export interface CaptureRulesStart {
  readonly mode: "rules" | "all_rules";
  readonly pathPrefix: string;
  readonly durationMs: number;
  /** Of one file, and of all that a run writes; 0: no bound. */
  readonly maxFileMib: number;
  readonly maxTotalMib: number;
  /** Alerts prolong a capture no further than so long after its start; 0: no bound. */
  readonly maxDurationMs: number;
  /** Ours: events so long before the alert, held in so many bytes. */
  readonly beforeMs: number;
  readonly beforeBytes: number;
}

export interface LossOptions {
  /** Share of an interval's events that may be lost in silence (`syscall_event_drops`). */
  readonly threshold: number;
  /** Alerts a second, and how many at once. */
  readonly rate: number;
  readonly burst: number;
}

/** What a loss over the threshold leads to. */
export interface LossActions {
  readonly log?: boolean;
  readonly alert: boolean;
  readonly exit: boolean;
}

export interface DropSettings extends LossOptions, LossActions {
  /** Act as if an event were lost in every second of event time. */
  readonly simulate?: boolean;
}

/** System calls that are recorded besides those that rules name. */
export interface BaseSyscalls {
  readonly customSet: readonly string[];
  readonly repair: boolean;
  readonly all: boolean;
}

/** Settings that new rules may bring along. */
export interface EngineSettings {
  readonly baseSyscalls: BaseSyscalls;
  readonly drops: DropSettings;
  /** Absent: no alert starts a capture. New ones are taken where there were some at the start. */
  readonly captures?: CaptureRulesStart;
  /** Absent: nobody could look at dossiers of alerts, and none are made. */
  readonly dossiers?: DossierSettings;
}

export interface EngineStart extends EngineSettings {
  readonly counters: SharedArrayBuffer;
  readonly source:
    | LiveStart
    | CaptureStart
    | NothingStart
    | AuditStart
    | PluginStart
    | RawStart;
  readonly rules: RulesStart;
  readonly machine: MachineOptions;
  /** Whether events that can matter to nobody may be passed over. */
  readonly sieve: boolean;
  /** Whether the kernel keeps them back already. */
  readonly kernelSieve: boolean;
  /** Whether the kernel is asked how often the probe's programs run. */
  readonly programRuns?: boolean;
  /** Stop after so many seconds of event time. */
  readonly seconds: number | undefined;
  readonly record?: RecordStart;
  /** Plugins that have to do with these events, besides the one that gives them. */
  readonly extractors?: readonly PluginSetting[];
}

/** It is read from front to back, and waits for its outputs rather than lose an alert. */
export function isReplay(source: EngineStart["source"]): boolean {
  return source.kind === "capture" || ("files" in source && source.files !== undefined);
}

export type ToEngine =
  | { readonly kind: "start"; readonly start: EngineStart }
  | {
    readonly kind: "reload";
    readonly rules: RulesStart;
    readonly settings?: EngineSettings;
  }
  /** Audit events to judge; answered by `verdict` under the same number. */
  | { readonly kind: "piece"; readonly number: number; readonly piece: AuditPiece };

/** A rule that cannot match live, or not all that it names. */
export interface DeadRule {
  readonly rule: string;
  readonly reason: string;
  /** It matches, and its output does not show all that it names. */
  readonly onlyOutput?: boolean;
}

/** A program of the probe that this kernel did not take, and what is not seen without it. */
export interface RefusedProgram {
  readonly program: string;
  /** Names of events, and their codes; none where others do without the program. */
  readonly events: readonly string[];
  readonly codes: readonly number[];
  readonly reason: string;
}

export type NoticeLevel = "critical" | "warning" | "info";

export type FromEngine =
  /** Rules are compiled and the source is open. */
  | {
    readonly kind: "ready";
    readonly warnings: readonly string[];
    readonly dead: readonly DeadRule[];
    readonly refused: readonly RefusedProgram[];
  }
  | { readonly kind: "alerts"; readonly alerts: PackedAlerts }
  /** Where numbers by rule, CPU and program are from now on; before `ready` and `reloaded`. */
  | { readonly kind: "tallies"; readonly tallies: TalliesTold }
  /** Which processes had most events lately, about every two seconds. */
  | { readonly kind: "busy"; readonly window: BusyWindow }
  /** Rules were exchanged, or the new ones were refused and the old ones stay. */
  | {
    readonly kind: "reloaded";
    readonly warnings: readonly string[];
    readonly dead: readonly DeadRule[];
    readonly refused: readonly RefusedProgram[];
  }
  | { readonly kind: "refused"; readonly error: string }
  /** Events were lost. */
  | { readonly kind: "lost"; readonly entry: LossEntry }
  | { readonly kind: "runtimes"; readonly runtimes: RuntimesTold }
  /** A line for the person who runs saker. */
  | { readonly kind: "notice"; readonly line: string; readonly level: NoticeLevel }
  | { readonly kind: "verdict"; readonly number: number; readonly verdict: AuditVerdict }
  /** How the thread's plugins stand, about once a second. */
  | { readonly kind: "plugins"; readonly plugins: readonly PluginTold[] }
  | { readonly kind: "ended"; readonly end: EngineEnd };

export interface EngineEnd {
  /** Why it could not start or go on; undefined for a good end. */
  readonly error: string | undefined;
  /** Alerts by rule, in the order of the rules. */
  readonly alertsByRule: readonly (readonly [rule: string, priority: number, alerts: number])[];
}

/** Alerts on their way to the main thread at the most. */
export const ALERTS_IN_FLIGHT_MAX = 4096;
