// Saker's own series, beside Falco's: what Falco does not tell, such as what single rules cost,
// what each output lost, and how long alerts take. docs/metrics.md says what each means.
import type { ClientStats } from "../alerts/stats.ts";
import { Counter, type CounterPlace, type Counters } from "../engine/contract/counters.ts";
import type { Latencies } from "../engine/contract/latencies.ts";
import type { Tallies } from "../engine/contract/tallies.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import { lostByName } from "../engine/contract/drop_kinds.ts";
import { auditFamilies } from "./audit_families.ts";
import { type Family, type Sample, single } from "./exposition.ts";
import { clusterFamilies } from "./cluster_families.ts";
import { pluginFamilies } from "./plugin_families.ts";
import { rolloutFamilies } from "./rollout_families.ts";
import { runtimeFamilies } from "./runtime_families.ts";
import type { Facts, Wanted } from "./facts.ts";

/** Numbers of the engine as they are: name behind `saker_`, kind, what it is. */
const PLAIN: readonly (readonly [string, Family["kind"], CounterPlace, string])[] = [
  ["events_total", "counter", Counter.Events, "Events that the engine judged."],
  ["events_passed_over_total", "counter", Counter.PassedOver, "Events that no rule could use."],
  ["events_truncated_total", "counter", Counter.Truncated, "Events whose data was cut to fit."],
  ["calls_not_shown_total", "counter", Counter.CallsSkipped, "Calls kept from the probe."],
  ["lost_over_share_total", "counter", Counter.OverShare, "Lost over one process's share."],
  ["alerts_total", "counter", Counter.Alerts, "Alerts that rules and saker raised."],
  ["alerts_dropped_total", "counter", Counter.AlertsDropped, "Alerts that no output was given."],
  ["dossiers_total", "counter", Counter.Dossiers, "Dossiers of alerts that were made."],
  ["dossiers_left_out_total", "counter", Counter.DossiersLeftOut, "Alerts without one."],
  ["mistakes_total", "counter", Counter.Mistakes, "Events that saker failed to judge."],
  ["names_unknown_total", "counter", Counter.NamesUnknown, "Names whose path stayed unknown."],
  ["files_named", "gauge", Counter.FilesNamed, "Files of rules that are known by inode."],
  ["rules", "gauge", Counter.Rules, "Rules in force."],
  ["programs_wanted", "gauge", Counter.ProgramsWanted, "Programs that the probe should have."],
  ["programs_detached", "gauge", Counter.ProgramsDetached, "Programs of those that do not work."],
  ["canaries_sent_total", "counter", Counter.CanariesSent, "Canaries that were sent."],
  ["canaries_seen_total", "counter", Counter.CanariesSeen, "Canaries that came through."],
  ["canary_latency_ms", "gauge", Counter.CanaryLatencyMs, "How long the last one took."],
  ["threads", "gauge", Counter.Threads, "Threads that are known."],
  ["descriptors", "gauge", Counter.Fds, "Descriptors that are known."],
  ["strings", "gauge", Counter.Strings, "Strings that are held."],
  ["string_bytes", "gauge", Counter.StringBytes, "Bytes of the strings that are held."],
  ["containers", "gauge", Counter.Containers, "Containers that are known."],
  ["ancestors", "gauge", Counter.AncestorsHeld, "Ancestors that have ended and are kept."],
  ["users", "gauge", Counter.Users, "Users and groups that are known."],
  ["engine_heap_bytes", "gauge", Counter.EngineHeapUsed, "Heap of the engine's thread in use."],
];

