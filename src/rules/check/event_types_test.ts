// Which events a condition can match, by Falco's algebra.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { EVENTS } from "../../events/table.ts";
import { ALL_EVENTS, codesOf, EventTypeSearch, isEventName, namesOf } from "./event_types.ts";
import { parse } from "../parse/parse.ts";

function search(condition: string, asyncNames: readonly string[] = []) {
  const parsed = parse(condition);
  if (!("tree" in parsed)) throw new Error(parsed.error.message);
  return new EventTypeSearch(new Set(asyncNames)).search(parsed.tree);
}

function namesIn(condition: string): string[] | "all" | "all but" {
  const found = search(condition);
  if (!("bits" in found)) throw new Error(found.error);
  if (found.bits === ALL_EVENTS) return "all";
  const names = namesOf(found.bits);
  return names.length > 20 ? "all but" : names;
}

const CONDITIONS: readonly (readonly [condition: string, names: string[] | "all" | "all but"])[] = [
  ["evt.type = open", ["open"]],
  ["syscall.type == open", ["open"]],
  ["evt.type in (open, close)", ["close", "open"]],
  ["evt.type != open", "all but"],
  ["not evt.type != open", ["open"]],
  ["not not evt.type = open", ["open"]],
  ["evt.type exists", "all"],
  ["not evt.type exists", []],
  ["proc.name = x", "all"],
  ["not proc.name = x", "all"],
  ["evt.type startswith op", "all"],
  ["evt.type = open and proc.name = x", ["open"]],
  ["evt.type = open or proc.name = x", "all"],
  ["evt.type = open and not evt.type = close", ["open"]],
  ["evt.type = open and evt.type = close", []],
  ["not (evt.type != open and proc.name = x)", "all"],
  ["not (evt.type != open or proc.name = x)", ["open"]],
  ["evt.num = 0", []],
  ["evt.num < 1 or evt.type = open", ["open"]],
  ["not evt.num = 0", "all"],
  ["evt.num in (0)", []],
  ["evt.num >= 1 and evt.type = open", ["open"]],
  ["evt.num = -1", "all"],
  ["evt.type = container", ["asyncevent", "container"]],
];

for (const [condition, names] of CONDITIONS) {
  Deno.test(`EventTypeSearch finds the events of ${condition}`, () => {
    deepStrictEqual(namesIn(condition), names);
  });
}

Deno.test("EventTypeSearch takes the names of plugins' asynchronous events", () => {
  deepStrictEqual(search("evt.type = plugin.tick"), { bits: 0n });
  deepStrictEqual(search("evt.type = plugin.tick", ["plugin.tick"]), { bits: 1n << 402n });
});

Deno.test("EventTypeSearch finds all versions of an event; the generic one for other calls", () => {
  const codes = (condition: string) => {
    const found = search(condition);
    return "bits" in found ? codesOf(found.bits) : [];
  };
  deepStrictEqual(
    codes("evt.type = open"),
    EVENTS.filter(({ name, code }) => code > 1 && name === "open").map(({ code }) => code),
  );
  deepStrictEqual(codes("evt.type = acct"), [0, 1]);
  deepStrictEqual(namesIn("evt.type = acct"), ["acct"]);
  deepStrictEqual(namesIn("evt.type in (acct, sync)"), ["acct", "sync"]);
});

Deno.test("EventTypeSearch refuses what Falco's search does not support", () => {
  const error = (condition: string) => {
    const found = search(condition);
    return "error" in found ? found.error : "";
  };
  ok(error("evt.type = val(proc.name)").startsWith("right-hand field comparisons"));
  ok(error("tolower(evt.type) = open").startsWith("event code search does not support"));
});

Deno.test("isEventName() takes events, system calls and asynchronous names", () => {
  const names = ["openat", "acct", "pread64", "container", "mine", "nosuch"];
  deepStrictEqual(names.map((name) => isEventName(name, new Set(["mine"]))), [
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
  strictEqual(isEventName("", new Set()), false);
});
