// What comes of rules files in many variations, as a table that is compared: of each the mistakes
// with their places, or the condition, and a digest of all that reports, lint and describe say.
// UPDATE=1 writes variations.json anew; its changes are to be read like code.
import { deepStrictEqual } from "node:assert";
import { createHash } from "node:crypto";
import { ALL_EVENTS, codeCount, namesOf } from "./check/event_types.ts";
import type { Loaded } from "./load.ts";
import { loadTexts, ruleText } from "./load_fixture.ts";
import { parse, parseTerm } from "./parse/parse.ts";
import { print } from "./parse/syntax.ts";
import { contentsOf, resultJson, verboseText } from "./report.ts";
import { describeAll } from "./tools/describe.ts";
import { lint } from "./tools/lint.ts";
import {
  checkVariations,
  fileVariations,
  TO_BE_CUT,
  typeVariations,
} from "./variations_fixture.ts";

const FILE = new URL("./variations.json", import.meta.url);
const MESSAGE_CHARS = 90;
/** Kinds of events that are named one by one. */
const FEW = 9;

const digest = (value: unknown) =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 8);

/** All that is said of what was loaded. */
function allOf(loaded: Loaded): unknown[] {
  const contents = contentsOf(loaded.results);
  return [
    loaded.results.map((result) => [resultJson(result, contents), verboseText(result, contents)]),
    loaded.rules.map(({ name, tree, tags, output, priority, enabled, extraFields }) => {
      return { name, tree: print(tree), tags, output, priority, enabled, extraFields };
    }),
    loaded.enabled.map(({ name }) => name),
    loaded.resolved.nodes.true.kind,
    lint(loaded).map(({ kind, rule, reason }) => [kind, rule, reason]),
    describeAll(loaded),
  ];
}

function findings(loaded: Loaded): string[] {
  return loaded.results.flatMap(({ errors, warnings }) =>
    [...errors, ...warnings].map(({ code, message, place }) => {
      const { line, column } = place.locations.at(-1)!.position;
      return `${code.replace("LOAD_", "")} ${line}:${column} ${message.slice(0, MESSAGE_CHARS)}`;
    })
  );
}

function ofFiles(): Record<string, string> {
  const lines = Object.entries(fileVariations()).map(([name, text]) => {
    const loaded = loadTexts([text]);
    return [name, `${findings(loaded).join(" | ")} (${digest(allOf(loaded))})`] as const;
  });
  return Object.fromEntries(lines);
}

/** The condition as it is understood, or why it is not. */
function understood(condition: string): { text: string; loaded: Loaded } {
  const loaded = loadTexts([ruleText("r", JSON.stringify(condition))]);
  const [rule] = loaded.rules;
  const [error] = loaded.results[0]!.errors;
  return { text: rule === undefined ? error?.message ?? "" : print(rule.tree), loaded };
}

/** Keeps the kinds of events out of it: their number grows with the table. */
const BEFORE = "evt.type = openat and ";

function ofChecks(): Record<string, string> {
  const lines = Object.entries(checkVariations()).map(([name, conditions]) => {
    const all = conditions.map((condition) => understood(BEFORE + condition));
    const [first] = all;
    const sound = all.filter(({ loaded }) => loaded.rules.length > 0).length;
    const told = all.map(({ loaded, text }) => [text, ...allOf(loaded)]);
    const shown = first!.text.replace(BEFORE, "").slice(0, MESSAGE_CHARS);
    return [name, `${sound} of ${all.length}: ${shown} (${digest(told)})`] as const;
  });
  return Object.fromEntries(lines);
}

function ofTypes(): Record<string, string> {
  const lines = typeVariations().map((condition) => {
    const { text, loaded } = understood(condition);
    const events = loaded.rules[0]?.events;
    if (events === undefined) return [condition, text] as const;
    const names = namesOf(events);
    const others = codeCount(ALL_EVENTS) - codeCount(events);
    const told = names.length < FEW ? `only ${names.join(", ")}` : `all but ${others}`;
    return [condition, told] as const;
  });
  return Object.fromEntries(lines);
}

/** What is said of each beginning of the text, once for those of which the same is said. */
function ofCuts(text: string): string[] {
  const lines: string[] = [];
  for (let length = 0; length <= text.length; length++) {
    const cut = text.slice(0, length);
    const whole = parse(cut);
    const term = parseTerm(cut);
    const told = "tree" in whole
      ? print(whole.tree)
      : `${whole.error.at}: ${whole.error.message.slice(0, MESSAGE_CHARS)}`;
    const first = "tree" in term ? `${digest(term.tree)} to ${term.end}` : term.error.at;
    lines.push(`${told} | ${first}`);
  }
  return lines.filter((line, at) => line !== lines[at - 1]);
}

Deno.test("what comes of rules in many variations is what variations.json says", () => {
  const made = {
    files: ofFiles(),
    checks: ofChecks(),
    types: ofTypes(),
    cuts: TO_BE_CUT.map(ofCuts),
  };
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(FILE, text);
  deepStrictEqual(JSON.parse(text), JSON.parse(Deno.readTextFileSync(FILE)));
});