/** What each bound refused, under the name that /healthz tells it by. */
export const REFUSALS: readonly (readonly [string, CounterPlace])[] = [
  ["threads", Counter.ThreadsRefused],
  ["descriptors", Counter.FdsRefused],
  ["users", Counter.UsersRefused],
  ["containers", Counter.ContainersEvicted],
  ["look_ups", Counter.LookUpsRefused],
  ["interfaces", Counter.InterfacesRefused],
  ["entries", Counter.EntriesDropped],
  ["program_sums", Counter.SumsPostponed],
  ["ancestors", Counter.AncestorsForgotten],
  ["arguments", Counter.ArgumentsForgotten],
  ["files_of_rules", Counter.FilesRefused],
];

export function ownFamilies(facts: Facts, wanted: Wanted): Family[] {
  const { counters, stream } = facts;
  const tallies = facts.tallies();
  return [
    info(facts),
    ...PLAIN.map(([name, kind, place, help]) => one(name, kind, counters.get(place), help)),
    losses(counters),
    lossesByEvent(counters),
    ...(tallies === undefined ? [] : [lossesByCpu(tallies)]),
    {
      name: "saker_refused_total",
      kind: "counter",
      help: "What a bound refused (docs/limits.md).",
      samples: REFUSALS.map(([what, place]) => ({ labels: { what }, value: counters.get(place) })),
    },
    ...outputFamilies(facts),
    ...runtimeFamilies(facts.runtimes?.()),
    ...clusterFamilies(facts.cluster?.()),
    ...rolloutFamilies(facts.rollout?.()),
    ...auditFamilies(facts.audit?.() ?? {}),
    ...(facts.plugins === undefined ? [] : pluginFamilies(facts.plugins())),
    ...(wanted.rules && tallies !== undefined ? ruleTimes(tallies, wanted) : []),
    seconds(
      "saker_matching_seconds_total",
      "Time that finding the rules took, sampled.",
      [[{}, counters.get(Counter.MatchNs)]],
    ),
    histogram(
      "saker_alert_latency_seconds",
      "From the system call's return to the alert's line on standard output.",
      counters.toOutput,
    ),
    histogram(
      "saker_event_lag_seconds",
      "Age of the last event of each batch when the engine had judged it.",
      counters.lag,
    ),
    one("stream_clients", "gauge", stream().clients, "Clients that follow the alerts."),
    one("stream_dropped_total", "counter", stream().dropped, "Alerts that slow ones did not get."),
    one("reloads_refused_total", "counter", facts.reload().refusals, "Reloads that were refused."),
    one("rules_generation", "gauge", facts.reload().generation, "Sets of rules so far."),
  ];
}

function one(name: string, kind: Family["kind"], value: number, help: string): Family {
  return single(`saker_${name}`, kind, value, help);
}

function info({ sakerVersion, driver }: Facts): Family {
  const labels = { version: sakerVersion, driver };
  return {
    name: "saker_info",
    kind: "gauge",
    help: "This saker.",
    samples: [{ labels, value: 1 }],
  };
}

function losses(counters: Counters): Family {
  const lanes = { critical: Counter.LostCritical, bulk: Counter.LostBulk };
  return {
    name: "saker_lost_events_total",
    kind: "counter",
    help: "Events that were lost before they could be read, by lane.",
    samples: Object.entries(lanes)
      .map(([lane, place]) => ({ labels: { lane }, value: counters.get(place) })),
  };
}

function lossesByEvent(counters: Counters): Family {
  return {
    name: "saker_lost_events_by_type_total",
    kind: "counter",
    help: "Events that were lost, by type; unknown: what event it was is not known.",
    samples: lostByName(counters).map(([event, value]) => ({ labels: { event }, value })),
  };
}

function lossesByCpu({ cpuLostCritical, cpuLostBulk }: Tallies): Family {
  const of = (lane: string, lost: Float64Array) =>
    [...lost].map((value, cpu) => ({ labels: { cpu: `${cpu}`, lane }, value }));
  return {
    name: "saker_lost_events_by_cpu_total",
    kind: "counter",
    help: "Events that were lost, by CPU and lane.",
    samples: [...of("critical", cpuLostCritical), ...of("bulk", cpuLostBulk)],
  };
}

