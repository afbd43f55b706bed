import { deepStrictEqual, ok } from "node:assert";
import { flatness } from "./flatness.ts";

Deno.test("a row is flat where only its first half grew", () => {
  deepStrictEqual(flatness([1, 50, 90, 100, 100, 100, 100, 100]), {
    first: 100,
    greatest: 100,
    risePerHour: 0,
  });
});

Deno.test("a row that grows by one a minute rises sixty an hour", () => {
  const { first, greatest, risePerHour } = flatness([7, 7, 7, 7, 10, 11, 12, 13]);
  deepStrictEqual([first, greatest], [10, 13]);
  ok(Math.abs(risePerHour - 60) < 1e-9);
});

Deno.test("a single measurement has no rise", () => {
  deepStrictEqual(flatness([5]), { first: 5, greatest: 5, risePerHour: 0 });
});
