// Alerts that cross between threads come out as they went in.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { RuleRecord } from "../../rules/rule_account.ts";
import type { Alert } from "./alert.ts";
import { packAlerts, RecordNumbers, RecordsTold, unpackAlerts } from "./packed_alerts.ts";

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

Deno.test("a rule's record crosses once, and again when many others have", () => {
  const [numbers, told] = [new RecordNumbers(), new RecordsTold()];
  const recordOf = (name: string) => ({ name }) as RuleRecord;
  const cross = (...alerts: Alert[]) => {
    const packed = structuredClone(packAlerts(alerts, numbers));
    return { alerts: unpackAlerts(packed, told), records: packed.records?.length };
  };
  const dossier = { record: recordOf("R"), moment: "{}" };
  const first = cross(alert(1, { dossier }), alert(2), alert(3, { dossier: { none: "budget" } }));
  deepStrictEqual(first.records, 1);
  deepStrictEqual(first.alerts.map((one) => one.dossier), [dossier, undefined, { none: "budget" }]);
  const [second] = [cross(alert(4, { dossier }))];
  deepStrictEqual([second.records, second.alerts[0]!.dossier], [0, dossier]);
  for (let at = 0; at < 5_000; at++) {
    const other = { record: recordOf(`${at}`), moment: "{}" };
    deepStrictEqual(cross(alert(5, { dossier: other })).alerts[0]!.dossier, other);
  }
  const last = cross(alert(6, { dossier }));
  deepStrictEqual([last.records, last.alerts[0]!.dossier], [1, dossier]);
  strictEqual(cross(alert(7)).records, undefined);
  // Another set of rules in which the rule is the same: what is held with it is the same record.
  const again = cross(alert(8, { dossier: { record: recordOf("R"), moment: "{}" } }));
  const [one, other] = [last, again].map(({ alerts: [first] }) => first!.dossier!);
  ok("record" in one! && "record" in other! && one.record === other.record);
});
