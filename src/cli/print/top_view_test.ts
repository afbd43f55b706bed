// Screens of `saker top` at several sizes: what stands where, what is left out on a narrow
// terminal, and that no name reaches beyond its place.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { type Snapshot, snapshotOf } from "../../client/snapshot.ts";
import { columnsOf } from "../../screen/columns.ts";
import { type Line, lineText } from "../../screen/line.ts";
import { visibleText } from "../../words/visible.ts";
import { topJson } from "./top_json.ts";
import { rowsOf } from "./top_rows.ts";
import { SORTING, topReport, topScreen, type TopState } from "./top_view.ts";

function snapshot(atMs: number, times: number): Snapshot {
  return snapshotOf({
    status: "ok",
    degraded: [],
    saker_version: "0.1.0",
    hostname: "web-1",
    uptime_s: 7500 + atMs / 1000,
    driver: { name: "modern_bpf", programs: { attached: 121, wanted: 121 } },
    events: { judged: 1000 * times, passed_over: 9000 * times },
    lost: { by_lane: { critical: times - 1, bulk: 0 } },
    alerts: { raised: 3 * times },
    latency_ms: { alert_to_output: { count: 3, p50: 2, p99: 17, max: 20 } },
    memory: { resident_bytes: 150 << 20, tables: { threads: { entries: 812 } } },
    types: {
      openat: { judged: 900 * times, passed_over: 8000 * times, lost: times - 1 },
      execve: { judged: 100 * times, passed_over: 0, lost: 0 },
    },
    processes: {
      seconds: 10,
      processes: 3,
      others: 0,
      list: [
        { pid: 70, name: "sh", exepath: "/bin/sh", container: "", events: 50, per_second: 5 },
        { pid: 71, name: "sh", exepath: "/bin/sh", container: "", events: 40, per_second: 4 },
        {
          pid: 9,
          name: "\x1b[2J名前",
          exepath: "/tmp/\x1b]0;x\x07",
          container: "web",
          events: 80,
          per_second: 8,
        },
      ],
    },
    rules: {
      in_force: 45,
      list: [
        { name: "Shell in a box", priority: "Notice", matches: 3 * times, condition_ms: 7 },
        { name: "Never", priority: "Warning", matches: 0, condition_ms: 1 },
      ],
    },
  }, atMs);
}

function state(changes: Partial<TopState> = {}, earlier: Snapshot | undefined = snapshot(0, 1)) {
  const now = snapshot(2000, 3);
  const grouped = changes.grouped ?? false;
  return {
    now,
    rows: rowsOf(now, earlier, grouped),
    view: "all",
    sorting: SORTING,
    scrolled: 0,
    grouped,
    paused: false,
    help: false,
    intervalS: 2,
    gone: undefined,
    ...changes,
  } satisfies TopState as TopState;
}

function texts(lines: readonly Line[], columns: number): string[] {
  return lines.map((line) => lineText(line, columns, false).trimEnd());
}

Deno.test("a screen has rates, losses, and the three tables with the busiest first", () => {
  const lines = texts(topScreen(state(), { columns: 100, rows: 24 }), 100);
  strictEqual(lines.length, 24);
  const head = lines.slice(0, 4).join(" ");
  for (
    const part of [
      "saker 0.1.0 on web-1",
      "up 2 h 5 min",
      "events 1,000/s",
      "kept back 9,000/s (90 %)",
      "lost 1.0/s, 2 in all",
      "alerts 3.0/s, 9 in all",
      "latency p50 2.0 ms, p99 17 ms",
    ]
  ) ok(head.includes(part), `${part}: ${head}`);
  const after = (title: string) => lines[lines.findIndex((line) => line.startsWith(title)) + 2]!;
  deepStrictEqual(after("EVENTS").split(/\s+/), ["openat", "900", "8,000", "2,700", "24,000", "2"]);
  deepStrictEqual(after("PROCESSES").trim().split(/\s+/).slice(0, 3), [
    "8.0",
    "9",
    "\\u001b[2J名前",
  ]);
  deepStrictEqual(after("RULES").trim(), "9    3.0   7.0 ms Notice        Shell in a box");
  ok(lines.at(-1)!.includes("q quit"));
});

