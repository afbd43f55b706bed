// What is known of this saker in numbers, for /status and /metrics: the shared memory of the
// engine, the outputs, the files that are in force.
import { type Config, driverOf } from "../../config/schema.ts";
import type { QueueStats } from "../../alerts/queue.ts";
import { Busiest } from "../../engine/contract/busiest.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import { Tallies, type TalliesTold } from "../../engine/contract/tallies.ts";
import { readBoundedFile } from "../../files/read_text.ts";
import { type FileSum, sumOf, sumsOfTexts } from "../../metrics/file_sums.ts";
import type { Facts, ReloadFacts } from "../../metrics/facts.ts";
import { readResources, type ResourceOptions, type Resources } from "../../metrics/resources.ts";
import type { FilesInForce, ReloadState } from "./reloads.ts";
import { SAKER_VERSION, versions } from "./versions.ts";

export type DriverName = "modern_bpf" | "kmod" | "ptrace" | "nodriver" | "savefile";

/** Of a watch; Falco has none that traces processes. */
export function driverName({ engine }: Config): DriverName {
  const kind = driverOf(engine.kind) ?? "nodriver";
  return kind === "modern_ebpf" ? "modern_bpf" : kind;
}

export interface NumbersOptions {
  /** As Falco's libraries call it. */
  readonly driver: DriverName;
  readonly counters: Counters;
  readonly hostname: string;
  readonly hostRoot: string;
  readonly environment: (name: string) => string | undefined;
  readonly outputs: () => readonly QueueStats[];
  readonly stream: Facts["stream"];
  /** Who tells of what not every run has. */
  readonly asked?: Pick<Facts, "runtimes" | "cluster" | "audit" | "plugins" | "rollout">;
}

const CONFIG_BYTES_MAX = 4 << 20;
const RESOURCES_MS = 1_000;

export class Numbers {
  readonly facts: Facts;
  /** The processes whose events were most, as far as somebody tells. */
  readonly busiest: Busiest = new Busiest();
  #tallies: Tallies | undefined;
  readonly #others = new Map<string, Tallies>();
  #resources: { readonly atMs: number; readonly resources: Resources } | undefined;
  #reload: ReloadFacts = { generation: 1, atMs: Date.now(), refusals: 0, restart: [] };
  #sums: { readonly rules: readonly FileSum[]; readonly config: readonly FileSum[] } = {
    rules: [],
    config: [],
  };

  constructor(
    { driver, counters, hostname, hostRoot, environment, outputs, stream, asked }: NumbersOptions,
  ) {
    const memoryPath = environment("FALCO_CGROUP_MEM_PATH");
    this.facts = {
      counters,
      outputs,
      stream,
      ...asked,
      hostname,
      tallies: () => joined([...(this.#tallies ? [this.#tallies] : []), ...this.#others.values()]),
      busiest: () => {
        const nowMs = Date.now();
        counters.set(Counter.BusyAskedMs, nowMs);
        return this.busiest.report(nowMs);
      },
      resources: () => this.#resourcesOf({ hostRoot, memoryPath }),
      sums: () => this.#sums,
      reload: () => this.#reload,
      falcoVersion: versions().falco_version,
      sakerVersion: SAKER_VERSION,
      kernelRelease: Deno.osRelease(),
      cpus: navigator.hardwareConcurrency,
      driver,
      startedMs: Math.round(performance.timeOrigin),
    };
  }

  /** Reading them takes the kernel some ten milliseconds: whoever asks again and again is given
   * what was read a second ago at the most. */
  #resourcesOf(options: ResourceOptions): Resources {
    const nowMs = performance.now();
    const read = this.#resources;
    if (read !== undefined && nowMs - read.atMs < RESOURCES_MS) return read.resources;
    const resources = readResources(options);
    this.#resources = { atMs: nowMs, resources };
    return resources;
  }

  /** Rules are in force, the first or others. */
  onTallies(told: TalliesTold): void {
    this.#tallies = new Tallies(told);
  }

  /** The same of the rules on another source's events. */
  onOtherTallies(source: string, told: TalliesTold): void {
    this.#others.set(source, new Tallies(told));
  }

  /** What holds now; `files` where others are in force. */
  onReloadState(state: ReloadState, files: FilesInForce | undefined): void {
    this.#reload = state;
    if (files !== undefined) this.sumUp(files);
  }

  /** Those of the configuration are read once more, at the moment that they are taken. */
  sumUp({ rules, config }: Pick<FilesInForce, "rules" | "config">): void {
    this.#sums = { rules: sumsOfTexts(rules), config: config.flatMap(sumOfFile) };
  }
}

/** Rules of all sources in one table, as its numbers are at the moment. */
function joined(all: readonly Tallies[]): Tallies | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const { programs, cpus } = first;
  const whole = new Tallies({ rules: all.flatMap(({ rules }) => rules), programs, cpus });
  let at = 0;
  for (const one of all) {
    for (const name of ["matches", "conditionNs", "outputNs", "lastMs"] as const) {
      whole[name].set(one[name], at);
    }
    at += one.rules.length;
  }
  const ofTheProbe = ["cpuEvents", "cpuLostCritical", "cpuLostBulk", "runs", "runNs"] as const;
  for (const name of ofTheProbe) whole[name].set(first[name]);
  return whole;
}

/** None where it cannot be read any more. */
function sumOfFile(path: string): FileSum[] {
  try {
    return [{ path, sha256: sumOf(readBoundedFile(path, CONFIG_BYTES_MAX)) }];
  } catch {
    return [];
  }
}
