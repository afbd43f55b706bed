// The busiest processes of the last windows: sums by pid, the newest name, what is not listed.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Busiest, type BusyProcess } from "./busiest.ts";

function row(pid: number, events: number, name = `p${pid}`): BusyProcess {
  return { pid, name, exepath: `/bin/${name}`, container: "", events };
}

Deno.test("a report adds up the windows of the last ten seconds by process", () => {
  const busiest = new Busiest();
  strictEqual(busiest.report(0).seconds, 0);
  busiest.add({ ms: 2000, list: [row(9, 5000)], processes: 1, others: 50 }, 0);
  for (let window = 1; window <= 5; window++) {
    const list = [row(1, 10), row(2, window, `name${window}`)];
    busiest.add({ ms: 2000, list, processes: 30, others: 3 }, 2000 * window);
  }
  const { list, ...sums } = busiest.report(11_000);
  deepStrictEqual(sums, { seconds: 10, processes: 30, others: 15 });
  deepStrictEqual(list, [
    { ...row(1, 50), per_second: 5 },
    { ...row(2, 15, "name5"), per_second: 1.5 },
  ]);
});

Deno.test("windows of long ago tell nothing", () => {
  const busiest = new Busiest();
  busiest.add({ ms: 2000, list: [row(1, 10)], processes: 1, others: 0 }, 0);
  strictEqual(busiest.report(14_000).list.length, 1);
  deepStrictEqual(busiest.report(15_000), { seconds: 0, processes: 0, others: 0, list: [] });
});

Deno.test("what a report does not list is in its sum of others", () => {
  const busiest = new Busiest();
  for (let window = 0; window < 2; window++) {
    const list = Array.from({ length: 24 }, (_, at) => row(100 * window + at + 1, 1000 - at));
    busiest.add({ ms: 2000, list, processes: 24, others: 0 }, 2000 * window);
  }
  const { list, others } = busiest.report(3000);
  strictEqual(list.length, 32);
  const all = 2 * Array.from({ length: 24 }, (_, at) => 1000 - at).reduce((sum, one) => sum + one);
  strictEqual(list.reduce((sum, { events }) => sum + events, 0) + others, all);
});

Deno.test("of longer windows, as they come while nobody looks, the newest are told", () => {
  const busiest = new Busiest();
  for (let window = 1; window <= 4; window++) {
    busiest.add({ ms: 5000, list: [row(window, 10)], processes: 1, others: 1 }, 5000 * window);
  }
  const { seconds, others, list } = busiest.report(20_000);
  deepStrictEqual([seconds, others, list.map(({ pid }) => pid)], [10, 2, [3, 4]]);
});
