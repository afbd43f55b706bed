// `--dry-run`: everything that a start would find amiss, without a probe: configuration, rules,
// outputs, the web server's files, captures. The exit code says whether a start would succeed.
import { compileRules } from "../../engine/compile_rules.ts";
import { Counters } from "../../engine/contract/counters.ts";
import { logTo } from "../log.ts";
import type { Flags } from "../flags.ts";
import { rulesStart } from "../start/engine_start.ts";
import type { LoadedConfig } from "../start/load_config.ts";
import { GrpcKeeper } from "../start/grpc.ts";
import { formatOf, makeOutputs } from "../start/make_outputs.ts";
import { AlertStream } from "../../server/stream/alert_stream.ts";
import { makeMetrics } from "../start/metrics.ts";
import { Numbers } from "../start/numbers.ts";
import { auditDoor } from "../start/audit_door.ts";
import { infosOf } from "../start/loaded_plugins.ts";
import { loadPlugins } from "../start/plugins_start.ts";
import { sourcesOf } from "../start/sources.ts";
import { startWeb } from "../start/web.ts";
import type { Terminal } from "../terminal.ts";
import { checkReadable } from "./replay.ts";
import { checkWatch } from "./watch.ts";

export async function dryRun(
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { config } = loaded;
  const log = logTo(() => config, terminal);
  const { engine } = config;
  const isReplay = engine.kind === "replay";
  const plugins = await loadPlugins(config);
  const rules = rulesStart(config, flags, infosOf(plugins));
  const sources = isReplay ? undefined : sourcesOf(flags, config, rules.files, plugins);
  const told = sources === undefined ? [] : [...checkWatch(sources, config), ...sources.warnings];
  if (sources?.audit !== undefined) {
    const { warning: warn, info } = log;
    auditDoor({ config, warn, info, sink: () => undefined });
  }
  if (isReplay) checkReadable(engine.replay.capture_file);
  const compiled = compileRules(rules);
  const outputs = makeOutputs(loaded, {
    log,
    terminal,
    onClosed() {},
    mayBeNone: false,
    patient: true,
    dry: true,
    grpc: new GrpcKeeper(),
  });
  for (const line of told) log.warning(`Warning: ${line}`);
  for (const line of compiled.warnings) log.warning(line);
  await outputs.check();
  const counters = new Counters();
  const stream = new AlertStream({ format: formatOf(config, true) });
  const { facts } = new Numbers({
    driver: "nodriver",
    counters,
    hostname: Deno.hostname(),
    hostRoot: "",
    environment: terminal.environment,
    outputs: () => [],
    stream: () => stream.stats(),
  });
  if (!isReplay) makeMetrics({ config, facts, warn: log.warning }).close();
  const web = isReplay ? undefined : startWeb({
    config,
    flags,
    counters,
    facts,
    stream,
    hostRoot: "",
    isAttended: terminal.errorIsTerminal,
    outputs: () => [],
    troubles: () => [],
    strays: () => 0,
    metrics: () => undefined,
  });
  const problem = web?.problem();
  if (problem !== undefined) log.warning(`Warning: ${problem}`);
  await web?.close();
  await outputs.close(0);
  terminal.error(`Dry run: ${compiled.rules.rules.length} rules can be used.\n`);
  return 0;
}
