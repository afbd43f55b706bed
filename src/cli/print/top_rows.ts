// The rows of `saker top`: two snapshots of one run come in, what happened between them goes out,
// by type of event, by process and by rule; and the columns in which they are shown.
import { areOfOneRun, type Snapshot } from "../../client/snapshot.ts";
import { count, milliseconds, rate } from "../../screen/numbers.ts";
import type { Column } from "../../screen/table.ts";
import { priorityOf } from "../../words/priorities.ts";

/** `undefined`: not known, since there is one snapshot alone. */
type Rate = number | undefined;

export interface TypeRow {
  readonly type: string;
  readonly perSecond: Rate;
  readonly keptPerSecond: Rate;
  readonly judged: number;
  readonly keptBack: number;
  readonly lost: number;
}

export interface ProcessRow {
  readonly pid: number;
  /** How many processes of that program it stands for. */
  readonly processes: number;
  readonly name: string;
  readonly exepath: string;
  readonly container: string;
  readonly events: number;
  readonly perSecond: number;
}

export interface RuleRow {
  readonly rule: string;
  readonly priority: string;
  readonly alerts: number;
  readonly perSecond: Rate;
  readonly ms: number;
}

export interface Rows {
  readonly events: Rate;
  readonly keptBack: Rate;
  readonly lost: Rate;
  readonly alerts: Rate;
  readonly types: readonly TypeRow[];
  readonly processes: readonly ProcessRow[];
  readonly rules: readonly RuleRow[];
}

/** `grouped`: processes of one program are one row. */
export function rowsOf(now: Snapshot, earlier: Snapshot | undefined, grouped: boolean): Rows {
  const before = earlier !== undefined && areOfOneRun(earlier, now) ? earlier : undefined;
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  const per = (value: number, was: number | undefined): Rate =>
    before === undefined ? undefined : Math.max(0, value - (was ?? 0)) / seconds;
  const alertsBefore = new Map(before?.rules.map(({ rule, alerts }) => [rule, alerts]));
  return {
    events: per(now.judged, before?.judged),
    keptBack: per(now.passedOver, before?.passedOver),
    lost: per(now.lost, before?.lost),
    alerts: per(now.alerts, before?.alerts),
    types: [...now.types].map(([type, { judged, passedOver, lost }]) => ({
      type,
      perSecond: per(judged, before?.types.get(type)?.judged),
      keptPerSecond: per(passedOver, before?.types.get(type)?.passedOver),
      judged,
      keptBack: passedOver,
      lost,
    })),
    processes: grouped ? byProgram(now) : now.processes.map((row) => ({ ...row, processes: 1 })),
    rules: now.rules.map((row) => ({
      ...row,
      // Of a rule that is not listed before nothing is known.
      perSecond: per(row.alerts, alertsBefore.get(row.rule) ?? row.alerts),
    })),
  };
}

function byProgram({ processes }: Snapshot): ProcessRow[] {
  const rows = new Map<string, ProcessRow>();
  for (const row of processes) {
    const key = `${row.name}\0${row.exepath}\0${row.container}`;
    const known = rows.get(key);
    rows.set(key, {
      ...row,
      pid: known?.pid ?? row.pid,
      processes: (known?.processes ?? 0) + 1,
      events: (known?.events ?? 0) + row.events,
      perSecond: (known?.perSecond ?? 0) + row.perSecond,
    });
  }
  return [...rows.values()];
}

const known = (value: Rate) => value ?? -1;

export const TYPE_COLUMNS: readonly Column<TypeRow>[] = [
  { title: "event", text: ({ type }) => type, value: ({ type }) => type },
  {
    title: "/s",
    width: 9,
    align: "right",
    text: ({ perSecond }) => rate(perSecond),
    value: ({ perSecond, judged }) => known(perSecond) + judged / 1e15,
  },
  {
    title: "kept/s",
    width: 9,
    align: "right",
    text: ({ keptPerSecond }) => rate(keptPerSecond),
    tone: () => "faint",
    value: ({ keptPerSecond, keptBack }) => known(keptPerSecond) + keptBack / 1e15,
  },
  {
    title: "judged",
    width: 11,
    align: "right",
    least: 60,
    text: ({ judged }) => count(judged),
    value: ({ judged }) => judged,
  },
  {
    title: "kept back",
    width: 12,
    align: "right",
    least: 72,
    text: ({ keptBack }) => count(keptBack),
    tone: () => "faint",
    value: ({ keptBack }) => keptBack,
  },
  {
    title: "lost",
    width: 7,
    align: "right",
    text: ({ lost }) => count(lost),
    tone: ({ lost }) => lost > 0 ? "bad" : "faint",
    value: ({ lost }) => lost,
  },
];

export const PROCESS_COLUMNS: readonly Column<ProcessRow>[] = [
  {
    title: "/s",
    width: 9,
    align: "right",
    text: ({ perSecond }) => rate(perSecond),
    value: ({ perSecond }) => perSecond,
  },
  {
    title: "pid",
    width: 9,
    align: "right",
    text: ({ pid, processes }) => processes > 1 ? `${processes} of it` : `${pid}`,
    value: ({ pid }) => -pid,
  },
  { title: "name", width: 16, text: ({ name }) => name || "?", value: ({ name }) => name },
  {
    title: "container",
    width: 13,
    least: 90,
    text: ({ container }) => container,
    value: ({ container }) => container || "~",
  },
  {
    title: "program",
    least: 60,
    text: ({ exepath }) => exepath,
    tone: () => "faint",
    value: ({ exepath }) => exepath,
  },
];

export const RULE_COLUMNS: readonly Column<RuleRow>[] = [
  {
    title: "alerts",
    width: 8,
    align: "right",
    text: ({ alerts }) => count(alerts),
    value: ({ alerts }) => alerts,
  },
  {
    title: "/s",
    width: 6,
    align: "right",
    text: ({ perSecond }) => rate(perSecond),
    value: ({ perSecond, alerts }) => known(perSecond) + alerts / 1e15,
  },
  {
    title: "time",
    width: 8,
    align: "right",
    least: 50,
    text: ({ ms }) => milliseconds(ms),
    tone: () => "faint",
    value: ({ ms }) => ms,
  },
  {
    title: "priority",
    width: 13,
    least: 72,
    text: ({ priority }) => priority,
    value: ({ priority }) => -(priorityOf(priority) ?? 9),
  },
  {
    title: "rule",
    text: ({ rule }) => rule,
    tone: ({ alerts }) => alerts > 0 ? "plain" : "faint",
    value: ({ rule }) => rule,
  },
];
