// When what is known of other threads may have changed with one (`lineage`), and which threads
// ended so lately that a late event of them is no new thread.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Scene, THREAD_FLAGS } from "../scene.ts";
import type { Tables } from "./tables.ts";
import type { Thread } from "./thread.ts";

const PID = 50;
const OTHER = 99;

/** A thread that leads nothing and has nobody. */
function alone(): { scene: Scene; tables: Tables; thread: Thread } {
  const scene = new Scene();
  scene.exec(PID, "sh");
  const thread = scene.thread(PID);
  thread.pgid = thread.sid = thread.vpgid = OTHER;
  return { scene, tables: scene.machine as unknown as Tables, thread };
}

/** By what ties others to the thread, how it comes about. */
const TIES: Readonly<Record<string, (scene: Scene, thread: Thread) => void>> = {
  "a child": (scene) => {
    scene.forked(PID, 51);
    scene.born(51, 51, PID);
  },
  "another thread of its process": (scene) => {
    scene.born(52, PID, 1, THREAD_FLAGS);
  },
  "its own process group": (_, thread) => {
    thread.pgid = PID;
  },
  "its own session": (_, thread) => {
    thread.sid = PID;
  },
  "its own group inside of its namespace": (_, thread) => {
    thread.vpgid = PID;
  },
};

Deno.test("a change of a thread that leads nothing and has nobody is its own", () => {
  const { tables, thread } = alone();
  const { lineage } = tables;
  const { version } = thread;
  tables.changed(thread);
  deepStrictEqual([tables.lineage, thread.version], [lineage, version + 1]);
});

for (const [tie, make] of Object.entries(TIES)) {
  Deno.test(`a change of a thread with ${tie} may change what others show`, () => {
    const { scene, tables, thread } = alone();
    make(scene, thread);
    const { lineage } = tables;
    const { version } = thread;
    tables.changed(thread);
    deepStrictEqual([tables.lineage, thread.version], [lineage + 1, version + 1]);
  });
}

Deno.test("what is settled once is not settled with each event", () => {
  const blocks = alone().scene.machine.dump(0n);
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
  const loaded = new Scene();
  for (let at = 0; at < blocks.length;) {
    const length = view.getUint32(at + 4, true);
    loaded.machine.load(view.getUint32(at, true), blocks, at + 8, at + length - 4);
    at += length;
  }
  const tables = loaded.machine as unknown as Tables;
  const before = tables.lineage;
  loaded.pass(PID);
  const { lineage } = tables;
  strictEqual(lineage > before, true, "it is settled");
  loaded.pass(PID);
  loaded.pass(PID);
  strictEqual(tables.lineage, lineage);
});

Deno.test("a thread ended recently for two seconds, as the child of its parent alone", () => {
  const { scene, tables } = alone();
  scene.forked(PID, 51);
  scene.born(51, 51, PID);
  const at = 5_000_000_000;
  tables.removeExited(51, at);
  const recently = (after: number, tid = 51, ptid = PID) =>
    tables.exitedRecently(tid, ptid, at + after);
  deepStrictEqual([0, 1, 1_999_999_999, 2_000_000_000, -1].map((after) => recently(after)), [
    ...[true, true, true, false, false],
  ]);
  strictEqual(recently(0, 52), false);
  strictEqual(recently(0, 51, 1), false);
  // It would stand in the same place.
  for (let bits = 4; bits < 16; bits++) strictEqual(recently(0, 51 + (1 << bits)), false);
});
