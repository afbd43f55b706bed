// The engine's loop with a scripted source, the real tables, and rules that match by event code.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Event } from "../../events/event.ts";
import { EVENTS } from "../../events/table.ts";
import { Counter } from "../contract/counters.ts";
import { ALERTS_IN_FLIGHT_MAX } from "../contract/messages.ts";

import type { PluginEvents } from "./engine_parts.ts";
import { CLOSE, close, engineOver, rulesNamed, ScriptedSource } from "./loop_fixture.ts";

Deno.test("an engine posts the alerts of a batch at once, in order", () => {
  const source = new ScriptedSource([[close(1), close(2)], [close(3)]]);
  const { engine, posts, counters } = engineOver(source);
  strictEqual(engine.run(), "ended");
  deepStrictEqual(posts.map((alerts) => alerts.map((one) => one.message)), [
    ["thread 1", "thread 2"],
    ["thread 3"],
  ]);
  deepStrictEqual(posts[1]![0], {
    hostname: "here",
    message: "thread 3",
    outputFields: [["evt.num", 3]],
    priority: 4,
    rule: "closed",
    source: "syscall",
    tags: ["t"],
    time: 1_000_000_000n,
    sequence: 3,
    degraded: false,
  });
  strictEqual(counters.get(Counter.Events), 3);
  strictEqual(counters.get(Counter.Alerts), 3);
  deepStrictEqual(engine.alertsByRule(), [["closed", 4, 3]]);
});

Deno.test("events that only keep the tables right match no rule", () => {
  const source = new ScriptedSource([[close(1, { stateOnly: true }), close(2)]]);
  const { engine, messages } = engineOver(source);
  engine.run();
  deepStrictEqual(messages(), ["thread 2"]);
});

Deno.test("records that are not sound are counted and passed over", () => {
  const source = new ScriptedSource([[close(1, { code: 9_999 }), close(2)]]);
  const { engine, messages, counters } = engineOver(source);
  engine.run();
  deepStrictEqual(messages(), ["thread 2"]);
  strictEqual(counters.get(Counter.Malformed), 1);
});

Deno.test("an event on which a rule fails is passed over, counted, and the first one told", () => {
  const source = new ScriptedSource([[close(1), close(2)], [close(3), close(4)]]);
  const { engine, messages, counters, mistakes } = engineOver(source);
  const rules = rulesNamed("fails");
  engine.setRules({
    ...rules,
    match(context, matched) {
      if (context.event.tid % 2 === 0) throw new TypeError("no such thing");
      return rules.match(context, matched);
    },
  });
  strictEqual(engine.run(), "ended");
  deepStrictEqual(messages(), ["thread 1", "thread 3"]);
  strictEqual(counters.get(Counter.Mistakes), 2);
  strictEqual(counters.get(Counter.Events), 4);
  deepStrictEqual(mistakes, [
    `Event 2 (code ${CLOSE}) was passed over, by a mistake in saker: TypeError: no such thing`,
  ]);
});

Deno.test("a snapshot is loaded at the start and wherever the source has another one", () => {
  const source = new ScriptedSource([[close(1)], "snapshot", [close(2)]]);
  const { engine, messages } = engineOver(source);
  engine.loadSnapshot();
  engine.run();
  strictEqual(source.snapshots, 2);
  deepStrictEqual(messages(), ["thread 1", "thread 2"]);
});

Deno.test("an engine that has nothing to do waits, with its heartbeat going on", () => {
  const source = new ScriptedSource([() => clock.nowMs = 20_000, () => {}, [close(1)]]);
  const { engine, counters, clock } = engineOver(source);
  engine.run();
  strictEqual(source.waits, 2);
  strictEqual(counters.get(Counter.HeartbeatMs), 20_000);
  strictEqual(counters.get(Counter.LastEventMs), 20_000);
});

Deno.test("an engine comes back when it is asked to stop or has a message, and goes on", () => {
  const source = new ScriptedSource([
    () => counters.announceMessage(),
    [close(1)],
    () => counters.stop(),
    [close(2)],
  ]);
  const { engine, counters, messages } = engineOver(source);
  strictEqual(engine.run(), "message");
  engine.setRules(rulesNamed("other"));
  strictEqual(engine.run(), "stopped");
  deepStrictEqual(messages(), ["thread 1"]);
  deepStrictEqual(engine.alertsByRule(), [["other", 4, 1]]);
});

Deno.test("counts of a rule go on when the rules are exchanged for ones with the same name", () => {
  const source = new ScriptedSource([[close(1)], () => counters.announceMessage(), [close(2)]]);
  const { engine, counters } = engineOver(source);
  engine.run();
  engine.setRules(rulesNamed("closed"));
  engine.run();
  deepStrictEqual(engine.alertsByRule(), [["closed", 4, 2]]);
});

