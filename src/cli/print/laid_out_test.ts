// Lines on a terminal: what goes on stands below what began, marks have their tones; in a pipe
// nothing is broken.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { terminalOver } from "../terminal.ts";
import { below, laidOut, type Layout } from "./laid_out.ts";

function printed(
  text: string,
  columns: number | undefined,
  layout: Layout,
  colour = false,
): string {
  let out = "";
  const terminal = terminalOver({
    out: (bytes) => void (out += new TextDecoder().decode(bytes)),
    error: () => {},
    outIsTerminal: columns !== undefined,
    errorIsTerminal: false,
    columns: () => columns,
    environment: (name) => name === "NO_COLOR" && !colour ? "1" : undefined,
  });
  laidOut(terminal, layout)(text);
  return out;
}

const TREE = "✗ all of\n  ✓ fd.name in (/etc/shadow, /etc/gshadow)   [fd.name is missing]\n";

Deno.test("a terminal gets lines of its width, below each other, and no trailing blanks", () => {
  deepStrictEqual(printed(TREE, 30, {}).split("\n"), [
    "✗ all of",
    "  ✓ fd.name in (/etc/shadow,",
    "    /etc/gshadow)   [fd.name",
    "    is missing]",
    "",
  ]);
  deepStrictEqual(printed("ok      one two three\n", 16, { hang: /^ok +/ }).split("\n"), [
    "ok      one two",
    "     three",
    "",
  ]);
  strictEqual(printed("a\n\nb\n", 20, {}), "a\n\nb\n");
});

Deno.test("a pipe gets what was written, and no colour", () => {
  strictEqual(printed(TREE, undefined, { tones: { "✗": "bad" } }, true), TREE);
});

Deno.test("marks have colours where there are any, and nothing of a value acts", () => {
  const tones = { "✓": "good", "✗": "bad" } as const;
  const shown = printed('✗ x   [x is "\x1b[2J"]\n', 80, { tones }, true);
  strictEqual(shown, '\x1b[1;31m✗\x1b[0m x   [x is "\\u001b[2J"]\n');
  ok(!printed(TREE, 80, { tones }).includes("\x1b"));
});

Deno.test("what is said of a name stands below it", () => {
  strictEqual(
    below("evt.type", "What  it\nis called.", 16),
    "evt.type\n    What it is\n    called.\n",
  );
});
