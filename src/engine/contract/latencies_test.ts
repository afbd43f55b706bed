// Percentiles and counts of latencies, at the bounds of the buckets and beyond them.
import { ok, strictEqual } from "node:assert";
import { Latencies } from "./latencies.ts";

Deno.test("percentiles are never too low, and at most a tenth too high", () => {
  const latencies = new Latencies();
  strictEqual(latencies.percentile(0.5), undefined);
  for (let ms = 1; ms <= 1000; ms++) latencies.add(ms);
  for (const share of [0.01, 0.5, 0.99, 1]) {
    const told = latencies.percentile(share)!;
    const exact = share * 1000;
    ok(told >= exact && told <= exact * 1.1, `${share}: ${told}`);
  }
  strictEqual(latencies.count, 1000);
  strictEqual(latencies.sumMs, 500_500);
});

Deno.test("what took exactly a doubling is counted below its bound, a little more is not", () => {
  const latencies = new Latencies();
  for (const ms of [1, 1.01, 8, 8.1]) latencies.add(ms);
  strictEqual(latencies.atMost(-1), 0);
  strictEqual(latencies.atMost(0), 1);
  strictEqual(latencies.atMost(1), 2);
  strictEqual(latencies.atMost(3), 3);
  strictEqual(latencies.atMost(14), 4);
});

Deno.test("times before the beginning, none and those beyond all bounds are counted", () => {
  const latencies = new Latencies();
  for (const ms of [-5, 0, NaN, 1e12]) latencies.add(ms);
  strictEqual(latencies.count, 4);
  ok(latencies.percentile(1)! >= 3_600_000);
  ok(latencies.percentile(0.5)! <= 0.1);
});
