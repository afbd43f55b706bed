// What `saker top` shows: the state of a running saker and its tables come in, lines for a screen
// of a given size go out, or for a page that is printed once.
import type { Snapshot } from "../../client/snapshot.ts";
import { wrap } from "../../screen/columns.ts";
import { flow, type Line, span, type Tone } from "../../screen/line.ts";
import { bytes, count, duration, milliseconds, rate } from "../../screen/numbers.ts";
import { type Column, sorted, type Sorting, tableLines } from "../../screen/table.ts";
import { clock } from "./alert_text.ts";
import { PROCESS_COLUMNS, type Rows, RULE_COLUMNS, TYPE_COLUMNS } from "./top_rows.ts";

export const TABLES = ["types", "processes", "rules"] as const;
export type Table = (typeof TABLES)[number];

export interface TopState {
  readonly now: Snapshot;
  readonly rows: Rows;
  /** One table alone, or all of them one below the other. */
  readonly view: Table | "all";
  readonly sorting: Readonly<Record<Table, Sorting>>;
  /** Rows of a single table that are above the screen. */
  readonly scrolled: number;
  readonly grouped: boolean;
  readonly paused: boolean;
  readonly help: boolean;
  readonly intervalS: number;
  /** It does not answer any more. */
  readonly gone: { readonly sinceMs: number; readonly reason: string } | undefined;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export const SORTING: Readonly<Record<Table, Sorting>> = {
  types: { by: "/s", reversed: false },
  processes: { by: "/s", reversed: false },
  rules: { by: "alerts", reversed: false },
};

/** Titles of the columns by which a table can be sorted. */
export function sortings(table: Table): readonly string[] {
  return columnsOfTable(table).map(({ title }) => title);
}

export function rowCount({ rows }: TopState, table: Table): number {
  return rows[table].length;
}

/** At most as many lines as the screen has. */
export function topScreen(state: TopState, { columns, rows }: Size): Line[] {
  const head = headLines(state, columns);
  const foot: Line = [span(footOf(state, columns), "title")];
  const room = Math.max(0, rows - head.length - 1);
  const body = state.help ? helpLines(columns) : bodyLines(state, columns, room);
  const shown = [...head, ...body.slice(0, room)];
  // Of a screen that is too small the head is what matters.
  if (shown.length >= rows) return shown.slice(0, rows);
  while (shown.length < rows - 1) shown.push([]);
  return [...shown, foot];
}

/** Everything, with so many rows of each table; in as many columns as it takes where there is no
 * terminal. */
export function topReport(state: TopState, columns: number, rowsMax: number): Line[] {
  const tables = state.view === "all" ? TABLES : [state.view];
  return [
    ...headLines(state, Math.min(columns, 100)),
    ...tables.flatMap((table) => [[], ...section(state, table, columns, rowsMax)]),
  ];
}

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  ok: "good",
  starting: "odd",
  degraded: "odd",
};

/** With fewer columns what can be done without is left out of the head. */
const NARROW = 60;
/** Troubles that the head tells. */
const TROUBLES_MAX = 3;

function headLines({ now, rows, gone, paused, intervalS }: TopState, columns: number): Line[] {
  const isNarrow = columns < NARROW;
  const { attached, wanted } = now.programs;
  const seen = (rows.events ?? 0) + (rows.keptBack ?? 0);
  const share = seen > 0 ? ` (${Math.floor(100 * (rows.keptBack ?? 0) / seen)} %)` : "";
  const { latencyMs } = now;
  const lost = now.lost + now.notShown;
  const about: Line[] = [
    [span(`saker ${now.version}`, "strong"), span(` on ${now.hostname}`)],
    gone === undefined
      ? [span(now.status, STATUS_TONES[now.status] ?? "bad")]
      : [span("gone", "bad")],
    [span(`up ${duration(now.uptimeS)}`)],
    [span(`${now.driver} ${attached}/${wanted} programs`, attached < wanted ? "bad" : "plain")],
    [span(clock(now.atMs), "faint")],
    ...(paused ? [[span("paused", "odd")]] : []),
    ...(isNarrow || paused ? [] : [[span(`every ${intervalS} s`, "faint")]]),
  ];
  const numbers: Line[] = [
    [span(`events ${rate(rows.events)}/s`)],
    [span(`kept back ${rate(rows.keptBack)}/s${share}`)],
    [span(`lost ${rate(rows.lost)}/s, ${count(lost)} in all`, lost > 0 ? "bad" : "plain")],
    [span(`alerts ${rate(rows.alerts)}/s, ${count(now.alerts)} in all`)],
    ...(now.alertsDropped > 0
      ? [[span(`${count(now.alertsDropped)} alerts did not arrive`, "bad")]]
      : []),
    latencyMs === undefined
      ? [span("latency -")]
      : [span(`latency p50 ${milliseconds(latencyMs.p50)}, p99 ${milliseconds(latencyMs.p99)}`)],
    [span(`memory ${bytes(now.residentBytes)}`)],
    ...(isNarrow ? [] : [
      [span(`${count(now.threads)} threads`)],
      [span(`${count(now.descriptors)} descriptors`)],
      [span(`${count(now.rulesInForce)} rules`)],
    ]),
  ];
  const troubles = now.troubles.slice(0, TROUBLES_MAX).map((text): Line => [span(text, "odd")]);
  const absence: Line[] = gone === undefined
    ? []
    : [[span(`gone since ${clock(gone.sinceMs)}: ${gone.reason}`, "bad")]];
  return [...absence, ...flow(about, columns), ...flow(numbers, columns), ...troubles];
}