Deno.test("no screen has more lines or columns than the terminal, whatever the names", () => {
  for (
    const [columns, rows] of [[80, 24], [40, 24], [40, 8], [20, 5], [10, 3], [1, 1], [200, 60]]
  ) {
    for (const view of ["all", "types", "processes", "rules"] as const) {
      for (const help of [false, true]) {
        const size = { columns: columns!, rows: rows! };
        const lines = texts(topScreen(state({ view, help }), size), columns!);
        ok(lines.length <= rows!, `${lines.length} lines of ${rows}`);
        for (const line of lines) {
          ok(columnsOf(line) <= columns!, JSON.stringify(line));
          strictEqual(visibleText(line), line);
        }
      }
    }
  }
});

Deno.test("40 columns keep what matters", () => {
  const lines = texts(topScreen(state(), { columns: 40, rows: 24 }), 40);
  const titles = lines.filter((line) => /▼/.test(line)).map((line) => line.trim().split(/\s+/));
  deepStrictEqual(titles, [
    ["event", "/s▼", "kept/s", "lost"],
    ["/s▼", "pid", "name"],
    ["alerts▼", "/s", "rule"],
  ]);
  ok(lines.some((line) => line.trim() === "9    3.0 Shell in a box"));
});

Deno.test("a single table scrolls, sorts, and groups processes of one program", () => {
  const shown = (changes: Partial<TopState>) =>
    texts(topScreen(state(changes), { columns: 100, rows: 20 }), 100)
      .filter((line) => /\/bin\/sh|\/tmp/.test(line)).map((line) => line.trim().split(/\s+/)[1]);
  deepStrictEqual(shown({ view: "processes" }), ["9", "70", "71"]);
  deepStrictEqual(shown({ view: "processes", scrolled: 1 }), ["70", "71"]);
  const sorting = { ...SORTING, processes: { by: "pid", reversed: true } };
  deepStrictEqual(shown({ view: "processes", sorting }), ["71", "70", "9"]);
  const grouped = texts(
    topScreen(state({ grouped: true, view: "processes" }), {
      columns: 100,
      rows: 20,
    }),
    100,
  );
  ok(grouped.some((line) => /^ +9\.0 +2 of it sh +\/bin\/sh$/.test(line)), grouped.join("\n"));
});

Deno.test("before the second look rates are not known, of another run neither", () => {
  for (const earlier of [undefined, { ...snapshot(0, 1), uptimeS: 1e9 }]) {
    const { rows } = { rows: rowsOf(snapshot(2000, 3), earlier, false) };
    strictEqual(rows.events, undefined);
    deepStrictEqual(rows.types.map(({ perSecond }) => perSecond), [undefined, undefined]);
  }
  // A type that was not there before had none.
  const before = { ...snapshot(0, 1), types: new Map() };
  strictEqual(rowsOf(snapshot(2000, 3), before, false).types[1]!.perSecond, 150);
});

Deno.test("an absence stands above all, with since when and why", () => {
  const gone = {
    sinceMs: new Date(2026, 10, 27, 4, 12, 33).getTime(),
    reason: "connection refused",
  };
  const [first, second] = texts(topScreen(state({ gone }), { columns: 80, rows: 24 }), 80);
  strictEqual(first, "gone since 04:12:33: connection refused");
  ok(second!.includes("web-1  gone  up"));
});

Deno.test("a page in a pipe has whole texts and as many rows as are asked for", () => {
  const lines = texts(topReport(state(), Infinity, 1), Infinity);
  deepStrictEqual(lines.filter((line) => /^(EVENTS|PROCESSES|RULES)/.test(line)).length, 3);
  strictEqual(lines.filter((line) => line.includes("Never")).length, 0);
  ok(lines.some((line) => line.includes("/tmp/\\u001b]0;x\\u0007")));
  const one = texts(topReport(state({ view: "rules" }), Infinity, 5), Infinity);
  ok(!one.some((line) => line.startsWith("EVENTS")) && one.some((line) => line.includes("Never")));
});

Deno.test("JSON has the same numbers, unknown ones as null", () => {
  const told = JSON.parse(JSON.stringify(topJson(state(), snapshot(0, 1))));
  strictEqual(told.seconds, 2);
  strictEqual(told.events.per_second, 1000);
  deepStrictEqual(told.types[0], {
    type: "openat",
    per_second: 900,
    passed_over_per_second: 8000,
    judged: 2700,
    passed_over: 24000,
    lost: 2,
  });
  const now = snapshot(2000, 3);
  const unknown = { ...state(), rows: rowsOf(now, undefined, false) };
  strictEqual(JSON.parse(JSON.stringify(topJson(unknown, now))).events.per_second, null);
});
