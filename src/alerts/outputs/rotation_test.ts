// An alert file that is begun anew.
import { deepStrictEqual, strictEqual } from "node:assert";
import { within } from "./message_fixture.ts";
import { rotate } from "./rotation.ts";

Deno.test("file: it is begun anew at a size and at an age, and so many are kept", () =>
  within(async (directory) => {
    const path = `${directory}/alerts`;
    const names = () => [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    const bySize = { bytesMax: 100, ageMaxMs: Infinity, keep: 2 };
    const add = (text: string) => Deno.writeTextFileSync(path, text, { append: true });
    strictEqual(await rotate(path, bySize, 1000), false);
    for (const mark of ["a", "b", "c", "d"]) {
      add(mark.repeat(90));
      strictEqual(await rotate(path, bySize, 10), false);
      strictEqual(await rotate(path, bySize, 11), true);
    }
    deepStrictEqual(names(), ["alerts.1", "alerts.2"]);
    strictEqual(Deno.readTextFileSync(`${path}.1`), "d".repeat(90));
    strictEqual(Deno.readTextFileSync(`${path}.2`), "c".repeat(90));
    add("e");
    const byAge = { bytesMax: Infinity, ageMaxMs: 60_000, keep: 1 };
    strictEqual(await rotate(path, byAge, 1), false);
    strictEqual(await rotate(path, { ...byAge, now: () => Date.now() + 61_000 }, 1), true);
    deepStrictEqual(names(), ["alerts.1"]);
  }));