function bodyLines(state: TopState, columns: number, room: number): Line[] {
  if (state.view !== "all") {
    return section(state, state.view, columns, Math.max(1, room - 2), state.scrolled);
  }
  // Each table has a line of its name and one of titles; what one does not need the next ones have.
  let left = room;
  return TABLES.flatMap((table, at) => {
    const share = Math.floor(left / (TABLES.length - at));
    const lines = share < 3 ? [] : section(state, table, columns, share - 2);
    left -= lines.length;
    return lines;
  });
}

function section(
  state: TopState,
  table: Table,
  columns: number,
  rowsMax: number,
  from = 0,
): Line[] {
  const sorting = state.sorting[table];
  const linesOf = <Row>(rows: readonly Row[], all: readonly Column<Row>[]) =>
    tableLines(sorted(rows, all, sorting).slice(from, from + rowsMax), all, columns, sorting);
  switch (table) {
    case "types":
      return [[span(titleOf(state, table), "strong")], ...linesOf(state.rows.types, TYPE_COLUMNS)];
    case "processes":
      return [
        [span(titleOf(state, table), "strong")],
        ...linesOf(state.rows.processes, PROCESS_COLUMNS),
      ];
    case "rules":
      return [[span(titleOf(state, table), "strong")], ...linesOf(state.rows.rules, RULE_COLUMNS)];
  }
}

function titleOf({ now, rows, grouped }: TopState, table: Table): string {
  switch (table) {
    case "types":
      return `EVENTS of ${rows.types.length} types`;
    case "processes":
      if (!now.busy.isTold) return "PROCESSES: told to root, or with the token";
      return `${grouped ? "PROGRAMS" : "PROCESSES"} of the last ${Math.round(now.busy.seconds)} s`;
    case "rules":
      return `RULES, ${rows.rules.filter(({ alerts }) => alerts > 0).length} with alerts`;
  }
}

function columnsOfTable(table: Table): readonly { readonly title: string }[] {
  switch (table) {
    case "types":
      return TYPE_COLUMNS;
    case "processes":
      return PROCESS_COLUMNS;
    case "rules":
      return RULE_COLUMNS;
  }
}

function footOf({ help, paused, view }: TopState, columns: number): string {
  if (help) return " any key: back  q quit ";
  if (columns < NARROW) {
    return view === "all" ? " q quit  ? help  t p r " : " q quit  ? help  a all ";
  }
  const scroll = view === "all" ? "" : "  a all";
  return ` q quit  ? help${scroll}  t types  p processes  r rules  s sort  space ${
    paused ? "go on" : "pause"
  } `;
}

const KEYS: readonly (readonly [string, string])[] = [
  ["t p r", "types, processes, rules alone; once more: all"],
  ["a", "all of them"],
  ["s S", "sort by the next, the previous column"],
  ["R", "reverse the order"],
  ["g", "processes of one program as one"],
  ["arrows", "scroll, as do page up and down, home, end"],
  ["space", "pause, go on"],
  ["+ -", "refresh less, more often"],
  ["q", "quit, as does ctrl-C"],
];

const WORDS: readonly string[] = [
  "events: what the engine judged. kept: what no rule can use, mostly left in the kernel.",
  "lost: what found no room on its way. latency: from the call's return to the alert's line.",
  "processes: of the events that were judged; what is kept in the kernel is not told by process.",
  "time: what a rule's condition (sampled) and its alerts' outputs took since the start.",
];

function helpLines(columns: number): Line[] {
  return [
    ...KEYS.flatMap(([keys, what]) =>
      wrap(what, columns, { indent: " ".repeat(9), taken: 9 }).map((line, at): Line =>
        at === 0 ? [span(` ${keys.padEnd(8)}`, "strong"), span(line)] : [span(line)]
      )
    ),
    [],
    ...WORDS.flatMap((words) => wrap(words, columns)).map((line): Line => [span(line)]),
  ];
}
