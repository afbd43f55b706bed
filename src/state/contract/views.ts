// The two views of one event. Live, a path has two names: what the caller said, joined with the
// caller's directory and folded as text, which is Falco's way, and what the kernel acted on. Rules
// are judged under one after the other where they differ; a context shows one at a time.

export const enum View {
  /** What the kernel acted on; of events without our own parameters, all there is. */
  Kernel,
  /** What the caller said. The program that runs is the kernel's, as in Falco. */
  Caller,
  /** The same, and of an execution the file that the caller named is the program. */
  CallerProgram,
}

/** As explanations name them. */
export const VIEW_LABELS: readonly string[] = [
  "the kernel's view",
  "the caller's view",
  "the caller's view, the file that it named as the program",
];

/** As `evt.view` shows them. */
export const VIEW_NAMES: readonly string[] = ["kernel", "caller", "caller"];

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
}

const NONE: readonly View[] = [];
const NAMES: readonly View[] = [View.Caller];
const PROGRAM: readonly View[] = [View.CallerProgram];
const BOTH: readonly View[] = [View.Caller, View.CallerProgram];

/** The views besides the kernel's that are worth a look where these bits differ, in order. */
export function otherViews(differs: number): readonly View[] {
  const names = (differs & ~Differs.Program) !== 0;
  if (differs & Differs.Program) return names ? BOTH : PROGRAM;
  return names ? NAMES : NONE;
}

/** What is known to differ. */
export const DIFFERS_FOR_SURE: number = Differs.Fd | Differs.Directory | Differs.Paths |
  Differs.Program;
