// Events by process: exact counts for as many processes as the table has room for, in windows.
import { deepStrictEqual, strictEqual } from "node:assert";
import { createMachine } from "../../state/create_machine.ts";
import { Thread, ThreadFlag } from "../../state/tables/thread.ts";
import { ProcessCounts } from "./process_counts.ts";

function started() {
  const machine = createMachine({
    paths: "caller",
    threadsMax: 10_000,
    fdsMax: 100,
    hostname: "here",
  });
  const thread = (pid: number, tid = pid) => {
    const made = new Thread(tid, pid);
    return Object.assign(made, { comm: machine.strings.internPassing(`p${pid}`) });
  };
  return { machine, thread, counts: new ProcessCounts(machine, 0) };
}

Deno.test("threads count for their process, windows begin at nothing", () => {
  const { counts, thread } = started();
  const [one, other, second] = [thread(1), thread(2), thread(1, 7)];
  for (const each of [one, one, other, second, one]) counts.add(each);
  strictEqual(counts.take(1_999), undefined);
  deepStrictEqual(counts.take(2_000), {
    ms: 2_000,
    list: [
      { pid: 1, name: "p1", exepath: "", container: "", events: 4 },
      { pid: 2, name: "p2", exepath: "", container: "", events: 1 },
    ],
    processes: 2,
    others: 0,
  });
  counts.add(other);
  deepStrictEqual(counts.take(4_500)?.list.map(({ pid, events }) => [pid, events]), [[2, 1]]);
  // A clock that was set back ends the window, and does not stop the counting.
  deepStrictEqual(counts.take(1_000)?.list, []);
});

Deno.test("processes beyond the table's room are others, those of before stay exact", () => {
  const { counts, thread } = started();
  const busy = thread(77_777);
  counts.add(busy);
  // Pids that have one place to begin at, and all others.
  for (let pid = 1; pid <= 5_000; pid++) {
    counts.add(thread(pid * 8192));
    counts.add(busy);
  }
  const { list, processes, others } = counts.take(2_000)!;
  deepStrictEqual(list[0], { ...list[0]!, pid: 77_777, events: 5_001 });
  strictEqual(processes, 4096);
  strictEqual(list.reduce((sum, { events }) => sum + events, 0) + others, 10_001);
});

Deno.test("a name that a sweep may have freed is not told of a process that has ended", () => {
  const { machine, counts, thread } = started();
  const ended = Object.assign(thread(5), { flags: ThreadFlag.Dead });
  counts.add(ended);
  machine.strings.sweep(() => {});
  machine.strings.internPassing("another's");
  deepStrictEqual(counts.take(2_000)?.list.map(({ pid, name }) => [pid, name]), [[5, ""]]);
});
