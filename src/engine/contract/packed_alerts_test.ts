// Alerts that cross between threads come out as they went in.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Alert } from "./alert.ts";
import { packAlerts, unpackAlerts } from "./packed_alerts.ts";

const TAGS = ["a", "b"];

function alert(sequence: number, changes: Partial<Alert> = {}): Alert {
  return {
    hostname: "box",
    message: `message ${sequence}`,
    outputFields: [["proc.name", "cat"], ["fd.name", undefined], ["x", [1n, "y"]]],
    priority: 4,
    rule: "R",
    source: "syscall",
    tags: TAGS,
    time: BigInt(sequence) * 1_000_000_007n,
    sequence,
    degraded: false,
    ...changes,
  };
}

Deno.test("alerts come out as they went in, whatever they have in common", () => {
  const alerts = [
    alert(1),
    alert(2, { outputFields: [] }),
    alert(3, { rule: "S", tags: undefined, source: "internal", time: (1n << 64n) - 1n }),
    alert(4, { degraded: true }),
    alert(5, { containerUntold: true }),
    alert(6, { outputFields: [["other", new Uint8Array([1])]] }),
    alert(7),
    alert(8, { tags: ["c"], hostname: "other", priority: 0 }),
    alert(9, { repeats: { count: 2, first: 1n, last: 2n } }),
  ];
  deepStrictEqual(unpackAlerts(structuredClone(packAlerts(alerts))), alerts);
  deepStrictEqual(unpackAlerts(packAlerts([])), []);
});

Deno.test("what the alerts of a rule have in common is there once", () => {
  const { kinds } = packAlerts([alert(1), alert(2), alert(3, { rule: "S" }), alert(4), alert(5)]);
  strictEqual(kinds.length, 2);
});
