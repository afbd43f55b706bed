// Files that the executable carries, as a checkout has them (tests/live/binary_test.ts: as the
// executable has them).
import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { carriedFile, carriedNames, copyCarried } from "./carried.ts";

const PROBE = new URL("../../../dist/embed/probe.o", import.meta.url);
const BUILT = (() => {
  try {
    return Deno.statSync(PROBE).size > 0;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "a carried file is read whole, and copied to a new file of its own alone",
  ignore: !BUILT,
  fn() {
    const probe = Deno.readFileSync(PROBE);
    deepStrictEqual(carriedFile("probe.o"), probe);
    const directory = Deno.makeTempDirSync();
    const copy = `${directory}/copy`;
    copyCarried("probe.o", copy);
    deepStrictEqual(Deno.readFileSync(copy), probe);
    strictEqual(Deno.statSync(copy).mode! & 0o777, 0o700);
    throws(() => copyCarried("probe.o", copy), Deno.errors.AlreadyExists);
    throws(() => carriedFile("no such file"), Deno.errors.NotFound);
    deepStrictEqual(carriedNames("no such folder"), []);
    Deno.removeSync(directory, { recursive: true });
  },
});
