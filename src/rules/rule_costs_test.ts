// One matching in so many is timed, and stands for all of them.
import { deepStrictEqual } from "node:assert";
import { RuleCosts } from "./rule_costs.ts";

Deno.test("the last of so many matchings is timed, and its time counts for each of them", () => {
  const costs = new RuleCosts(2);
  costs.oneIn = 3;
  const due = Array.from({ length: 7 }, () => costs.due());
  deepStrictEqual(due, [false, false, true, false, false, true, false]);
  costs.addShared(2);
  costs.addOwn(1, 0.5);
  costs.addOwn(1, 1);
  deepStrictEqual([costs.samples, costs.sharedNs, ...costs.ownNs], [2, 6e6, 0, 4.5e6]);
});
