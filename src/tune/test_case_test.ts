import { deepStrictEqual as equal, match, ok, strictEqual as same } from "node:assert";
import { FIELDS, loadTexts, ruleText } from "../rules/load_fixture.ts";
import { readScenarios } from "../rules/tools/scenario.ts";
import { runScenario } from "../rules/tools/scenario_run.ts";
import { alertOf, type AlertValue } from "./alert.ts";
import { caseOfAlert } from "./test_case.ts";

function made(condition: string, fields: Readonly<Record<string, AlertValue>>) {
  const loaded = loadTexts([ruleText("R", condition)]);
  const [rule] = loaded.rules;
  const alert = alertOf({ rule: "R", output: "o", output_fields: fields }, "alerts.jsonl:7")!;
  const test = caseOfAlert(alert, rule!, FIELDS);
  const read = readScenarios("made_test.yaml", test.yaml, FIELDS);
  equal(read.errors, [], test.yaml);
  const failures = runScenario(read.scenarios[0]!, loaded, undefined, "both").failures;
  return { ...test, failures, scenario: read.scenarios[0]! };
}

Deno.test("caseOfAlert: what the alert tells makes a case that fires", () => {
  const { yaml, assumed, failures } = made(
    "evt.type = openat and fd.name startswith /etc/",
    { "evt.type": "openat", "fd.name": "/etc/shadow", "proc.pid": 4, "evt.time": 5 },
  );
  equal([assumed, failures], [[], []]);
  match(yaml, /^# Made of alerts\.jsonl:7\./);
  ok(!yaml.includes("proc.pid") && !yaml.includes("evt.time"));
});

Deno.test("caseOfAlert: what the condition asks besides is assumed, and said to be", () => {
  const { yaml, assumed, failures } = made(
    "evt.type in (open, openat) and evt.is_open_read = true and fd.typechar = f and " +
      "(proc.name = cat or user.uid > 7) and basename(proc.exepath) in (dd, cp) and " +
      "not proc.pname in (cron, atd) and not proc.cmdline contains backup and fd.num >= 3",
    { "fd.name": "/etc/shadow", "proc.pname": "bash" },
  );
  equal(failures, []);
  equal(assumed.toSorted(), [
    ...["evt.is_open_read", "fd.num", "fd.typechar", "proc.exepath", "proc.name"],
  ]);
  match(yaml, /proc\.exepath: \/?\S+ {2}# assumed: the alert does not tell/);
});

Deno.test("caseOfAlert: a condition that contradicts the alert makes a case that says so", () => {
  const { yaml, failures, holds } = made("evt.type = openat and fd.name = /etc/shadow", {
    "fd.name": "/etc/passwd",
  });
  same(holds, false);
  same(failures.length, 1);
  match(yaml, /The condition does not hold yet/);
});

Deno.test("caseOfAlert: both views of an event are in the case", () => {
  const condition = "evt.type = openat and fd.name = /etc/shadow";
  const other = { "fd.name": "/etc/shadow", "fd.name.other": "/tmp/link", "evt.view": "kernel" };
  const kernel = made(condition, other);
  equal(kernel.failures, []);
  equal(kernel.scenario.events[0]!.callerValues!.get("fd.name"), "/tmp/link");
  const caller = made("evt.type = openat and fd.name = /tmp/link", {
    ...{ "fd.name": "/tmp/link", "fd.name.other": "/etc/shadow", "evt.view": "caller" },
  });
  equal(caller.failures, []);
  equal(caller.scenario.events[0]!.values.get("fd.name"), "/etc/shadow");
});

Deno.test("caseOfAlert: hostile texts stay values", () => {
  const hostile = "/etc/x\n    fires: []\n#\u202e'\"\\";
  const { scenario, failures } = made("evt.type = openat and fd.name startswith /etc/", {
    "fd.name": hostile,
  });
  equal(failures, []);
  equal(scenario.fires, ["R"]);
  equal(scenario.events[0]!.values.get("fd.name"), hostile);
});
