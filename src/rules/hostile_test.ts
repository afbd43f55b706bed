// Rules made to harm: each is read in bounded time and memory, gives a clear error or a sound set,
// and never throws. Seeds of what fuzzing found stay here.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Chance, conditionByChance, nonsenseByChance } from "./check/condition_fixture.ts";
import { readDocuments, VALUES_MAX } from "./read/document.ts";
import { conditionsOf, errorsOf, loadTexts, ruleText } from "./load_fixture.ts";
import { resultJson, verboseText } from "./report.ts";

function firstError(...texts: string[]): string {
  return errorsOf(loadTexts(texts))[0] ?? "";
}

Deno.test("a bomb of aliases is refused", () => {
  let text = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let level = 1; level < 9; level++) {
    text += `- &a${level} [${Array(10).fill(`*a${level - 1}`).join(", ")}]\n`;
  }
  ok(firstError(text).includes("aliases make more than"), firstError(text));
});

Deno.test("an alias of what holds it is refused", () => {
  const error = firstError("- &a [*a]\n- list: b\n  items: *a\n");
  ok(error.startsWith("LOAD_ERR"), error);
});

Deno.test("deep nesting of YAML is refused", () => {
  for (const depth of [100, 9_000]) {
    const error = firstError(`- list: a\n  items: ${"[".repeat(depth)}${"]".repeat(depth)}\n`);
    ok(/nested too deeply/.test(error), error);
  }
});

Deno.test("an item of a million values is refused before it is read", () => {
  const items = Array.from({ length: 1_000_000 }, (_, index) => `x${index}`).join(",");
  const error = firstError(`- list: a\n  items: [${items}]\n`);
  ok(error.includes(`at most ${VALUES_MAX} in one item`), error.slice(0, 200));
});

Deno.test("long words, brackets and marks without number cost no more than their length", () => {
  const cases: [string, RegExp][] = [
    ["a", /Undefined macro/],
    ["a.b", /LOAD_ERR/],
    ["]", /too many brackets: 300000/],
    ["{", /too many brackets: 300000/],
    [`"`, /too many quotes and marks: 300000/],
    ["!", /too many quotes and marks: 300000/],
  ];
  for (const [unit, expected] of cases) {
    const error = firstError(`- macro: m\n  condition: ${unit.repeat(300_000)}\n`);
    ok(expected.test(error), `${unit}: ${error.slice(-300)}`);
  }
  const error = firstError(`- macro: ${"m".repeat(300_000)}!\n  condition: evt.type = open\n`);
  ok(error === "" || error.startsWith("LOAD_"), error.slice(-300));
  const bad = `- macro: m\n  condition: ${"]".repeat(100)}\n`;
  const errors = errorsOf(loadTexts([bad.repeat(1_000)]));
  ok(errors.length <= 50, String(errors.length));
});

Deno.test("a list of a hundred thousand values is read and used", () => {
  const items = Array.from({ length: 100_000 }, (_, index) => `x${index}`).join(",");
  const loaded = loadTexts([
    `- list: a\n  items: [${items}]\n${ruleText("r", "proc.name in (a)")}`,
  ]);
  deepStrictEqual(errorsOf(loaded), []);
  const { node } = loaded.rules[0]!;
  strictEqual(node.kind === "atom" && node.atom.test("x99999", undefined), true);
});

Deno.test("lists that name lists do not multiply without a bound", () => {
  let text = "";
  for (let level = 0; level < 12; level++) {
    text += `- list: l${level}\n  items: [${Array(40).fill(`l${level + 1}`).join(", ")}]\n`;
  }
  const error = firstError(text + ruleText("r", "proc.name in (l0)"));
  ok(error.includes("too long with its lists"), error.slice(0, 200));
});

Deno.test("macros that name macros twice do not multiply without a bound", () => {
  let text = "- macro: m0\n  condition: fd.num = 1 or fd.num = 2\n";
  for (let level = 1; level < 40; level++) {
    text += `- macro: m${level}\n  condition: (m${level - 1} and fd.num = ${level}) or m${
      level - 1
    }\n`;
  }
  const error = firstError(text + ruleText("r", "m39"));
  ok(error.includes("condition is too large"), error);
});

Deno.test("a chain of macros is followed up to a bound", () => {
  const chain = (length: number) => {
    let text = "- macro: m0\n  condition: fd.num = 1\n";
    for (let level = 1; level < length; level++) {
      text += `- macro: m${level}\n  condition: not (fd.num = ${level} or m${level - 1})\n`;
    }
    return text + ruleText("r", `m${length - 1} and evt.type = open`);
  };
  strictEqual(firstError(chain(400)), "");
  ok(firstError(chain(5_000)).includes("nested too deeply"), firstError(chain(5_000)));
});

