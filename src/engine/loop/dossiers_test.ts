// What is kept of an alert's moment: fields, processes, each part of the condition; and that it
// costs no more than it may.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { Bench, CHILD, clone, exec, SHELL } from "../../fields/context_fixture.ts";
import { loadTexts, ruleText } from "../../rules/load_fixture.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { Counter, Counters } from "../contract/counters.ts";
import type { Dossier, DossierSettings, Moment } from "../contract/dossier.ts";
import { Dossiers } from "./dossiers.ts";

const SETTINGS: DossierSettings = { perSecond: 100, perRule: 100, msPerSecond: 1_000 };

function rulesOf(...texts: readonly string[]): RuleSet {
  return loadTexts(texts, { live: true, matching: "all" }).ruleSet!;
}

class Scene {
  readonly bench = new Bench();
  readonly counters = new Counters();
  nowMs = 1_000;
  ticks = 0;
  readonly dossiers: Dossiers;

  constructor(settings: DossierSettings | undefined = SETTINGS) {
    this.dossiers = new Dossiers(settings, {
      counters: this.counters,
      clock: () => this.nowMs,
      stopwatch: () => this.ticks++,
    });
  }

  make(rules: RuleSet, at = 0, capture?: string): Dossier | undefined {
    const { context } = this.bench;
    const matched = new Int32Array(rules.rules.length);
    const count = rules.match(context, matched);
    ok(matched.subarray(0, count).includes(at), "the rule does not match");
    return this.dossiers.make(rules, rules.rules[at]!, context, capture);
  }
}

function read(dossier: Dossier | undefined) {
  if (dossier === undefined || "none" in dossier) throw new Error(`no: ${dossier?.none}`);
  const moment = JSON.parse(dossier.moment) as Moment;
  const { record } = dossier;
  return {
    ...moment,
    record,
    field: (name: string) => moment.fields[record.fieldNames.indexOf(name)],
    value: (operand: string) => moment.values[record.operands.indexOf(operand)],
  };
}

Deno.test("a dossier has the rule as it was loaded, and each part with its answer", () => {
  const rules = rulesOf(
    "- macro: cats\n  condition: proc.name in (cat, tac)\n" +
      ruleText("Cats", "evt.type=execve and cats and not proc.cmdline contains zzz") +
      "  tags: [a]\n# nobody's\n\n- list: l\n  items: []\n",
    "- rule: Cats\n  condition: and user.uid=0\n  override:\n    condition: append\n",
  );
  const { record, answers, value, view } = read(new Scene().make(rules));
  deepStrictEqual([record.file, record.line, record.tags], ["f1.yaml", 3, ["a"]]);
  match(record.text, /^- rule: Cats\n {2}desc: d\n {2}condition: .*zzz\n.*\n.*\n {2}tags: \[a\]$/);
  deepStrictEqual(record.alsoAt, [{ file: "f2.yaml", line: 2 }]);
  match(record.condition, /contains zzz and user.uid=0$/);
  deepStrictEqual(
    record.parts.map(({ kind, text, macro, children }) => [kind, text ?? macro, children]),
    [
      ["and", undefined, 4],
      ["check", "evt.type = execve", 0],
      ["check", "proc.name in (cat, tac)", 0],
      ["not", undefined, 1],
      ["check", "proc.cmdline contains zzz", 0],
      ["check", "user.uid = 0", 0],
    ],
  );
  strictEqual(record.parts[2]!.macro, "cats");
  strictEqual(answers, "111101");
  deepStrictEqual([value("proc.name"), value("user.uid"), view], ['"cat"', "0", undefined]);
});

Deno.test("a dossier has the standard fields that the output does not show", () => {
  const rules = rulesOf(ruleText("R", "evt.type=execve", { output: "%proc.name %user.uid" }));
  const { record, field } = read(new Scene().make(rules));
  deepStrictEqual(
    ["proc.name", "user.uid"].filter((name) => record.fieldNames.includes(name)),
    [],
  );
  deepStrictEqual(
    ["proc.exepath", "proc.pid", "proc.pname", "proc.cmdline", "fd.name", "evt.type"].map(field),
    ["/usr/bin/cat", CHILD, "bash", "cat a b c", null, "execve"],
  );
  // No reader of JSON rounds it.
  strictEqual(field("evt.time"), "1700000000000000000");
});

