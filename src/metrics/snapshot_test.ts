// Falco's snapshots: names, types and what is left out, by what is wanted; the numbers of an
// interval; as an alert and as a line of a file.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { JSON_FORMAT } from "../alerts/format/format_fixture.ts";
import { formatAlert } from "../alerts/format/format.ts";
import { Counter } from "../engine/contract/counters.ts";
import type { Value } from "../fields/row/field.ts";
import { ALL, facts, START_MS } from "./facts_fixture.ts";
import type { Facts, Wanted } from "./facts.ts";
import { snapshotAlert, snapshotLine, Snapshots } from "./snapshot.ts";

function snapshots(of: Facts, wanted: Wanted = ALL, inMegabytes = true): Snapshots {
  return new Snapshots(of, {
    wanted,
    inMegabytes,
    interfaces: () =>
      [["lo", "IPv4", "127.0.0.1"], ["eth0", "IPv4", "192.0.2.1"], ["eth0", "IPv4", "192.0.2.2"]]
        .map(([name, family, address]) =>
          ({ name, family, address }) as unknown as Deno.NetworkInterfaceInfo
        ),
  });
}

function taken(
  of: Facts = facts(),
  { wanted = ALL, inMegabytes = true } = {},
): Record<string, Value> {
  return Object.fromEntries(snapshots(of, wanted, inMegabytes).take(START_MS + 1_500));
}

Deno.test("a snapshot has Falco's fields with its types", () => {
  const fields = taken();
  const expected: Record<string, Value> = {
    "evt.hostname": "host.example",
    "evt.source": "syscall",
    "evt.time": BigInt(START_MS + 1_500) * 1_000_000n,
    "falco.duration_sec": 1,
    "falco.host_num_cpus": 2,
    "falco.kernel_release": "6.1.0",
    "falco.outputs_queue_num_drops": 14,
    "falco.reload_ts": BigInt(START_MS + 5_000) * 1_000_000n,
    "falco.start_ts": BigInt(START_MS) * 1_000_000n,
    "falco.version": "0.45.0",
    "falco.num_evts": 1001,
    "falco.num_evts_prev": 0,
    "falco.sha256_rules_file.falco_rules_yaml": "aa",
    "falco.sha256_config_file.falco_yaml": "bb",
    "falco.host_netinfo.interfaces.eth0.protocols.ipv4.addresses": "192.0.2.1,192.0.2.2",
    "falco.rules.matches_total": 3,
    "falco.rules.Read_it_now": 3,
    "falco.n_threads": 1013,
    "scap.engine_name": "modern_bpf",
    "scap.n_drops": 42,
    "scap.n_drops_prev": 0,
    "scap.n_drops_buffer_total": 42,
    "scap.n_drops_buffer_open_exit": 25,
    "scap.n_evts_cpu_0": 602,
    "scap.n_drops_cpu_1": 40,
    "scap.sys_exit.run_cnt": 50,
    "scap.sys_exit.run_time_ns": 5000,
    "scap.sys_exit.avg_time_ns": 100,
  };
  for (const [name, value] of Object.entries(expected)) strictEqual(fields[name], value, name);
  for (const name of ["falco.memory_rss_mb", "falco.cpu_usage_perc", "falco.host_memory_used_mb"]) {
    strictEqual(typeof fields[name], "number", name);
  }
  strictEqual(Object.keys(fields).some((name) => name.includes(".lo.")), false);
});

Deno.test("what is 0 is left out but for the main counts, unless zeros are wanted", () => {
  const idle = facts();
  for (const place of Object.values(Counter)) idle.counters.set(place, 0);
  idle.tallies()!.matches.fill(0);
  const fields = taken(idle);
  for (const name of ["scap.n_evts", "scap.n_drops", "scap.evts_rate_sec", "scap.n_drops_perc"]) {
    strictEqual(fields[name], 0, name);
  }
  for (const name of ["falco.n_threads", "scap.n_drops_buffer_close_exit", "falco.rules.Never"]) {
    strictEqual(name in fields, false, name);
    strictEqual(taken(idle, { wanted: { ...ALL, empty: true } })[name], 0, name);
  }
});

Deno.test("memory is told in kibibytes and bytes where megabytes are not wanted", () => {
  const fields = taken(facts(), { inMegabytes: false });
  ok(Number.isInteger(fields["falco.memory_rss_kb"]));
  strictEqual("falco.memory_rss_mb" in fields, false);
});

Deno.test("the next snapshot tells what came in between", () => {
  const of = facts();
  const all = snapshots(of);
  all.take(START_MS);
  of.counters.add(Counter.Events, 500);
  of.counters.add(Counter.SourceEvents, 160);
  of.counters.add(Counter.LostBulk, 40);
  const fields = Object.fromEntries(all.take(START_MS + 2_000));
  strictEqual(fields["falco.num_evts"], 1501);
  strictEqual(fields["falco.num_evts_prev"], 1001);
  strictEqual(fields["falco.evts_rate_sec"], 250);
  strictEqual(fields["scap.n_evts_prev"], 1084);
  strictEqual(fields["scap.evts_rate_sec"], 100);
  strictEqual(fields["scap.evts_drop_rate_sec"], 20);
  strictEqual(fields["scap.n_drops_perc"], 20);
});

Deno.test("a snapshot is Falco's internal alert, and a line with its number", () => {
  const fields = snapshots(facts()).take(START_MS);
  const alert = JSON.parse(formatAlert(snapshotAlert(fields, "h", START_MS), JSON_FORMAT));
  deepStrictEqual(
    [alert.rule, alert.output, alert.priority, alert.source, "tags" in alert],
    [
      "Falco internal: metrics snapshot",
      "Falco metrics snapshot",
      "Informational",
      "internal",
      false,
    ],
  );
  const line = JSON.parse(snapshotLine(fields, 3));
  strictEqual(line.sample, 3);
  deepStrictEqual(line.output_fields, alert.output_fields);
  strictEqual(snapshotLine(fields, 3).includes("\n"), false);
});
