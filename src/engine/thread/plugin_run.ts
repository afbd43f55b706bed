// One run over a plugin's events: the plugin opened on this thread, with those whose fields can be
// asked of its events, then the loop.
import { CapturedSource } from "../../plugins/captured_source.ts";
import type { PluginPort } from "../../plugins/contract.ts";
import { PluginHand } from "../../plugins/plugin_hand.ts";
import { PluginSource } from "../../plugins/plugin_source.ts";
import type { Counters } from "../contract/counters.ts";
import type { EngineStart, PluginStart } from "../contract/messages.ts";
import { type Addon, loadAddon } from "../host/addon.ts";
import { named, openPort } from "../host/plugin_ports.ts";
import { openExtractors } from "./extractors.ts";
import { PluginReport } from "./plugin_report.ts";
import { pluginEventsOf, PluginThreads } from "./plugin_threads.ts";
import { once, type Post, type Run } from "./run_parts.ts";
import { startSourceRun } from "./source_run.ts";

export function startPluginRun(start: EngineStart, counters: Counters, post: Post): Run {
  const { plugin, files } = start.source as PluginStart;
  const addon = once<Addon>(loadAddon);
  const { tables } = new PluginThreads(addon);
  const port = openPort(plugin, addon, tables);
  const source = files === undefined
    ? new PluginSource(port)
    : new CapturedSource(files, port.info);
  const batches = source instanceof PluginSource ? source : undefined;
  const hand = new PluginHand(port, source.source, batches && { batches, isOwn: true });
  const extractors = orClosed(
    [port],
    () => openExtractors(start, source.source, addon, tables, batches),
  );
  const hands = new Map([[port.info.name, hand], ...extractors]);
  const plugins = pluginEventsOf(start, hands, source.source, port.info.id);
  const report = new PluginReport(source.source, { hands, events: plugins }, post);
  if (files === undefined) {
    const all = [...hands.values()].map(({ port }) => port);
    orClosed(all, () => named(plugin, () => port.open(plugin.openParams)));
  }
  const run = startSourceRun(start, counters, post, {
    source,
    hands,
    plugins,
    perSecond: () => report.look(),
    recordWith: addon,
  });
  return {
    ...run,
    close(): void {
      report.look();
      run.close();
      if (files !== undefined) port.close();
      for (const { port } of extractors.values()) port.close();
    },
  };
}

/** What `act` gives; where it throws, nothing goes on. */
function orClosed<T>(ports: readonly PluginPort[], act: () => T): T {
  try {
    return act();
  } catch (error) {
    for (const port of ports) port.close();
    throw error;
  }
}