Deno.test("alerts that the main thread is too slow for are dropped and counted", () => {
  const flood = Array.from({ length: ALERTS_IN_FLIGHT_MAX + 100 }, (_, tid) => close(tid));
  const { engine, counters, posts } = engineOver(new ScriptedSource(batches(flood)));
  engine.run();
  const posted = posts.flat().length;
  strictEqual(counters.get(Counter.AlertsDropped), flood.length - posted);
  ok(posted >= ALERTS_IN_FLIGHT_MAX && posted < flood.length, String(posted));
  strictEqual(counters.get(Counter.Alerts), flood.length);
});

Deno.test("a patient engine waits for the main thread and drops no alert", () => {
  const flood = Array.from({ length: 2 * ALERTS_IN_FLIGHT_MAX }, (_, tid) => close(tid));
  const { engine, counters, posts, clock } = engineOver(new ScriptedSource(batches(flood)), {
    patient: true,
  });
  // The main thread, which takes what was posted whenever the engine looks at the clock.
  Object.defineProperty(clock, "nowMs", {
    get(): number {
      counters.take(posts.flat().length - counters.get(Counter.AlertsTaken));
      return 10_000;
    },
  });
  strictEqual(engine.run(), "ended");
  strictEqual(posts.flat().length, flood.length);
  strictEqual(counters.get(Counter.AlertsDropped), 0);
});

Deno.test("a loss degrades the alerts right behind it and is told by an alert", () => {
  const source = new ScriptedSource([
    [close(1)],
    () => {
      source.lost = [1, 4];
      clock.nowMs += 100;
    },
    [close(2)],
    () => clock.nowMs += 1_000,
    [close(3)],
  ]);
  const { engine, clock, posts, counters } = engineOver(source);
  engine.run();
  const told = posts.flat().map(({ rule, degraded }) => `${rule}: ${degraded}`);
  deepStrictEqual(told, [
    "closed: false",
    "closed: true",
    "Falco internal: syscall event drop: true",
    "closed: true",
  ]);
  strictEqual(counters.get(Counter.LostBulk), 4);
  strictEqual(counters.get(Counter.LostCritical), 1);
  const fields = Object.fromEntries(posts.flat()[2]!.outputFields);
  deepStrictEqual([fields["n_drops"], fields["n_evts"]], ["5", "2"]);
});

Deno.test("a loss of one process over its share is told by name, with the drop alert", () => {
  const source = new ScriptedSource([[close(1)], () => {
    source.lost = [9, 0];
    source.excess = [{ pid: 42, name: "flood", lost: 8 }];
    clock.nowMs += 1_000;
  }, [close(2)]]);
  const { engine, clock, posts, counters, losses } = engineOver(source);
  engine.run();
  const alert = posts.flat().find(({ rule }) => rule.startsWith("Falco internal"))!;
  strictEqual(Object.fromEntries(alert.outputFields)["over_share"], "flood[42]: 8");
  strictEqual(counters.get(Counter.OverShare), 8);
  deepStrictEqual(losses, []);
});

Deno.test("a loss of one process below the alert's threshold is told by a line", () => {
  const source = new ScriptedSource([[close(1)], () => {
    source.lost = [1, 0];
    source.excess = [{ pid: 42, name: "flood", lost: 1 }];
    clock.nowMs += 1_000;
  }, [close(2)]]);
  const { engine, clock, losses } = engineOver(source, {
    drops: { threshold: 0.9, rate: 1, burst: 1, alert: true, exit: false },
  });
  engine.run();
  deepStrictEqual(losses, ["Events lost over a process's share of the ring: flood[42]: 1"]);
});

Deno.test("a loss is told by a line where the configuration says log", () => {
  const source = new ScriptedSource([[close(1)], () => {
    source.lost = [9, 0];
    clock.nowMs += 1_000;
  }, [close(2)]]);
  const { engine, clock, losses, posts } = engineOver(source, {
    drops: { threshold: 0.1, rate: 1, burst: 1, log: true, alert: false, exit: false },
  });
  engine.run();
  deepStrictEqual(losses, [
    "Falco internal: syscall event drop. 9 system calls dropped in last second.",
  ]);
  strictEqual(posts.flat().some(({ rule }) => rule.startsWith("Falco internal")), false);
});

Deno.test("a loss ends the run where the configuration says exit", () => {
  const source = new ScriptedSource([[close(1)], () => {
    source.lost = [9, 0];
    clock.nowMs += 1_000;
  }, [close(2)]]);
  const { engine, clock } = engineOver(source, {
    drops: { threshold: 0.1, rate: 1, burst: 1, alert: false, exit: true },
  });
  strictEqual(engine.run(), "lossy");
});

