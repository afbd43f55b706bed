// What Prometheus is answered: sound by the format's rules, Falco's series under their names, all
// that the published dashboard asks for, and each group only where it is wanted.
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { exposition } from "./exposition.ts";
import { DASHBOARD } from "./dashboard_fixture.ts";
import { ALL, facts, START_MS } from "./facts_fixture.ts";
import type { Facts, Wanted } from "./facts.ts";
import { falcoFamilies } from "./falco_families.ts";
import { ownFamilies } from "./own_families.ts";
import { type ParsedFamily, parseExposition, value } from "./parse_exposition_fixture.ts";

const NOW_MS = START_MS + 60_500;

function text(wanted: Wanted = ALL, of: Facts = facts()): string {
  return exposition([...falcoFamilies(of, wanted, NOW_MS), ...ownFamilies(of, wanted)]);
}

function parsed(wanted?: Wanted, of?: Facts): Map<string, ParsedFamily> {
  return parseExposition(text(wanted, of));
}

Deno.test("the reader of the tests refuses what the format does not allow", () => {
  const head = "# HELP a b\n# TYPE a counter\n";
  const wrong = [
    `${head}a 1`,
    `${head}a one\n`,
    `${head}a -1\n`,
    `${head}a{x=1} 1\n`,
    `${head}a{x="1",} 1\n`,
    `${head}a{x="1",x="2"} 1\n`,
    `${head}a{x="\\q"} 1\n`,
    `${head}a 1\na 2\n`,
    `${head}a 1\n${head}a 2\n`,
    `${head}b 1\n`,
    "a 1\n",
    `${head}a  1\n`,
    head,
    '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
  ];
  for (const one of wrong) throws(() => parseExposition(one), Error, one);
  parseExposition(`${head}a{x="\\"\\\\\\n"} 1\n`);
});

Deno.test("Falco's series have their names, types, labels and values", () => {
  const families = parsed();
  const expected: [string, Record<string, string>, number][] = [
    ["falcosecurity_falco_version_info", { version: "0.45.0" }, 1],
    ["falcosecurity_falco_sha256_rules_files_info", { file_name: "falco_rules.yaml" }, 1],
    ["falcosecurity_falco_sha256_config_files_info", { sha256: "bb" }, 1],
    [
      "falcosecurity_scap_engine_name_info",
      { engine_name: "modern_bpf", evt_source: "syscall" },
      1,
    ],
    ["falcosecurity_falco_kernel_release_info", { kernel_release: "6.1.0" }, 1],
    ["falcosecurity_evt_hostname_info", { hostname: "host.example" }, 1],
    ["falcosecurity_falco_outputs_queue_num_drops_total", {}, 14],
    ["falcosecurity_falco_reload_timestamp_nanoseconds", {}, (START_MS + 5_000) * 1e6],
    ["falcosecurity_falco_start_timestamp_nanoseconds", {}, START_MS * 1e6],
    ["falcosecurity_falco_duration_seconds_total", {}, 60],
    ["falcosecurity_falco_host_num_cpus_total", {}, 2],
    ["falcosecurity_scap_n_drops_buffer_total", { dir: "exit", drop: "open" }, 25],
    ["falcosecurity_scap_n_drops_buffer_total", { dir: "exit", drop: "clone_fork" }, 4],
    ["falcosecurity_scap_n_drops_buffer_total", { dir: "exit", drop: "proc" }, 3],
    ["falcosecurity_scap_n_drops_buffer_total", { dir: "enter", drop: "execve" }, 0],
    ["falcosecurity_scap_n_drops_total", {}, 42],
    ["falcosecurity_scap_n_evts_cpu_total", { cpu: "1" }, 440],
    ["falcosecurity_scap_n_drops_cpu_total", { cpu: "0" }, 2],
    ["falcosecurity_scap_sys_exit_run_cnt_total", {}, 50],
    ["falcosecurity_scap_sys_exit_run_time_nanoseconds_total", {}, 5000],
    ["falcosecurity_scap_sys_exit_avg_time_nanoseconds", {}, 100],
    ["falcosecurity_scap_seccomp_avg_time_nanoseconds", {}, 3],
    ["falcosecurity_scap_n_evts_task_file_pipe_total", {}, 0],
  ];
  for (const [name, labels, wanted] of expected) {
    strictEqual(value(families, name, labels), wanted, `${name} ${JSON.stringify(labels)}`);
  }
  const [rule] = families.get("falcosecurity_falco_rules_matches_total")!.samples;
  deepStrictEqual(Object.fromEntries(rule!.labels), {
    priority: "4",
    rule_name: 'Read "it" \\ now',
    source: "syscall",
    tag_T1555: "true",
    tag_a_b: "true",
  });
  strictEqual(rule!.value, 3);
  strictEqual(families.get("falcosecurity_scap_n_threads_total")!.kind, "gauge");
  strictEqual(families.get("falcosecurity_scap_n_added_threads_total")!.kind, "counter");
  const rss = value(families, "falcosecurity_falco_memory_rss_bytes")!;
  ok(rss > 1 << 20 && rss % 1024 === 0, `${rss}`);
  ok(value(families, "falcosecurity_falco_host_cpu_usage_ratio")! <= 1);
});

