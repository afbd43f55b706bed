// The engine's loop with somebody who writes what passes.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Tap } from "../captures/tap.ts";

import { close, engineOver, ScriptedSource } from "./loop_fixture.ts";

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
