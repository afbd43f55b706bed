// Descriptors that are held back: what opens finds one where the process has none left.
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert";
import { DescriptorReserve } from "./reserve.ts";

/** An open that finds no descriptor so many times. */
function opens(refusals: number, code = "EMFILE") {
  const calls = { count: 0 };
  const open = () => {
    if (calls.count++ < refusals) throw Object.assign(new Error("refused"), { code });
    return "opened";
  };
  return { calls, open };
}

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("a descriptor of the reserve makes room, and is taken back", async () => {
  const before = descriptors();
  const reserve = new DescriptorReserve(2);
  strictEqual(descriptors(), before + 2);
  strictEqual(reserve.open(opens(1).open), "opened");
  const { open } = opens(1);
  strictEqual(await reserve.openLater(() => Promise.resolve().then(open)), "opened");
  strictEqual(descriptors(), before + 2);
  reserve.close();
  strictEqual(descriptors(), before);
});

Deno.test("it is tried again while there is a reserve, and for no other failure", async () => {
  const reserve = new DescriptorReserve(2);
  const cases = [opens(9), opens(9, "ENOENT")];
  for (const { open } of cases) throws(() => reserve.open(open), /refused/);
  deepStrictEqual(cases.map(({ calls }) => calls.count), [3, 1]);
  const { open } = opens(9);
  await rejects(reserve.openLater(() => Promise.resolve().then(open)), /refused/);
  reserve.close();
});
