// Plugins for commands that try rules on captures: they run in this thread, and are asked for
// values of events. In: what is loaded, and how rules are read. Out: rules by source, events of
// plugins' sources. What plugins keep of system calls, they do not know here.
import { loadOptions } from "../../engine/compile_rules.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { loadAddon } from "../../engine/host/addon.ts";
import { openPort } from "../../engine/host/plugin_ports.ts";
import { PluginThreads } from "../../engine/thread/plugin_threads.ts";
import { once } from "../../engine/thread/run_parts.ts";
import { CapturedSource } from "../../plugins/captured_source.ts";
import { concerns, isCompatible } from "../../plugins/compatible.ts";
import type { PluginPort } from "../../plugins/contract.ts";
import type { Hands } from "../../plugins/field_sets.ts";
import { PluginHand } from "../../plugins/plugin_hand.ts";
import type { LoadOptions } from "../../rules/load.ts";
import type { CheckedRule } from "../../rules/check/resolve.ts";
import type { RunningPlugins } from "../../rules/tools/scenario_run.ts";
import { type LoadedPlugin, type LoadedPlugins, pluginSources } from "./loaded_plugins.ts";

export class ToolPlugins {
  readonly #loaded: LoadedPlugins;
  readonly #settings: Omit<RulesStart, "files">;
  readonly #ports = new Map<string, PluginPort>();
  readonly #options = new Map<string, LoadOptions>();
  readonly #addon = once(loadAddon);
  readonly #tables = new PluginThreads(this.#addon).tables;

  constructor(loaded: LoadedPlugins, settings: Omit<RulesStart, "files">) {
    this.#loaded = loaded;
    this.#settings = settings;
  }

  /** `load`: the rules, with fields that can be asked. Throws where a plugin cannot be started. */
  running(load: (options: LoadOptions) => readonly CheckedRule[]): RunningPlugins {
    const { opened } = pluginSources(this.#loaded);
    const rules = new Map<string, readonly CheckedRule[]>();
    return {
      sources: [...opened.keys()],
      open: (path, source) => new CapturedSource([path], opened.get(source)!.info),
      rulesOf: (source) => {
        const made = rules.get(source) ?? load(this.#optionsOf(source));
        rules.set(source, made);
        return made;
      },
    };
  }

  #optionsOf(source: string): LoadOptions {
    const made = this.#options.get(source) ?? loadOptions(this.#settings, this.#handsOf(source));
    this.#options.set(source, made);
    return made;
  }

  #handsOf(source: string): Hands {
    return new Map(
      this.#loaded.filter(({ info }) => isCompatible(info, source) || concerns(info, source))
        .map((plugin) => [plugin.info.name, new PluginHand(this.#portOf(plugin), source)]),
    );
  }

  #portOf({ info: { name }, setting }: LoadedPlugin): PluginPort {
    const port = this.#ports.get(name) ?? openPort(setting, this.#addon, this.#tables);
    this.#ports.set(name, port);
    return port;
  }

  close(): void {
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }
}
