// Tests of rules as authors write them: what is read, what is derived, what a failure says.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { explain } from "./explain.ts";
import { type HandEvent, viewsOf } from "./hand_event.ts";
import { lint } from "./lint.ts";
import { FIELDS, loadTexts, ruleText } from "../load_fixture.ts";
import { readScenarios, type ScenarioFile, unknownRules } from "./scenario.ts";
import { runScenario } from "./scenario_run.ts";

const RULES =
  "- macro: reads\n  condition: evt.type in (open, openat) and evt.is_open_read = true\n" +
  ruleText("Read shadow", "reads and fd.directory = /etc and not proc.aname in (sshd)") +
  ruleText("Any close", "evt.type = close", { enabled: "false" });

function scenarios(text: string): ScenarioFile {
  return readScenarios("r_test.yaml", text, FIELDS);
}

function run(text: string): string[][] {
  const file = scenarios(text);
  deepStrictEqual(file.errors, []);
  const loaded = loadTexts([RULES]);
  return file.scenarios.map((
    scenario,
  ) => [...runScenario(scenario, loaded, undefined, "both").failures]);
}

const READ = "{type: openat, fields: {evt.is_open_read: true, fd.name: /etc/shadow}}";

Deno.test("a case holds when its rules fire and the others are quiet", () => {
  deepStrictEqual(
    run(
      `cases:\n  - {name: a, event: ${READ}, fires: Read shadow, quiet: [Any close]}\n` +
        `  - {name: b, events: [${READ}, {type: close}], fires: [Read shadow, Any close]}\n` +
        "  - {name: c, event: {type: close}, quiet: others, fires: Any close}\n" +
        "  - {name: d, event: {type: openat, fields: {evt.is_open_read: true, " +
        "fd.name: /etc/shadow, proc.aname: [bash, sshd]}}, quiet: others}\n",
    ),
    [[], [], [], []],
  );
});

Deno.test("a case that fails says what fired and why the rest did not", () => {
  const [[missing], [extra]] = run(
    "cases:\n  - {name: a, event: {type: openat, fields: {fd.name: /etc/shadow}}, " +
      "fires: Read shadow}\n" +
      `  - {name: b, event: ${READ}, quiet: others}\n`,
  ) as [string[], string[]];
  strictEqual(
    missing,
    `"Read shadow" did not fire:
      Rule "Read shadow" does not fire on this openat event
      ✗ all of
        ✗ reads: all of
          ✓ evt.type in (open, openat)   [evt.type is "openat"]
          ✗ evt.is_open_read = true   [evt.is_open_read is missing]
        ✓ fd.directory = /etc   [fd.directory is "/etc"]
        ✓ not
          ✗ proc.aname in (sshd)   [proc.aname is missing]`,
  );
  strictEqual(extra, '"Read shadow" fired');
});

Deno.test("fields that follow from others need not be given", () => {
  const file = scenarios(
    "cases:\n  - {name: a, quiet: others, event: {type: execve, fields: {fd.name: /a/b, " +
      "fd.type: file, " +
      "evt.rawres: -2, proc.name: x, proc.aname: [p, q], proc.pid: 7, fd.ip: 10.0.0.1, " +
      "proc.tty: ~}}}\n",
  );
  const { values } = file.scenarios[0]!.events[0]! as HandEvent;
  deepStrictEqual(Object.fromEntries([...values].toSorted()), {
    "evt.dir": "<",
    "evt.failed": true,
    "evt.num": 1,
    "evt.rawres": -2,
    "evt.source": "syscall",
    "evt.type": "execve",
    "fd.directory": "/a",
    "fd.filename": "b",
    "fd.ip": ["10.0.0.1"],
    "fd.name": "/a/b",
    "fd.nameraw": "/a/b",
    "fd.type": "file",
    "fd.typechar": "f",
    "proc.aname": ["p", "q"],
    "proc.aname[0]": "x",
    "proc.aname[1]": "p",
    "proc.aname[2]": "q",
    "proc.birth.name": ["p", "q"],
    "proc.birth.name[1]": "p",
    "proc.birth.name[2]": "q",
    "proc.name": "x",
    "proc.pid": 7,
    "proc.pname": "p",
    "syscall.type": "execve",
  });
});

Deno.test("mistakes in a file of tests are told with their place", () => {
  const { errors } = scenarios(
    "rule: x\ncases:\n  - name: a\n    event: {type: opennat, fields: {proc.nam: x}}\n" +
      "    fire: b\n" +
      "  - {event: {type: open, fields: {evt.is_open_read: maybe, fd.num: x}}, fires: c}\n",
  );
  deepStrictEqual(errors.map((error) => error.split(",")[0]), [
    'r_test.yaml:1:1: unknown key "rule"',
    'r_test.yaml:4:19: unknown event type "opennat"',
    'r_test.yaml:4:37: unknown field "proc.nam"',
    'r_test.yaml:5:5: unknown key "fire"',
    'r_test.yaml:3:5: case "a" needs either events or a capture',
    'r_test.yaml:3:5: case "a" says neither what fires nor what is quiet',
    "r_test.yaml:6:53: evt.is_open_read has type BOOL",
    "r_test.yaml:6:68: fd.num has type INT64",
    "r_test.yaml:6:5: a case needs a name",
    'r_test.yaml:6:5: case "" needs either events or a capture',
  ]);
  ok(errors[1]!.endsWith("did you mean openat?"), errors[1]);
  const file = scenarios(`cases:\n  - {name: a, event: ${READ}, fires: Read shado}\n`);
  deepStrictEqual(unknownRules(file, new Set(["Read shadow"])), [
    'line 2: case "a": there is no rule "Read shado", did you mean "Read shadow"?',
  ]);
});

