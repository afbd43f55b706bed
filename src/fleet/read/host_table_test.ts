import { deepStrictEqual, strictEqual } from "node:assert";
import type { Presence } from "../contract/presence.ts";
import { type HostsWanted, HostTable } from "./host_table.ts";

const T0 = 1_764_000_000_000;

function presenceOf(host: string, more: Partial<Presence> = {}): Presence {
  return {
    host,
    version: "0.1.0",
    state: "running",
    started: "2026-11-27T09:00:00Z",
    at: "2026-11-27T10:00:00Z",
    every: 10,
    engine: { kind: "modern_ebpf" },
    rules: { sum: "ab", count: 3, rollout: null, refused: null },
    config: null,
    events: { seen: 1, lost: 0, kept_back: 0 },
    alerts: { total: 0, by_priority: {}, by_rule: {} },
    outputs: [],
    cpu_percent: 1,
    memory_bytes: 1,
    ...more,
  };
}

const ALL: HostsWanted = { search: "", state: undefined, rules: "", version: "", sort: "state" };

function names(table: HostTable, search = "", skip = 0, limit = 10): string[] {
  return table.list({ ...ALL, search }, { skip, limit }).hosts
    .map(({ host, state }) => `${host} ${state}`);
}

Deno.test("a host is silent after three of its intervals, and is back when it tells again", () => {
  const table = new HostTable(T0);
  table.take("a", "a", presenceOf("a"), T0);
  table.take("b", "b", presenceOf("b", { every: 60 }), T0);
  for (let s = 1; s < 30; s++) table.tick(T0 + s * 1000);
  deepStrictEqual(names(table), ["a running", "b running"]);
  table.tick(T0 + 30_000);
  deepStrictEqual(names(table), ["a silent", "b running"]);
  strictEqual(table.get("a")!.sinceMs, T0 + 30_000);
  table.take("a", "a", presenceOf("a"), T0 + 31_000);
  deepStrictEqual(names(table).sort(), ["a running", "b running"]);
  // A pause of this page's own is no reason to look at each second of it.
  table.tick(T0 + 1e9);
  deepStrictEqual(names(table), ["b silent", "a silent"].sort((x) => x.startsWith("a") ? 1 : -1));
});

Deno.test("where nobody could be heard nobody falls silent, but who was silent stays so", () => {
  const table = new HostTable(T0);
  const told: readonly (readonly [host: string, heardMs: number])[] = [
    ["a", T0],
    ["b", T0],
    ["before", T0 - 20_000],
  ];
  const read = () => told.forEach(([host, ms]) => table.take(host, host, presenceOf(host), ms));
  read();
  table.tick(T0 + 15_000);
  deepStrictEqual(names(table), ["before silent", "a running", "b running"]);
  // Five minutes without the server; then all that it has is read anew.
  table.hearAgain(T0 + 300_000);
  read();
  table.tick(T0 + 301_000);
  deepStrictEqual(names(table), ["before silent", "a running", "b running"]);
  strictEqual(table.get("before")!.sinceMs, T0 + 10_000);
  table.take("b", "b", presenceOf("b"), T0 + 310_000);
  for (let s = 302; s < 330; s++) table.tick(T0 + s * 1000);
  deepStrictEqual(names(table), ["before silent", "a running", "b running"]);
  table.tick(T0 + 330_000);
  deepStrictEqual(names(table).sort(), ["a silent", "b running", "before silent"]);
  table.tick(T0 + 340_000);
  deepStrictEqual(names(table).sort(), ["a silent", "b silent", "before silent"]);
});

Deno.test("what was told long ago is silent at the first tick, a host that stopped never", () => {
  const table = new HostTable(T0);
  table.take("old", "old", presenceOf("old"), T0 - 1e9);
  table.take("gone", "gone", presenceOf("gone", { state: "stopped" }), T0 - 1e9);
  table.tick(T0 + 1000);
  deepStrictEqual(names(table), ["old silent", "gone stopped"]);
});

Deno.test("trouble stands first, pages follow each other, names are searched", () => {
  const table = new HostTable(T0);
  table.take("a", "a", presenceOf("a"), T0);
  table.take(
    "f",
    "f",
    presenceOf("f", {
      outputs: [{ name: "http", state: "failing", waiting: 1, dropped: 2 }],
    }),
    T0,
  );
  table.take(
    "r",
    "r",
    presenceOf("r", {
      rules: { sum: "", count: 0, rollout: null, refused: { serial: 2, why: "stale" } },
    }),
    T0,
  );
  table.take("l", "l", presenceOf("l", { events: { seen: 1, lost: 4, kept_back: 0 } }), T0);
  deepStrictEqual(names(table), ["l losing", "r refusing", "f failing", "a running"]);
  deepStrictEqual(names(table, "", 2, 1), ["f failing"]);
  deepStrictEqual(names(table, "A"), ["a running"]);
  deepStrictEqual(table.sums(5), [["ab", 3], ["", 1]]);
  strictEqual(table.get("l")!.lostMs, undefined);
  table.take("l", "l", presenceOf("l", { events: { seen: 1, lost: 5, kept_back: 0 } }), T0 + 5);
  strictEqual(table.get("l")!.lostMs, T0 + 5);
});

