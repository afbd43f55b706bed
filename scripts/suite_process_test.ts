import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync } from "node:fs";
import { runBounded } from "./suite_process.ts";

Deno.test("what a suite leaves behind neither holds it up nor stays", async () => {
  // As a daemon does, it keeps the suite's output open.
  const script = "setsid sleep 600 & echo $!; exit 3";
  const { output, code, isOverdue, left } = await runBounded({
    command: ["bash", "-c", script],
    seconds: 300,
  });
  const pid = output.trim();
  deepEqual({ code, isOverdue, left }, { code: 3, isOverdue: false, left: [`${pid} sleep`] });
  equal(isRunning(pid), false);
});

Deno.test("a suite that takes too long is ended, with what it printed", async () => {
  const told: string[] = [];
  const { output, code, isOverdue, left } = await runBounded({
    command: ["bash", "-c", "echo before; sleep 600"],
    seconds: 1,
    onText: (text) => told.push(text),
  });
  equal(isOverdue, true);
  match(output, /^before\n/);
  equal(told.join(""), output);
  equal(code === 0, false);
  deepEqual(left, []);
});

Deno.test("a suite that does not listen is ended too", async () => {
  const { output, isOverdue } = await runBounded({
    command: ["bash", "-c", "trap '' TERM; echo $$; while :; do sleep 600; done"],
    seconds: 1,
    graceSeconds: 1,
  });
  equal(isOverdue, true);
  equal(isRunning(output.trim().split("\n")[0]!), false);
});

/** One that has ended and that nobody has waited for does not run. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
}
