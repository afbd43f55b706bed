// The views of one event. Live, a path has two names: what the caller said, joined with the
// caller's directory and folded as text, which is Falco's way, and what the kernel acted on. Rules
// are judged under one after the other where they differ; a context shows one at a time. A few
// files have further names: the host's for what lies elsewhere as seen from the process's root, and
// that of a file which rules name, for another of its links.

export const enum View {
  /** What the kernel acted on; of events without our own parameters, all there is. */
  Kernel,
  /** What the caller said. The program that runs is the kernel's, as in Falco. */
  Caller,
  /** The same, and of an execution the file that the caller named is the program. */
  CallerProgram,
  /** What the kernel acted on, as seen from the host's root, not from the process's. */
  Host,
  /** The name that rules have for the file with this inode, which was used under another one. */
  Inode,
}

/** Whether paths are those that the caller said. */
export function isCaller(view: View): boolean {
  return view === View.Caller || view === View.CallerProgram;
}

/** Whether a thread's program is its own under the view, and no other name of an execution's. */
export function showsOwnProgram(view: View): boolean {
  return view === View.Kernel || view === View.Caller;
}

/** As explanations name them. */
export const VIEW_LABELS: readonly string[] = [
  "the kernel's view",
  "the caller's view",
  "the caller's view, the file that it named as the program",
  "the host's view",
  "the view of the file's inode",
];

/** As `evt.view` shows them. */
export const VIEW_NAMES: readonly string[] = [
  "kernel",
  "caller",
  "caller",
  "host",
  "inode",
];

/** What the views of an event differ in: bits. */
export const enum Differs {
  /** The name of the event's descriptor. */
  Fd = 1,
  /** The process's working directory. */
  Directory = 2,
  /** Paths among the event's parameters. */
  Paths = 4,
  /** The executed file. */
  Program = 8,
  /** Perhaps the names of other descriptors: of those that it lists, which nobody has looked at,
   * or of one of the standard three. */
  Others = 16,
  /** There is a name on the host. */
  Host = 32,
  /** There is a name that rules have for the file. */
  Inode = 64,
  /** The working directory has another name on the host. */
  HostDirectory = 128,
}

const OF_CALLER = Differs.Fd | Differs.Directory | Differs.Paths | Differs.Others;

/** By the bits of Program, Host and Inode, and of what the caller said, from the lowest on. */
const VIEWS: readonly (readonly View[])[] = Array.from({ length: 16 }, (_, bits) => [
  ...bits & 8 ? [View.Caller] : [],
  ...bits & 1 ? [View.CallerProgram] : [],
  ...bits & 2 ? [View.Host] : [],
  ...bits & 4 ? [View.Inode] : [],
]);

/** The views besides the kernel's that are worth a look where these bits differ, in order. */
export function otherViews(differs: number): readonly View[] {
  return VIEWS[
    (differs & Differs.Program ? 1 : 0) |
    (differs & (Differs.Host | Differs.HostDirectory) ? 2 : 0) |
    (differs & Differs.Inode ? 4 : 0) | (differs & OF_CALLER ? 8 : 0)
  ]!;
}

/** What is known to differ. */
export const DIFFERS_FOR_SURE: number = Differs.Fd | Differs.Directory | Differs.Paths |
  Differs.Program | Differs.Host | Differs.Inode | Differs.HostDirectory;
