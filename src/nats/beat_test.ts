import { deepStrictEqual, strictEqual } from "node:assert";
import { Beat } from "./beat.ts";
import type { NatsDoor } from "./door.ts";

/** A door whose bucket holds what was written, in its order; `fail` says why it cannot be. */
function bucket() {
  const written: string[] = [];
  const state = { fail: "", written };
  const stream = {
    put(_bucket: string, _key: string, value: Uint8Array): Promise<void> {
      if (state.fail !== "") return Promise.reject(new Error(state.fail));
      written.push(new TextDecoder().decode(value));
      return Promise.resolve();
    },
  };
  const door = { open: () => Promise.resolve(stream) } as unknown as NatsDoor;
  return { ...state, state, door };
}

function beatOf(door: NatsDoor, everyMs: number, told: string[]) {
  let number = 0;
  return new Beat({
    ...{ door, bucket: "b", key: "k", everyMs, timeoutMs: 1_000 },
    text: () => `${++number}`,
    onTrouble: (reason) => told.push(reason),
    onWritten: () => told.push("written"),
    random: () => 0.5,
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("a beat that is asked again and again writes once more, and the last word", async () => {
  const { door, written } = bucket();
  const beat = beatOf(door, 3_600_000, []);
  for (let at = 0; at < 100; at++) beat.now();
  await until(() => written.length === 1);
  for (let at = 0; at < 100; at++) beat.now();
  await until(() => written.length === 2);
  await beat.end({ isLast: true });
  beat.now();
  await beat.over;
  deepStrictEqual(written, ["1", "2", "3"]);
});

Deno.test("a beat that others go on with says no last word", async () => {
  const { door, written } = bucket();
  const beat = beatOf(door, 3_600_000, []);
  beat.now();
  await until(() => written.length === 1);
  await beat.end({ isLast: false });
  await beat.over;
  strictEqual(written.length, 1);
});

Deno.test("a beat that fails is told of once until it is well again", async () => {
  const { door, state } = bucket();
  const told: string[] = [];
  const beat = beatOf(door, 1, told);
  state.fail = "no room";
  beat.now();
  await until(() => beat.trouble === "no room");
  state.fail = "still none";
  await until(() => beat.trouble === "still none");
  state.fail = "";
  await until(() => state.written.length === 1);
  strictEqual(beat.trouble, undefined);
  deepStrictEqual(told, ["no room", "written"]);
  await beat.end({ isLast: false });
});
