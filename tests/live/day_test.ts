// A day of a service in a minute: reloads, outputs exchanged, a receiver that refuses or is gone.
// The long run is `scripts/bench service`.
import { type Held, liveDay } from "../../scripts/service_bench/day.ts";
import { assert, assertEquals } from "./expect.ts";
import { SAKER } from "./saker.ts";
import { has, isFile, isRoot, Place } from "./trigger.ts";

/** What differs by what is under way: a connection, a file that is just open. */
const SLACK = 4;

Deno.test({
  name: "a day in short: no alert is lost, no descriptor, thread or file is left",
  ignore: !isRoot() || !has("python3") || !isFile(SAKER),
  async fn() {
    await using place = new Place();
    const held: Held[] = [];
    const { missing, created, unwell, complaints } = await liveDay(place, {
      binary: SAKER,
      minutes: 6,
      minuteMs: 3_000,
      rules: [],
      onMinute: (_minute, now) => held.push(now),
    });
    // By then every thread that a watch has is there: they come when they are first needed.
    const [settled, last] = [held[2]!, held.at(-1)!];
    assert(created > 0);
    assertEquals({ unwell, complaints }, { unwell: [], complaints: [] });
    // What a machine that is beyond its limits lost before it was an alert is told as lost.
    for (const numbers of [missing.file, missing.http]) {
      assert(
        numbers.length <= last.lost,
        `${last.lost} events are lost, but ${numbers} are missing`,
      );
    }
    assertEquals([last.reloads, last.refusals, last.files], [6, 1, 0]);
    for (const name of ["descriptors", "threads"] as const) {
      assert(last[name] <= settled[name] + SLACK, `${name}: ${held.map((now) => now[name])}`);
    }
  },
});
