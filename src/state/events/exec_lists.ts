// Arguments and environment of an execution: as its parameters have them, or, where they are long,
// put together from what our own probe tells besides.
import { type Event, OWN_PATH2 } from "../../events/event.ts";
import { isWhole, joinPieces, type Pieces } from "../tables/long_lists.ts";
import type { Tables } from "../tables/tables.ts";
import type { Thread } from "../tables/thread.ts";
import { bytesOf } from "./clone_events.ts";

/** `args`, `env`: which parameters they are. */
export function readLists(
  machine: Tables,
  event: Event,
  thread: Thread,
  args: number,
  env: number,
): void {
  const { pieces } = machine;
  thread.lists = undefined;
  if (!event.hasOwn || !pieces.read(event, event.own(OWN_PATH2))) {
    thread.args = bytesOf(machine, event, args, thread.args);
    if (event.has(env)) thread.env = bytesOf(machine, event, env, thread.env);
    return;
  }
  thread.lists = {
    args: pieces.args,
    env: pieces.env,
    argsCut: isCut(event.paramLength(args), pieces.argsTail, pieces.args),
    envCut: isCut(event.paramLength(env), pieces.envTail, pieces.env),
  };
  thread.args = listOf(machine, event, args, thread.args, pieces.argsTail, pieces.args);
  thread.env = listOf(machine, event, env, thread.env, pieces.envTail, pieces.env);
}

function isCut(head: number, tail: Pieces["argsTail"], total: number): boolean {
  return total > head && !isWhole(head, tail.length, total);
}

function listOf(
  machine: Tables,
  event: Event,
  index: number,
  held: Uint8Array,
  tail: Uint8Array,
  total: number,
): Uint8Array {
  const length = event.paramLength(index);
  if (total <= length || tail.length === 0) return bytesOf(machine, event, index, held);
  const at = event.param(index);
  const list = joinPieces(event.bytes.subarray(at, at + length), tail, total);
  machine.seenBytes.copied += list.length;
  return machine.longLists.keep(list);
}
