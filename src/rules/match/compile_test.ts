// The rule set as the engine sees it: which events it wants, what it matches, what it renders.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { eventBytes, pointAt } from "../../events/event_fixture.ts";
import { Event } from "../../events/event.ts";
import { codeOf } from "../../events/table.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import { loadTexts, ruleText } from "../load_fixture.ts";
import type { RuleSet } from "../rule_set.ts";

const OPENAT = "SYSCALL_OPENAT_2_X";

/** A machine in which a thread runs, and an open of `name` by it. */
function opened(name: string): Context {
  const machine = createMachine({
    paths: "caller",
    threadsMax: 100,
    fdsMax: 100,
    hostname: "box",
  });
  const event = new Event();
  const context = new Context(machine, event);
  const apply = (bytes: Uint8Array) => {
    pointAt(event, bytes);
    event.num++;
    machine.apply(context);
  };
  apply(eventBytes({
    id: "SYSCALL_EXECVE_19_X",
    tid: 7,
    params: { res: 0, exe: "/bin/cat", tid: 7, pid: 7, ptid: 1, cwd: "/tmp", comm: "cat" },
  }));
  apply(eventBytes({
    id: OPENAT,
    tid: 7,
    params: { fd: 3, dirfd: -100, name, flags: 1, mode: 0, dev: 0, ino: 0 },
  }));
  return context;
}

function setOf(text: string, more: Parameters<typeof loadTexts>[1] = {}): RuleSet {
  const { ruleSet, results } = loadTexts([text], more);
  deepStrictEqual(results.flatMap(({ errors }) => errors), []);
  return ruleSet!;
}

function matches(set: RuleSet, context: Context): string[] {
  const matched = new Int32Array(set.rules.length);
  const count = set.match(context, matched);
  return [...matched.subarray(0, count)].map((index) => set.rules[index]!.name);
}

Deno.test("a rule set wants the events that its rules can match, and asynchronous ones", () => {
  const set = setOf(ruleText("a", "evt.type = openat") + ruleText("b", "evt.type in (acct, kill)"));
  strictEqual(set.wanted[codeOf(OPENAT)], 1);
  strictEqual(set.wanted[codeOf("SYSCALL_CLOSE_X")], 0);
  strictEqual(set.wanted[402], 1);
  deepStrictEqual([...set.eventNames].toSorted(), ["acct", "kill", "openat"]);
});

Deno.test("a rule set matches all rules in order, or the first alone", () => {
  const text = ruleText("a", "evt.type = openat and fd.name = /other") +
    ruleText("b", "evt.type = openat and fd.name startswith /etc and evt.is_open_read = true") +
    ruleText("c", "evt.type = openat and proc.name = cat") +
    ruleText("d", "evt.type = close");
  const context = opened("/etc/shadow");
  deepStrictEqual(matches(setOf(text, { matching: "all" }), context), ["b", "c"]);
  deepStrictEqual(matches(setOf(text), context), ["b"]);
  deepStrictEqual(matches(setOf(text), opened("/home/x")), ["c"]);
});

Deno.test("a matching rule renders its message, its fields and the extra ones", () => {
  const set = setOf(
    ruleText("r", "evt.type = openat", {
      output: "'%proc.name opened %10toupper(fd.name)| %proc.pname'",
      tags: "[b, a]",
      priority: "Critical",
      capture: "true",
      capture_duration: "5",
    }),
    {
      appendOutput: [{
        match: { source: "", tags: [], rule: "" },
        extraOutput: "",
        extraFields: ["fd.num", { what: "fd %fd.num" }],
        suggestedOutput: false,
      }],
    },
  );
  const [rule] = set.rules;
  const { index, name, priority, tags, source, capture, captureDurationMs } = rule!;
  deepStrictEqual({ index, name, priority, tags, source, capture, captureDurationMs }, {
    index: 0,
    name: "r",
    priority: 2,
    tags: ["a", "b"],
    source: "syscall",
    capture: true,
    captureDurationMs: 5,
  });
  const { message, fields } = rule!.render(opened("/etc/shadow"));
  strictEqual(message, "cat opened /ETC/SHADO| <NA>");
  deepStrictEqual(fields, [
    ["proc.name", "cat"],
    ["fd.name", "/etc/shadow"],
    ["proc.pname", undefined],
    ["fd.num", 3],
    ["what", "fd 3"],
  ]);
});

Deno.test("a set of rules with an error is no set", () => {
  strictEqual(loadTexts([ruleText("a", "evt.type = opn")]).ruleSet, undefined);
  const unmet = "- required_plugin_versions:\n    - {name: okta, version: 0.1.0}\n";
  const loaded = loadTexts([unmet + ruleText("a", "evt.type = open")]);
  ok(loaded.pluginError?.includes("okta"));
  strictEqual(loaded.ruleSet, undefined);
});
