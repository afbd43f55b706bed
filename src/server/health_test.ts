// The verdict of the health endpoint from counters alone: seeing, starting, and every blindness.
import { codeOf } from "../events/table.ts";
import { deepStrictEqual, strictEqual } from "node:assert";
import { Counter, Counters } from "../engine/contract/counters.ts";
import { Health } from "./health.ts";

function healthy(forks: () => number | undefined = () => 0) {
  const counters = new Counters();
  counters.set(Counter.PassedOver, 7);
  counters.passedOver[codeOf("SYSCALL_CLOSE_X")] = 7;
  counters.set(Counter.StartedMs, 1_000);
  counters.set(Counter.HeartbeatMs, 10_000);
  counters.set(Counter.ProgramsWanted, 5);
  counters.set(Counter.Events, 100);
  counters.set(Counter.LastEventMs, 9_000);
  return { counters, health: new Health({ counters, driver: "test", countForks: forks }) };
}

Deno.test("a saker that sees is ok and tells what that rests on", () => {
  const { counters, health } = healthy();
  counters.set(Counter.Rules, 7);
  counters.set(Counter.LostBulk, 2);
  counters.set(Counter.LostCritical, 3);
  counters.set(Counter.OverShare, 1);
  counters.set(Counter.NamesLookedUp, 9);
  counters.set(Counter.NamesUnknown, 4);
  deepStrictEqual(health.report(10_500), {
    status: "ok",
    driver: "test",
    programs: { attached: 5, wanted: 5, refused: [] },
    events: 100,
    last_event_age_s: 1.5,
    lost: { critical: 3, bulk: 2, over_share: 1, by_event: {}, not_shown: 0 },
    passed_over: { events: 7, by_type: { close: 7 } },
    truncated: 0,
    names: { looked_up: 9, unknown: 4, files_of_rules: 0 },
    rules: 7,
    dead_rules: [],
    blank_outputs: [],
    alerts: 0,
    alerts_dropped: 0,
    outputs: [],
    threads: 0,
    mistakes: 0,
    refused: {
      threads: 0,
      descriptors: 0,
      users: 0,
      containers: 0,
      look_ups: 0,
      interfaces: 0,
      entries: 0,
      program_sums: 0,
      ancestors: 0,
      arguments: 0,
      files_of_rules: 0,
    },
    captures: {
      started: 0,
      failed: 0,
      events_lost: 0,
      waiting_bytes: 0,
      ring_bytes: 0,
      ring_overflows: 0,
    },
    uptime_s: 9.5,
  });
});

Deno.test("rules that cannot match are told with the reason, and are no blindness", () => {
  const { counters } = healthy();
  const dead = [{ rule: "A", reason: "mprotect comes live without parameters" }];
  const blank = [{ rule: "B", reason: "mmap comes live without parameters" }];
  const deadRules = () => [...blank.map((one) => ({ ...one, onlyOutput: true })), ...dead];
  const options = { counters, driver: "test", countForks: () => 0, deadRules };
  const { status, dead_rules, blank_outputs } = new Health(options).report(10_500);
  deepStrictEqual([status, dead_rules, blank_outputs], ["ok", dead, blank]);
});

Deno.test("a saker that has not begun is starting, not blind", () => {
  const health = new Health({ counters: new Counters(), driver: "test", countForks: () => 0 });
  strictEqual(health.report(1).status, "starting");
});

Deno.test("a detached program is told with its number", () => {
  const { counters, health } = healthy();
  counters.set(Counter.ProgramsDetached, 2);
  strictEqual(health.report(10_000).reason, "2 of 5 probe programs are detached");
});

Deno.test("a saker that lost many events, at its start too, is degraded and says how many", () => {
  const { counters, health } = healthy();
  counters.set(Counter.LostCritical, 500_000);
  counters.set(Counter.DropsDetected, 1);
  health.tick(10_400);
  const { status, reason } = health.report(10_500);
  deepStrictEqual([status, reason], ["degraded", "500000 events were lost, last 0 s ago"]);
});
