// Where the addon is loaded from, and where it is not.
import { deepStrictEqual, match, strictEqual, throws } from "node:assert";
import { loadAddon } from "./addon.ts";

const BUILT = (() => {
  try {
    return Deno.statSync(new URL("../../../dist/embed/addon.node", import.meta.url)).size > 0;
  } catch {
    return false;
  }
})();

/** A fresh directory with the given mode. */
function directory(mode: number): string {
  const path = Deno.makeTempDirSync();
  Deno.chmodSync(path, mode);
  return path;
}

Deno.test({
  name: "the addon is loaded from a private directory that is gone afterwards",
  ignore: !BUILT,
  fn() {
    const parent = directory(0o700);
    const addon = loadAddon([parent]);
    strictEqual(typeof addon.snapshot, "function");
    deepStrictEqual([...Deno.readDirSync(parent)], []);
    Deno.removeSync(parent);
  },
});

Deno.test({
  name: "the addon is not loaded where others may exchange it, and each refusal is told",
  ignore: !BUILT,
  fn() {
    const open = directory(0o777);
    const file = Deno.makeTempFileSync();
    throws(() => loadAddon([open, file, "/nowhere"]), ({ message }: Error) => {
      match(message, /^Cannot load the native part: /);
      match(message, new RegExp(`${open}: others may rename what is in it`));
      match(message, new RegExp(`${file}: not a directory`));
      match(message, /\/nowhere: /);
      return true;
    });
    deepStrictEqual([...Deno.readDirSync(open)], []);
    Deno.removeSync(open);
    Deno.removeSync(file);
  },
});

Deno.test({
  name: "a directory that is shared as /tmp is will do, and the first that does is taken",
  ignore: !BUILT,
  fn() {
    const sticky = directory(0o1777);
    strictEqual(typeof loadAddon(["/nowhere", sticky]).Driver.open, "function");
    Deno.removeSync(sticky);
  },
});

Deno.test({
  name: "what a killed saker left there is removed, and nothing else is",
  ignore: !BUILT,
  fn() {
    const parent = directory(0o700);
    const make = (name: string, mode: number, file: string, ageMs: number) => {
      Deno.mkdirSync(`${parent}/${name}`);
      Deno.chmodSync(`${parent}/${name}`, mode);
      Deno.writeTextFileSync(`${parent}/${name}/${file}`, "");
      const made = new Date(Date.now() - ageMs);
      Deno.utimeSync(`${parent}/${name}`, made, made);
    };
    make("saker-native-left", 0o700, "addon.node", 120_000);
    make("saker-native-loading", 0o700, "addon.node", 10_000);
    make("saker-native-other", 0o700, "letter", 120_000);
    make("saker-native-open", 0o755, "addon.node", 120_000);
    make("another", 0o700, "addon.node", 120_000);
    loadAddon([parent]);
    deepStrictEqual([...Deno.readDirSync(parent)].map(({ name }) => name).sort(), [
      ...["another", "saker-native-loading", "saker-native-open", "saker-native-other"],
    ]);
    strictEqual(Deno.readTextFileSync(`${parent}/saker-native-other/letter`), "");
    Deno.removeSync(parent, { recursive: true });
  },
});
