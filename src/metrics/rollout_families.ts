// Numbers of the roll-out: they stand in /healthz as they are, and become series here, one sample
// for each kind of bundle that is followed.
import { BUNDLE_KINDS, REFUSALS } from "../rollout/contents.ts";
import type { KindReport, RolloutReport } from "../rollout/report.ts";
import type { Family } from "./exposition.ts";

export function rolloutFamilies(report: RolloutReport | undefined): Family[] {
  const kinds = BUNDLE_KINDS.filter((kind) => report?.[kind] !== undefined);
  if (kinds.length === 0) return [];
  const family = (
    name: string,
    kind: Family["kind"],
    help: string,
    valueOf: (of: KindReport) => number,
  ): Family => ({
    name: `saker_rollout_${name}`,
    kind,
    help,
    samples: kinds.map((of) => ({ labels: { kind: of }, value: valueOf(report![of]!) })),
  });
  return [
    family(
      "serial",
      "gauge",
      "Serial of the bundle in force; 0: what the host has by itself.",
      ({ in_force }) => in_force?.serial ?? 0,
    ),
    family(
      "waiting_serial",
      "gauge",
      "Serial of one that is not for this host yet.",
      ({ waits }) => waits?.serial ?? 0,
    ),
    family(
      "ok",
      "gauge",
      "1 unless the last bundle was refused.",
      ({ refused }) => refused === null ? 1 : 0,
    ),
    family(
      "source_up",
      "gauge",
      "1 while the source answers.",
      ({ source }) => source.in_a_row === 0 ? 1 : 0,
    ),
    family(
      "asked_total",
      "counter",
      "How often the source was asked.",
      ({ source }) => source.asked,
    ),
    family("failed_total", "counter", "How often it could not be.", ({ source }) => source.failed),
    {
      name: "saker_rollout_refused_total",
      kind: "counter",
      help: "Bundles that were refused, by why.",
      samples: kinds.flatMap((kind) =>
        REFUSALS.map((why) => ({
          labels: { kind, why },
          value: report![kind]!.refusals[why] ?? 0,
        }))
      ),
    },
  ];
}
