// Long arguments: two pieces put together, with the gap marked; what all of them may take.
import { deepStrictEqual, strictEqual } from "node:assert";
import { OWN_LANE, OWN_PARAMS, OWN_PATH2, OWN_SEQUENCE } from "../../events/event.ts";
import type { ParamValue } from "../../events/event_fixture.ts";
import { positionsOf } from "../../events/table.ts";
import { nulls, program, Scene } from "../scene.ts";
import { SHORT_BYTES } from "./long_lists.ts";

/** What our probe tells of an execution besides its parameters: the ends of both lists. */
function own(args: Uint8Array, env: Uint8Array, argsTail: number, envTail: number): ParamValue[] {
  const head = new Uint8Array(12);
  // Where it lives stands behind them: here that nothing is known of it.
  const place = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint32(0, args.length, true);
  view.setUint32(4, env.length, true);
  view.setUint16(8, argsTail, true);
  view.setUint16(10, envTail, true);
  const given: ParamValue[] = Array.from({ length: OWN_PARAMS }, () => new Uint8Array(0));
  given[OWN_PATH2] = new Uint8Array([
    ...head,
    ...args.subarray(args.length - argsTail),
    ...env.subarray(env.length - envTail),
    ...place,
  ]);
  given[OWN_SEQUENCE] = new Uint8Array(8);
  given[OWN_LANE] = Uint8Array.of(0);
  return given;
}

/** As the driver cuts a list: its last byte is a NUL then. */
function cut(list: Uint8Array, bytes = 4090): Uint8Array {
  if (list.length <= bytes) return list;
  const head = list.slice(0, bytes);
  head[bytes - 1] = 0;
  return head;
}

const { pid: PID } = positionsOf("SYSCALL_EXECVE_19_X", "pid");

const texts = (count: number) => Array.from({ length: count }, (_, index) => `argument-${index}`);

function executed(scene: Scene, pid: number, args: Uint8Array, argsTail: number): void {
  const env = nulls("HOME=/root");
  scene.event(
    "SYSCALL_EXECVE_19_X",
    pid,
    {
      ...program("sh", pid, 1),
      res: 0,
      trusted_exepath: "/bin/sh",
      filename: "sh",
      ...{ pgid: pid, vpgid: pid, args: cut(args), env },
    },
    own(args, env, argsTail, 0),
  );
}

Deno.test("a head and a tail that meet are the whole list, with its length", () => {
  const args = nulls(...texts(2000));
  const scene = new Scene();
  for (const tail of [args.length, args.length - 4000, args.length - 4089]) {
    executed(scene, 10, args, tail);
    const { args: held, lists, env } = scene.thread(10);
    deepStrictEqual(held, args, `tail ${tail}`);
    deepStrictEqual(lists, { args: args.length, env: 11, argsCut: false, envCut: false });
    deepStrictEqual(env, nulls("HOME=/root"));
  }
});

Deno.test("between a head and a tail that do not meet the gap is marked", () => {
  const args = nulls(...texts(2000));
  const scene = new Scene();
  executed(scene, 10, args, 1000);
  const { args: held, lists } = scene.thread(10);
  deepStrictEqual(lists, { args: args.length, env: 11, argsCut: true, envCut: false });
  deepStrictEqual(
    held,
    new Uint8Array([...cut(args), ...nulls("…"), ...args.subarray(args.length - 1000)]),
  );
});

Deno.test("a fork whose event has their head alone shares its maker's long arguments", () => {
  const args = nulls(...texts(2000));
  const scene = new Scene();
  executed(scene, 10, args, args.length);
  scene.forked(10, 20, 0, { args: cut(args) });
  strictEqual(scene.thread(20).args, scene.thread(10).args);
  strictEqual(scene.thread(20).lists, scene.thread(10).lists);
  // Other arguments are its own.
  scene.forked(10, 21, 0, { args: nulls("other") });
  deepStrictEqual([scene.thread(21).args, scene.thread(21).lists], [nulls("other"), undefined]);
});

Deno.test("an execution with short arguments has nothing left of long ones", () => {
  const scene = new Scene();
  executed(scene, 10, nulls(...texts(2000)), 0);
  scene.exec(10, "true");
  deepStrictEqual([scene.thread(10).args, scene.thread(10).lists], [nulls("-x", "y"), undefined]);
});

Deno.test("all long lists take 32 MB, the older ones are shortened and counted", () => {
  const args = nulls(...texts(4500));
  strictEqual(args.length > 60_000, true);
  const scene = new Scene();
  executed(scene, 10, args, args.length);
  // The same event of other processes.
  const { event } = scene.context;
  for (let pid = 11; pid < 910; pid++) {
    event.view.setBigUint64(event.offset + 8, BigInt(pid), true);
    event.view.setBigUint64(event.param(PID), BigInt(pid), true);
    event.moveTo(0, event.bytes.length);
    scene.machine.apply(scene.context);
  }
  let held = 0;
  for (const thread of scene.machine.threads.values()) held += thread.args.length;
  strictEqual(held < 34 << 20, true, `${held}`);
  const first = scene.thread(10);
  strictEqual(first.args.length <= SHORT_BYTES, true);
  strictEqual(first.lists?.argsCut, true);
  deepStrictEqual(first.args.slice(-1000), args.slice(-1000));
  deepStrictEqual(scene.thread(909).args, args);
  strictEqual(scene.machine.stats().listsShortened >= 300, true);
});
