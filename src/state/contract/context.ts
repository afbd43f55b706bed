// What rules and fields look at: one event and the state after it. One object serves a run;
// `Machine.apply` fills it for each event.
import type { Documents } from "../../audit/decode/documents.ts";
import type { Event } from "../../events/event.ts";
import type { Fd } from "../tables/fd.ts";
import type { Machine } from "./machine.ts";
import { MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";
import { Differs, isCaller, View } from "./views.ts";

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

  /** String ids of the event's two paths as the host sees them, and of the name that rules have for
   * the first one's file; MISSING: there is none. */
  hostPath = MISSING;
  hostPath2 = MISSING;
  inodePath = MISSING;

  #kernelName = MISSING;
  #callerName = MISSING;
  #hostName = MISSING;
  #inodeName = MISSING;

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
    this.#kernelName = this.#hostName = this.#inodeName = name;
    this.#callerName = callerName;
    this.differs |= Differs.Fd | Differs.Paths;
  }

  /** The names that its descriptor's file has besides, MISSING for none: behind `setFdName`, of
   * each event that has any further name. */
  setFurtherNames(host: number, inode: number): void {
    const name = this.fdName;
    if ((this.differs & Differs.Fd) === 0) this.#kernelName = this.#callerName = name;
    this.#hostName = host === MISSING ? name : host;
    this.#inodeName = inode === MISSING ? name : inode;
    if (this.#hostName !== name) this.differs |= Differs.Host;
    if (this.#inodeName !== name) this.differs |= Differs.Inode;
  }

  /** Notes further names of the event's paths, MISSING for none; before its descriptor's. */
  setFurtherPaths(host: number, host2: number, inode: number): void {
    this.hostPath = host;
    this.hostPath2 = host2;
    this.inodePath = inode;
    if (host !== MISSING || host2 !== MISSING) this.differs |= Differs.Host;
    if (inode !== MISSING) this.differs |= Differs.Inode;
  }

  /** Shows another view of the event. */
  look(view: View): void {
    this.view = view;
    if ((this.differs & FD_NAMES) === 0 || this.fdNumber === MISSING_FD) return;
    // Of a descriptor that is not known there are the two names of the event alone.
    if (this.fd === undefined && (this.differs & Differs.Fd) === 0) return;
    switch (view) {
      case View.Kernel:
        this.fdName = this.#kernelName;
        break;
      case View.Host:
        this.fdName = this.#hostName;
        break;
      case View.Inode:
        this.fdName = this.#inodeName;
        break;
      default:
        this.fdName = this.#callerName;
    }
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
    return !isCaller(this.view) || fd.callerName === MISSING ? fd.name : fd.callerName;
  }

  /** String id of a process's working directory under the present view. */
  cwdOf(process: Thread): number {
    if (this.view === View.Host && process.hostCwd !== MISSING) return process.hostCwd;
    return !isCaller(this.view) || process.callerCwd === MISSING ? process.cwd : process.callerCwd;
  }
}

/** Names of the event's descriptor that may differ. */
const FD_NAMES = Differs.Fd | Differs.Host | Differs.Inode;

/** The event has no descriptor (not to be confused with -1, which `fd.num` shows). */
export const MISSING_FD = -2_147_483_648;
