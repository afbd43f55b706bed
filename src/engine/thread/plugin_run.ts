// One run over a plugin's events: the plugin opened on this thread, with those whose fields can be
// asked of its events, then the loop.
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
  const { plugin } = start.source as PluginStart;
  const addon = once<Addon>(loadAddon);
  const { tables } = new PluginThreads(addon);
  const port = openPort(plugin, addon, tables);
  const source = new PluginSource(port);
  const hand = new PluginHand(port, source.source, source);
  const extractors = openExtractors(start, source.source, addon, tables);
  const hands = new Map([[port.info.name, hand], ...extractors]);
  const report = new PluginReport(source.source, hands, post);
  named(plugin, () => port.open(plugin.openParams));
  const run = startSourceRun(start, counters, post, {
    source,
    hands,
    plugins: pluginEventsOf(start, hands, source.source, port.info.id),
    perSecond: () => report.look(),
  });
  return {
    ...run,
    close(): void {
      report.look();
      run.close();
      for (const { port } of extractors.values()) port.close();
    },
  };
}
