// Losses of single processes: gathered between two lines, told by name and not too often.
import { strictEqual } from "node:assert";
import type { EventSource, ProcessExcess } from "../../events/source.ts";
import { ExcessWatch, NOTICE_MS } from "./excess.ts";

function sourceOf(...batches: ProcessExcess[][]): EventSource {
  return { takeExcess: () => batches.shift() ?? [] } as Partial<EventSource> as EventSource;
}

Deno.test("what a process lost is summed until it is told, the greatest loss first", () => {
  const watch = new ExcessWatch();
  const source = sourceOf(
    [{ pid: 7, name: "flood", lost: 10 }, { pid: 8, name: "slow", lost: 12 }],
    [{ pid: 7, name: "flood", lost: 5 }],
  );
  watch.update(22, source);
  watch.update(27, source);
  strictEqual(watch.take(1_000), "flood[7]: 15, slow[8]: 12");
  strictEqual(watch.take(2_000), "");
});

Deno.test("the source is asked only where the total rose", () => {
  const watch = new ExcessWatch();
  const source = sourceOf([{ pid: 7, name: "flood", lost: 10 }], [{ pid: 8, name: "b", lost: 1 }]);
  watch.update(10, source);
  watch.update(10, source);
  strictEqual(watch.take(0), "flood[7]: 10");
});

Deno.test("a line names five processes and sums the others up", () => {
  const watch = new ExcessWatch();
  const all = Array.from({ length: 8 }, (_, at) => ({ pid: at, name: "p", lost: 100 - at }));
  watch.update(800, sourceOf(all));
  strictEqual(
    watch.take(0),
    "p[0]: 100, p[1]: 99, p[2]: 98, p[3]: 97, p[4]: 96, 3 others: 282",
  );
});

Deno.test("a line on its own comes at most every ten seconds", () => {
  const watch = new ExcessWatch();
  const source = sourceOf(
    [{ pid: 1, name: "a\u001b", lost: 1 }],
    [{ pid: 1, name: "a", lost: 2 }],
  );
  watch.update(1, source);
  strictEqual(watch.notice(1_000), "Events lost over a process's share of the ring: a?[1]: 1");
  watch.update(3, source);
  strictEqual(watch.notice(1_000 + NOTICE_MS - 1), undefined);
  strictEqual(
    watch.notice(1_000 + NOTICE_MS),
    "Events lost over a process's share of the ring: a[1]: 2",
  );
});
