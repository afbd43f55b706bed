// The thread that reads configuration and rules anew and tries them: flags come in, what was read
// goes out, or why it cannot be used. It may wait: for files that somebody is still writing, and
// for a mount that is slow.
import type { Config } from "../../config/schema.ts";
import { compileRules } from "../../engine/compile_rules.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { catchStrays } from "../../engine/contract/strays.ts";
import { filesBeingWritten } from "../../files/being_written.ts";
import type { PluginInfo } from "../../plugins/contract.ts";
import { type Bundles, settingsOf } from "../../rollout/with_bundle.ts";
import { variable } from "../../words/environment.ts";
import type { Flags } from "../flags.ts";
import { terminalOver } from "../terminal.ts";
import { rulesPaths, rulesStart } from "./engine_start.ts";
import { loadConfig, type LoadedConfig } from "./load_config.ts";
import { sumOf } from "./sum.ts";

export interface AnewStart {
  readonly flags: Flags;
  /** Files that had something in them when they were last read: empty, they are being written. */
  readonly filled: readonly string[];
  readonly outIsTerminal: boolean;
  /** Notices of the configuration that need not be told again. */
  readonly notices: readonly string[];
  /** Plugins stay those of the start. */
  readonly plugins: readonly PluginInfo[];
  /** Rules and configuration from elsewhere. */
  readonly bundles: Bundles;
}

export interface Anew {
  readonly loaded: LoadedConfig;
  readonly rules: RulesStart;
  /** Of both, in hexadecimal. */
  readonly sha256: string;
}

/** What was told of the configuration meanwhile, by where it goes. */
export interface Told {
  readonly error: string;
  readonly syslog: readonly (readonly [severity: number, text: string])[];
}

export type AnewAnswer =
  | { readonly told: Told } & Anew
  | { readonly told: Told; readonly error: string };

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
  const told = { error: "", syslog: [] as [number, string][] };
  const terminal = terminalOver({
    out: () => {},
    error: (bytes) => void (told.error += decoder.decode(bytes)),
    syslog: (severity, text) => void told.syslog.push([severity, text]),
    outIsTerminal: data.outIsTerminal,
    errorIsTerminal: false,
    environment: variable,
  });
  try {
    const loaded = loadConfig(data.flags, terminal, data.notices, settingsOf(data.bundles.config));
    const { config } = loaded;
    requireOutput(config);
    waitForWriters([...rulesPaths(config, data.flags)]);
    const rules = rulesStart(config, data.flags, data.plugins, data.bundles.rules);
    const empty = rules.files.find(({ name, text }) =>
      text.trim() === "" && data.filled.includes(name)
    );
    if (empty !== undefined) {
      throw new Error(`${empty.name}: the file is empty, and it was not before`);
    }
    // The engine compiles them once more, and need not find out that they are bad.
    compileRules(rules);
    scope.postMessage({ told, loaded, rules, sha256: sumOf(config, rules) });
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

/** A run that could tell nobody is refused, as at the start. */
function requireOutput(config: Config): void {
  const outputs = Object.entries(config).filter(([key]) => key.endsWith("_output"));
  if (outputs.some(([, value]) => (value as { enabled?: boolean }).enabled === true)) return;
  throw new Error(
    "No output configured, please make sure at least one output is configured and enabled.",
  );
}
