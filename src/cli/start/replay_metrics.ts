// The metrics of a replay: the run comes in, what tells its numbers goes out. Loaded only where
// the configuration wants them.
import type { Alert } from "../../engine/contract/alert.ts";
import type { Counters } from "../../engine/contract/counters.ts";
import type { EngineStart } from "../../engine/contract/messages.ts";
import type { TalliesTold } from "../../engine/contract/tallies.ts";
import { logTo } from "../log.ts";
import type { Terminal } from "../terminal.ts";
import type { LiveOutputs } from "./live_outputs.ts";
import type { LoadedConfig } from "./load_config.ts";
import { makeMetrics } from "./metrics.ts";
import { Numbers } from "./numbers.ts";

export interface ReplayRun {
  readonly counters: Counters;
  readonly start: EngineStart;
  readonly outputs: () => LiveOutputs | undefined;
}

export interface ReplayMetrics {
  onTallies(told: TalliesTold): void;
  begin(send: (alerts: readonly Alert[]) => void): void;
  close(): void;
}

/** Throws where they are wanted and nobody would be told. */
export function replayMetrics(
  { config, files }: LoadedConfig,
  { counters, start, outputs }: ReplayRun,
  terminal: Terminal,
): ReplayMetrics {
  const numbers = new Numbers({
    driver: "savefile",
    counters,
    hostRoot: terminal.environment("HOST_ROOT") ?? "",
    hostname: start.machine.hostname,
    environment: terminal.environment,
    outputs: () => outputs()?.stats() ?? [],
    stream: () => ({ clients: 0, dropped: 0 }),
  });
  numbers.sumUp({ rules: start.rules.files, config: files });
  const { facts } = numbers;
  const metrics = makeMetrics({ config, facts, warn: logTo(() => config, terminal).warning });
  return {
    onTallies: (told) => numbers.onTallies(told),
    begin: (send) => metrics.begin(send),
    close: () => metrics.close(),
  };
}
