// What /status tells, from facts alone: rates, percentiles, and the rules that matter first.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Counter } from "../engine/contract/counters.ts";
import { Tallies } from "../engine/contract/tallies.ts";
import { facts, START_MS } from "../metrics/facts_fixture.ts";
import type { Facts } from "../metrics/facts.ts";
import { Health } from "./health.ts";
import { Rates } from "./rates.ts";
import { type RateName, statusOf } from "./status.ts";

// deno-lint-ignore no-explicit-any -- It is read as JSON by people and tools.
type Json = any;

const RING = { dossiers: 4, given_way: 3, dossiers_given_way: 2 };

function told(of: Facts, rates = new Rates<RateName>()): Json {
  const health = new Health({ counters: of.counters, driver: "test", countForks: () => 0 });
  return JSON.parse(JSON.stringify(statusOf({
    facts: of,
    health: () => health.report(START_MS + 60_000),
    rates,
    stream: () => ({ clients: 1, opened: 2, refused: 0, sent: 3, dropped: 4, held: 5, ...RING }),
    deadRules: () => [{ rule: "dead", reason: "why" }],
    troubles: () => ["file: slow"],
    bounds: { threads: 10, descriptors: 20 },
  })));
}

Deno.test("status tells losses, latencies, outputs, rules and tables", () => {
  const status = told(facts());
  deepStrictEqual(status.degraded, ["file: slow"]);
  deepStrictEqual(status.lost.by_lane, { critical: 30, bulk: 12 });
  deepStrictEqual(status.lost.by_event, { unknown: 10, procexit: 3, openat: 25, clone3: 4 });
  strictEqual(status.latency_ms.alert_to_output.count, 4);
  ok(status.latency_ms.alert_to_output.p50 >= 3 && status.latency_ms.alert_to_output.p50 < 3.4);
  deepStrictEqual(status.outputs[1], {
    name: "file",
    state: "failing",
    reason: "x",
    waiting: 1,
    written: 2,
    dropped: 3,
    dropped_by_priority: { Critical: 1, Warning: 2 },
    failed: 4,
    retries: 5,
    last_error: { reason: "x", ago_s: 1.5 },
    spool: { alerts: 8, bytes: 900, spooled: 9, refused: 0, cut: 0 },
    clients: { open: 2, opened: 5, refused: 3, connections: 4, connections_refused: 1 },
  });
  strictEqual(status.stream.clients, 1);
  deepStrictEqual(status.reload, {
    generation: 2,
    since: "2023-11-14T22:13:25.000Z",
    sha256: "cc",
    refusals: 3,
    refused: "no",
    restart: ["webserver.listen_port"],
  });
  deepStrictEqual(status.rules.list.map(({ name }: Json) => name), ['Read "it" \\ now', "Never"]);
  deepStrictEqual(status.rules.list[1], {
    name: "Never",
    priority: "Notice",
    source: "syscall",
    matches: 0,
    condition_ms: 500,
    output_ms: 0,
  });
  deepStrictEqual(status.rules.dead, [{ rule: "dead", reason: "why" }]);
  strictEqual(/^[0-9a-f]{64}$/.test(status.rules.sha256), true);
  strictEqual(status.memory.tables.threads.bound, 10);
  strictEqual(status.memory.tables.strings.bytes, 1051);
  ok(status.memory.resident_bytes > 0);
});

Deno.test("rates are over the last seconds, and unknown before there are two", () => {
  const rates = new Rates<RateName>();
  const of = facts();
  const add = (second: number, events: number) =>
    rates.add(second * 1000, { events, passed_over: 0, lost: 0, alerts: 0 });
  add(1, 1000);
  strictEqual(told(of, rates).events.per_second, null);
  for (let second = 2; second <= 30; second++) add(second, 1000 + 50 * (second - 1));
  strictEqual(told(of, rates).events.per_second, 50);
  // The clock was set back.
  add(5, 3000);
  strictEqual(told(of, rates).events.per_second, null);
});

Deno.test("rules beyond the bound are left off and counted, those with alerts stay", () => {
  const of = facts();
  const rules = Array.from({ length: 1500 }, (_, at) => ({
    name: `rule ${at}`,
    priority: 4,
    source: "syscall",
    tags: [],
  }));
  const tallies = new Tallies({ rules, programs: [], cpus: 0 });
  tallies.matches[1499] = 1;
  const status = told({ ...of, tallies: () => tallies });
  strictEqual(status.rules.list.length, 1000);
  strictEqual(status.rules.list[0].name, "rule 1499");
  strictEqual(status.rules.left_off, 500);
});

Deno.test("before the rules are known, status is told all the same", () => {
  const of = facts();
  of.counters.set(Counter.StartedMs, 0);
  const status = told({ ...of, tallies: () => undefined });
  deepStrictEqual([status.status, status.rules.list], ["starting", []]);
});

Deno.test("events of each type are told: judged, kept back, lost", () => {
  deepStrictEqual(told(facts()).types, {
    unknown: { judged: 0, passed_over: 0, lost: 10 },
    close: { judged: 7, passed_over: 0, lost: 0 },
    procexit: { judged: 0, passed_over: 0, lost: 3 },
    openat: { judged: 70, passed_over: 900, lost: 25 },
    clone3: { judged: 0, passed_over: 0, lost: 4 },
  });
});
