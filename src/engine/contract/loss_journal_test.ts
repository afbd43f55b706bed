// What the journal of losses keeps, and how it reads.
import { deepStrictEqual, strictEqual } from "node:assert";
import { type LossEntry, LossJournal } from "./loss_journal.ts";

const entry = (fromMs: number): LossEntry => ({
  fromMs,
  untilMs: fromMs + 1.5,
  critical: 3,
  bulk: 2,
  byEvent: [["openat", 3], ["close", 2]],
  byCpu: [{ cpu: 1, critical: 3, bulk: 2 }],
});

Deno.test("an entry tells when, how many, of what and where", () => {
  const journal = new LossJournal();
  journal.add(entry(1_000));
  deepStrictEqual(journal.report(), {
    entries: [{
      from: "1970-01-01T00:00:01.000Z",
      until: "1970-01-01T00:00:01.002Z",
      critical: 3,
      bulk: 2,
      by_event: { openat: 3, close: 2 },
      by_cpu: [{ cpu: 1, critical: 3, bulk: 2 }],
    }],
    left_off: 0,
  });
});

Deno.test("the newest 64 are kept, and it is told how many went", () => {
  const journal = new LossJournal();
  for (let second = 0; second < 70; second++) journal.add(entry(second * 1000));
  const { entries, left_off } = journal.report();
  deepStrictEqual([entries.length, left_off], [64, 6]);
  strictEqual(entries[0]!.from, "1970-01-01T00:00:06.000Z");
});
