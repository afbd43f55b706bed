// Signals and changed files of a run: what asks it to end, to read the rules anew, to open its
// outputs again. A second request to end is obeyed at once, whatever hangs.
import type { ReloadOutcome } from "../../server/reload.ts";
import type { Log } from "../log.ts";
import { watchFilesAside } from "./far_watch.ts";

export interface SignalActions {
  readonly end: () => void;
  /** Asked first where the run is to end: whether the signal is taken care of otherwise. */
  readonly taken?: ((signal: EndSignal) => boolean) | undefined;
  /** Settles when all was read and taken, or refused; never rejects. */
  readonly reload?: () => Promise<ReloadOutcome>;
  readonly reopen: () => void;
  /** Files and directories whose change is as good as a SIGHUP. */
  readonly watched: readonly string[];
  readonly log: Log;
}

/** What asks a run to end. */
export type EndSignal = "SIGINT" | "SIGTERM";

export interface Signals {
  /** As a SIGHUP, by whoever it is. */
  reload(who: string): Promise<ReloadOutcome>;
  /** Other files and directories from now on. */
  watch(paths: readonly string[]): void;
  remove(): void;
}

/** Asked twice to end: what is not written by then is given up. */
const EXIT_CODE = 1;

export function handleSignals(actions: SignalActions): Signals {
  const { log, reopen } = actions;
  let asked = false;
  const end = (signal: EndSignal) => {
    if (!asked && actions.taken?.(signal) === true) return;
    if (asked) Deno.exit(EXIT_CODE);
    asked = true;
    actions.end();
  };
  const turns = new Turns(actions.reload);
  const reload = (who: string) => {
    // Falco's words, since people and their scripts look for them.
    log.info(`${who}SIGHUP received, restarting... (in place: nothing is missed, state is kept)`);
    return turns.ask();
  };
  const handlers: [Deno.Signal, () => void][] = [
    ["SIGINT", () => end("SIGINT")],
    ["SIGTERM", () => end("SIGTERM")],
    ["SIGHUP", () => void reload("")],
    ["SIGUSR1", reopen],
  ];
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  const onChange = () => void reload("Files have changed, as if ");
  const files = watchFilesAside(actions.watched, {
    onChange,
    // The system's limit of watches may be reached. SIGHUP remains.
    onFailure(reason): void {
      log.warning(`Warning: Cannot watch the rules files: ${reason}; after a change send SIGHUP`);
    },
  });
  return {
    reload: (who) => reload(`${who}, as if `),
    watch: (paths) => files.watch(paths),
    remove(): void {
      files.close();
      for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
    },
  };
}

/** Requests that come while one is carried out are one more, which follows. */
class Turns {
  readonly #act: (() => Promise<ReloadOutcome>) | undefined;
  #running: Promise<ReloadOutcome> | undefined;
  #next: Promise<ReloadOutcome> | undefined;

  constructor(act: (() => Promise<ReloadOutcome>) | undefined) {
    this.#act = act;
  }

  ask(): Promise<ReloadOutcome> {
    if (this.#act === undefined) {
      return Promise.resolve({ reloaded: false, error: "nothing can change in this run" });
    }
    if (this.#running === undefined) return this.#run(this.#act);
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#run(this.#act!);
    });
    return this.#next;
  }

  #run(act: () => Promise<ReloadOutcome>): Promise<ReloadOutcome> {
    const running = act().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    return this.#running = running;
  }
}