function outputFamilies({ outputs }: Facts): Family[] {
  const all = outputs();
  const family = (name: string, kind: Family["kind"], help: string, samples: Sample[]): Family => ({
    name: `saker_output_${name}`,
    kind,
    help,
    samples,
  });
  const of = (value: (queue: typeof all[number]) => number): Sample[] =>
    all.map((queue) => ({ labels: { output: queue.name }, value: value(queue) }));
  const ofClients = (value: (clients: ClientStats) => number): Sample[] =>
    all.flatMap(({ name, clients }) =>
      clients === undefined ? [] : [{ labels: { output: name }, value: value(clients) }]
    );
  return [
    family("waiting_alerts", "gauge", "Alerts that wait for the output.", of((q) => q.waiting)),
    family("written_total", "counter", "Alerts that the output has taken.", of((q) => q.written)),
    family("dropped_total", "counter", "Alerts refused by its queue.", of((q) => q.dropped)),
    family("failed_total", "counter", "Alerts that it refused for good.", of((q) => q.failed)),
    family("retries_total", "counter", "Writes that were tried again.", of((q) => q.retries)),
    family(
      "dropped_by_priority_total",
      "counter",
      "Alerts refused by its queue, by priority.",
      all.flatMap(({ name, droppedByPriority }) =>
        droppedByPriority.map((value, priority) => ({
          labels: { output: name, priority: PRIORITY_NAMES[priority]! },
          value,
        }))
      ),
    ),
    family(
      "spooled_alerts",
      "gauge",
      "Alerts that wait on disk.",
      all.flatMap(({ name, spool }) =>
        spool === undefined ? [] : [{ labels: { output: name }, value: spool.alerts }]
      ),
    ),
    family("clients", "gauge", "Clients that read from it.", ofClients((one) => one.open)),
    family(
      "clients_refused_total",
      "counter",
      "Streams and connections beyond what may be open.",
      ofClients((one) => one.refused + one.connections_refused),
    ),
    family("ok", "gauge", "1 while alerts reach it.", of((q) => q.state === "ok" ? 1 : 0)),
  ];
}

function ruleTimes(tallies: Tallies, { empty }: Wanted): Family[] {
  const rows = (numbers: Float64Array): [Sample["labels"], number][] =>
    tallies.rules.flatMap(({ name }, at) => {
      const ns = numbers[at]!;
      return ns === 0 && !empty ? [] : [[{ rule_name: name }, ns]];
    });
  return [
    seconds(
      "saker_rule_condition_seconds_total",
      "Time that a rule's own part of its condition took, sampled.",
      rows(tallies.conditionNs),
    ),
    seconds(
      "saker_rule_output_seconds_total",
      "Time that the outputs of a rule's alerts took.",
      rows(tallies.outputNs),
    ),
  ];
}

function seconds(
  name: string,
  help: string,
  rows: readonly (readonly [Sample["labels"], number])[],
): Family {
  const samples = rows.map(([labels, ns]) => ({ labels, value: ns / 1e9 }));
  return { name, kind: "counter", help, samples };
}

/** Bounds are powers of two milliseconds: from a quarter of one to 16 s. */
const DOUBLINGS = Array.from({ length: 17 }, (_, at) => at - 2);

function histogram(name: string, help: string, counted: Latencies): Family {
  const latencies = counted.still();
  const { count, sumMs } = latencies;
  const buckets = DOUBLINGS.map((doubling) => ({
    suffix: "_bucket",
    labels: { le: `${2 ** doubling / 1000}` },
    value: latencies.atMost(doubling),
  }));
  return {
    name,
    kind: "histogram",
    help,
    samples: [
      ...buckets,
      { suffix: "_bucket", labels: { le: "+Inf" }, value: count },
      { suffix: "_sum", labels: {}, value: sumMs / 1000 },
      { suffix: "_count", labels: {}, value: count },
    ],
  };
}
