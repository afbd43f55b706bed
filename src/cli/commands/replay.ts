// `saker replay F…` and engine.kind=replay: captures through the rules, every alert written, then
// the end. A progress line on a terminal.
import { Counters } from "../../engine/contract/counters.ts";
import { engineStart, rulesStart } from "../start/engine_start.ts";
import { reasonOf } from "../../files/reason.ts";
import type { Flags } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import { logTo } from "../log.ts";
import type { LiveOutputs } from "../start/live_outputs.ts";
import { makeMetrics } from "../start/metrics.ts";
import { Numbers } from "../start/numbers.ts";
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
    rules: { ...rulesStart(config, flags), live: false },
    source: { kind: "capture", files },
    hostname: terminal.environment("FALCO_HOSTNAME") ?? Deno.hostname(),
  });
  let outputs: LiveOutputs | undefined;
  const numbers = new Numbers({
    driver: "savefile",
    counters,
    hostRoot: terminal.environment("HOST_ROOT") ?? "",
    hostname: start.machine.hostname,
    environment: terminal.environment,
    outputs: () => outputs?.stats() ?? [],
    stream: () => ({ clients: 0, dropped: 0 }),
  });
  numbers.sumUp({ rules: start.rules.files, config: loaded.files });
  const metrics = makeMetrics({
    config,
    facts: numbers.facts,
    warn: logTo(() => config, terminal).warning,
  });
  const progress = startProgress(counters, terminal);
  try {
    return await runSession({
      loaded,
      start,
      counters,
      terminal,
      patient: true,
      verbose: flags.verbose === true,
      onOutputs: (made) => outputs = made,
      onTallies: (told) => numbers.onTallies(told),
      onReady: () => metrics.begin((alerts) => outputs?.send(alerts)),
      onEnd: () => progress.stop(),
    });
  } finally {
    metrics.close();
    progress.stop();
  }
}

/** A pipe may be waited for: a signal ends that. */
export function checkReadable(file: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(file);
  } catch (error) {
    throw new Error(`Cannot read the capture ${file}: ${reasonOf(error)}`);
  }
  const kind = info.isDirectory
    ? "a directory"
    : info.isSocket
    ? "a socket"
    : info.isBlockDevice || (info.isCharDevice && file !== "/dev/stdin")
    ? "a device"
    : undefined;
  if (kind === undefined) return;
  throw new Error(
    `Cannot read the capture ${file}: it is ${kind}; expected a file, a pipe, or - for standard ` +
      "input",
  );
}
