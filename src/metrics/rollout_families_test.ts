// The series of a roll-out: one sample for each kind that is followed, none where none is.
import { deepStrictEqual, strictEqual } from "node:assert";
import { NOTHING_YET } from "../rollout/report.ts";
import { rolloutFamilies } from "./rollout_families.ts";

Deno.test("the series of a roll-out say what /healthz says", () => {
  deepStrictEqual(rolloutFamilies(undefined), []);
  const report = {
    rules: {
      ...NOTHING_YET,
      in_force: { name: "fleet", serial: 8 },
      refused: { serial: 9, why: "expired", told: "it expired" },
      source: { ...NOTHING_YET.source, asked: 7, failed: 3, in_a_row: 2 },
      refusals: { expired: 1, stale: 4 },
    },
    config: NOTHING_YET,
  } as const;
  const series = new Map<string, number>();
  for (const { name, samples } of rolloutFamilies(report)) {
    for (const { labels, value } of samples) {
      const key = [name.replace("saker_rollout_", ""), ...Object.values(labels ?? {})].join(" ");
      series.set(key, Number(value));
    }
  }
  const wanted: readonly (readonly [string, number])[] = [
    ...[["serial rules", 8], ["serial config", 0], ["ok rules", 0], ["ok config", 1]] as const,
    ...[["source_up rules", 0], ["source_up config", 1], ["asked_total rules", 7]] as const,
    ...[["failed_total rules", 3], ["refused_total rules stale", 4]] as const,
    ...[["refused_total rules malformed", 0], ["refused_total config stale", 0]] as const,
  ];
  for (const [name, value] of wanted) strictEqual(series.get(name), value, name);
});
