// Bytes that are no UTF-8, and control characters: what conditions see of them, and what text and
// JSON show. Falco's engine 0.63 is followed here, which 0.44.1 is not yet.
import { deepStrictEqual, strictEqual } from "node:assert";
import { formatAlert } from "./format.ts";
import { JSON_FORMAT } from "./format_fixture.ts";
import { Scene } from "../../state/scene.ts";
import { textOf } from "../../words/raw_text.ts";
import { errorsOf, loadTexts, ruleText } from "../../rules/load_fixture.ts";

/** A name as it stands in a text: each byte of it that is no UTF-8 is one lone surrogate. */
const raw = (...bytes: number[]) => textOf(Uint8Array.from(bytes));
const BROKEN = `a${raw(0xff)}b`;

function opened(name: string): Scene {
  const scene = new Scene();
  scene.exec(5, "sh");
  scene.open(5, 3, `/tmp/${name}`);
  return scene;
}

/** Whether a rule with the check matches an open of the name. */
function matches(check: string, name: string): boolean {
  const loaded = loadTexts([
    ruleText("r", `'evt.type = openat and ${check.replaceAll("'", "''")}'`),
  ]);
  deepStrictEqual(errorsOf(loaded), [], check);
  return loaded.ruleSet!.match(opened(name).context, new Int32Array(1)) === 1;
}

Deno.test("conditions see the bytes of a name, and \\xHH says them", () => {
  const holds = [
    '= "/tmp/a\\xffb"',
    'in (/tmp/x, "/tmp/a\\xffb")',
    'contains "\\xff"',
    'contains "a\\xff"',
    'icontains "A\\xff"',
    'startswith "/tmp/a\\xff"',
    'endswith "\\xffb"',
    'glob "/tmp/a?b"',
    'glob "/tmp/*\\xffb"',
    'pmatch ("/tmp/a\\xffb")',
    '!= "/tmp/a\\xfeb"',
  ];
  for (const check of holds) strictEqual(matches(`fd.name ${check}`, BROKEN), true, check);
  const fails = [
    '= "/tmp/a\\xfeb"',
    'in ("/tmp/a\\xfeb")',
    'contains "\\xfe"',
    "= /tmp/a\ufffdb",
    "contains \ufffd",
    'glob "/tmp/*\\xfeb"',
    'startswith "/tmp/a\\xfe"',
    'pmatch ("/tmp/a\\xfeb")',
  ];
  for (const check of fails) strictEqual(matches(`fd.name ${check}`, BROKEN), false, check);
});

Deno.test("regex sees U+FFFD for what is no UTF-8", () => {
  strictEqual(matches('fd.name regex "/tmp/a.b"', BROKEN), true);
  strictEqual(matches('fd.name regex "/tmp/a\ufffdb"', BROKEN), true);
  strictEqual(matches('fd.name regex "/tmp/a\\xfeb"', BROKEN), true);
});

Deno.test("bytes in quotes that make up characters are those characters", () => {
  strictEqual(matches('fd.name = "/tmp/\\xc3\\xa9"', "\u00e9"), true);
  strictEqual(matches("fd.name = /tmp/\u00e9", "\u00e9"), true);
  strictEqual(matches('fd.name = "/tmp/\\xe9"', "\u00e9"), false);
});

Deno.test("a byte of a character is found in it, as in all other bytes", () => {
  const holds = [
    'contains "\\xc3"',
    'contains "\\xa9"',
    'icontains "P/\\xc3"',
    'startswith "/tmp/\\xc3"',
    'endswith "\\xa9"',
    'glob "/tmp/?\\xa9"',
    'startswith anyof (/x, "/tmp/\\xc3")',
  ];
  for (const check of holds) strictEqual(matches(`fd.name ${check}`, "\u00e9"), true, check);
  for (const check of ['= "/tmp/\\xc3"', 'contains "\\xa8"', 'endswith "\\xc3"']) {
    strictEqual(matches(`fd.name ${check}`, "\u00e9"), false, check);
  }
});

Deno.test("a rules file may hold the bytes themselves", () => {
  const [before, after] = ruleText("r", "evt.type = openat and fd.name endswith HEREb").split(
    "HERE",
  );
  const encoder = new TextEncoder();
  const bytes = [...encoder.encode(before), 0xff, ...encoder.encode(after)];
  const { ruleSet } = loadTexts([textOf(Uint8Array.from(bytes))]);
  const matched = new Int32Array(1);
  strictEqual(ruleSet!.match(opened(BROKEN).context, matched), 1);
  strictEqual(ruleSet!.match(opened(`a${raw(0xfe)}b`).context, matched), 0);
});

Deno.test("control characters are seen as they are, raw or escaped", () => {
  for (const name of ["a\tb", "a\nb", "a\x01b", "a\x7fb"]) {
    const code = name.charCodeAt(1).toString(16).padStart(2, "0");
    strictEqual(matches(`fd.name = "/tmp/a\\x${code}b"`, name), true, JSON.stringify(name));
    strictEqual(matches('fd.name = "/tmp/a\\x02b"', name), false, JSON.stringify(name));
  }
  strictEqual(matches('fd.name = "/tmp/a\\tb"', "a\tb"), true);
});

function shown(name: string, json: boolean): string {
  const { ruleSet } = loadTexts([ruleText("r", "evt.type = openat", { output: "'%fd.name'" })]);
  const scene = opened(name);
  const { message, fields } = ruleSet!.rules[0]!.render(scene.context);
  return formatAlert({
    hostname: "h",
    message,
    outputFields: fields,
    priority: 6,
    rule: "r",
    source: "syscall",
    tags: [],
    time: 1n,
    sequence: 1,
    degraded: false,
  }, { ...JSON_FORMAT, json });
}

Deno.test("JSON has control characters as its escapes, and U+FFFD for what is no UTF-8", () => {
  for (
    const [name, text] of [
      ["a\tb", "/tmp/a\tb"],
      ["a\nb\x1b", "/tmp/a\nb\x1b"],
      [BROKEN, "/tmp/a\ufffdb"],
      [`${raw(0xe2, 0x82)}x`, "/tmp/\ufffdx"],
    ] as const
  ) {
    const line = shown(name, true);
    const alert = JSON.parse(line) as { output: string; output_fields: Record<string, string> };
    strictEqual(alert.output_fields["fd.name"], text);
    strictEqual(alert.output.endsWith(`Informational ${text}`), true, alert.output);
    strictEqual(line.isWellFormed(), true);
  }
  strictEqual(shown("a\tb", true).includes('"fd.name":"/tmp/a\\tb"'), true);
});

Deno.test("a line of text has them escaped as in JSON", () => {
  strictEqual(shown("a\tb\x01", false).endsWith("Informational /tmp/a\\tb\\u0001"), true);
  strictEqual(shown(BROKEN, false).endsWith("Informational /tmp/a\ufffdb"), true);
});
