// The memory that both threads share: numbers, and the flags that one thread waits for.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Counter, Counters } from "./counters.ts";

Deno.test("two views of the same memory see the same numbers", () => {
  const one = new Counters();
  const other = new Counters(one.buffer);
  one.set(Counter.Events, 5);
  one.add(Counter.Events, 2);
  strictEqual(other.get(Counter.Events), 7);
});

Deno.test("every number has a place of its own", () => {
  const places = Object.values(Counter);
  deepStrictEqual([...places].sort((a, b) => a - b), places.map((_, at) => at));
});

Deno.test("each message that is announced is taken once", () => {
  const counters = new Counters();
  strictEqual(counters.takeMessage(), false);
  counters.announceMessage();
  counters.announceMessage();
  strictEqual(counters.takeMessage(), true);
  strictEqual(counters.takeMessage(), true);
  strictEqual(counters.takeMessage(), false);
});

Deno.test("a stop, a message and news ring a bell, what the main thread takes does not", () => {
  const rung = (act: (counters: Counters) => void) => {
    const counters = new Counters();
    act(counters);
    return counters.bells.some((bell) => bell !== 0);
  };
  strictEqual(rung(() => {}), false);
  strictEqual(rung((counters) => counters.take(1)), false);
  strictEqual(rung((counters) => counters.stop()), true);
  strictEqual(rung((counters) => counters.announceMessage()), true);
  strictEqual(rung((counters) => counters.news[0] = 1), true);
  strictEqual(rung((counters) => counters.clusterNews[0] = 1), true);
  const taken = (counters: Counters) => (counters.announceMessage(), counters.takeMessage());
  strictEqual(rung(taken), false);
});

Deno.test("an engine that waits for the main thread is woken by what it takes", async () => {
  const counters = new Counters();
  counters.add(Counter.AlertsPosted, 1);
  const code = `self.onmessage = async ({ data }) => {
    const { Counters } = await import(${JSON.stringify(import.meta.resolve("./counters.ts"))});
    self.postMessage("waits");
    new Counters(data).waitForMain(60_000);
    self.postMessage("woken");
  };`;
  const worker = new Worker(URL.createObjectURL(new Blob([code])), { type: "module" });
  const said: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }) => {
    said.push(data);
    if (data === "waits") counters.take(1);
    else resolve();
  };
  worker.postMessage(counters.buffer);
  await promise;
  worker.terminate();
  deepStrictEqual(said, ["waits", "woken"]);
});

Deno.test("nothing is waited for where the main thread has taken everything", () => {
  const counters = new Counters();
  const startedMs = performance.now();
  counters.waitForMain(60_000);
  ok(performance.now() - startedMs < 30_000);
});
