import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { EVENT_LOOP, Paced } from "./paced.ts";

/** A clock that a message moves by so much, and turns that end when the test says so. */
class Loop {
  nowMs = 0;
  readonly #begun: (() => void)[] = [];

  readonly clock = () => this.nowMs;
  readonly turn = () => new Promise<void>((resolve) => this.#begun.push(resolve));

  get waits(): boolean {
    return this.#begun.length > 0;
  }

  /** Ends the turn that is waited for. */
  async pass(): Promise<void> {
    this.#begun.shift()!();
    for (let hop = 0; hop < 5; hop++) await Promise.resolve();
  }
}

function pacedBy(loop: Loop, messageMs: number): { paced: Paced<number>; seen: number[] } {
  const seen: number[] = [];
  const paced = new Paced((message: number) => {
    seen.push(message);
    loop.nowMs += messageMs;
  }, loop);
  return { paced, seen };
}

Deno.test("messages that come together are taken in order, a portion a turn", async () => {
  const loop = new Loop();
  const { paced, seen } = pacedBy(loop, 3);
  for (let message = 1; message <= 6; message++) paced.add(message);
  deepStrictEqual(seen, [1]);
  await loop.pass();
  deepStrictEqual(seen, [1, 2, 3]);
  paced.add(7);
  await loop.pass();
  deepStrictEqual(seen, [1, 2, 3, 4, 5]);
  await loop.pass();
  deepStrictEqual(seen, [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("messages that take longer than a portion have a turn each", async () => {
  const loop = new Loop();
  const { paced, seen } = pacedBy(loop, 1_000);
  for (let message = 1; message <= 3; message++) paced.add(message);
  for (let turns = 1; loop.waits && turns <= 3; turns++) {
    strictEqual(seen.length, turns);
    await loop.pass();
  }
  deepStrictEqual(seen, [1, 2, 3]);
});

Deno.test("`taken` settles once all was taken, and what comes later is taken at once", async () => {
  const loop = new Loop();
  const { paced, seen } = pacedBy(loop, 10);
  paced.add(1);
  paced.add(2);
  let isTaken = false;
  const taken = paced.taken.then(() => isTaken = true);
  await loop.pass();
  strictEqual(isTaken, false);
  while (loop.waits) await loop.pass();
  await taken;
  deepStrictEqual(seen, [1, 2]);
  paced.add(3);
  deepStrictEqual(seen, [1, 2, 3]);
});

Deno.test("what was due before gets its turn before the second portion", async () => {
  let nowMs = 0;
  const order: string[] = [];
  const paced = new Paced((message: string) => {
    order.push(message);
    nowMs += 10;
  }, { ...EVENT_LOOP, clock: () => nowMs });
  setTimeout(() => order.push("timer"), 0);
  paced.add("first");
  paced.add("second");
  await paced.taken;
  deepStrictEqual(order, ["first", "timer", "second"]);
});

Deno.test("a message that fails is told as a mistake, and the next are taken", async () => {
  const loop = new Loop();
  const seen: number[] = [];
  const told: unknown[] = [];
  const paced = new Paced((message: number) => {
    if (message === 2) throw new Error("unreadable");
    seen.push(message);
  }, loop);
  const listen = (event: ErrorEvent) => {
    event.preventDefault();
    told.push((event.error as Error).message);
  };
  addEventListener("error", listen);
  for (let message = 1; message <= 3; message++) paced.add(message);
  while (loop.waits) await loop.pass();
  removeEventListener("error", listen);
  deepStrictEqual(seen, [1, 3]);
  deepStrictEqual(told, ["unreadable"]);
});
