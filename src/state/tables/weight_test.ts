// What the tables may take: over it descriptors go first, then arguments, then no thread is taken.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Fd, FdKind } from "./fd.ts";
import { Tables } from "./tables.ts";
import { Thread } from "./thread.ts";
import { weightOf } from "./weight.ts";

const MAX = 4 << 20;

function tablesOf(bytesMax = MAX): { tables: Tables; lightened: () => number } {
  let lightened = 0;
  const tables = new Tables({
    paths: "both",
    threadsMax: 1_000_000,
    fdsMax: 1_000_000,
    bytesMax,
    onLighten: () => lightened++,
    hostname: "box",
  });
  return { tables, lightened: () => lightened };
}

function process(tables: Tables, pid: number): Thread {
  const thread = new Thread(pid, pid);
  tables.add(thread);
  return thread;
}

function open(tables: Tables, thread: Thread, number: number, name: string): void {
  tables.fdsToChange(thread)!.set(number, new Fd(FdKind.File, tables.strings.internPassing(name)));
}

Deno.test("of too many descriptors those of the process with the most go, others stay", () => {
  const { tables, lightened } = tablesOf();
  const [usual, greedy] = [process(tables, 10), process(tables, 11)];
  open(tables, usual, 3, "/etc/hosts");
  for (let at = 0; at < 40_000; at++) {
    open(tables, greedy, at, `/greedy/${"x".repeat(80)}${at}`);
    if (at % 256 === 0) tables.keepWithin();
    strictEqual(weightOf(tables) <= MAX * 1.5, true);
  }
  strictEqual(tables.strings.text(tables.fdsOf(usual)!.get(3)!.name), "/etc/hosts");
  strictEqual(lightened() > 0, true);
  strictEqual(tables.stats().fdsRefused > 0, true);
});

Deno.test("arguments go where descriptors are not enough, and are counted", () => {
  const { tables } = tablesOf();
  const bytes = new Uint8Array(4000).fill(120);
  for (let pid = 2; pid < 2000; pid++) {
    process(tables, pid).args = tables.seenBytes.copy(bytes, 0, bytes.length);
    tables.keepWithin();
    strictEqual(weightOf(tables) <= MAX * 1.5, true);
  }
  strictEqual(tables.threads.size, 1998);
  strictEqual(tables.stats().argumentsForgotten > 0, true);
});

Deno.test("threads stay, and no more are taken until another section begins", () => {
  const { tables } = tablesOf();
  for (let pid = 2; pid < 20_000; pid++) {
    process(tables, pid);
    tables.keepWithin();
  }
  const { threads, threadsRefused } = tables.stats();
  strictEqual(threads + threadsRefused, 19_998);
  strictEqual(threadsRefused > 0, true);
  strictEqual(tables.threads.get(2)!.tid, 2);
  tables.reset();
  deepStrictEqual(process(tables, 7), tables.threads.get(7));
});

Deno.test("tables without such a bound keep all", () => {
  const { tables } = tablesOf(Infinity);
  const thread = process(tables, 10);
  for (let at = 0; at < 50_000; at++) open(tables, thread, at, `/${at}`);
  tables.keepWithin();
  deepStrictEqual([tables.stats().fds, tables.stats().fdsRefused], [50_000, 0]);
});
