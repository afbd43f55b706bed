// `saker replay F…` and engine.kind=replay: captures through the rules, every alert written, then
// the end. A progress line on a terminal.
import { Counters } from "../../engine/contract/counters.ts";
import { engineStart, rulesStart } from "../start/engine_start.ts";
import type { Flags } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import { startProgress } from "../progress.ts";
import { runSession } from "../start/session.ts";
import type { Terminal } from "../terminal.ts";

export function replay(
  files: readonly string[],
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  return replayWith(files, flags, loadConfig(flags, terminal), terminal);
}

export async function replayWith(
  files: readonly string[],
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { config } = loaded;
  for (const file of files) if (file !== "-") checkReadable(file);
  const counters = new Counters();
  const start = engineStart(config, flags, {
    counters,
    rules: rulesStart(config, flags),
    source: { kind: "capture", files },
    hostname: terminal.environment("FALCO_HOSTNAME") ?? Deno.hostname(),
  });
  const progress = startProgress(counters, terminal);
  try {
    return await runSession({
      loaded,
      start,
      counters,
      terminal,
      patient: true,
      onReady: () => {},
      onEnd: () => progress.stop(),
    });
  } finally {
    progress.stop();
  }
}

function checkReadable(file: string): void {
  try {
    if (!Deno.statSync(file).isDirectory) return;
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "no such file"
      : (error as Error).message;
    throw new Error(`Cannot read the capture ${file}: ${reason}`);
  }
  throw new Error(`Cannot read the capture ${file}: it is a directory`);
}
