// Numbers of the roll-out of rules: they stand in /healthz as they are, and become series here.
import { REFUSALS } from "../rollout/contents.ts";
import type { RolloutReport } from "../rollout/report.ts";
import { type Family, single } from "./exposition.ts";

export function rolloutFamilies(report: RolloutReport | undefined): Family[] {
  if (report === undefined) return [];
  const { rules, waits, refused, trouble, asked, failed, refusals } = report;
  const gauge = (name: string, help: string, value: number) =>
    single(`saker_rollout_${name}`, "gauge", value, help);
  return [
    gauge("serial", "Serial of the bundle in force; 0: the host's own rules.", rules?.serial ?? 0),
    gauge("waiting_serial", "Serial of one that is not for this host yet.", waits?.serial ?? 0),
    gauge("ok", "1 unless the last bundle was refused.", refused === null ? 1 : 0),
    gauge("source_up", "1 while the source can be asked.", trouble === null ? 1 : 0),
    single("saker_rollout_asked_total", "counter", asked, "How often the source was asked."),
    single("saker_rollout_failed_total", "counter", failed, "How often it could not be."),
    {
      name: "saker_rollout_refused_total",
      kind: "counter",
      help: "Bundles that were refused, by why.",
      samples: REFUSALS.map((why) => ({ labels: { why }, value: refusals[why] ?? 0 })),
    },
  ];
}
