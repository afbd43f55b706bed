// Falco's snapshot of metrics: the fields of an internal alert, or of a line in a file. The numbers
// of the last snapshot are kept, for those of its interval.
import type { Alert } from "../engine/contract/alert.ts";
import { Counter } from "../engine/contract/counters.ts";
import type { Value } from "../fields/row/field.ts";
import { valueJson } from "../alerts/format/format.ts";
import { type Facts, measuresOf, queueDrops, type Wanted } from "./facts.ts";
import { oneDecimal, sanitized, snapshotField } from "./measure.ts";

export type Fields = readonly (readonly [string, Value])[];

const NS_PER_MS = 1_000_000n;
/** `Informational`. */
const PRIORITY = 6;
const RULE = "Falco internal: metrics snapshot";
const MESSAGE = "Falco metrics snapshot";

export interface SnapshotOptions {
  readonly wanted: Wanted;
  /** `metrics.convert_memory_to_mb`. */
  readonly inMegabytes: boolean;
  /** Addresses of this host's interfaces; names may be there several times. */
  readonly interfaces: () => readonly Deno.NetworkInterfaceInfo[];
}

interface Last {
  readonly atMs: number;
  readonly events: number;
  readonly kernelEvents: number;
  readonly drops: number;
}

export class Snapshots {
  readonly #facts: Facts;
  readonly #options: SnapshotOptions;
  #last: Last = { atMs: 0, events: 0, kernelEvents: 0, drops: 0 };

  constructor(facts: Facts, options: SnapshotOptions) {
    this.#facts = facts;
    this.#options = options;
  }

  /** The fields now; what is 0 is left out unless it was asked for, but for the main counts. */
  take(nowMs: number): Fields {
    const facts = this.#facts;
    const { wanted, inMegabytes } = this.#options;
    const resources = facts.resources();
    const measures = measuresOf(facts, wanted, resources);
    const events = facts.counters.get(Counter.Events);
    const of = (name: string) => measures.find((one) => one.name === name)?.value;
    const [kernelEvents, drops] = [of("n_evts"), of("n_drops")];
    const last = this.#last;
    const seconds = last.atMs === 0 ? 0 : (nowMs - last.atMs) / 1000;
    this.#last = { atMs: nowMs, events, kernelEvents: kernelEvents ?? 0, drops: drops ?? 0 };
    const fields: [string, Value][] = [
      ...agentFields(facts, resources.bootNs, nowMs),
      ...this.#addresses(),
      ["falco.num_evts", events],
      ["falco.num_evts_prev", last.events],
      ...(last.events !== 0 && seconds > 0
        ? [["falco.evts_rate_sec", oneDecimal((events - last.events) / seconds)] as [string, Value]]
        : []),
      ...this.#rules(),
    ];
    for (const measure of measures) {
      const always = measure.name === "n_evts" || measure.name === "n_drops";
      if (measure.value !== 0 || wanted.empty || always) {
        fields.push(snapshotField(measure, inMegabytes));
      }
    }
    if (kernelEvents !== undefined && drops !== undefined) {
      const [newEvents, newDrops] = [kernelEvents - last.kernelEvents, drops - last.drops];
      const rate = (count: number) => seconds > 0 ? oneDecimal(count / seconds) : 0;
      fields.push(
        ["scap.n_evts_prev", last.kernelEvents],
        ["scap.evts_rate_sec", rate(newEvents)],
        ["scap.n_drops_prev", last.drops],
        ["scap.evts_drop_rate_sec", rate(newDrops)],
        ["scap.n_drops_perc", newEvents > 0 ? 100 * newDrops / newEvents : 0],
      );
    }
    return fields.sort(([one], [other]) => one < other ? -1 : 1);
  }

  #rules(): [string, Value][] {
    const { wanted } = this.#options;
    const tallies = this.#facts.tallies();
    if (!wanted.rules || tallies === undefined) return [];
    const total = tallies.matches.reduce((sum, count) => sum + count, 0);
    const byName = new Map<string, number>();
    for (const [at, { name }] of tallies.rules.entries()) {
      const count = tallies.matches[at]!;
      if (count > 0 || wanted.empty) byName.set(`falco.rules.${sanitized(name)}`, count);
    }
    return [["falco.rules.matches_total", total], ...byName];
  }

  #addresses(): [string, Value][] {
    const byField = new Map<string, string[]>();
    for (const { name, family, address } of this.#options.interfaces()) {
      if (name === "lo") continue;
      const protocol = family.toLowerCase();
      const field = `falco.host_netinfo.interfaces.${name}.protocols.${protocol}.addresses`;
      byField.set(field, [...byField.get(field) ?? [], address]);
    }
    return [...byField].map(([field, addresses]) => [field, addresses.join(",")]);
  }
}

function agentFields(facts: Facts, bootNs: bigint | undefined, nowMs: number): [string, Value][] {
  const { startedMs } = facts;
  const { rules, config } = facts.sums();
  const name = (path: string) => sanitized(path.replace(/^.*\//, ""));
  return [
    ["evt.hostname", facts.hostname],
    ["evt.source", "syscall"],
    ["evt.time", BigInt(nowMs) * NS_PER_MS],
    ["falco.duration_sec", Math.floor(Math.max(0, nowMs - startedMs) / 1000)],
    ...(bootNs === undefined ? [] : [["falco.host_boot_ts", bootNs] as [string, Value]]),
    ["falco.host_num_cpus", facts.cpus],
    ["falco.kernel_release", facts.kernelRelease],
    ["falco.outputs_queue_num_drops", queueDrops(facts)],
    ["falco.reload_ts", BigInt(facts.reload().atMs) * NS_PER_MS],
    ["falco.start_ts", BigInt(startedMs) * NS_PER_MS],
    ["falco.version", facts.falcoVersion],
    ["saker.version", facts.sakerVersion],
    ["scap.engine_name", facts.driver],
    ...rules.map(({ path, sha256 }): [string, Value] => [
      `falco.sha256_rules_file.${name(path)}`,
      sha256,
    ]),
    ...config.map(({ path, sha256 }): [string, Value] => [
      `falco.sha256_config_file.${name(path)}`,
      sha256,
    ]),
  ];
}

/** A line of `metrics.output_file`, without its end. */
export function snapshotLine(fields: Fields, sample: number): string {
  const rows = fields.map(([name, value]) => `${JSON.stringify(name)}:${valueJson(value)}`);
  return `{"output_fields":{${rows.join(",")}},"sample":${sample}}`;
}

/** The alert of `metrics.output_rule`. */
export function snapshotAlert(fields: Fields, hostname: string, nowMs: number): Alert {
  return {
    hostname,
    message: MESSAGE,
    outputFields: fields,
    priority: PRIORITY,
    rule: RULE,
    source: "internal",
    tags: undefined,
    time: BigInt(nowMs) * NS_PER_MS,
    // Those of the engine count from 1.
    sequence: 0,
    degraded: false,
  };
}
