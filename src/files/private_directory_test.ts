// Private directories: what is made is for one user alone, and of what is left only that goes which
// its maker has left, and which holds nothing else.
import { deepStrictEqual, strictEqual } from "node:assert";
import { privateDirectory, removeLeft } from "./private_directory.ts";

Deno.test("what somebody left goes, all else stays", () => {
  const parent = Deno.makeTempDirSync();
  try {
    const made = (prefix: string, file: string) => {
      const directory = privateDirectory(parent, prefix);
      Deno.writeTextFileSync(`${directory}/${file}`, "");
      return directory;
    };
    const left = made("own-1-", "file");
    strictEqual(Deno.statSync(left).mode! & 0o777, 0o700);
    const kept = [
      made("own-2-", "file"),
      made("other-1-", "file"),
      // Its file goes, and it stays for what else is in it.
      made("own-1-", "more"),
      made("own-1-", "file"),
    ];
    Deno.chmodSync(kept.at(-1)!, 0o755);
    removeLeft(parent, {
      prefix: "own-",
      file: "file",
      isLeft: (name) => name.startsWith("own-1-"),
    });
    const there = [...Deno.readDirSync(parent)].map(({ name }) => `${parent}/${name}`).sort();
    deepStrictEqual(there, kept.sort());
    strictEqual(Deno.statSync(`${kept.find((path) => path.includes("own-2-"))}/file`).isFile, true);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});
