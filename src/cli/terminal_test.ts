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

Deno.test("a message of one line fits the terminal, a report of several stays as it is", () => {
  const written = (text: string, columns: number | undefined) => {
    let error = "";
    terminalOver({
      out: () => {},
      error: (bytes) => void (error += new TextDecoder().decode(bytes)),
      outIsTerminal: false,
      errorIsTerminal: columns !== undefined,
      errorColumns: () => columns,
      environment: () => undefined,
    }).error(text);
    return error;
  };
  const message = "Error: Cannot read the rules file /tmp/x\n";
  strictEqual(written(message, 24), "Error: Cannot read the\n  rules file /tmp/x\n");
  strictEqual(written(message, undefined), message);
  strictEqual(written(message, 80), message);
  for (const report of [`${message}  at line 3\n`, `  condition: ${"x ".repeat(30)}\n`]) {
    strictEqual(written(report, 24), report);
  }
});