Deno.test("a limit of seconds ends the run by the events' own time", () => {
  const events = [1, 2, 3, 4, 5].map((second) => close(second, { second }));
  const { engine, messages } = engineOver(new ScriptedSource([events]), {
    seconds: 2,
    patient: true,
  });
  strictEqual(engine.run(), "ended");
  deepStrictEqual(messages(), ["thread 1", "thread 2", "thread 3"]);
});

Deno.test("a silent source is ended by the wall clock", () => {
  const silence = Array.from({ length: 10 }, () => () => void (clock.nowMs += 500));
  const { engine, clock } = engineOver(new ScriptedSource([...silence, [close(1)]]), {
    seconds: 2,
  });
  strictEqual(engine.run(), "ended");
  ok(clock.nowMs < 13_000, String(clock.nowMs));
});

Deno.test("programs, wanted and attached, are told to the main thread", () => {
  const { engine, counters } = engineOver(new ScriptedSource([]));
  engine.run();
  strictEqual(counters.get(Counter.ProgramsDetached), 1);
  strictEqual(counters.get(Counter.ProgramsWanted), 3);
});

Deno.test("only a look that finds nothing in the rings counts as one", () => {
  const looks: number[] = [];
  const look = () => looks.push(counters.get(Counter.EmptyMs));
  const later = () => clock.nowMs += 1_000;
  const script = [later, [close(1)], [close(2)], look, later, look];
  const { engine, counters, clock } = engineOver(new ScriptedSource(script));
  engine.run();
  // Each sees what the looks before it left: the batches left nothing.
  deepStrictEqual(looks, [10_000, 11_000]);
  strictEqual(counters.get(Counter.EmptyMs), 12_000);
});

Deno.test("a live source whose read left room is waited for, and nothing is missed", () => {
  const looks: number[] = [];
  const look = () => looks.push(counters.get(Counter.EmptyMs));
  const later = () => clock.nowMs += 1_000;
  const source = new ScriptedSource([later, [close(1)], look, later, [close(2)], [close(3)]]);
  Object.assign(source, { readsAll: true });
  const { engine, counters, clock, messages } = engineOver(source);
  strictEqual(engine.run(), "ended");
  // Behind each batch as behind each look that found nothing.
  strictEqual(source.waits, 6);
  deepStrictEqual(looks, [11_000]);
  deepStrictEqual(messages(), ["thread 1", "thread 2", "thread 3"]);
});

Deno.test("a live source whose read filled its buffer is read again at once", () => {
  const many = Array.from({ length: 10_000 }, (_, at) => close(at + 1));
  const source = new ScriptedSource([many, [close(1)]]);
  Object.assign(source, { readsAll: true });
  const { engine } = engineOver(source);
  strictEqual(engine.run(), "ended");
  strictEqual(source.waits, 1);
});

Deno.test("an idle engine sleeps until its numbers are due where its source looks at bells", () => {
  const idle = (script: { looksAtBells?: boolean }, plugins?: PluginEvents) => {
    const later = () => clock.nowMs += 300;
    const source = new ScriptedSource([later, later, () => clock.nowMs += 500, later]);
    Object.assign(source, script);
    const { engine, clock } = engineOver(source, {}, undefined, plugins);
    engine.run();
    return source.waitedMs;
  };
  const plugins = { wanted: new Uint8Array(EVENTS.length), parse() {}, take: () => undefined };
  deepStrictEqual(idle({ looksAtBells: true }), [1_000, 700, 400, 1_000]);
  deepStrictEqual(idle({}), [100, 100, 100, 100]);
  deepStrictEqual(idle({ looksAtBells: true }, plugins), [100, 100, 100, 100]);
});

/** Cut into batches that fit the engine's buffer. */
function batches(blocks: readonly Uint8Array[]): Uint8Array[][] {
  const cut: Uint8Array[][] = [];
  for (let at = 0; at < blocks.length; at += 1_000) cut.push(blocks.slice(at, at + 1_000));
  return cut;
}

Deno.test("plugins parse what they want, and what they send comes between batches", () => {
  const parsed: number[] = [];
  const sent = [close(30)];
  const plugins = {
    wanted: Uint8Array.from({ length: EVENTS.length }, (_, code) => code === CLOSE ? 1 : 0),
    parse: (event: Event) => parsed.push(event.tid),
    take: () => sent.shift(),
  };
  const other = close(11, { code: CLOSE - 1 });
  const source = new ScriptedSource([[close(10), other], [close(12)]]);
  const { engine, messages } = engineOver(source, {}, undefined, plugins);
  engine.loadSnapshot();
  strictEqual(engine.run(), "ended");
  deepStrictEqual(parsed, [30, 10, 12]);
  deepStrictEqual(messages(), ["thread 30", "thread 10", "thread 12"]);
});
