// Losses over time: what degrades alerts, and when Falco's drop alert goes out.
import { deepStrictEqual, strictEqual } from "node:assert";
import { DEGRADED_MS, dropAlert, LossWatch } from "./loss.ts";

Deno.test("a loss degrades the alerts of the seconds behind it", () => {
  const watch = new LossWatch({ threshold: 0.5, rate: 1, burst: 1 });
  watch.update({ events: 100, lostCritical: 0, lostBulk: 0 }, 1_000);
  strictEqual(watch.isDegraded(1_000), false);
  strictEqual(watch.update({ events: 200, lostCritical: 0, lostBulk: 1 }, 2_000), undefined);
  strictEqual(watch.isDegraded(2_000), true);
  strictEqual(watch.isDegraded(2_000 + DEGRADED_MS - 1), true);
  strictEqual(watch.isDegraded(2_000 + DEGRADED_MS), false);
});

Deno.test("calls that the kernel kept from the probe degrade alerts, and are no loss", () => {
  const watch = new LossWatch({ threshold: 0, rate: 1, burst: 1 });
  const none = { events: 100, lostCritical: 0, lostBulk: 0 };
  strictEqual(watch.update({ ...none, skipped: 3 }, 1_000), undefined);
  strictEqual(watch.isDegraded(1_000), true);
  strictEqual(watch.update({ ...none, skipped: 3 }, 9_000), undefined);
  strictEqual(watch.isDegraded(9_000), false);
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

Deno.test("a drop alert has Falco's fields, the lost by Falco's kinds among them", () => {
  const { outputFields, message, priority } = dropAlert({
    loss: { events: 5, lost: 3 },
    hostname: "h",
    time: 1n,
    sequence: 1,
    kinds: [["open", 2], ["proc", 1]],
    events: [["openat", 2], ["procexit", 1]],
    processes: "",
  });
  deepStrictEqual(Object.fromEntries(outputFields), {
    ebpf_enabled: "1",
    lost_by_event: "openat: 2, procexit: 1",
    n_drops: "3",
    n_drops_buffer_open_exit: "2",
    n_drops_buffer_proc_exit: "1",
    n_drops_buffer_total: "3",
    n_drops_bug: "0",
    n_drops_page_faults: "0",
    n_drops_scratch_map: "0",
    n_evts: "5",
  });
  strictEqual(
    message,
    "Falco internal: syscall event drop. 3 system calls dropped in last second.",
  );
  strictEqual(priority, 7);
});

Deno.test("losses are counted, those that were acted on besides; settings can change", () => {
  const watch = new LossWatch({ threshold: 0, rate: 0, burst: 1 });
  watch.update({ events: 1, lostCritical: 1, lostBulk: 0 }, 1_000);
  watch.update({ events: 2, lostCritical: 2, lostBulk: 0 }, 2_000);
  deepStrictEqual([watch.detected, watch.acted], [2, 1]);
  watch.setOptions({ threshold: 0.9, rate: 0, burst: 1 });
  watch.update({ events: 100, lostCritical: 3, lostBulk: 0 }, 3_000);
  deepStrictEqual([watch.detected, watch.acted], [2, 1]);
  watch.pretend(5, 4_000);
  deepStrictEqual([watch.detected, watch.acted], [3, 1]);
});
