// Changes of files as an administrator or an editor makes them, and changes that are none.
import { strictEqual } from "node:assert";
import { watchFiles } from "./watch_files.ts";

/** Watches what `paths` names in a fresh directory, and waits for `changes` after each step. */
async function watching(
  paths: string[],
  steps: readonly ((directory: string) => void)[],
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  Deno.mkdirSync(`${directory}/rules.d`);
  Deno.writeTextFileSync(`${directory}/a.yaml`, "a");
  const told = { changes: 0 };
  const watch = watchFiles(paths.map((path) => `${directory}/${path}`), () => told.changes++);
  try {
    for (const [at, step] of steps.entries()) {
      step(directory);
      while (told.changes <= at) await new Promise((resolve) => setTimeout(resolve, 5));
      strictEqual(told.changes, at + 1);
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
