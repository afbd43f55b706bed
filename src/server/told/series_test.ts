// Steps of the last minutes and of the last day: what each added, how many are kept, and clocks
// that come late or are set back.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { codeOf } from "../../events/table.ts";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import { Series, seriesQuery } from "./series.ts";

const CLOSE = codeOf("SYSCALL_CLOSE_X");
const OPEN = codeOf("SYSCALL_OPENAT_2_X");

class Scene {
  readonly counters = new Counters();
  alerts = 0;
  readonly series = new Series({ counters: this.counters, alerts: () => this.alerts });
  nowMs = 1_000_000;

  constructor() {
    this.series.tick(this.nowMs);
  }

  step(events: number, ms = 1_000): void {
    this.counters.add(Counter.Events, events);
    this.counters.judged[CLOSE]! += events;
    this.nowMs += ms;
    this.series.tick(this.nowMs);
  }
}

Deno.test("each second has what it added, as a rate of its own length", () => {
  const scene = new Scene();
  scene.counters.add(Counter.LostBulk, 3);
  scene.counters.lag.add(4);
  scene.alerts = 2;
  scene.step(10);
  scene.counters.lag.add(16);
  scene.step(30, 1_500);
  scene.step(0);
  const told = scene.series.answer(1);
  deepStrictEqual(told.at_ms, [1_001_000, 1_002_500, 1_003_500]);
  deepStrictEqual(told.events, [10, 20, 0]);
  deepStrictEqual([told.lost_bulk, told.alerts], [[3, 0, 0], [2, 0, 0]]);
  // A percentile is a twelfth too high at the most.
  deepStrictEqual(told.event_to_engine_p99.map((ms) => ms === null ? null : Math.floor(ms)), [
    4,
    16,
    null,
  ]);
  deepStrictEqual(told.by_type, { close: [10, 20, 0] });
});

Deno.test("minutes have what their seconds had together", () => {
  const scene = new Scene();
  for (let second = 0; second < 125; second++) scene.step(second < 60 ? 6 : 12);
  const { step_s, events } = scene.series.answer(60);
  deepStrictEqual([step_s, events], [60, [6, 12]]);
});

Deno.test("the newest steps are kept, no more", () => {
  const scene = new Scene();
  for (let second = 1; second <= 700; second++) scene.step(second);
  const { events, at_ms, by_type } = scene.series.answer(1);
  deepStrictEqual([events.length, events[0], events.at(-1)], [600, 101, 700]);
  strictEqual(at_ms.at(-1), scene.nowMs);
  strictEqual(by_type["close"]!.length, 600);
});

Deno.test("of types those with the most events are told, whatever there are besides", () => {
  const scene = new Scene();
  for (let code = 0; code < 300; code++) scene.counters.judged[code]! += 1;
  scene.counters.judged[OPEN]! += 50;
  scene.step(100);
  const { by_type } = scene.series.answer(1);
  const names = Object.keys(by_type);
  deepStrictEqual(names.slice(0, 2), ["close", "openat"]);
  ok(names.length <= 12, `${names}`);
});

Deno.test("a clock that is set back, or stood still, makes no step of its own", () => {
  const scene = new Scene();
  scene.step(5);
  scene.step(5, -100_000);
  scene.step(5, 100);
  scene.step(7, 900);
  deepStrictEqual(scene.series.answer(1).events, [5, 12]);
  scene.step(30, 60_000);
  deepStrictEqual(scene.series.answer(1).events, [5, 12, 0.5]);
});

Deno.test("a query of the series names its step", () => {
  deepStrictEqual(
    ["", "step=1", "step=60", "step="].map((text) => seriesQuery(new URLSearchParams(text))),
    [1, 1, 60, 1],
  );
  for (const text of ["step=2", "stp=1"]) {
    ok(typeof seriesQuery(new URLSearchParams(text)) === "object", text);
  }
});