Deno.test("conditions cannot get out of the generated source", () => {
  const hostile = [
    '"); globalThis.harmed = true; (" ',
    "');globalThis.harmed=true;//",
    "${globalThis.harmed = true}",
    "`+(globalThis.harmed=true)+`",
    "\\u0022);globalThis.harmed=true;(\\u0022",
    "*/globalThis.harmed=true/*",
    "__proto__",
    "constructor",
  ];
  const rules = hostile.map((text, index) =>
    ruleText(
      `r${index} ${text.replace(/[^a-z]/g, "")}`,
      JSON.stringify(`evt.type = open and fd.name = ${JSON.stringify(text.replaceAll("\\", ""))}`),
    )
  );
  const loaded = loadTexts([rules.join("")]);
  deepStrictEqual(errorsOf(loaded), []);
  ok(loaded.ruleSet !== undefined);
  strictEqual((globalThis as { harmed?: boolean }).harmed, undefined);
  // The names of fields and operators come from tables alone.
  for (const name of ["constructor", "__proto__", "toString", "proc.__proto__"]) {
    ok(firstError(ruleText("r", `${name} = x`)).startsWith("LOAD_ERR"), name);
  }
});

Deno.test("names that objects have are names like others", () => {
  const text = "- list: __proto__\n  items: [a]\n- macro: constructor\n  condition: fd.num = 1\n" +
    ruleText("toString", "constructor and proc.name in (__proto__)");
  deepStrictEqual(conditionsOf(loadTexts([text])), {
    toString: "(fd.num = 1 and proc.name in (a))",
  });
  ok(
    firstError(ruleText("r", "evt.type = open", { priority: "constructor" })).includes("priority"),
  );
  ok(firstError(ruleText("r", "fd.sport = toString")).includes("unrecognized protocol"));
});

Deno.test("wide outputs and widths are bounded", () => {
  const format = "%99999999999proc.name ".repeat(50);
  const error = firstError(ruleText("r", "evt.type = open", { output: `'${format}'` }));
  ok(error === "" || error.startsWith("LOAD_ERR_COMPILE_OUTPUT"), error);
  const long = `%${"a.".repeat(20_000)}b`;
  ok(
    firstError(ruleText("r", "evt.type = open", { output: `'${long}'` })).includes(
      "unknown filter",
    ),
  );
});

Deno.test("readDocuments() and loadRules() take any text", () => {
  const pieces = [
    "- rule: ",
    "- macro: ",
    "- list: ",
    "  condition: ",
    "  items: ",
    "  output: ",
    "  override: {",
    "  exceptions:\n    - ",
    "{name: e, fields: [a, b], values: [[1]]}",
    "append}",
    "a",
    "evt.type = open",
    "[",
    "]",
    "{",
    "}",
    "*a",
    "&a ",
    "!!binary ",
    "|\n",
    ">\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "? ",
    ": ",
    "'",
    '"',
    "#",
    "\t",
    "\n",
    "\n  ",
    "\0",
    "é",
    "~",
    "true",
  ];
  for (let seed = 1; seed <= 1_500; seed++) {
    const chance = new Chance(seed);
    const text = Array.from({ length: 1 + chance.below(30) }, () => chance.of(pieces)).join("");
    const { roots, errors } = readDocuments(text);
    ok(Array.isArray(roots) && Array.isArray(errors));
    const loaded = loadTexts([text]);
    const contents = new Map([["f1.yaml", text]]);
    for (const result of loaded.results) {
      ok(verboseText(result, contents).length > 0);
      JSON.stringify(resultJson(result, contents));
    }
  }
});

Deno.test("loadRules() takes any condition, output and exception", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const chance = new Chance(seed);
    const nonsense = () => JSON.stringify(nonsenseByChance(chance, 1 + chance.below(12)));
    const sound = JSON.stringify(conditionByChance(chance, 2));
    const text = ruleText("r", chance.below(2) === 0 ? nonsense() : sound, { output: nonsense() }) +
      `  exceptions:\n    - {name: e, fields: [proc.name], values: [[${nonsense()}]]}\n` +
      `- macro: m\n  condition: ${nonsense()}\n`;
    const loaded = loadTexts([text]);
    const contents = new Map([["f1.yaml", text]]);
    for (const result of loaded.results) ok(verboseText(result, contents).length > 0);
  }
});
