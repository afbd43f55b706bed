// The engine's loop with a scripted source, the real tables, and rules that match by event code.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { BLOCK_EVENT, BLOCK_EVENT_FLAGS } from "../events/blocks.ts";
import { Event } from "../events/event.ts";
import { type EventSource, NEW_SNAPSHOT, type SourceStats } from "../events/source.ts";
import { codeOf, EVENTS } from "../events/table.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import { Context } from "../state/context.ts";
import { createMachine } from "../state/create_machine.ts";
import type { Alert } from "./alert.ts";
import { Counter, Counters } from "./counters.ts";
import { Engine, type EngineOptions } from "./loop.ts";
import { ALERTS_IN_FLIGHT_MAX } from "./messages.ts";
import type { Tap, TapHost } from "./tap.ts";

const CLOSE = codeOf("SYSCALL_CLOSE_X");
const MACHINE_INFO = 0x201;

/** A block with a close event (result, descriptor) of the thread at so many seconds. */
function close(tid: number, { second = 1, stateOnly = false, code = CLOSE } = {}): Uint8Array {
  const head = stateOnly ? 14 : 10;
  const length = head + 26 + 4 + 16 + 4;
  const block = new Uint8Array(length);
  const view = new DataView(block.buffer);
  view.setUint32(0, stateOnly ? BLOCK_EVENT_FLAGS : BLOCK_EVENT, true);
  view.setUint32(4, length, true);
  if (stateOnly) view.setUint32(10, 1, true);
  view.setBigUint64(head, BigInt(second) * 1_000_000_000n, true);
  view.setBigUint64(head + 8, BigInt(tid), true);
  view.setUint32(head + 16, 26 + 4 + 16, true);
  view.setUint16(head + 20, code, true);
  view.setUint32(head + 22, 2, true);
  view.setUint16(head + 26, 8, true);
  view.setUint16(head + 28, 8, true);
  return block;
}

function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

type Batch = readonly Uint8Array[] | "snapshot" | (() => void);

/** Gives the batches one after the other, then ends; a function runs in place of a batch. */
class ScriptedSource implements EventSource {
  readonly name = "scripted";
  readonly source = "syscall";
  readonly #batches: Batch[];
  lost: [number, number] = [0, 0];
  snapshots = 0;
  waits = 0;

  constructor(batches: readonly Batch[]) {
    this.#batches = [...batches];
  }

  read(buffer: Uint8Array): number {
    const batch = this.#batches.shift();
    if (batch === undefined) return -1;
    if (batch === "snapshot") return NEW_SNAPSHOT;
    if (typeof batch === "function") {
      batch();
      return 0;
    }
    const bytes = joined(batch);
    buffer.set(bytes);
    return bytes.length;
  }

  wait(): void {
    this.waits++;
  }

  stats(): SourceStats {
    return { events: 0, lost: [...this.lost], truncated: 0, programs: 2 };
  }

  snapshot(): Uint8Array {
    this.snapshots++;
    const block = new Uint8Array(16);
    const view = new DataView(block.buffer);
    view.setUint32(0, MACHINE_INFO, true);
    view.setUint32(4, 16, true);
    return block;
  }

  setInterest(): void {}
  close(): void {}
}

/** One rule that matches each close event. */
function rulesNamed(name: string): RuleSet {
  return {
    rules: [{
      index: 0,
      name,
      priority: 4,
      tags: ["t"],
      source: "syscall",
      capture: false,
      captureDurationMs: 0,
      render: (context) => ({
        message: `thread ${context.event.tid}`,
        fields: [["evt.num", context.event.num]],
      }),
    }],
    wanted: Uint8Array.from(EVENTS, (event) => event.code === CLOSE ? 1 : 0),
    eventNames: new Set(["close"]),
    match(_context, matched) {
      matched[0] = 0;
      return 1;
    },
  } as RuleSet;
}

function engineOver(
  source: ScriptedSource,
  changes: Partial<EngineOptions> = {},
  tap?: (host: TapHost) => Tap,
) {
  const counters = new Counters();
  const posts: (readonly Alert[])[] = [];
  const clock = { nowMs: 10_000 };
  const mistakes: string[] = [];
  const machine = createMachine({
    paths: "caller",
    threadsMax: 100,
    fdsMax: 100,
    hostname: "here",
  });
  const engine = new Engine({
    source,
    machine,
    context: new Context(machine, new Event()),
    rules: rulesNamed("closed"),
    counters,
    post: (alerts) => posts.push(alerts),
    onMistake: (line) => mistakes.push(line),
    clock: () => clock.nowMs,
    ...(tap === undefined ? {} : { tap }),
    options: {
      drops: { threshold: 0.1, rate: 1, burst: 1, alert: true, exit: false },
      patient: false,
      seconds: undefined,
      programsWanted: () => 3,
      ...changes,
    },
  });
  return {
    engine,
    counters,
    posts,
    clock,
    mistakes,
    messages: () => posts.flat().map((one) => one.message),
  };
}

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
  strictEqual(counters.get(Counter.Programs), 2);
  strictEqual(counters.get(Counter.ProgramsWanted), 3);
});

/** Cut into batches that fit the engine's buffer. */
function batches(blocks: readonly Uint8Array[]): Uint8Array[][] {
  const cut: Uint8Array[][] = [];
  for (let at = 0; at < blocks.length; at += 1_000) cut.push(blocks.slice(at, at + 1_000));
  return cut;
}

Deno.test("a tap is told of batches and matches, and may end the run", () => {
  const told: string[] = [];
  const tap: Tap = {
    begin: (_bytes, length) => told.push(`begin ${length}`),
    matched: (rule) => told.push(`matched ${rule.name}`),
    end(length) {
      told.push(`end ${length}`);
      return told.length > 6;
    },
    section: () => told.push("section"),
    idle: () => told.push("idle"),
    close: () => told.push("close"),
  };
  const block = close(7);
  const source = new ScriptedSource([
    [block],
    () => {},
    "snapshot",
    [block, close(8, { stateOnly: true })],
    [block],
  ]);
  const { engine } = engineOver(source, {}, () => tap);
  engine.loadSnapshot();
  strictEqual(engine.run(), "ended");
  engine.closeTap();
  const two = block.length + close(8, { stateOnly: true }).length;
  deepStrictEqual(told, [
    ...[`begin ${block.length}`, "matched closed", `end ${block.length}`, "idle", "section"],
    ...[`begin ${two}`, "matched closed", `end ${two}`, "close"],
  ]);
});

Deno.test("a tap takes a batch as far as the run's time goes", () => {
  const ends: number[] = [];
  const tap = {
    ...{ begin() {}, matched() {}, section() {}, idle() {}, close() {} },
    end(length: number): boolean {
      ends.push(length);
      return false;
    },
  };
  const first = close(7, { second: 1 });
  const source = new ScriptedSource([[first, close(7, { second: 9 })]]);
  const { engine } = engineOver(source, { seconds: 3, patient: true }, () => tap);
  strictEqual(engine.run(), "ended");
  deepStrictEqual(ends, [first.length]);
});

Deno.test("an alert of a tap is an internal one", () => {
  const source = new ScriptedSource([]);
  const { engine, posts } = engineOver(source, {}, (host) => ({
    ...{ begin() {}, matched() {}, section() {}, idle() {}, end: () => false },
    close: () => host.alert({ rule: "r", message: "m", outputFields: [["a", 1]], priority: 6 }),
  }));
  engine.closeTap();
  const [alert] = posts[0]!;
  deepStrictEqual([alert!.rule, alert!.source, alert!.tags, alert!.priority], [
    ...["r", "internal", undefined, 6],
  ]);
});
