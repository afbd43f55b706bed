// Where a thread lives and so which container it is in, as the events tell that begin, replace or
// move a process: our own second parameter of them (probe-rs/src/namespaces.rs).
import { type Event, OWN_PATH2 } from "../../events/event.ts";
import { settleIn } from "../tables/residence.ts";
import type { Tables } from "../tables/tables.ts";
import type { Thread } from "../tables/thread.ts";

const BYTES = 12;
/** Of a new process the event says before who made it (clone_events.ts), which may be all there is,
 * of an execution the ends of its long lists (long_lists.ts). */
const MAKER_BYTES = 16;
/** Every mark there is. */
const MARKS_MAX = 15;

/** Reads where the event's thread lives; whether that changed. */
function readPlace(event: Event, thread: Thread): boolean {
  if (!event.hasOwn) return false;
  const index = event.own(OWN_PATH2);
  const length = event.paramLength(index);
  if (length < BYTES || length === MAKER_BYTES) return false;
  const at = event.param(index) + length - BYTES;
  const marks = event.view.getUint32(at, true);
  const pids = event.view.getUint32(at + 4, true);
  const mounts = event.view.getUint32(at + 8, true);
  // A capture that somebody made may have anything there.
  if (marks > MARKS_MAX) return false;
  if (
    thread.namespaces === marks && thread.pidNamespace === pids && thread.mountNamespace === mounts
  ) return false;
  thread.namespaces = marks;
  thread.pidNamespace = pids;
  thread.mountNamespace = mounts;
  return true;
}

/** Gives the thread its container where it began, or (`begins`) executed another program. Returns
 * whether it is another than before. */
export function takeResidence(
  tables: Tables,
  event: Event,
  thread: Thread,
  begins: boolean,
): boolean {
  readPlace(event, thread);
  return settleIn(tables, thread, thread.containerId, begins);
}

/** The same where it may have moved to other namespaces. */
export function moveResidence(tables: Tables, event: Event, thread: Thread): boolean {
  return readPlace(event, thread) && settleIn(tables, thread, thread.containerId, false);
}
