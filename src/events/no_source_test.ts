// The source of no driver: nothing comes of it, however long one waits.
import { deepStrictEqual, strictEqual } from "node:assert";
import { NoSource } from "./no_source.ts";

Deno.test("a source without a driver has seen, lost and cut nothing", () => {
  const source = new NoSource();
  source.setInterest();
  source.wait(1);
  strictEqual(source.read(), 0);
  strictEqual(source.snapshot().length, 0);
  deepStrictEqual(source.stats(), { events: 0, lost: [0, 0], truncated: 0, programs: 0 });
  source.close();
});
