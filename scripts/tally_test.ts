import { deepEqual, equal } from "node:assert/strict";
import { type Runner, summary, tally } from "./tally.ts";

function checkTally(
  runner: Runner,
  output: string,
  exitCode: number,
  expected: [passed: number, failed: number, skipped: number],
): void {
  const [passed, failed, skipped] = expected;
  deepEqual(tally(runner, output, exitCode), { passed, failed, skipped });
}

Deno.test("a deno run is counted from its last line", () => {
  checkTally("deno", "running 2 tests\n\nok | 12 passed (3 steps) | 0 failed (2s)\n", 0, [
    12,
    0,
    0,
  ]);
  checkTally("deno", "FAILED | 11 passed | 1 failed | 2 ignored (1s)\n", 1, [11, 1, 2]);
  checkTally("deno", "ok | 3 passed | 0 failed | 0 ignored (1 step) (1s)\n", 0, [3, 0, 1]);
  checkTally("deno", "ok | 3 passed (4 steps) | 0 failed | 2 ignored (3 steps)\n", 0, [3, 0, 5]);
});

Deno.test("a deno run is counted in colour", () => {
  checkTally("deno", "\u001b[32mok\u001b[0m | 5 passed | 0 failed \u001b[2m(1s)\u001b[0m", 0, [
    5,
    0,
    0,
  ]);
});

Deno.test("test results of several crates are added", () => {
  const result = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out;";
  checkTally("cargo", `${result}\nrunning 0 tests\n${result}\n`, 0, [6, 0, 2]);
});

Deno.test("a suite that prints the plain line is taken at its word", () => {
  checkTally("plain", "p01: fine\n72 passed, 1 failed, 3 skipped\n", 1, [72, 1, 3]);
  checkTally("plain", "72 passed, 0 failed\n", 0, [72, 0, 0]);
});

Deno.test("a crash without counts is one failure", () => {
  checkTally("deno", "error: Module not found\n", 1, [0, 1, 0]);
  checkTally("cargo", "error: could not compile\n", 101, [0, 1, 0]);
});

Deno.test("a failing exit code is a failure even where all counted tests passed", () => {
  checkTally("deno", "ok | 12 passed | 0 failed (2s)\n", 1, [12, 1, 0]);
});

Deno.test("a suite without a test is a failure", () => {
  checkTally("deno", "ok | 0 passed | 0 failed (0ms)\n", 0, [0, 1, 0]);
  checkTally("cargo", "", 0, [0, 1, 0]);
  checkTally("plain", "", 0, [0, 1, 0]);
});

Deno.test("a check counts as one", () => {
  checkTally("check", "", 0, [1, 0, 0]);
  checkTally("check", "12 passed, 0 failed", 1, [0, 1, 0]);
});

Deno.test("the summary names skipped tests only where there are some", () => {
  equal(summary({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  equal(summary({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
});
