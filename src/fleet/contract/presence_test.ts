import { deepStrictEqual, strictEqual } from "node:assert";
import { parsePresence, type Presence } from "./presence.ts";

const PRESENCE: Presence = {
  host: "web.1",
  version: "0.1.0",
  state: "stopped",
  started: "2026-11-27T09:00:00.000Z",
  at: "2026-11-27T10:00:00.000Z",
  every: 30,
  engine: { kind: "modern_ebpf" },
  rules: {
    sum: "ab",
    count: 3,
    rollout: { name: "r", serial: 4 },
    refused: { serial: 5, why: "stale" },
  },
  config: { rollout: null, refused: { serial: 2, why: "bad" } },
  events: { seen: 7, lost: 1, kept_back: 2 },
  alerts: { total: 2, by_priority: { error: 2 }, by_rule: { "A rule": 2 } },
  outputs: [{ name: "nats", state: "well", waiting: 0, dropped: 0 }],
  cpu_percent: 1.5,
  memory_bytes: null,
};

Deno.test("a presence is read as it was written", () => {
  deepStrictEqual(parsePresence(JSON.stringify(PRESENCE)), PRESENCE);
});

Deno.test("anything else is nothing, or what of it can be used", () => {
  const useless = ["", "[]", "null", "1", "{", "{}", '{"host": 1}', '{"host": "a", "at": "x"}'];
  for (const text of useless) strictEqual(parsePresence(text), undefined, text);
  const odd = parsePresence(JSON.stringify({
    ...PRESENCE,
    every: "30",
    rules: [],
    config: [],
    events: null,
    alerts: { by_rule: { a: -1 }, by_priority: 3 },
    outputs: [null, 1, {}],
  }))!;
  strictEqual(odd.every, 0);
  deepStrictEqual(odd.rules, { sum: "", count: 0, rollout: null, refused: null });
  strictEqual(odd.config, null);
  deepStrictEqual(odd.alerts, { total: 0, by_priority: {}, by_rule: { a: 0 } });
  strictEqual(odd.outputs.length, 3);
  strictEqual(parsePresence(JSON.stringify({ ...PRESENCE, host: "x".repeat(70_000) })), undefined);
});
