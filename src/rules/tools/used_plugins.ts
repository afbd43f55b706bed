// Which plugins a rule needs, as `-L` tells it: its source, the fields that it names and the types
// of events that it asks for come in, with the plugins that are loaded; names go out, sorted.
import { AUDIT_SOURCE } from "../../fields/audit/audit_field_set.ts";
import { listHas } from "../../plugins/compatible.ts";
import type { PluginInfo } from "../../plugins/contract.ts";
import type { KnownPlugin } from "../load.ts";

/** Fields that Falco has from plugins and saker of its own, by plugin. */
const OUR_PARTS: Readonly<Record<string, RegExp>> = {
  container: /^(container|k8s|proc\.is_container)/,
  json: /^(json|jevt)\./,
  k8smeta: /^k8smeta\./,
};

export interface Needs {
  readonly source: string;
  /** As they are written, some with arguments. */
  readonly fields: readonly string[];
  /** Values that `evt.type` is held against. */
  readonly eventNames: ReadonlySet<string>;
}

export function usedPlugins(
  { source, fields, eventNames }: Needs,
  plugins: readonly KnownPlugin[],
) {
  const names = new Set(fields.map((text) => text.replace(/^%/, "").replace(/\[.*$/s, "")));
  const uses = (plugin: KnownPlugin) => {
    const { name, info } = plugin;
    if (info !== undefined) return usesLoaded(info, { source, names, eventNames });
    if (name === "k8saudit") return source === AUDIT_SOURCE;
    return [...names].some((field) => OUR_PARTS[name]?.test(field) ?? false);
  };
  return plugins.filter(uses).map(({ name }) => name).sort();
}

/** By its source, its fields, or its asynchronous events: Falco's order. */
function usesLoaded(
  info: PluginInfo,
  { source, names, eventNames }: {
    readonly source: string;
    readonly names: ReadonlySet<string>;
    readonly eventNames: ReadonlySet<string>;
  },
): boolean {
  const { capabilities, fields, extractSources, asyncSources, asyncEvents } = info;
  if (capabilities.includes("sourcing") && info.source === source) return true;
  if (listHas(info, extractSources, source) && fields.some(({ name }) => names.has(name))) {
    return true;
  }
  return capabilities.includes("async") && listHas(info, asyncSources, source) &&
    asyncEvents.some((name) => eventNames.has(name));
}
