// What is told of held alerts: the query's words, pages, dossiers put together, and why there are
// none.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { alertId } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { numberedAlert as alert } from "../stream/alert_fixture.ts";
import type { Dossier, Moment } from "../../engine/contract/dossier.ts";
import type { RuleRecord } from "../../rules/rule_account.ts";
import { AlertRing } from "../stream/alert_ring.ts";
import { alertAnswer, recentAnswer, recentQuery } from "./alerts.ts";
import type { AlertAnswer, RecentAnswer } from "./answers.ts";

const RECORD: RuleRecord = {
  name: "r",
  source: "syscall",
  priority: 4,
  tags: ["t"],
  description: "d",
  file: "rules.yaml",
  line: 7,
  text: "- rule: r",
  alsoAt: [{ file: "more.yaml", line: 2 }],
  condition: "not a and (b or c)",
  output: "o",
  fieldNames: ["proc.name", "container.name", "proc.pid"],
  parts: [
    { kind: "and", children: 2 },
    { kind: "not", children: 1 },
    { kind: "check", children: 0, text: "a", operands: [0] },
    { kind: "or", children: 2, macro: "m" },
    { kind: "check", children: 0, text: "b", operands: [0, 1] },
    { kind: "check", children: 0, text: "c", operands: [1] },
  ],
  partsCut: 3,
  operands: ["x", "y"],
};

function dossier(more: Partial<Moment> = {}): Dossier {
  const moment: Moment = {
    fields: ["cat", null, 12],
    answers: "11010?",
    values: ['"1"', "2"],
    ...more,
  };
  return { record: RECORD, moment: JSON.stringify(moment) };
}

function ringOf(alerts: readonly Alert[]): AlertRing {
  const ring = new AlertRing();
  for (const one of alerts) ring.push(one);
  return ring;
}

function asked(ring: AlertRing, text: string): RecentAnswer {
  const query = recentQuery(new URLSearchParams(text));
  if ("error" in query) throw new Error(query.error);
  const answer = recentAnswer(ring, query);
  if (typeof answer !== "string") throw new Error(answer.error);
  return JSON.parse(answer);
}

const seqs = ({ alerts }: RecentAnswer) => alerts.map(({ alert }) => alert.seq);

Deno.test("an alert is told with its dossier, whose condition is a tree again", () => {
  const processes = [
    { pid: 12, name: "cat", exe: "cat", exepath: "/bin/cat", cmdline: "cat x", startedMs: 5 },
    { pid: 9, name: "sh", exe: "sh", exepath: "/bin/sh", past: true as const, between: 2 },
    { pid: 1, name: "init", exe: "init", exepath: "/init", listed: true as const, between: -1 },
  ];
  const ring = ringOf([
    alert(1, { dossier: dossier({ processes, view: "the host's view", capture: "/c.scap" }) }),
  ]);
  const told = JSON.parse(alertAnswer(ring, "1")!) as AlertAnswer;
  strictEqual(told.alert.id, alertId(alert(1)));
  const { fields, why, rule, capture, ...rest } = told.dossier!;
  deepStrictEqual(fields, { "proc.name": "cat", "container.name": null, "proc.pid": 12 });
  deepStrictEqual([why.view, why.left_off, capture], ["the host's view", 3, "/c.scap"]);
  deepStrictEqual(why.tree, {
    kind: "and",
    holds: true,
    children: [
      {
        kind: "not",
        holds: true,
        children: [{ kind: "check", holds: false, text: "a", values: [{ of: "x", is: '"1"' }] }],
      },
      {
        kind: "or",
        holds: true,
        macro: "m",
        children: [
          {
            kind: "check",
            holds: false,
            text: "b",
            values: [{ of: "x", is: '"1"' }, { of: "y", is: "2" }],
          },
          { kind: "check", holds: null, text: "c", values: [{ of: "y", is: "2" }] },
        ],
      },
    ],
  });
  deepStrictEqual([rule.line, rule.also_at, rule.priority], [7, ["more.yaml:2"], "Warning"]);
  deepStrictEqual(
    rest.processes!.map((
      { started, past, known, unknown_between },
    ) => [started, past, known, unknown_between]),
    [
      ["1970-01-01T00:00:00.005Z", false, null, 0],
      [null, true, "seen", 2],
      [null, false, "listed", null],
    ],
  );
});

Deno.test("an alert without a dossier says why, and one that is not held is none", () => {
  const reasons: [Partial<Alert>, RegExp][] = [
    [{ dossier: { none: "budget" } }, /budget/],
    [{ dossier: { none: "mistake" } }, /mistake in saker/],
    [{}, /webserver.dossiers is off/],
    [{ source: "internal" }, /by itself/],
  ];
  for (const [more, wanted] of reasons) {
    const told = JSON.parse(alertAnswer(ringOf([alert(1, more)]), "1")!) as AlertAnswer;
    strictEqual(told.dossier, null);
    match(told.no_dossier!, wanted);
  }
  strictEqual(alertAnswer(ringOf([alert(1)]), "2"), undefined);
  strictEqual(alertAnswer(ringOf([alert(1)]), "0000000000000000-1"), undefined);
});

