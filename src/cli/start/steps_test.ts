// How far a build is, on a terminal and elsewhere.
import { deepStrictEqual, strictEqual } from "node:assert";
import { startSteps, stepLine } from "./steps.ts";
import { terminalOver } from "../terminal.ts";

function drawn(errorIsTerminal: boolean): string[] {
  const told: string[] = [];
  const steps = startSteps(terminalOver({
    out: () => {},
    error: (bytes) => told.push(new TextDecoder().decode(bytes)),
    outIsTerminal: false,
    errorIsTerminal,
    environment: () => undefined,
  }));
  steps.show(1, 4, "CC glue.o\x1b[2J");
  steps.stop();
  steps.stop();
  return told;
}

Deno.test("steps are drawn on a terminal, without what would steer it, and are wiped away", () => {
  const line = `[########----------------------]  25 %  CC glue.o\\u001b[2J`;
  deepStrictEqual(drawn(true), [`\r\x1b[K${line}`, "\r\x1b[K"]);
});

Deno.test("steps are silent where standard error is no terminal", () => {
  deepStrictEqual(drawn(false), []);
});

Deno.test("stepLine goes no further than the end", () => {
  strictEqual(stepLine(9, 6, "x"), `[${"#".repeat(30)}] 100 %  x`);
  strictEqual(stepLine(0, 0, "x"), `[${"-".repeat(30)}]   0 %  x`);
});
