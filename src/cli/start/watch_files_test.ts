// Changes of files as an administrator or an editor makes them, and changes that are none.
import { strictEqual } from "node:assert";
import { stampOf, watchFiles } from "./watch_files.ts";

interface Options {
  /** Done before the watch begins. */
  readonly before?: (directory: string) => void;
  /** Each step is told exactly once. */
  readonly isOne?: boolean;
}

const SETTLED_MS = 250;

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Watches what `paths` names in a fresh directory, and waits for `changes` after each step. */
async function watching(
  paths: string[],
  steps: readonly ((directory: string) => void)[],
  { before = () => {}, isOne = true }: Options = {},
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  Deno.mkdirSync(`${directory}/rules.d`);
  Deno.writeTextFileSync(`${directory}/a.yaml`, "a");
  before(directory);
  const told = { changes: 0 };
  const watch = watchFiles(paths.map((path) => `${directory}/${path}`), () => told.changes++);
  try {
    for (const step of steps) {
      const before = told.changes;
      step(directory);
      while (told.changes === before) await later(5);
      if (isOne) strictEqual(told.changes, before + 1);
      // Steps of several parts may be told more than once on a busy machine.
      else await later(SETTLED_MS);
    }
  } finally {
    watch.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a file that is written or replaced is told once", async () => {
  await watching(["a.yaml"], [
    (directory) => Deno.writeTextFileSync(`${directory}/a.yaml`, "b"),
    (directory) => {
      // What is none of the watched files is passed over.
      Deno.writeTextFileSync(`${directory}/new`, "c");
      Deno.renameSync(`${directory}/new`, `${directory}/a.yaml`);
    },
    (directory) => Deno.removeSync(`${directory}/a.yaml`),
  ]);
});

Deno.test("a file that comes into or goes from a directory is told", async () => {
  await watching(["rules.d"], [
    (directory) => Deno.writeTextFileSync(`${directory}/rules.d/b.yaml`, "b"),
    (directory) => Deno.removeSync(`${directory}/rules.d/b.yaml`),
  ]);
});

Deno.test("paths that do not exist are no matter", () => {
  watchFiles(["/nowhere/a.yaml"], () => {}).close();
});

Deno.test("a mounted ConfigMap that Kubernetes exchanges is told, again and again", async () => {
  const exchange = (time: string) => (directory: string) => {
    const volume = `${directory}/volume`;
    Deno.mkdirSync(`${volume}/..${time}`);
    Deno.writeTextFileSync(`${volume}/..${time}/rules.yaml`, time);
    Deno.symlinkSync(`..${time}`, `${volume}/..data_tmp`);
    Deno.renameSync(`${volume}/..data_tmp`, `${volume}/..data`);
  };
  const mount = (directory: string) => {
    Deno.mkdirSync(`${directory}/volume`);
    exchange("1")(directory);
    Deno.symlinkSync("..data/rules.yaml", `${directory}/volume/rules.yaml`);
  };
  // As a file of the volume, and through a link from elsewhere.
  for (const path of ["volume/rules.yaml", "linked.yaml", "volume"]) {
    await watching([path], [mount, exchange("2"), exchange("3")], {
      before: (directory) => Deno.symlinkSync("volume/rules.yaml", `${directory}/linked.yaml`),
      isOne: false,
    });
  }
});

Deno.test("a directory that appears later is waited for, and its files are told", async () => {
  await watching(["later/rules.d"], [
    (directory) => Deno.mkdirSync(`${directory}/later`),
    (directory) => Deno.mkdirSync(`${directory}/later/rules.d`),
    (directory) => Deno.writeTextFileSync(`${directory}/later/rules.d/a.yaml`, "a"),
    (directory) => Deno.renameSync(`${directory}/later/rules.d`, `${directory}/later/old`),
    (directory) => Deno.mkdirSync(`${directory}/later/rules.d`),
    (directory) => Deno.writeTextFileSync(`${directory}/later/rules.d/b.yaml`, "b"),
  ]);
});

Deno.test("a file that a link in a directory leads to is told when it changes", async () => {
  await watching(["rules.d"], [
    (directory) => Deno.symlinkSync("../a.yaml", `${directory}/rules.d/linked.yaml`),
    (directory) => Deno.writeTextFileSync(`${directory}/a.yaml`, "c"),
  ]);
});

Deno.test("an editor that saves by renaming, with a lock beside the file, is told", async () => {
  await watching(["a.yaml"], [
    (directory) => {
      Deno.symlinkSync("user@host.1:2", `${directory}/.#a.yaml`);
      Deno.renameSync(`${directory}/a.yaml`, `${directory}/a.yaml~`);
      Deno.writeTextFileSync(`${directory}/a.yaml`, "b");
      Deno.removeSync(`${directory}/.#a.yaml`);
    },
    (directory) => Deno.writeTextFileSync(`${directory}/a.yaml`, "c"),
  ], { isOne: false });
});

Deno.test("other paths can be watched under way, and a change under way is not lost", async () => {
  const directory = Deno.makeTempDirSync();
  const told = { changes: 0 };
  const watch = watchFiles([`${directory}/a.yaml`], () => told.changes++);
  const toldOf = async (changes: number) => {
    while (told.changes < changes) await later(5);
  };
  Deno.writeTextFileSync(`${directory}/a.yaml`, "a");
  watch.watch([`${directory}/a.yaml`, `${directory}/rules.d`]);
  await toldOf(1);
  Deno.mkdirSync(`${directory}/rules.d`);
  await toldOf(2);
  watch.close();
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("what changed while a watch is set up is told, what was before is not", async () => {
  for (const name of ["a.yaml", "rules.d/b.yaml"]) {
    // One of its own: the runtime's watches of a directory share what is still to be told of it.
    const directory = Deno.makeTempDirSync();
    const paths = [`${directory}/a.yaml`, `${directory}/rules.d`];
    Deno.mkdirSync(paths[1]!);
    Deno.writeTextFileSync(`${directory}/new`, "b");
    const before = stampOf(paths);
    Deno.linkSync(`${directory}/new`, `${directory}/${name}`);
    const told = { late: 0, early: 0 };
    const late = watchFiles(paths, () => told.late++, stampOf(paths));
    const early = watchFiles(paths, () => told.early++, before);
    while (told.early === 0) await later(5);
    early.close();
    late.close();
    strictEqual(told.late, 0);
    Deno.removeSync(directory, { recursive: true });
  }
});
