// Percentiles and counts of latencies, at the bounds of the buckets and beyond them.
import { ok, strictEqual } from "node:assert";
import { Latencies, LATENCY_NUMBERS } from "./latencies.ts";

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

Deno.test("what stands still has all that it counts below its last bound", async () => {
  const shared = new SharedArrayBuffer(8 * LATENCY_NUMBERS);
  const text = `onmessage = ({ data }) => {
    const numbers = new Float64Array(data);
    for (postMessage(0);;) numbers[3]++;
  };`;
  const worker = new Worker(URL.createObjectURL(new Blob([text])), { type: "module" });
  const begun = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage(shared);
  await begun;
  const counting = new Latencies(new Float64Array(shared));
  for (const end = counting.count + 20_000_000; counting.count < end;) {
    const still = counting.still();
    strictEqual(still.count, still.atMost(14));
  }
  worker.terminate();
});