Deno.test("dossiers give way before their alerts, and say so", () => {
  const one = dossier();
  const ring = new AlertRing({ dossierChars: "moment" in one ? 5.1 * one.moment.length + 500 : 0 });
  for (let sequence = 1; sequence <= 20; sequence++) {
    ring.push(alert(sequence, { dossier: dossier() }));
  }
  const { held, dossiers, dossiersGivenWay, givenWay } = ring.stats();
  ok(dossiers > 1 && dossiers < 10, `${dossiers}`);
  deepStrictEqual([held, dossiers + dossiersGivenWay, givenWay], [20, 20, 0]);
  match((JSON.parse(alertAnswer(ring, "1")!) as AlertAnswer).no_dossier!, /give way/);
  ok((JSON.parse(alertAnswer(ring, "20")!) as AlertAnswer).dossier);
});

Deno.test("the newest alerts come first, page after page", () => {
  const ring = ringOf(Array.from({ length: 7 }, (_, at) => alert(at + 1)));
  const first = asked(ring, "limit=3");
  deepStrictEqual(seqs(first), [7, 6, 5]);
  const second = asked(ring, `limit=3&before=${first.next}`);
  deepStrictEqual(seqs(second), [4, 3, 2]);
  const last = asked(ring, `limit=3&before=${second.next}`);
  deepStrictEqual([seqs(last), last.next], [[1], null]);
  deepStrictEqual(seqs(asked(ring, "after=5")), [7, 6]);
  deepStrictEqual(asked(ring, "limit=7").next, null);
  const timed = ringOf(
    [1, 2, 2, 3].map((second, at) => alert(at + 1, { time: BigInt(second) * 1_000_000_000n })),
  );
  const at = (second: number) => new Date(second * 1_000).toISOString();
  const cases: [string, number[]][] = [
    [`after=${at(2)}`, [4]],
    [`before=${at(2)}`, [1]],
    [`after=${at(1)}&before=${at(3)}`, [3, 2]],
    [`after=${at(0)}`, [4, 3, 2, 1]],
    [`before=${at(9)}&limit=1`, [4]],
    [`before=${at(0)}`, []],
  ];
  for (const [query, wanted] of cases) deepStrictEqual(seqs(asked(timed, query)), wanted, query);
});

Deno.test("a query takes what it names, in output and dossier", () => {
  const ring = ringOf([
    alert(1, { outputFields: [["proc.name", "cat"], ["container.id", "abc"]] }),
    alert(2, { dossier: dossier() }),
    alert(3, { outputFields: [["proc.cmdline", 'sh -c "Odd  name"']], priority: 2 }),
    alert(4, { dossier: dossier({ fields: ["sh", 'a"b', 99] }), rule: "cat" }),
  ]);
  const cases: [string, number[]][] = [
    ["process=cat", [2, 1]],
    ["process=12", [2]],
    ["process=99&process=cat", [4, 2, 1]],
    ["container=abc", [1]],
    ['container=a"b', [4]],
    ["container=12", []],
    ["search=odd+NAME", [3]],
    ["search=cat", [4, 2, 1]],
    ['search=a"b', [4]],
    ["search=.*", []],
    ["priority=critical", [3]],
    ["rule=&process=&search=&priority=&before=&after=&limit=&with=", [4, 3, 2, 1]],
  ];
  for (const [query, wanted] of cases) deepStrictEqual(seqs(asked(ring, query)), wanted, query);
  const [one] = asked(ring, "with=fields&process=99").alerts;
  deepStrictEqual(one!.fields, { "proc.name": "sh", "container.name": 'a"b', "proc.pid": 99 });
});

Deno.test("a wrong query is told what was expected", () => {
  const cases: [string, RegExp][] = [
    ["limit=0", /from 1 to 1000/],
    ["limit=1e9", /from 1 to 1000/],
    ["with=all", /expected fields/],
    ["proces=x", /did you mean process\?/],
    [`search=${"x".repeat(257)}`, /at most 256/],
  ];
  for (const [text, wanted] of cases) {
    const query = recentQuery(new URLSearchParams(text));
    ok("error" in query, text);
    match(query.error, wanted);
  }
  const bad = recentQuery(new URLSearchParams("after=2026-13-99"));
  ok(!("error" in bad));
  match((recentAnswer(ringOf([alert(1)]), bad) as { error: string }).error, /expected a time/);
  const query = recentQuery(new URLSearchParams("before=9"));
  ok(!("error" in query));
  deepStrictEqual(recentAnswer(ringOf([alert(1)]), query), {
    error: 'before "9": this alert is not held',
  });
});
