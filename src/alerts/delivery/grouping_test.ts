// Repeats of alerts: which ones go on, when, and what the one that stands for others says.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert, formatJson } from "../format/format.ts";
import { JSON_FORMAT } from "../format/format_fixture.ts";
import { Grouping } from "./grouping.ts";

const SECOND = 1_000_000_000n;

function alert(second: number, rule = "r", file = "/a"): Alert {
  return {
    hostname: "h",
    message: `at ${second}`,
    outputFields: [["fd.name", file], ["proc.pid", second]],
    priority: 4,
    rule,
    source: "syscall",
    tags: [],
    time: BigInt(second) * SECOND,
    sequence: second,
    degraded: false,
  };
}

function grouping(fields: string[] = [], groupsMax = 10) {
  const made = new Grouping({ windowMs: 10_000, fields, groupsMax });
  const told: string[] = [];
  const tell = (alerts: readonly Alert[]) => {
    for (const { message, repeats } of alerts) {
      told.push(message + (repeats === undefined ? "" : ` for ${repeats.count}`));
    }
  };
  made.start(tell);
  return { made, told, take: (...alerts: Alert[]) => tell(made.take(alerts)) };
}

Deno.test("the first of a rule goes on at once, the others as one when the window ends", () => {
  const { made, told, take } = grouping();
  take(alert(1), alert(2), alert(5), alert(10));
  deepStrictEqual(told, ["at 1"]);
  take(alert(11));
  deepStrictEqual(told, ["at 1", "at 10 for 3", "at 11"]);
  take(alert(12), alert(40));
  deepStrictEqual(told.slice(3), ["at 12 for 1", "at 40"]);
  made.end();
  strictEqual(told.length, 5);
});

Deno.test("alerts of other rules and with other fields are no repeats", () => {
  const { made, told, take } = grouping(["fd.name"]);
  take(alert(1), alert(2, "r", "/b"), alert(3, "s"), alert(4), alert(5, "s"));
  deepStrictEqual(told, ["at 1", "at 2", "at 3"]);
  made.end();
  deepStrictEqual(told.slice(3), ["at 4 for 1", "at 5 for 1"]);
});

Deno.test("beyond its bound alerts go on by themselves, and are counted", () => {
  const { made, told, take } = grouping(["fd.name"], 2);
  take(alert(1), alert(2, "r", "/b"), alert(3, "r", "/c"), alert(4, "r", "/c"));
  deepStrictEqual(told, ["at 1", "at 2", "at 3", "at 4"]);
  strictEqual(made.ungrouped, 2);
});

Deno.test("alerts of saker itself are never grouped", () => {
  const { told, take } = grouping();
  take({ ...alert(1), tags: undefined }, { ...alert(2), tags: undefined });
  deepStrictEqual(told, ["at 1", "at 2"]);
});

Deno.test("live, the window ends although no alert comes", async () => {
  let nowMs = 1_000;
  const made = new Grouping({ windowMs: 10_000, fields: [], groupsMax: 1, now: () => nowMs });
  const sent = Promise.withResolvers<readonly Alert[]>();
  made.start(sent.resolve);
  made.take([alert(1), alert(2)]);
  nowMs = 11_000;
  deepStrictEqual((await sent.promise).map(({ repeats }) => repeats?.count), [1]);
  made.end();
});

Deno.test("an alert that stands for others says so, in JSON and in text", () => {
  const options = { ...JSON_FORMAT, json: false, isoTime: true };
  const one = { ...alert(9), repeats: { count: 7, first: 2n * SECOND, last: 9n * SECOND } };
  const { count, first, last, output } = JSON.parse(formatJson(one, options));
  deepStrictEqual([count, first, last], [
    7,
    "1970-01-01T00:00:02.000000000Z",
    "1970-01-01T00:00:09.000000000Z",
  ]);
  const said = /at 9 \(7 such alerts from 1970-01-01T00:00:02\S+Z to 1970-01-01T00:00:09\S+Z\)$/;
  match(output, said);
  match(formatAlert(one, options), said);
});
