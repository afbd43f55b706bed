// What is known of this saker in numbers, for /status and /metrics: the shared memory of the
// engine, the outputs, the files that are in force.
import type { QueueStats } from "../../alerts/queue.ts";
import type { Config } from "../../config/schema.ts";
import type { Counters } from "../../engine/contract/counters.ts";
import { Tallies, type TalliesTold } from "../../engine/contract/tallies.ts";
import { readBoundedFile } from "../../files/read_text.ts";
import { type FileSum, sumOf, sumsOfTexts } from "../../metrics/file_sums.ts";
import type { Facts } from "../../metrics/facts.ts";
import { readResources } from "../../metrics/resources.ts";
import type { FilesInForce, ReloadState } from "./reloads.ts";
import { SAKER_VERSION, versions } from "./versions.ts";

export interface NumbersOptions {
  readonly config: Config;
  readonly counters: Counters;
  readonly hostname: string;
  readonly hostRoot: string;
  readonly environment: (name: string) => string | undefined;
  readonly outputs: () => readonly QueueStats[];
  readonly stream: Facts["stream"];
}

const CONFIG_BYTES_MAX = 4 << 20;

export class Numbers {
  readonly facts: Facts;
  #tallies: Tallies | undefined;
  #generation = { number: 1, atMs: Date.now() };
  #sums: { readonly rules: readonly FileSum[]; readonly config: readonly FileSum[] } = {
    rules: [],
    config: [],
  };

  constructor(
    { config, counters, hostname, hostRoot, environment, outputs, stream }: NumbersOptions,
  ) {
    const memoryPath = environment("FALCO_CGROUP_MEM_PATH");
    this.facts = {
      counters,
      outputs,
      stream,
      hostname,
      tallies: () => this.#tallies,
      resources: () => readResources({ hostRoot, memoryPath }),
      sums: () => this.#sums,
      generation: () => this.#generation,
      falcoVersion: versions()["falco_version"]!,
      sakerVersion: SAKER_VERSION,
      kernelRelease: Deno.osRelease(),
      cpus: navigator.hardwareConcurrency,
      driver: config.engine.kind === "nodriver" ? "nodriver" : "modern_bpf",
      startedMs: Math.round(performance.timeOrigin),
    };
  }

  /** Rules are in force, the first or others. */
  onTallies(told: TalliesTold): void {
    this.#tallies = new Tallies(told);
  }

  /** What holds now; `files` where others are in force. */
  onReloadState({ generation, atMs }: ReloadState, files: FilesInForce | undefined): void {
    this.#generation = { number: generation, atMs };
    if (files === undefined) return;
    // Those of the configuration are read once more, at the moment that they are taken.
    const { rules, config } = files;
    this.#sums = { rules: sumsOfTexts(rules), config: config.flatMap(sumOfFile) };
  }
}

/** None where it cannot be read any more. */
function sumOfFile(path: string): FileSum[] {
  try {
    return [{ path, sha256: sumOf(readBoundedFile(path, CONFIG_BYTES_MAX)) }];
  } catch {
    return [];
  }
}
