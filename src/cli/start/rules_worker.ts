// The thread that reads configuration and rules anew: flags come in, the rules go out. It may wait:
// for files that somebody is still writing, and for a mount that is slow.
import type { RulesStart } from "../../engine/contract/messages.ts";
import { catchStrays } from "../../engine/contract/strays.ts";
import { filesBeingWritten } from "../../files/being_written.ts";
import { variable } from "../../words/environment.ts";
import type { Flags } from "../flags.ts";
import { terminalOver } from "../terminal.ts";
import { rulesPaths, rulesStart } from "./engine_start.ts";
import { loadConfig } from "./load_config.ts";

export interface AnewStart {
  readonly flags: Flags;
  /** Files that had something in them when they were last read: empty, they are being written. */
  readonly filled: readonly string[];
}

export type AnewAnswer =
  /** What was told of the configuration, and the rules. */
  | { readonly told: string; readonly rules: RulesStart }
  | { readonly told: string; readonly error: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<AnewStart>) => void) | null;
  postMessage(message: AnewAnswer): void;
}

const scope = self as unknown as WorkerScope;
/** A writer has so long to be done. */
const WRITING_MS = 30_000;
const POLL_MS = 200;

catchStrays(() => {});

scope.onmessage = ({ data }) => {
  const decoder = new TextDecoder();
  let told = "";
  const terminal = terminalOver({
    out: () => {},
    error: (bytes) => void (told += decoder.decode(bytes)),
    outIsTerminal: false,
    errorIsTerminal: false,
    environment: variable,
  });
  try {
    const { config } = loadConfig(data.flags, terminal);
    waitForWriters([...rulesPaths(config, data.flags)]);
    const rules = rulesStart(config, data.flags);
    const empty = rules.files.find(({ name, text }) =>
      text.trim() === "" && data.filled.includes(name)
    );
    scope.postMessage(
      empty === undefined
        ? { told, rules }
        : { told, error: `${empty.name}: the file is empty, and it was not before` },
    );
  } catch (error) {
    scope.postMessage({ told, error: (error as Error).message });
  }
};

function waitForWriters(paths: readonly string[]): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0;; waited += POLL_MS) {
    const written = filesBeingWritten(paths);
    if (written.length === 0) return;
    if (waited >= WRITING_MS) {
      throw new Error(`Cannot read the rules file ${written[0]}: it is still being written`);
    }
    Atomics.wait(never, 0, 0, POLL_MS);
  }
}
