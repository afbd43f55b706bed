import { deepStrictEqual as equal } from "node:assert";
import { FIELDS, loadTexts, ruleText } from "../rules/load_fixture.ts";
import { alertOfLine, type AlertValue } from "./alert.ts";
import { answer, factsOf } from "./facts.ts";

/** What the condition is under each view that an alert with these fields tells of. */
function answers(condition: string, fields: Readonly<Record<string, AlertValue>>) {
  const { node } = loadTexts([ruleText("R", condition)], { fields: FIELDS }).rules[0]!;
  const line = JSON.stringify({ rule: "R", output: "o", output_fields: fields });
  return factsOf(alertOfLine(line, "1")!).map((facts) => answer(node, facts));
}

Deno.test("answer: what hangs on a field that the alert lacks is unknown, nothing else is", () => {
  const told = { "fd.name": "/etc/shadow", "user.uid": 0, "proc.name": null };
  for (
    const [condition, expected] of [
      ["fd.name = /etc/shadow", true],
      ["fd.name = /etc/passwd", false],
      ["fd.directory = /etc and fd.filename startswith sha", true],
      ["proc.exepath = /bin/cat", undefined],
      ["not proc.exepath = /bin/cat", undefined],
      ["user.uid = 0 and proc.exepath = /bin/cat", undefined],
      ["user.uid = 1 and proc.exepath = /bin/cat", false],
      ["user.uid = 0 or proc.exepath = /bin/cat", true],
      ["user.uid < 1 and user.uid in (0, 7)", true],
      ["proc.name = cat", false],
      ["proc.name exists", false],
      ["basename(fd.name) = shadow", true],
      ["basename(proc.exepath) = cat", undefined],
    ] as const
  ) equal([condition, answers(condition, told)], [condition, [expected]]);
});

Deno.test("answer: each view is asked with what it shows", () => {
  const told = { "fd.name": "/etc/shadow", "fd.name.other": "/tmp/link", "fd.directory": "/etc" };
  equal(answers("fd.name = /etc/shadow", told), [true, false]);
  equal(answers("fd.directory = /tmp", told), [false, true]);
});

Deno.test("answer: lines that may have been shortened for the output are unknown", () => {
  equal(answers("proc.cmdline contains secret", { "proc.cmdline": "cat x" }), [false]);
  equal(answers("proc.cmdline contains secret", { "proc.cmdline": "x".repeat(4096) }), [undefined]);
});

Deno.test("alertOfLine: whole numbers keep their digits, and what is no alert is none", () => {
  const line = '{"rule":"R","output_fields":{"proc.exe_ino":18446744073709551615,"a":1.5}}';
  equal(alertOfLine(line, "1")!.fields.get("proc.exe_ino"), 18446744073709551615n);
  for (const text of ["", "{", "[]", "null", '{"rule":"R"}', '{"rule":1,"output_fields":{}}']) {
    equal(alertOfLine(text, "1"), undefined);
  }
  const grouped = alertOfLine('{"rule":"R","count":7,"output_fields":{"__proto__":1}}', "1")!;
  equal([grouped.count, grouped.fields.size], [7, 1]);
});
