// What rules and fields look at: one event and the state after it. One object serves a run;
// `Machine.apply` fills it for each event.
import type { Documents } from "../../audit/decode/documents.ts";
import type { Event } from "../../events/event.ts";
import type { Fd } from "../tables/fd.ts";
import type { Machine } from "./machine.ts";
import { MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";
import { Differs, View } from "./views.ts";

/** Sums of programs' files, computed off the hot path; nothing for those not known yet. */
export interface Hashes {
  /** In hexadecimal. */
  sha256(thread: Thread): string | undefined;
  /** Sums that were not asked for, since too many were under way or a file hung. */
  readonly postponed: number;
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
  /** What the event's views differ in: bits of Differs, nearly always none that is sure. */
  differs = 0;
  /** The view that fields show; Kernel behind `Machine.apply`. */
  view: View = View.Kernel;
  /** String id of `fd.name`, under the present view: that of `fd`, or rebuilt from the event where
   * an open failed. */
  fdName = MISSING;
  /** String id of the file that the caller of an execution named; only with Differs.Program. */
  callerProgram = MISSING;
  /** String id of `fd.nameraw`. */
  fdNameRaw = MISSING;
  /** `fd.name_changed`. */
  fdNameChanged = false;
  /** Where sums of files are computed at all. */
  hashes: Hashes | undefined = undefined;
  /** Where the JSON of events was read before they came here. */
  documents: Documents | undefined = undefined;
  /** Uid of the pod that an event was of whose alert was held; "" else. */
  heldPodUid = "";
  /** Time of the run's first event, ns since the epoch; set by `Machine.apply`. */
  firstEventTs = 0n;

  #kernelName = MISSING;
  #callerName = MISSING;

  constructor(machine: Machine, event: Event) {
    this.machine = machine;
    this.event = event;
  }

  /** Uid of the event's pod: as its cgroup says, else as its runtime labelled its container; ""
   * where it is in none. */
  podUid(): string {
    const { machine, thread } = this;
    if (thread === undefined && this.heldPodUid !== "") return this.heldPodUid;
    const own = thread === undefined ? "" : machine.cluster.podUidOf(thread.cgroups);
    if (own !== "") return own;
    const container = machine.eventContainer ?? (thread && machine.containerOf(thread));
    const labels = container?.info?.["labels"];
    if (typeof labels !== "object" || labels === null) return "";
    const uid = (labels as Readonly<Record<string, unknown>>)["io.kubernetes.pod.uid"];
    return typeof uid === "string" ? uid : "";
  }

  /** The name of the event's descriptor under both views; MISSING for the caller's: the same. */
  setFdName(name: number, callerName: number): void {
    this.fdName = name;
    if (callerName === MISSING || callerName === name) return;
    this.#kernelName = name;
    this.#callerName = callerName;
    this.differs |= Differs.Fd | Differs.Paths;
  }

  /** Shows another view of the event. */
  look(view: View): void {
    this.view = view;
    if ((this.differs & Differs.Fd) === 0) return;
    this.fdName = view === View.Kernel ? this.#kernelName : this.#callerName;
  }

  /** What `read` gives under another view. */
  under<T>(view: View, read: () => T): T {
    const before = this.view;
    this.look(view);
    try {
      return read();
    } finally {
      this.look(before);
    }
  }

  /** String id of a descriptor's name under the present view. */
  nameOf(fd: Fd): number {
    return this.view === View.Kernel || fd.callerName === MISSING ? fd.name : fd.callerName;
  }

  /** String id of a process's working directory under the present view. */
  cwdOf(process: Thread): number {
    return this.view === View.Kernel || process.callerCwd === MISSING
      ? process.cwd
      : process.callerCwd;
  }
}

/** The event has no descriptor (not to be confused with -1, which `fd.num` shows). */
export const MISSING_FD = -2_147_483_648;
