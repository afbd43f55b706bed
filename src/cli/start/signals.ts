// Signals and changed files of a run: what asks it to end, to read the rules anew, to open its
// outputs again. A second request to end is obeyed at once, whatever hangs.
import { watchFiles } from "./watch_files.ts";

export interface SignalActions {
  readonly end: () => void;
  /** Settles when the rules were read and taken, or refused; never rejects. */
  readonly readAnew?: () => Promise<void>;
  readonly reopen: () => void;
  /** Files and directories whose change is as good as a SIGHUP. */
  readonly watched: readonly string[];
  readonly warn: (line: string) => void;
}

export interface Signals {
  remove(): void;
}

/** Asked twice to end: what is not written by then is given up. */
const EXIT_CODE = 1;

export function handleSignals(actions: SignalActions): Signals {
  let asked = false;
  const end = () => {
    if (asked) Deno.exit(EXIT_CODE);
    asked = true;
    actions.end();
  };
  const reload = oneAtATime(actions.readAnew);
  const handlers: [Deno.Signal, () => void][] = [
    ["SIGINT", end],
    ["SIGTERM", end],
    ["SIGHUP", reload],
    ["SIGUSR1", actions.reopen],
  ];
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  const files = watchOrWarn(actions, reload);
  return {
    remove(): void {
      files.close();
      for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
    },
  };
}

/** Requests under way are one with those that come meanwhile, which are carried out once more. */
function oneAtATime(readAnew: (() => Promise<void>) | undefined): () => void {
  if (readAnew === undefined) return () => {};
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await readAnew();
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else run();
  };
}

/** Without a watch (the system's limit of them may be reached) SIGHUP remains. */
function watchOrWarn({ watched, warn }: SignalActions, reload: () => void) {
  try {
    return watchFiles(watched, reload);
  } catch (error) {
    const reason = (error as Error).message.split("\n", 1)[0];
    warn(`Warning: Cannot watch the rules files: ${reason}; after a change send SIGHUP`);
    return { close() {} };
  }
}