Deno.test("each group is told where it is wanted alone", () => {
  const groups: [keyof Wanted, string][] = [
    ["rules", "falcosecurity_falco_rules_matches_total"],
    ["resource", "falcosecurity_falco_memory_rss_bytes"],
    ["state", "falcosecurity_scap_n_fds_total"],
    ["kernel", "falcosecurity_scap_n_evts_total"],
    ["cpu", "falcosecurity_scap_n_evts_cpu_total"],
    ["programs", "falcosecurity_scap_sys_exit_run_cnt_total"],
    ["iterators", "falcosecurity_scap_n_evts_task_total"],
  ];
  const none = Object.fromEntries(Object.keys(ALL).map((key) => [key, false])) as unknown as Wanted;
  for (const [group, name] of groups) {
    strictEqual(parsed({ ...ALL, [group]: false }).has(name), false, `${group} off`);
    strictEqual(parsed({ ...none, [group]: true }).has(name), true, `${group} on`);
  }
});

Deno.test("rules that did not match are told where zeros are wanted", () => {
  const matches = "falcosecurity_falco_rules_matches_total";
  strictEqual(value(parsed(), matches, { rule_name: "Never" }), undefined);
  strictEqual(value(parsed({ ...ALL, empty: true }), matches, { rule_name: "Never" }), 0);
});

Deno.test("ours tell losses by type, outputs, what rules take and how long alerts take", () => {
  const families = parsed();
  const expected: [string, Record<string, string>, number][] = [
    ["saker_lost_events_total", { lane: "critical" }, 30],
    ["saker_lost_events_by_cpu_total", { cpu: "1", lane: "critical" }, 28],
    ["saker_lost_events_by_type_total", { event: "openat" }, 25],
    ["saker_lost_events_by_type_total", { event: "unknown" }, 10],
    ["saker_output_ok", { output: "stdout" }, 1],
    ["saker_output_ok", { output: "file" }, 0],
    ["saker_output_failed_total", { output: "file" }, 4],
    ["saker_output_dropped_by_priority_total", { output: "file", priority: "Warning" }, 2],
    ["saker_output_spooled_alerts", { output: "file" }, 8],
    ["saker_output_clients", { output: "file" }, 2],
    ["saker_output_clients_refused_total", { output: "file" }, 4],
    ["saker_rule_condition_seconds_total", { rule_name: "Never" }, 0.5],
    ["saker_rule_output_seconds_total", { rule_name: 'Read "it" \\ now' }, 0.001],
    ["saker_alert_latency_seconds", { le: "0.004" }, 2],
    ["saker_alert_latency_seconds", { le: "+Inf" }, 4],
    ["saker_rules_generation", {}, 2],
  ];
  for (const [name, labels, wanted] of expected) {
    strictEqual(value(families, name, labels), wanted, `${name} ${JSON.stringify(labels)}`);
  }
});

Deno.test("the published dashboard finds its series", () => {
  const families = parsed();
  for (const [name, labels] of DASHBOARD) {
    ok(value(families, name, labels) !== undefined, `${name} ${JSON.stringify(labels)}`);
  }
});

const PUBLISHED = Deno.env.get("SAKER_TEST_DASHBOARD");

Deno.test({
  name: "the dashboard that is named asks for nothing else",
  ignore: PUBLISHED === undefined,
  fn() {
    const families = parsed();
    const queries = Deno.readTextFileSync(PUBLISHED!);
    const asked = new Set(queries.match(/\bfalcosecurity_[a-z0-9_]+/g));
    ok(asked.size > 0, "it names no series");
    const names = new Set(DASHBOARD.map(([name]) => name));
    for (const name of asked) ok(names.has(name) && families.has(name), name);
  },
});
