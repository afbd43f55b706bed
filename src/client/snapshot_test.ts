// What `saker top` reads of /status: the real answer, one of an older saker, and what is no answer.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { facts, START_MS } from "../metrics/facts_fixture.ts";
import { Health } from "../server/health.ts";
import { Rates } from "../server/rates.ts";
import { statusOf } from "../server/status.ts";
import { areOfOneRun, snapshotOf } from "./snapshot.ts";

function answer(): Record<string, unknown> {
  const list = [{ pid: 7, name: "n", exepath: "/n", container: "c", events: 20, per_second: 2 }];
  const of = { ...facts(), busiest: () => ({ seconds: 10, processes: 3, others: 4, list }) };
  const health = new Health({ counters: of.counters, driver: "test", countForks: () => 0 });
  return JSON.parse(JSON.stringify(statusOf({
    facts: of,
    health: () => health.report(START_MS + 60_000),
    rates: new Rates(),
    stream: () => ({ clients: 0, opened: 0, refused: 0, sent: 0, dropped: 0, held: 0 }) as never,
    deadRules: () => [],
    troubles: () => ["file: slow"],
    bounds: { threads: 10, descriptors: 20 },
  })));
}

Deno.test("a snapshot has what /status tells", () => {
  const now = snapshotOf(answer(), 5);
  deepStrictEqual(now.troubles, ["file: slow"]);
  deepStrictEqual(now.types.get("openat"), { judged: 70, passedOver: 900, lost: 25 });
  deepStrictEqual(now.processes, [
    { pid: 7, name: "n", exepath: "/n", container: "c", events: 20, perSecond: 2 },
  ]);
  deepStrictEqual(now.busy, { isTold: true, seconds: 10, processes: 3, others: 4 });
  strictEqual(now.lost, 42);
  deepStrictEqual(now.rules[0], {
    rule: 'Read "it" \\ now',
    priority: "Warning",
    alerts: 3,
    ms: 2001,
  });
  ok(now.latencyMs !== undefined && now.latencyMs.p50 >= 3 && now.residentBytes > 0);
  for (const [name, value] of Object.entries(now)) {
    ok(value !== "" && value !== 0, `${name} is not read`);
  }
});

Deno.test("what is missing is nothing, whatever else the answer is", () => {
  for (const other of [null, [], "x", 3, {}, { types: [1], rules: { list: {} }, lost: "no" }]) {
    const now = snapshotOf(other, 5);
    deepStrictEqual([now.judged, now.types.size, now.rules, now.status], [0, 0, [], ""]);
    strictEqual(now.latencyMs, undefined);
  }
});

Deno.test("numbers of two runs are not compared", () => {
  const [one, other] = [snapshotOf(answer(), 5), snapshotOf(answer(), 9)];
  strictEqual(areOfOneRun(one, other), true);
  strictEqual(areOfOneRun(other, one), false);
  strictEqual(areOfOneRun(one, { ...other, uptimeS: one.uptimeS - 1 }), false);
  strictEqual(areOfOneRun(one, { ...other, judged: one.judged - 1 }), false);
});
