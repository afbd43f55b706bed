// Blind or busy, from counters alone; what the clock says is an argument.
import { strictEqual } from "node:assert";
import { Counter, Counters } from "../engine/contract/counters.ts";
import { forksSinceBoot, Sight } from "./sight.ts";

/** An engine that was started, a machine that starts processes, and the seconds that pass. */
class Scene {
  readonly counters = new Counters();
  forks: number | undefined = 1_000;
  readonly sight = new Sight({ counters: this.counters, countForks: () => this.forks });

  constructor() {
    this.counters.set(Counter.StartedMs, 1_000);
    this.counters.set(Counter.Events, 100);
  }

  /** The engine comes round, with nothing to read. */
  idle(second: number): void {
    this.counters.set(Counter.HeartbeatMs, second * 1_000 - 50);
    this.counters.set(Counter.EmptyMs, second * 1_000 - 50);
  }

  /** A second in which so many processes start; what is said at its end. */
  second(at: number, starts: number): string | undefined {
    if (this.forks !== undefined) this.forks += starts;
    this.sight.tick(at * 1_000);
    return this.sight.blindness();
  }

  idleSecond(at: number, starts: number): string | undefined {
    this.idle(at);
    return this.second(at, starts);
  }
}

const UNSEEN = "no event came while this machine started 16 processes";

Deno.test("processes that start without an event are told until an event comes", () => {
  const scene = new Scene();
  strictEqual(scene.idleSecond(10, 0), undefined);
  strictEqual(scene.idleSecond(11, 500), undefined);
  strictEqual(scene.idleSecond(12, 15), undefined);
  strictEqual(scene.idleSecond(13, 1), undefined);
  strictEqual(scene.idleSecond(14, 0), UNSEEN);
  strictEqual(scene.idleSecond(60, 0), UNSEEN);
  scene.counters.add(Counter.Events, 1);
  strictEqual(scene.sight.blindness(), undefined);
  strictEqual(scene.idleSecond(61, 0), undefined);
});

Deno.test("an engine that has not come to look yet is busy, however many processes start", () => {
  const scene = new Scene();
  scene.idleSecond(10, 0);
  scene.idleSecond(11, 0);
  // It works at one batch, or waits for the processor; the rings fill meanwhile.
  for (let at = 12; at < 16; at++) {
    scene.counters.set(Counter.HeartbeatMs, at * 1_000);
    strictEqual(scene.second(at, 500), undefined);
  }
  scene.counters.add(Counter.Events, 4_000);
  strictEqual(scene.second(16, 500), undefined);
});

Deno.test("starts that the engine has looked for since are told, also after it was busy", () => {
  const scene = new Scene();
  scene.idleSecond(10, 0);
  scene.idleSecond(11, 0);
  strictEqual(scene.second(12, 8), undefined);
  strictEqual(scene.second(13, 8), undefined);
  strictEqual(scene.idleSecond(14, 0), undefined);
  strictEqual(scene.idleSecond(15, 0), UNSEEN);
});

Deno.test("what the machine does while saker starts is held against nobody", () => {
  const scene = new Scene();
  scene.counters.set(Counter.StartedMs, 0);
  scene.counters.set(Counter.Events, 0);
  for (let at = 1; at < 30; at++) strictEqual(scene.second(at, 1_000), undefined);
  scene.counters.set(Counter.StartedMs, 30_000);
  // The rings hold what happened; the engine settles before it first looks.
  for (let at = 30; at < 34; at++) strictEqual(scene.second(at, 1_000), undefined);
  scene.counters.set(Counter.HeartbeatMs, 34_000);
  strictEqual(scene.second(34, 1_000), undefined);
});

Deno.test("a few starts now and then on a silent machine are no blindness", () => {
  const scene = new Scene();
  for (let at = 10; at < 200; at++) strictEqual(scene.idleSecond(at, 1), undefined);
});

Deno.test("a clock that is set back hides no blindness for longer than a window", () => {
  const scene = new Scene();
  scene.idleSecond(5_000, 0);
  scene.idleSecond(5_001, 0);
  for (let at = 10; at < 14; at++) scene.idleSecond(at, 8);
  strictEqual(scene.idleSecond(14, 0), "no event came while this machine started 24 processes");
});

Deno.test("a machine that does not count its forks gives no verdict from them", () => {
  const scene = new Scene();
  scene.forks = undefined;
  for (let at = 1; at < 20; at++) strictEqual(scene.idleSecond(at, 0), undefined);
  strictEqual(forksSinceBoot("/nowhere"), undefined);
});

Deno.test("the kernel counts its forks in /proc/stat", () => {
  strictEqual(typeof forksSinceBoot(""), "number");
});

Deno.test("an engine that does not move is told with how long, until it moves", () => {
  const scene = new Scene();
  scene.idleSecond(10, 0);
  for (let at = 11; at <= 15; at++) strictEqual(scene.second(at, 0), undefined);
  strictEqual(scene.second(16, 0), "the engine has not moved for 6 s");
  scene.idle(17);
  strictEqual(scene.sight.blindness(), undefined);
});

Deno.test("a machine that stood still as a whole is given no verdict", () => {
  const scene = new Scene();
  scene.idleSecond(10, 0);
  // Stopped and continued, or suspended: the clock went on without either thread.
  strictEqual(scene.second(3_000, 0), undefined);
  scene.idle(3_001);
  strictEqual(scene.second(3_001, 0), undefined);
});
