import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { parseTally, RuleTally } from "./rule_tally.ts";

const fired = (rule: string, host: string, tookMs: number) => ({ rule, host, tookMs });

Deno.test("rules are counted by host, within bounds that are told", () => {
  const tally = new RuleTally();
  tally.take(fired("R", "a", 5));
  tally.take(fired("R", "b", 9));
  tally.take(fired("R", "b", 7));
  tally.take(fired("Q", "a", 1));
  tally.take(fired("", "a", 1));
  deepStrictEqual(tally.rules(), [
    { rule: "R", count: 3, lastMs: 9, elsewhere: 0, hosts: [["b", 2], ["a", 1]] },
    { rule: "Q", count: 1, lastMs: 1, elsewhere: 0, hosts: [["a", 1]] },
  ]);
  deepStrictEqual([tally.sinceMs, tally.read, tally.unnamed], [5, 5, 1]);
  for (let at = 0; at < 200; at++) tally.take(fired("Q", `h${at}`, 1));
  strictEqual(tally.rules()[0]!.elsewhere, 101);
  for (let at = 0; at < 1000; at++) tally.take(fired(`R${at}`, "a", 1));
  strictEqual(tally.refused, 2);
});

Deno.test("a tally that was written down goes on where it was", () => {
  const [one, other] = [new RuleTally(), new RuleTally()];
  for (const tally of [one, other]) tally.take(fired("R", "a", 5));
  const again = new RuleTally();
  again.restore(parseTally(JSON.parse(JSON.stringify(one.kept(() => true))))!);
  for (const tally of [again, other]) tally.take(fired("R", "b", 9));
  deepStrictEqual(again.kept(() => true), other.kept(() => true));
});

Deno.test("where there is little room fewer hosts are written down, and none are lost", () => {
  const tally = new RuleTally();
  for (let at = 0; at < 150; at++) tally.take(fired("R", `h${at}`, 1));
  const [rule] = tally.kept((kept) => kept.rules[0]!.hosts.length <= 30).rules;
  strictEqual(rule!.hosts.length, 30);
  strictEqual(rule!.elsewhere, 120);
  const [none] = tally.kept(() => false).rules;
  deepStrictEqual([none!.hosts.length, none!.elsewhere, none!.count], [0, 150, 150]);
});

Deno.test("what is no tally is none", () => {
  const whole = { sinceMs: 1, read: 1, refused: 0, unnamed: 0, rules: [] };
  ok(parseTally(whole) !== undefined);
  const rule = { rule: "R", count: 1, lastMs: 1, hosts: [["a", 1]], elsewhere: 0 };
  ok(parseTally({ ...whole, rules: [rule] }) !== undefined);
  for (
    const bad of [
      null,
      [],
      {},
      { ...whole, read: -1 },
      { ...whole, sinceMs: 1e300 },
      { ...whole, rules: [null] },
      { ...whole, rules: [{ ...rule, hosts: [["a"]] }] },
      { ...whole, rules: [{ ...rule, hosts: "a" }] },
      { ...whole, rules: [{ ...rule, count: "1" }] },
      { ...whole, rules: [{ ...rule, lastMs: Infinity }] },
    ]
  ) strictEqual(parseTally(bad), undefined, JSON.stringify(bad));
});
