// What is written to standard error where a line is drawn that changes: each has a row of its own.
import { strictEqual } from "node:assert";
import { CLEAR_LINE, terminalOver } from "./terminal.ts";

Deno.test("a message takes back the line that was drawn, once", () => {
  let error = "";
  const terminal = terminalOver({
    out: () => {},
    error: (bytes) => void (error += new TextDecoder().decode(bytes)),
    outIsTerminal: false,
    errorIsTerminal: true,
    environment: () => undefined,
  });
  terminal.error("one\n");
  terminal.draw(`${CLEAR_LINE}50 %`);
  terminal.error("two\n");
  terminal.error("three\x1b[2J\n");
  terminal.draw(`${CLEAR_LINE}60 %`);
  terminal.draw(CLEAR_LINE);
  terminal.error("four\n");
  const cleared = CLEAR_LINE;
  strictEqual(
    error,
    `one\n${cleared}50 %${cleared}two\nthree\\u001b[2J\n${cleared}60 %${cleared}four\n`,
  );
});
