import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { accountsOf } from "./accounts.ts";

const LIST = new Uint8Array(40);
const EMPTY = new Uint8Array(12);

function asked(answer: (pid: number) => Uint8Array) {
  const pids: number[] = [];
  let nowMs = 1_000;
  const ask = accountsOf((pid) => {
    pids.push(pid);
    return answer(pid);
  }, () => nowMs);
  return { pids, ask, wait: (ms: number) => nowMs += ms };
}

Deno.test("accountsOf() reads a container's list once in ten seconds", () => {
  const { pids, ask, wait } = asked(() => LIST);
  strictEqual(ask("abc", [7]), LIST);
  wait(9_999);
  strictEqual(ask("abc", [8]), undefined);
  wait(1);
  strictEqual(ask("abc", [9]), LIST);
  deepStrictEqual(pids, [7, 9]);
});

Deno.test("accountsOf() asks the host itself for users of no container", () => {
  const { pids, ask } = asked(() => LIST);
  ask("", [7]);
  deepStrictEqual(pids, [0]);
});

Deno.test("accountsOf() asks another process soon where the first had gone", () => {
  const { ask, wait } = asked((pid) => pid === 7 ? EMPTY : LIST);
  strictEqual(ask("abc", [7]), undefined);
  wait(500);
  strictEqual(ask("abc", [8]), LIST);
});

Deno.test("accountsOf() asks some others of the container where one has gone", () => {
  const { pids, ask } = asked((pid) => pid === 9 ? LIST : EMPTY);
  strictEqual(ask("abc", [7, 8, 9, 10]), LIST);
  deepStrictEqual(pids, [7, 8, 9]);
  const many = asked(() => EMPTY);
  strictEqual(many.ask("abc", Array.from({ length: 1000 }, (_, index) => index)), undefined);
  strictEqual(many.pids.length, 8);
});
