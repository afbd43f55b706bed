// Plugins in a watch: the threads that judge events of their sources, and the numbers of all.
import type { Config } from "../../config/schema.ts";
import type { PluginTold, RulesStart } from "../../engine/contract/messages.ts";
import type { TalliesTold } from "../../engine/contract/tallies.ts";
import type { EnginePart } from "../../engine/thread/engines.ts";
import {
  type PluginFacts,
  type PluginSourceReport,
  pluginTroubles,
} from "../../metrics/plugin_families.ts";
import type { PluginSetting } from "../../plugins/contract.ts";
import type { Flags } from "../flags.ts";
import { engineStart } from "./engine_start.ts";
import { extractorsOf, type LoadedPlugin, type LoadedPlugins } from "./loaded_plugins.ts";
import { SourceWatch } from "./source_watch.ts";

export interface PluginWatchOptions {
  readonly config: Config;
  readonly flags: Flags;
  readonly rules: RulesStart;
  readonly hostname: string;
  readonly warn: (line: string) => void;
  readonly info: (line: string) => void;
  readonly onTallies: (source: string, tallies: TalliesTold) => void;
  /** Captures whose events are judged, not those that plugins give. */
  readonly files?: readonly string[];
}

/** All of a watch. */
export class PluginWatches {
  readonly #watches: readonly PluginWatch[];
  readonly #loaded: LoadedPlugins;
  /** By thread: its source. */
  readonly #told = new Map<string, readonly PluginTold[]>();

  constructor(
    loaded: LoadedPlugins,
    sources: ReadonlyMap<string, LoadedPlugin>,
    options: PluginWatchOptions,
  ) {
    this.#loaded = loaded;
    this.#watches = [...sources].map(([source, plugin]) =>
      new PluginWatch({
        ...options,
        source,
        plugin,
        extractors: extractorsOf(loaded, source),
        onPlugins: this.onPlugins(source),
      })
    );
  }

  get parts(): readonly EnginePart[] {
    return this.#watches.map(({ part }) => part);
  }

  /** Whether any is loaded. */
  get isAny(): boolean {
    return this.#loaded.length > 0;
  }

  extractors(source: string, hasEvents = true): readonly PluginSetting[] {
    return extractorsOf(this.#loaded, source, hasEvents);
  }

  /** Takes what the thread of that source tells. */
  onPlugins(source: string): (told: readonly PluginTold[]) => void {
    return (told) => void this.#told.set(source, told);
  }

  facts(): PluginFacts {
    return {
      plugins: [...this.#told.values()].flat(),
      sources: this.#watches.map((watch) => watch.report()),
    };
  }

  troubles(): readonly string[] {
    return [
      ...pluginTroubles(this.facts()),
      ...this.#watches.flatMap((watch) => watch.troubles()),
    ];
  }

  /** Names and versions, as GET /versions tells them. */
  versions(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#loaded.map(({ info: { name, version } }) => [name, version]));
  }
}

interface OneOptions extends PluginWatchOptions {
  readonly plugin: LoadedPlugin;
  readonly source: string;
  readonly extractors: readonly PluginSetting[];
  readonly onPlugins: (plugins: readonly PluginTold[]) => void;
}

class PluginWatch {
  readonly part: EnginePart;
  readonly #watch: SourceWatch;
  readonly #source: string;

  constructor(options: OneOptions) {
    const { plugin, source, extractors, files, config, flags, rules, hostname, warn, info } =
      options;
    this.#source = source;
    this.#watch = new SourceWatch({ source, events: `events of the source '${source}'`, warn });
    const start = engineStart(config, flags, {
      counters: this.#watch.counters,
      source: {
        kind: "plugin",
        plugin: plugin.setting,
        ...(files === undefined ? {} : { files }),
      },
      rules,
      hostname,
    });
    const { part } = this.#watch;
    this.part = {
      ...part,
      start: { ...start, extractors },
      source,
      isNeeded: true,
      onTallies: (told) => options.onTallies(source, told),
      onPlugins: options.onPlugins,
      onEnd: () => {
        part.onEnd?.();
        if (files === undefined) info(`The source '${source}' has come to its end`);
      },
    };
  }

  report(): PluginSourceReport {
    return { source: this.#source, ended: this.#watch.hasEnded, ...this.#watch.judged() };
  }

  troubles(): readonly string[] {
    const trouble = this.#watch.trouble(false);
    return trouble === undefined ? [] : [`${this.#source}: ${trouble}`];
  }
}
