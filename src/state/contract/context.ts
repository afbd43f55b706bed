// What rules and fields look at: one event and the state after it. One object serves a run;
// `Machine.apply` fills it for each event.
import type { Event } from "../../events/event.ts";
import type { Fd } from "../tables/fd.ts";
import type { Machine } from "./machine.ts";
import { MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";

/** Sums of programs' files, computed off the hot path; nothing for those not known yet. */
export interface Hashes {
  /** In hexadecimal. */
  sha256(thread: Thread): string | undefined;
}

export class Context {
  readonly machine: Machine;
  readonly event: Event;
  /** The thread that the event belongs to; undefined for events without one (meta, plugin). */
  thread: Thread | undefined;
  /** Main thread of `thread`'s process; `thread` itself where that is unknown. */
  process: Thread | undefined;
  /** The descriptor that the event creates, uses or destroys; there still on its close. */
  fd: Fd | undefined;
  /** `fd.num`; -1 on a failed open, MISSING_FD where the event has none. */
  fdNumber = MISSING_FD;
  /** String id of `fd.name`: that of `fd`, or rebuilt from the event where an open failed. */
  fdName = MISSING;
  /** String id of `fd.nameraw`. */
  fdNameRaw = MISSING;
  /** `fd.name_changed`. */
  fdNameChanged = false;
  /** Where sums of files are computed at all. */
  hashes: Hashes | undefined = undefined;
  /** Time of the run's first event, ns since the epoch; set by `Machine.apply`. */
  firstEventTs = 0n;

  constructor(machine: Machine, event: Event) {
    this.machine = machine;
    this.event = event;
  }
}

/** The event has no descriptor (not to be confused with -1, which `fd.num` shows). */
export const MISSING_FD = -2_147_483_648;
