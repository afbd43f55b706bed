// Falco's series, under its names and labels, so that what was made for it (dashboards, alerts)
// finds them. Facts: falco_metrics.cpp of falcosecurity/falco, 2026-07.
import { Counter } from "../engine/contract/counters.ts";
import { dropKinds } from "../engine/contract/drop_kinds.ts";
import { ENTER_KINDS } from "./engine_measures.ts";
import { type Family, labelName, type Sample, single } from "./exposition.ts";
import { type Facts, measuresOf, queueDrops, type Wanted } from "./facts.ts";
import { type Measure, seriesName, seriesValue } from "./measure.ts";
import type { FileSum } from "./file_sums.ts";

const HELP = "https://falco.org/docs/metrics/";
const NS_PER_MS = 1_000_000n;

export function falcoFamilies(facts: Facts, wanted: Wanted, nowMs: number): Family[] {
  const resources = facts.resources();
  const measures = measuresOf(facts, wanted, resources);
  return [
    info("falco_version", [{ version: facts.falcoVersion }]),
    info("falco_sha256_rules_files", facts.sums().rules.map(fileLabels)),
    info("falco_sha256_config_files", facts.sums().config.map(fileLabels)),
    info("scap_engine_name", [{ engine_name: facts.driver, evt_source: "syscall" }]),
    info("falco_kernel_release", [{ kernel_release: facts.kernelRelease }]),
    info("evt_hostname", [{ hostname: facts.hostname }]),
    ...agentFamilies(facts, resources.bootNs, nowMs),
    ...(wanted.rules ? [ruleMatches(facts, wanted)] : []),
    ...(wanted.kernel ? [bufferDrops(facts)] : []),
    ...measured(measures.filter(({ name }) => !name.startsWith("n_drops_buffer"))),
  ];
}

function one(name: string, kind: Family["kind"], value: number | bigint): Family {
  return single(`falcosecurity_falco_${name}`, kind, value, HELP);
}

/** What is told twice, such as equal files of one name in two directories, is told once. */
function info(name: string, labels: readonly Sample["labels"][]): Family {
  const once = new Map(labels.map((one) => [JSON.stringify(one), one]));
  return {
    name: `falcosecurity_${name}_info`,
    kind: "gauge",
    help: HELP,
    samples: [...once.values()].map((one) => ({ labels: one, value: 1 })),
  };
}

function fileLabels({ path, sha256 }: FileSum): Sample["labels"] {
  return { file_name: path.replace(/^.*\//, ""), sha256 };
}

function agentFamilies(facts: Facts, bootNs: bigint | undefined, nowMs: number): Family[] {
  const { startedMs, cpus, counters } = facts;
  return [
    one("outputs_queue_num_drops_total", "counter", queueDrops(facts)),
    one("reload_timestamp_nanoseconds", "gauge", BigInt(facts.reload().atMs) * NS_PER_MS),
    one("start_timestamp_nanoseconds", "gauge", BigInt(startedMs) * NS_PER_MS),
    one("duration_seconds_total", "counter", Math.floor(Math.max(0, nowMs - startedMs) / 1000)),
    ...(bootNs === undefined ? [] : [one("host_boot_timestamp_nanoseconds", "gauge", bootNs)]),
    one("host_num_cpus_total", "gauge", cpus),
    // Asked for by the published dashboard, although Falco itself has it in snapshots alone.
    one("n_evts_total", "counter", counters.get(Counter.Events)),
  ];
}

function ruleMatches(facts: Facts, { empty }: Wanted): Family {
  const tallies = facts.tallies();
  const samples = (tallies?.rules ?? []).flatMap(({ name, priority, source, tags }, at) => {
    const value = tallies!.matches[at]!;
    if (value === 0 && !empty) return [];
    const ofTags = tags.map((tag) => [`tag_${labelName(tag)}`, "true"]);
    return [{
      labels: {
        priority: `${priority}`,
        rule_name: name,
        source,
        ...Object.fromEntries(ofTags),
      },
      value,
    }];
  });
  return { name: "falcosecurity_falco_rules_matches_total", kind: "counter", help: HELP, samples };
}

function bufferDrops({ counters }: Facts): Family {
  return {
    name: "falcosecurity_scap_n_drops_buffer_total",
    kind: "counter",
    help: `${HELP} (dir="enter" is always 0: events of entered calls are not recorded)`,
    samples: [
      ...dropKinds(counters).map(([drop, value]) => ({ labels: { dir: "exit", drop }, value })),
      ...ENTER_KINDS.map((drop) => ({ labels: { dir: "enter", drop }, value: 0 })),
    ],
  };
}

/** One family of each name, in their order; those of a CPU are told apart by a label. */
function measured(measures: readonly Measure[]): Family[] {
  const byName = new Map<string, { kind: Measure["kind"]; samples: Sample[] }>();
  for (const measure of measures) {
    const name = seriesName(measure);
    const labels: Sample["labels"] = measure.group === "cpu" ? { cpu: measure.of! } : {};
    const family = byName.get(name) ?? { kind: measure.kind, samples: [] };
    family.samples.push({ labels, value: seriesValue(measure) });
    byName.set(name, family);
  }
  return [...byName].map(([name, family]) => ({ name, help: HELP, ...family }));
}
