// What a terminal may be shown: nothing that acts, and all that is only letters.
import { strictEqual } from "node:assert";
import { visibleLine, visibleText } from "./visible.ts";

Deno.test("what steers a terminal is shown as an escape", () => {
  strictEqual(visibleText("a\x1b[2Jb\x07\x9b1m\x7f"), "a\\u001b[2Jb\\u0007\\u009b1m\\u007f");
  strictEqual(visibleText("a\rb"), "a\\u000db");
});

Deno.test("marks of direction and separators of lines are shown as escapes", () => {
  strictEqual(
    visibleText("\u202efdp.exe\u2066\u2028\u2029\u061c"),
    "\\u202efdp.exe\\u2066\\u2028\\u2029\\u061c",
  );
});

Deno.test("letters of any language stay, and so do newlines and tabs of a text", () => {
  const text = "grün 日本語 😀 שלום\n\tx";
  strictEqual(visibleText(text), text);
  strictEqual(visibleLine("a\nb\tc"), "a\\nb\\tc");
});

Deno.test("half of a character is shown as an escape", () => {
  strictEqual(visibleText("a\ud800b"), "a\\ud800b");
});

Deno.test("JSON stays JSON", () => {
  const value = { name: "\u202ea\x9b\u{e0041}" };
  strictEqual(JSON.parse(visibleText(JSON.stringify(value))).name, value.name);
});
