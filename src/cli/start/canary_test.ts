// A canary that comes, one that is late, and one that does not come.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import { CANARY_RULE } from "../../engine/contract/canary.ts";
import { Canary } from "./canary.ts";

function scene(act: (mark: string) => Promise<void> = () => Promise.resolve()) {
  const counters = new Counters();
  const marks: string[] = [];
  const clock = { nowMs: 1_000_000 };
  const canary = new Canary({
    everyMs: 60_000,
    counters,
    clock: () => clock.nowMs,
    token: () => `${marks.length}`,
    act(mark): Promise<void> {
      marks.push(mark);
      return act(mark);
    },
  });
  const alert = (rule: string, message: string) =>
    ({ rule, message, time: BigInt(clock.nowMs - 7) * 1_000_000n }) as Alert;
  return { counters, marks, clock, canary, alert };
}

Deno.test("a canary that comes is counted with its latency and goes to no output", () => {
  const { counters, marks, canary, alert } = scene();
  canary.send();
  const other = alert("other", `with ${marks[0]}`);
  deepStrictEqual(canary.sift([alert(CANARY_RULE, `saker ${marks[0]}`), other]), [other]);
  const get = (place: number) => counters.get(place as never);
  deepStrictEqual(
    [Counter.CanariesSent, Counter.CanariesSeen, Counter.CanaryLatencyMs].map(get),
    [1, 1, 7],
  );
  strictEqual(canary.trouble(), undefined);
});

Deno.test("an alert with another mark is none of ours", () => {
  const { counters, canary, alert } = scene();
  canary.send();
  deepStrictEqual(canary.sift([alert(CANARY_RULE, "saker-canary-old")]), []);
  strictEqual(counters.get(Counter.CanariesSeen), 0);
});

Deno.test("a canary that does not come is told, until one does", async () => {
  const { marks, clock, canary, alert } = scene(() => Promise.reject(new Error("no memory")));
  canary.send();
  await Promise.resolve();
  clock.nowMs += 29_000;
  strictEqual(canary.trouble(), undefined);
  clock.nowMs += 31_000;
  canary.send();
  await Promise.resolve();
  match(canary.trouble()!, /for 60 s: it could not be started: no memory/);
  canary.sift([alert(CANARY_RULE, marks[1]!)]);
  strictEqual(canary.trouble(), undefined);
});
