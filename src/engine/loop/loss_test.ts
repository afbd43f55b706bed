// Losses over time: what degrades alerts, and when Falco's drop alert goes out.
import { deepStrictEqual, strictEqual } from "node:assert";
import { DEGRADED_MS, LossWatch } from "./loss.ts";

Deno.test("a loss degrades the alerts of the seconds behind it", () => {
  const watch = new LossWatch({ threshold: 0.5, rate: 1, burst: 1 });
  watch.update({ events: 100, lostCritical: 0, lostBulk: 0 }, 1_000);
  strictEqual(watch.isDegraded(1_000), false);
  strictEqual(watch.update({ events: 200, lostCritical: 0, lostBulk: 1 }, 2_000), undefined);
  strictEqual(watch.isDegraded(2_000), true);
  strictEqual(watch.isDegraded(2_000 + DEGRADED_MS - 1), true);
  strictEqual(watch.isDegraded(2_000 + DEGRADED_MS), false);
});

Deno.test("a loss above the threshold is acted on, of both lanes together", () => {
  const watch = new LossWatch({ threshold: 0.1, rate: 1, burst: 1 });
  deepStrictEqual(watch.update({ events: 80, lostCritical: 5, lostBulk: 15 }, 1_000), {
    events: 80,
    lost: 20,
  });
});

Deno.test("losses are acted on at the rate, and at first as often as the burst says", () => {
  const watch = new LossWatch({ threshold: 0, rate: 0.5, burst: 2 });
  const acted: number[] = [];
  for (let second = 1; second <= 8; second++) {
    const totals = { events: 0, lostCritical: second, lostBulk: 0 };
    if (watch.update(totals, second * 1_000) !== undefined) acted.push(second);
  }
  deepStrictEqual(acted, [1, 2, 3, 5, 7]);
});