Deno.test("processes are told as they were when they made the next one", () => {
  const scene = new Scene();
  const { bench } = scene;
  const rules = rulesOf(ruleText("R", "proc.name=late"));
  bench.apply(exec(CHILD, "worker", "/usr/bin/worker", ["-x"]));
  bench.apply(clone(CHILD, 300, "worker"));
  bench.apply(exec(CHILD, "other", "/usr/bin/other", []));
  bench.apply(exec(300, "late", "/tmp/late", ["<b>", "\u202e"]));
  const { processes } = read(scene.make(rules));
  deepStrictEqual(
    processes!.map(({ pid, name, exepath, cmdline, past }) => [pid, name, exepath, cmdline, past]),
    [
      [300, "late", "/tmp/late", "late <b> \u202e", undefined],
      [CHILD, "worker", "/usr/bin/worker", "worker -x", true],
      [SHELL, "bash", "/usr/bin/bash", "bash -l", undefined],
    ],
  );
});

Deno.test("of a long row of ancestors the nearest and the last are told", () => {
  const scene = new Scene();
  const { bench } = scene;
  for (let pid = 1000; pid < 1050; pid++) {
    bench.apply(clone(pid === 1000 ? CHILD : pid - 1, pid, `p${pid}`));
  }
  bench.apply(exec(1049, "last", "/bin/last", []));
  const { processes } = read(scene.make(rulesOf(ruleText("R", "proc.name=last"))));
  strictEqual(processes!.length, 33);
  strictEqual(processes!.at(-1)!.pid, SHELL);
  const told = processes!.reduce((sum, { between = 0 }) => sum + between + 1, 0);
  strictEqual(told, 52);
});

Deno.test("dossiers keep to their budget, of all rules, of one, and of time", () => {
  const rules = rulesOf(ruleText("A", "proc.name=cat") + ruleText("B", "proc.name=cat"));
  const count = (scene: Scene, plan: readonly number[]) =>
    plan.map((at) => {
      const dossier = scene.make(rules, at);
      return dossier !== undefined && "moment" in dossier ? "+" : "-";
    }).join("");
  const perRule = new Scene({ ...SETTINGS, perRule: 2 });
  strictEqual(count(perRule, [0, 0, 0, 1, 0, 1, 1]), "++-+-+-");
  perRule.nowMs += 1_000;
  strictEqual(count(perRule, [0, 1]), "++");
  strictEqual(count(new Scene({ ...SETTINGS, perSecond: 3 }), [0, 0, 0, 0, 1, 1, 1]), "+++-++-");
  strictEqual(count(new Scene({ ...SETTINGS, perSecond: 2 }), [0, 0, 1, 1, 0]), "++++-");
  strictEqual(count(new Scene({ ...SETTINGS, perSecond: 1 }), [0, 0, 1, 1]), "++--");
  // Each takes a tick here.
  const byTime = new Scene({ ...SETTINGS, msPerSecond: 2 });
  strictEqual(count(byTime, [0, 0, 0, 0]), "++--");
  const { counters } = byTime;
  deepStrictEqual(
    [Counter.Dossiers, Counter.DossiersLeftOut, Counter.DossierNs].map((at) => counters.get(at)),
    [2, 2, 2e6],
  );
  strictEqual(count(byTime, [1, 1, 1]), "++-");
  deepStrictEqual(byTime.make(rules), { none: "budget" });
  byTime.dossiers.setSettings(undefined);
  strictEqual(byTime.make(rules), undefined);
});

Deno.test("a dossier is bounded, whatever an event's process is called", () => {
  const scene = new Scene();
  const long = "x".repeat(100_000);
  scene.bench.apply(exec(CHILD, "cat", `/${long}`, Array.from({ length: 500 }, () => "\u0001\n")));
  const conditions = Array.from({ length: 3_000 }, (_, at) => `proc.args contains a${at}`);
  const rules = rulesOf(ruleText("R", `proc.name=cat or ${conditions.join(" or ")}`));
  const dossier = scene.make(rules);
  const { record, answers, capture } = read(dossier);
  ok(dossier !== undefined && "moment" in dossier && dossier.moment.length <= 32_768);
  deepStrictEqual([record.parts.length, record.partsCut], [1_024, 3_002 - 1_024]);
  strictEqual(answers.length, 1_024);
  strictEqual(capture, undefined);
  strictEqual(read(scene.make(rules, 0, "/tmp/c.scap")).capture, "/tmp/c.scap");
});