Deno.test("hosts are found by rules and version, counted, and sorted by what they told", () => {
  const table = new HostTable(T0);
  for (let at = 0; at < 250; at++) {
    table.take(
      `h-${at}`,
      `h-${at}`,
      presenceOf(`h-${at}`, {
        version: at % 50 === 0 ? "0.1.0" : "0.2.0",
        rules: { sum: at % 2 === 0 ? "abcd" : "abff", count: 3, rollout: null, refused: null },
        alerts: { total: (at * 7) % 250, by_priority: {}, by_rule: {} },
        events: { seen: 1, lost: at < 3 ? at : 0, kept_back: 0 },
      }),
      T0,
    );
  }
  const listed = (wanted: Partial<HostsWanted>, skip = 0, limit = 3) => {
    const { hosts, total } = table.list({ ...ALL, ...wanted }, { skip, limit });
    return [total, ...hosts.map(({ host }) => host)];
  };
  deepStrictEqual(listed({}), [250, "h-1", "h-2", "h-0"]);
  deepStrictEqual(listed({}, 248), [250, "h-248", "h-249"]);
  deepStrictEqual(listed({}, 250), [250]);
  deepStrictEqual(listed({ state: "losing" }, 1), [2, "h-2"]);
  deepStrictEqual(listed({ version: "0.1.0" }, 3), [5, "h-150", "h-200"]);
  deepStrictEqual(listed({ rules: "abf", search: "H-24" }), [5, "h-241", "h-243", "h-245"]);
  deepStrictEqual(listed({ rules: "abff", version: "0.1.0" }), [0]);
  deepStrictEqual(listed({ sort: "alerts" }), [250, "h-107", "h-214", "h-71"]);
  deepStrictEqual(listed({ sort: "lost", state: "losing" }), [2, "h-2", "h-1"]);
  deepStrictEqual(table.versions(9), [["0.2.0", 245], ["0.1.0", 5]]);
  table.remove("h-0");
  table.take("h-50", "h-50", presenceOf("h-50", { version: "0.2.0" }), T0);
  deepStrictEqual(table.versions(9), [["0.2.0", 246], ["0.1.0", 3]]);
});

Deno.test("a table that is full, names of others and what is no presence are counted", () => {
  const table = new HostTable(T0, 1);
  table.take("a", "a", presenceOf("somebody-else"), T0);
  table.take("b", "b", presenceOf("b"), T0);
  table.take("a", "a", undefined, T0);
  const { hosts, refused, unreadable, misnamed } = table.stats();
  deepStrictEqual({ hosts, refused, unreadable, misnamed }, {
    hosts: 1,
    refused: 1,
    unreadable: 1,
    misnamed: 1,
  });
  strictEqual(table.get("a")!.host, "a");
  table.remove("a");
  strictEqual(table.stats().states.running, 0);
});

Deno.test("when events were lost is known of what a page wrote down", () => {
  const lost = (n: number, started = "s") => ({
    started,
    events: { seen: 1, lost: n, kept_back: 0 },
  });
  const one = new HostTable(T0);
  for (const host of ["same", "grown", "anew", "never"]) {
    one.take(host, host, presenceOf(host, lost(0)), T0);
    if (host !== "never") one.take(host, host, presenceOf(host, lost(5)), T0 + 1);
  }
  const losses = one.losses(10);
  strictEqual(losses.length, 3);
  strictEqual(one.losses(2).length, 2);
  for (const isFirst of [true, false]) {
    const other = new HostTable(T0);
    if (isFirst) other.recall(losses);
    other.take("same", "same", presenceOf("same", lost(5)), T0 + 100);
    other.take("grown", "grown", presenceOf("grown", lost(6)), T0 + 100);
    other.take("anew", "anew", presenceOf("anew", lost(5, "later")), T0 + 100);
    if (!isFirst) other.recall(losses);
    const shown = ["same", "grown", "anew"].map((host) => other.get(host)!.lostMs);
    deepStrictEqual(shown, [T0 + 1, T0 + 100, undefined]);
  }
});
