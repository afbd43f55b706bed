// Numbers of the container runtimes that are asked: they stand in /healthz as they are, and become
// series here.
import { Counter, type Counters } from "../engine/contract/counters.ts";
import type { RuntimesTold } from "../engine/contract/messages.ts";
import type { Family, Sample } from "./exposition.ts";

/** As /healthz has it. */
export interface RuntimeReport {
  readonly sockets: readonly {
    readonly kind: string;
    readonly path: string;
    readonly up: boolean;
    readonly version?: string;
    readonly follows: boolean;
    readonly connects: number;
    readonly answers: number;
    readonly failures: number;
    readonly reason?: string;
  }[];
  readonly asked: number;
  readonly refused: number;
  readonly told: number;
  readonly unknown: number;
  readonly dropped: number;
  /** That wait, that a bound let go early, and that went out without what they waited for. */
  readonly alerts: { readonly held: number; readonly cut: number; readonly untold: number };
}

/** Sockets that were never there are left out. */
export function runtimeReport(counters: Counters, told: RuntimesTold): RuntimeReport {
  const { asked, refused, found, unknown, dropped } = told.totals;
  return {
    sockets: told.sockets.filter(({ up, connects, failures }) => up || connects + failures > 0)
      .map(({ kind, path, up, version, trouble, follows, connects, answers, failures }) => ({
        ...{ kind, path, up, follows, connects, answers, failures },
        ...(version === "" ? {} : { version }),
        ...(trouble === "" ? {} : { reason: trouble }),
      })),
    ...{ asked, refused, told: found, unknown, dropped },
    alerts: {
      held: counters.get(Counter.AlertsHeld),
      cut: counters.get(Counter.AlertsHeldCut),
      untold: counters.get(Counter.AlertsUntold),
    },
  };
}

export function runtimeFamilies(report: RuntimeReport | undefined): Family[] {
  if (report === undefined) return [];
  const { sockets, asked, refused, told, unknown, dropped, alerts } = report;
  const of = (value: (socket: RuntimeReport["sockets"][number]) => number): Sample[] =>
    sockets.map((socket) => ({
      labels: { runtime: socket.kind, socket: socket.path },
      value: value(socket),
    }));
  const family = (name: string, kind: Family["kind"], help: string, samples: Sample[]): Family => ({
    name: `saker_${name}`,
    ...{ kind, help, samples },
  });
  const by = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
  return [
    family("runtime_up", "gauge", "1 while the runtime answers.", of(({ up }) => up ? 1 : 0)),
    family(
      "runtime_answers_total",
      "counter",
      "Questions that a runtime answered.",
      of(({ answers }) => answers),
    ),
    family(
      "runtime_failures_total",
      "counter",
      "Questions and connections that failed.",
      of(({ failures }) => failures),
    ),
    family(
      "containers_asked_total",
      "counter",
      "Containers that runtimes were asked about, by what came of it.",
      by("result", { asked, refused, told, unknown, dropped }),
    ),
    family(
      "alerts_held",
      "gauge",
      "Alerts that wait for what is known of their container.",
      [{ labels: {}, value: alerts.held }],
    ),
    family(
      "alerts_untold_total",
      "counter",
      "Alerts that went out without what they waited for.",
      by("why", { late: alerts.untold, bound: alerts.cut }),
    ),
  ];
}