Deno.test("explain() says when a rule is never tried on the event's type", () => {
  const loaded = loadTexts([RULES]);
  const file = scenarios("cases:\n  - {name: a, event: {type: close}, quiet: others}\n");
  const event = file.scenarios[0]!.events[0]!;
  const text = explain(loaded.rules[0]!, loaded.resolved, event.code, viewsOf(event));
  ok(text.startsWith('Rule "Read shadow" is never tried on close events'), text);
});

const LINKED = "{type: openat, fields: {evt.is_open_read: true, fd.name: /etc/shadow}, " +
  "caller: {fd.name: /proc/self/fd/3}}";

Deno.test("an event with a caller's view fires a rule under either, whole", () => {
  const rules = ruleText("kernel", "evt.type = openat and fd.directory = /etc") +
    ruleText("caller", "evt.type = openat and fd.directory = /proc/self/fd") +
    ruleText("mixed", "evt.type = openat and fd.name = /etc/shadow and fd.filename = 3") +
    ruleText("other", "evt.type = openat and not fd.name startswith /etc");
  const file = scenarios(
    `cases:\n  - {name: a, event: ${LINKED}, fires: [kernel, caller, other], quiet: [mixed]}\n`,
  );
  deepStrictEqual(file.errors, []);
  const loaded = loadTexts([rules]);
  const { failures } = runScenario(file.scenarios[0]!, loaded, undefined, "both");
  deepStrictEqual(failures, []);
});

Deno.test("explain() says under which view a rule fires, and shows both", () => {
  const loaded = loadTexts([
    ruleText("caller", "evt.type = openat and fd.name startswith /proc/self/fd/") +
    ruleText("none", "evt.type = openat and fd.name = /x"),
  ]);
  const file = scenarios(`cases:\n  - {name: a, event: ${LINKED}, fires: [caller]}\n`);
  const event = file.scenarios[0]!.events[0]!;
  const told = (index: number) =>
    explain(loaded.rules[index]!, loaded.resolved, event.code, viewsOf(event)).split("\n");
  const fires = told(0);
  ok(fires[0]!.startsWith('Rule "caller" fires on this openat event under the caller\'s view'));
  ok(fires[1]!.startsWith("the caller's view"), fires[1]);
  ok(fires[4]!.includes('fd.name is "/proc/self/fd/3"'), fires[4]);
  strictEqual(fires[5], "the kernel's view:");
  ok(fires[8]!.includes('fd.name is "/etc/shadow"'), fires[8]);
  strictEqual(told(1)[0], 'Rule "none" does not fire on this openat event under any view');
});

function lintOf(text: string): string[] {
  const loaded = loadTexts([text]);
  deepStrictEqual(loaded.results.flatMap(({ errors }) => errors), []);
  return lint(loaded).map(({ kind, rule }) => `${kind} ${rule}`);
}

Deno.test("lint() finds rules that can never match", () => {
  deepStrictEqual(
    lintOf(
      ruleText("a", "evt.type = open and evt.type = close") +
        ruleText("b", "evt.type = open and proc.name = x and proc.name in (y, z)") +
        ruleText("c", "evt.type = open and proc.name in (x, y) and not proc.name in (x, y, z)") +
        ruleText("d", "evt.type = open and fd.num = 1 and not fd.num = 1") +
        ruleText("e", "evt.type = open and proc.name = x and (proc.name = y or proc.name = z)") +
        ruleText("f", "evt.type = open and evt.type endswith close") +
        ruleText("g", "evt.num = 0") +
        ruleText("h", "evt.type = open and evt.arg.prot contains EXEC") +
        ruleText("i", "evt.type = open and evt.is_io_write = true") +
        ruleText("j", "evt.type = open and not evt.is_io_write = true") +
        ruleText("k", "evt.type = open and proc.name in (x, y) and proc.name in (y, z)"),
    ),
    [..."abcdefghi"].map((rule) => `never-matches ${rule}`),
  );
});

Deno.test("lint() finds shadowed rules, rules of all events, doubled exceptions and costs", () => {
  deepStrictEqual(
    lintOf(
      ruleText("a", "evt.type = open and proc.name = x") +
        ruleText("b", "evt.type = open and proc.name = x and fd.name = y") +
        ruleText("c", "evt.type = close and proc.name = x and fd.name = y") +
        ruleText("d", "proc.name = q") +
        ruleText("e", "evt.type = kill and evt.arg.sig = 9") +
        "  exceptions:\n    - {name: one, fields: proc.name, values: [v, w]}\n" +
        "    - {name: two, fields: proc.name, values: [w]}\n" +
        ruleText("h", "evt.type = mkdir and proc.name in (x, y)") +
        "  exceptions:\n    - {name: one, fields: [proc.name, fd.name], " +
        "values: [[v, w], [x, w]]}\n" +
        ruleText("f", "evt.type = kill and proc.env contains LD_PRELOAD") +
        ruleText("g", "evt.type = kill and fd.sip.name = example.org"),
    ),
    [
      "shadowed b",
      "no-event-types d",
      "dead-exception e",
      "dead-exception h",
      "costly f",
      "costly g",
    ],
  );
});
