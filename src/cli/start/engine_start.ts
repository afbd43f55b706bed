// Config → what the engine thread is started with: the one place where keys of falco.yaml are
// given their meaning for the engine.
import type { AuditSettings } from "../../config/audit_plugin.ts";
import { ConfigError } from "../../config/problem.ts";
import { rulesFiles } from "../../config/rules_files.ts";
import { type Config, driverOf, portsOf } from "../../config/schema.ts";
import { SNAPLEN_MAX } from "../../config/uses.ts";
import { CANARY_RULE } from "../../engine/contract/canary.ts";
import type { Counters } from "../../engine/contract/counters.ts";
import {
  type AuditStart,
  type CaptureRulesStart,
  type ClusterStart,
  type EngineSettings,
  type EngineStart,
  isReplay,
  type LiveStart,
  type RecordStart,
  type RulesStart,
} from "../../engine/contract/messages.ts";
import type { PluginInfo } from "../../plugins/contract.ts";
import type { Contents } from "../../rollout/contents.ts";
import { withBundle } from "../../rollout/with_bundle.ts";
import type { RulesText } from "../../rules/load.ts";
import { readBoundedFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { textOf } from "../../words/raw_text.ts";
import { priorityOf } from "../../words/priorities.ts";
import type { Flags } from "../flags.ts";
import { canaryRules } from "./canary.ts";
import { containersStart, knownContainers } from "./containers_start.ts";

export interface Surroundings {
  readonly counters: Counters;
  readonly source: EngineStart["source"];
  readonly rules: RulesStart;
  readonly hostname: string;
  readonly record?: RecordStart;
}

export function engineStart(config: Config, flags: Flags, around: Surroundings): EngineStart {
  return {
    ...engineSettings(config, mayBeLookedAt(around) ? flags : undefined),
    counters: around.counters.buffer,
    source: around.source,
    rules: around.rules,
    machine: {
      paths: config.engine.paths,
      threadsMax: config.falco_libs.thread_table_size,
      fdsMax: FDS_MAX,
      ...(around.source.kind === "capture" ? CAPTURE_BOUNDS : {}),
      hostname: around.hostname,
      containers: knownContainers(config),
    },
    sieve: config.engine.sieve,
    kernelSieve: config.engine.sieve && config.engine.kernel_sieve,
    programRuns: config.metrics.enabled && config.metrics.libbpf_stats_enabled,
    seconds: flags.seconds,
    ...(around.record === undefined ? {} : { record: around.record }),
  };
}

/** What the engine judges: a log that is read once, or what the door brings in. */
export function auditStart({ input, init }: AuditSettings): AuditStart {
  return {
    kind: "audit",
    eventBytesMax: init.maxEventSize,
    ...(input.kind === "once" ? { files: [input.path] } : {}),
  };
}

/** A replay, or a recording, has no web server. */
function mayBeLookedAt({ source, record }: Surroundings): boolean {
  return record === undefined && !isReplay(source);
}

/** So much may dossiers of alerts cost: 2 % of a core. */
const DOSSIERS = { perSecond: 200, perRule: 100, msPerSecond: 20 };

function hasDossiers({ webserver }: Config, web: Pick<Flags, "listen"> | undefined): boolean {
  return webserver.dossiers && web !== undefined && (webserver.enabled || web.listen !== undefined);
}

/** What a reload can change besides the rules. `web`: a web server may run. */
export function engineSettings(config: Config, web?: Pick<Flags, "listen">): EngineSettings {
  const { custom_set, repair, all } = config.base_syscalls;
  const drops = config.syscall_event_drops;
  return {
    ...(config.capture.enabled ? { captures: captureRules(config.capture) } : {}),
    ...(hasDossiers(config, web) ? { dossiers: DOSSIERS } : {}),
    baseSyscalls: { customSet: custom_set, repair, all },
    drops: {
      threshold: drops.threshold,
      rate: drops.rate,
      burst: drops.max_burst,
      log: drops.actions.includes("log"),
      alert: drops.actions.includes("alert"),
      exit: drops.actions.includes("exit"),
      simulate: drops.simulate_drops,
    },
  };
}

function captureRules(capture: Config["capture"]): CaptureRulesStart {
  return {
    mode: capture.mode,
    pathPrefix: capture.path_prefix,
    durationMs: capture.default_duration,
    maxFileMib: capture.max_file_size_mb,
    maxTotalMib: capture.max_total_mb,
    maxDurationMs: capture.max_duration,
    beforeMs: capture.before_duration,
    beforeBytes: capture.before_max_mb * MIB,
  };
}

/** Bytes of one rules file; Falco's own have some hundred thousand. */
export const RULES_BYTES_MAX = 16 << 20;
/** Of all files together. */
const ALL_RULES_BYTES_MAX = 64 << 20;

/** Descriptors of all processes together. */
export const FDS_MAX = 4_194_304;
/** Over captures, which are small and tell of as much as their writer likes: so that a replay takes
 * less than 300 MB, of which 120 are the program. */
/** The tables of a capture, for who reads one beside the watch. */
export function machineOfCapture(machine: EngineStart["machine"]): EngineStart["machine"] {
  return { ...machine, ...CAPTURE_BOUNDS };
}

const CAPTURE_BOUNDS = { fdsMax: 262_144, bytesMax: 72 << 20 };

const MIB = 1_048_576;

/** Opens and what else comes in masses; falco's preset 4 is 8 MB for each pair of CPUs. */
export function liveStart(
  config: Config,
  cpus: number,
  hostRoot: string,
  cluster?: ClusterStart,
): LiveStart {
  const fullPorts = portsOf(config.engine.snaplen.ports);
  return {
    kind: "live",
    ...driverStart(config, cpus),
    snaplen: Math.min(config.falco_libs.snaplen || SNAPLEN, SNAPLEN_MAX),
    ...fullPorts === undefined ? {} : { fullPorts },
    dynamicSnaplen: config.engine.snaplen.dynamic,
    nice: config.engine.nice,
    hostRoot,
    containers: containersStart(config),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** What holds for one driver alone. The module has rings for each CPU, of which Falco's preset is
 * the size; the tracer has as much room as the probe. */
function driverStart({ engine }: Config, cpus: number): Pick<
  LiveStart,
  "driver" | "criticalRingBytes" | "bulkRingBytes" | "dropFailed"
> {
  const driver = driverOf(engine.kind) ?? "modern_ebpf";
  const { buf_size_preset, drop_failed_exit: dropFailed } = engine[
    driver === "kmod" ? "kmod" : "modern_ebpf"
  ];
  const preset = MIB * 2 ** (buf_size_preset - 1);
  if (driver === "kmod") {
    return { driver, criticalRingBytes: preset / 4, bulkRingBytes: preset / 2, dropFailed };
  }
  const { cpus_for_each_buffer } = engine.modern_ebpf;
  const buffers = cpus_for_each_buffer === 0 ? 1 : Math.ceil(cpus / cpus_for_each_buffer);
  return {
    driver,
    criticalRingBytes: Math.max(preset / 2, MIB),
    bulkRingBytes: Math.min(preset * powerOfTwo(buffers), BULK_RING_MAX),
    dropFailed,
  };
}

/** Bytes of I/O data kept from each call where the configuration says 0, as in Falco. */
const SNAPLEN = 80;
const BULK_RING_MAX = 512 * MIB;

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}

/** The rules files that flags and configuration name; undefined for the built-in ones. */
function namedFiles(config: Config, flags: Flags): string[] | undefined {
  const configured = config.rules_files ?? config.rules_file;
  return rulesFiles({ given: flags.rules, configured });
}

export function rulesPaths(config: Config, flags: Flags): string[] {
  return namedFiles(config, flags) ?? [];
}

/** Reads the rules that flags and configuration name, or the built-in ones. */
export function rulesStart(
  config: Config,
  flags: Flags,
  plugins: readonly PluginInfo[] = [],
  bundle?: Contents,
): RulesStart {
  const files = namedFiles(config, flags);
  return {
    ...rulesSettings(config, flags, plugins),
    files: [
      // The first, so that no other rule takes its event.
      ...(flags.canary === undefined ? [] : [canaryRules(Deno.pid)]),
      ...withBundle(files === undefined ? builtInRules() : readAllRules(files), bundle),
    ],
  };
}

/** How rules are to be loaded, whatever the files. */
export function rulesSettings(
  config: Config,
  flags: Flags,
  plugins: readonly PluginInfo[] = [],
): Omit<RulesStart, "files"> {
  return {
    priority: priorityOf(config.priority)!,
    matching: config.rule_matching,
    selections: config.rules.flatMap(({ enable, disable }) => [
      ...(enable === undefined ? [] : [{ action: "enable" as const, ...enable }]),
      ...(disable === undefined ? [] : [{ action: "disable" as const, ...disable }]),
    ]).concat(flags.canary === undefined ? [] : [{ action: "enable", rule: CANARY_RULE, tag: "" }]),
    appendOutput: [
      ...config.append_output.map((entry, at) => ({
        origin: `append_output[${at}]`,
        match: entry.match,
        extraOutput: entry.extra_output,
        extraFields: entry.extra_fields,
        suggestedOutput: entry.suggested_output,
      })),
      ...printFormat(flags.print),
    ],
    staticFields: config.static_fields,
    base64: config.buffer_format_base64,
    lineage: config.engine.lineage,
    live: true,
    ...(plugins.length === 0 ? {} : { plugins }),
  };
}

/** `-p`: the words that Falco still takes mean nothing any more, all else is appended. */
function printFormat(format: string | undefined): RulesStart["appendOutput"] {
  if (format === undefined || /^(c|container|k|kubernetes)$/.test(format)) return [];
  return [{
    origin: "-p",
    match: { source: "", tags: [], rule: "" },
    extraOutput: format,
    extraFields: [],
    suggestedOutput: false,
  }];
}

/** The rules that the executable carries, each file named as it is in rules/. */
function builtInRules(): RulesText[] {
  const directory = new URL("../../../rules/", import.meta.url);
  return [...Deno.readDirSync(directory)]
    .filter(({ name }) => name.endsWith(".yaml") && !name.endsWith("_test.yaml"))
    .map(({ name }) => name)
    .sort()
    .map((name) => ({
      name: `rules/${name}`,
      text: Deno.readTextFileSync(new URL(name, directory)),
      isBuiltIn: true,
    }));
}

/** Reads rules files one after the other, as long as they are not too much together. */
export function readAllRules(files: readonly string[]): RulesText[] {
  let left = ALL_RULES_BYTES_MAX;
  return files.map((file) => {
    const bytes = rulesBytes(file);
    left -= bytes.length;
    if (left >= 0) return { name: file, text: textOf(bytes) };
    const megabytes = ALL_RULES_BYTES_MAX >> 20;
    throw new ConfigError(
      "",
      "",
      `Cannot read the rules file ${file}: with those before it there ` +
        `are more than ${megabytes} MB of rules`,
    );
  });
}

function rulesBytes(file: string): Uint8Array {
  try {
    return readBoundedFile(file, RULES_BYTES_MAX);
  } catch (error) {
    throw new ConfigError("", "", `Cannot read the rules file ${file}: ${reasonOf(error)}`);
  }
}
