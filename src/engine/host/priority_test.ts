import { deepStrictEqual } from "node:assert/strict";
import { raisePriority, type Threads } from "./priority.ts";

/** An engine's thread and three more, of which one has ended by the time that it is raised. */
function machine(processors: number) {
  const set: [thread: number | "own", nice: number][] = [];
  const addon = { setNice: (nice: number) => set.push(["own", nice]) > 0 };
  const threads: Threads = {
    processors,
    ids: () => [7, 8, 9],
    setPriority(thread, nice): void {
      if (thread === 8) throw new Error("ESRCH");
      set.push([thread, nice]);
    },
  };
  return { set, addon, threads };
}

Deno.test("on one processor, no thread of saker's is behind the one that reads events", () => {
  const { set, addon, threads } = machine(1);
  deepStrictEqual(raisePriority(addon, -10, threads), []);
  deepStrictEqual(set, [["own", -10], [7, -10], [9, -10]]);
});

Deno.test("on more processors, the thread that reads events alone is before others", () => {
  const { set, addon, threads } = machine(2);
  deepStrictEqual(raisePriority(addon, -10, threads), []);
  deepStrictEqual(set, [["own", -10]]);
});

Deno.test("a priority that is not asked for or not allowed changes that of no thread", () => {
  const { set, addon, threads } = machine(1);
  deepStrictEqual(raisePriority(addon, 0, threads), []);
  deepStrictEqual(raisePriority({ setNice: () => false }, -10, threads), [
    "Warning: engine.nice: the kernel does not allow -10 (CAP_SYS_NICE)",
  ]);
  deepStrictEqual(set, []);
});
