// Config → metrics: which numbers are told, and where: to Prometheus, as alerts, as lines of a
// file.
import type { Message } from "../../alerts/format/message.ts";
import { farFileOutput } from "../../alerts/outputs/far_file.ts";
import { parseInterval } from "../../config/interval.ts";
import type { Config } from "../../config/schema.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { reasonOf } from "../../files/reason.ts";
import { exposition } from "../../metrics/exposition.ts";
import type { Facts, Wanted } from "../../metrics/facts.ts";
import { falcoFamilies } from "../../metrics/falco_families.ts";
import { ownFamilies } from "../../metrics/own_families.ts";
import { snapshotAlert, snapshotLine, Snapshots } from "../../metrics/snapshot.ts";

export interface MetricsOptions {
  readonly config: Config;
  readonly facts: Facts;
  readonly warn: (line: string) => void;
}

export interface Metrics {
  /** What Prometheus is answered; undefined where it is not to be. */
  readonly text: (() => string) | undefined;
  /** Begins to tell them in their interval. */
  begin(send: (alerts: readonly Alert[]) => void): void;
  close(): void;
}

/** Throws where they are wanted and nobody would be told. */
export function makeMetrics({ config, facts, warn }: MetricsOptions): Metrics {
  const { metrics, webserver } = config;
  const { output_file: path, output_rule: asAlert } = metrics;
  const forPrometheus = webserver.prometheus_metrics_enabled;
  if (!metrics.enabled) return { text: undefined, begin() {}, close() {} };
  if (path === "" && !asAlert && !forPrometheus) {
    throw new Error(
      "Metrics are enabled with no output configured. Please enable at least one output channel: " +
        "metrics.output_rule, metrics.output_file or webserver.prometheus_metrics_enabled",
    );
  }
  const wanted = wantedOf(metrics);
  const snapshots = new Snapshots(facts, {
    wanted,
    inMegabytes: metrics.convert_memory_to_mb,
    interfaces: () => Deno.networkInterfaces(),
  });
  const file = path === "" ? undefined : new SnapshotFile(path, warn);
  let timer: number | undefined;
  return {
    text: forPrometheus ? () => textOf(facts, wanted) : undefined,
    begin(send): void {
      if (path === "" && !asAlert) return;
      const tell = () => {
        const nowMs = Date.now();
        const fields = snapshots.take(nowMs);
        if (asAlert) send([snapshotAlert(fields, facts.hostname, nowMs)]);
        file?.write((sample) => snapshotLine(fields, sample));
      };
      timer = setInterval(tell, parseInterval(metrics.interval)!);
    },
    close(): void {
      clearInterval(timer);
      file?.close();
    },
  };
}

function textOf(facts: Facts, wanted: Wanted): string {
  return exposition([...falcoFamilies(facts, wanted, Date.now()), ...ownFamilies(facts, wanted)]);
}

function wantedOf(metrics: Config["metrics"]): Wanted {
  return {
    rules: metrics.rules_counters_enabled,
    resource: metrics.resource_utilization_enabled,
    state: metrics.state_counters_enabled,
    kernel: metrics.kernel_event_counters_enabled,
    cpu: metrics.kernel_event_counters_per_cpu_enabled,
    programs: metrics.libbpf_stats_enabled,
    plugins: metrics.plugins_metrics_enabled,
    iterators: metrics.kernel_iter_event_counters_enabled,
    empty: metrics.include_empty_values,
  };
}

/** Snapshots that wait for a file that is slow; later ones are left out, as their numbers show. */
const WAITING_MAX = 64;

/** `metrics.output_file`: one line after the other, by a thread of its own (far_file.ts). */
class SnapshotFile {
  readonly #path: string;
  readonly #warn: (line: string) => void;
  readonly #output: ReturnType<typeof farFileOutput>;
  #waiting: Message[] = [];
  #sample = 0;
  #isWriting = false;
  #isFailing = false;

  constructor(path: string, warn: (line: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#output = farFileOutput({ path, keepAlive: false });
  }

  write(lineOf: (sample: number) => string): void {
    const text = lineOf(++this.#sample);
    if (this.#waiting.length >= WAITING_MAX) return this.#fail("it takes no snapshot");
    this.#waiting.push({ text, priority: PRIORITY, time: 0n, hostname: "" });
    if (!this.#isWriting) this.#drain();
  }

  close(): void {
    this.#output.close();
  }

  /** Never rejects. */
  async #drain(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      try {
        await this.#output.write(this.#waiting.splice(0));
        this.#isFailing = false;
      } catch (error) {
        this.#fail(reasonOf((error as Error).cause ?? error));
      }
    }
    this.#isWriting = false;
  }

  /** Told once until a snapshot is written again. */
  #fail(reason: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#warn(`Warning: metrics.output_file: Cannot write to ${this.#path}: ${reason}`);
  }
}

/** `Informational`. */
const PRIORITY = 6;
