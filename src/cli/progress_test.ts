// The progress line of a replay: what it tells, and that it stays on one row of any terminal.
import { ok, strictEqual } from "node:assert";
import { progressLine, type ProgressState } from "./progress.ts";

const HALF: ProgressState = { read: 50, total: 100, events: 1_200_000, ms: 500 };

Deno.test("a progress line has a bar where there is room, else what is left comes first", () => {
  strictEqual(
    progressLine(HALF, 100),
    "[###############---------------]  50 %  1.20 M events, 2.40 M/s, 1 s left",
  );
  strictEqual(
    progressLine(HALF, 70),
    "[#############-------------]  50 %  1.20 M events, 2.40 M/s, 1 s left",
  );
  strictEqual(progressLine(HALF, 40), " 50 %  1 s left, 1.20 M events, 2.40 M/s");
  for (const columns of [50, 60, 80]) ok(progressLine(HALF, columns).length < columns);
});

Deno.test("of an unknown length only what was read is told", () => {
  strictEqual(progressLine({ ...HALF, total: 0 }), "1.20 M events, 2.40 M/s");
  strictEqual(progressLine({ ...HALF, read: 0, ms: 0 }, 40), "  0 %");
});
