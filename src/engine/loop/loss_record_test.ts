// Entries of the journal of losses: placed by gaps in the sequence, or bounded by the looks.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { EventSource, SequenceGap } from "../../events/source.ts";
import { codeOf } from "../../events/table.ts";
import { Counters } from "../contract/counters.ts";
import { LossRecord, TOLD_AFTER_MS } from "./loss_record.ts";

const OPENAT = codeOf("SYSCALL_OPENAT_2_X");

function scene() {
  const counters = new Counters();
  const cpus = new Float64Array(6);
  let gaps: SequenceGap[] = [];
  let lost: [number, number] = [0, 0];
  const source = { cpus: () => cpus.slice(), takeGaps: () => gaps } as Partial<EventSource>;
  const record = new LossRecord(source as EventSource, counters, 500);
  return {
    lose(critical: number, bulk: number) {
      lost = [lost[0] + critical, lost[1] + bulk];
      counters.lost[OPENAT] = counters.lost[OPENAT]! + critical;
      counters.lost[0] = counters.lost[0]! + bulk;
      cpus[4] = cpus[4]! + critical;
      cpus[2] = cpus[2]! + bulk;
    },
    look(nowMs: number, found: SequenceGap[] = []) {
      gaps = found;
      return record.update(lost, nowMs);
    },
  };
}

const gap = (lost: number, fromMs: number, untilMs: number): SequenceGap => ({
  ...{ cpu: 1, lane: 0, lost, fromMs, untilMs },
});

Deno.test("losses whose places are known lie exactly between their neighbours", () => {
  const { lose, look } = scene();
  strictEqual(look(1_000), undefined);
  lose(5, 0);
  deepStrictEqual(look(2_000, [gap(5, 1_200, 1_300)]), {
    ...{ fromMs: 1_200, untilMs: 1_300, critical: 5, bulk: 0 },
    byEvent: [["openat", 5]],
    byCpu: [{ cpu: 1, critical: 5, bulk: 0 }],
  });
  strictEqual(look(3_000), undefined);
});

Deno.test("losses in a row are one entry once something follows them", () => {
  const { lose, look } = scene();
  look(1_000);
  lose(5, 2);
  strictEqual(look(2_000, [gap(3, 1_200, 1_300)]), undefined);
  lose(1, 0);
  const entry = look(3_000, [gap(3, 1_300, 2_900), gap(2, 1_100, 1_150)])!;
  deepStrictEqual([entry.fromMs, entry.untilMs, entry.critical, entry.bulk], [1_100, 2_900, 6, 2]);
  deepStrictEqual(entry.byCpu, [
    { cpu: 0, critical: 0, bulk: 2 },
    { cpu: 1, critical: 6, bulk: 0 },
  ]);
});

Deno.test("losses that nothing follows are told between the looks, and once", () => {
  const { lose, look } = scene();
  look(1_000);
  lose(0, 7);
  strictEqual(look(2_000), undefined);
  const entry = look(2_000 + TOLD_AFTER_MS)!;
  deepStrictEqual([entry.fromMs, entry.untilMs], [1_000, 2_000 + TOLD_AFTER_MS]);
  deepStrictEqual(entry.byEvent, [["unknown", 7]]);
  strictEqual(look(9_000, [gap(7, 1_100, 8_000)]), undefined);
  lose(1, 0);
  strictEqual(look(10_000, [gap(1, 9_100, 9_200)])!.fromMs, 9_100);
});
