// The fields of every source that rules may be about, plugins' own included: what plugins say of
// themselves in, a field set for each source out.
import { AUDIT_SOURCE, auditRows, jsonRows } from "../fields/audit/audit_field_set.ts";
import { type FieldOptions, FieldSet, ofEverySource, syscallRows } from "../fields/field_set.ts";
import type { Field } from "../fields/row/field.ts";
import { CallTexts, readsMistake } from "./call_texts.ts";
import { isCompatible, sourcesOf, SYSCALL_SOURCE } from "./compatible.ts";
import type { PluginInfo } from "./contract.ts";
import type { PluginHand } from "./plugin_hand.ts";
import { pluginRows } from "./rows.ts";

/** Where plugins run in this thread, by name. */
export type Hands = ReadonlyMap<string, PluginHand>;

/** The field sets by source; those of Falco's own sources are there whatever is loaded. */
export function fieldSets(
  infos: readonly PluginInfo[],
  options: Partial<FieldOptions>,
  hands: Hands = new Map(),
): ReadonlyMap<string, FieldSet> {
  const sources = [...new Set([SYSCALL_SOURCE, AUDIT_SOURCE, ...sourcesOf(infos)])];
  return new Map(sources.map((source) => {
    const rows = (all: FieldOptions) => {
      const compatible = infos.filter((info) => isCompatible(info, source));
      const theirs = compatible.flatMap((info) =>
        pluginRows(info, hands.get(info.name), callTexts(info, source, all))
      );
      const names = new Set(theirs.map(({ name }) => name));
      const own = ownRows(source, infos, all, hands).filter(({ name }) => !names.has(name));
      return [...own, ...theirs];
    };
    return [source, new FieldSet(options, rows)];
  }));
}

/** How the plugin is shown events of the source, where it is not given them as they are. */
function callTexts(
  { reads }: PluginInfo,
  source: string,
  options: FieldOptions,
): CallTexts | undefined {
  return reads === undefined || source !== SYSCALL_SOURCE
    ? undefined
    : new CallTexts(reads, options);
}

function ownRows(
  source: string,
  infos: readonly PluginInfo[],
  all: FieldOptions,
  hands: Hands,
): Field[] {
  if (source === SYSCALL_SOURCE) return syscallRows(all);
  const giver = infos.find((info) => info.source === source);
  if (giver === undefined) return auditRows(all);
  const info = (context: Parameters<PluginHand["eventText"]>[0]) =>
    hands.get(giver.name)?.eventText(context);
  const every = ofEverySource(all, { source, plugin: giver.name, info });
  if (source !== AUDIT_SOURCE) return [...every, ...jsonRows()];
  const names = new Set(every.map(({ name }) => name));
  return [...every, ...auditRows(all).filter(({ name }) => !names.has(name))];
}

/** What is wrong with those plugins together, in Falco's words; undefined: nothing. */
export function pluginsMistake(infos: readonly PluginInfo[]): string | undefined {
  const reserved = infos.find(({ source }) => source === SYSCALL_SOURCE);
  if (reserved !== undefined) {
    return `Plugin '${reserved.name}' has the event source name '${SYSCALL_SOURCE}', which is ` +
      "reserved";
  }
  const shared = infos.find((info, place) =>
    gives(info) && infos.findIndex((one) => gives(one) && one.id === info.id) < place
  );
  if (shared !== undefined) {
    const first = infos.find((one) => gives(one) && one.id === shared.id)!;
    return `Plugin '${shared.name}' has the ID of plugin '${first.name}': found another plugin ` +
      `with ID ${shared.id}`;
  }
  const sets = fieldSets([], {});
  const sources = [...new Set([...sets.keys(), ...sourcesOf(infos)])];
  for (const source of sources) {
    const own = sets.get(source)?.fields ??
      ofEverySource(sets.get(SYSCALL_SOURCE)!.options, { source, info: () => undefined });
    const taken = new Set(
      own.map(({ name }) => name).filter((name) => !OF_FALCOS_PLUGINS.test(name)),
    );
    for (const info of infos.filter((one) => isCompatible(one, source))) {
      for (const { name } of info.fields) {
        if (taken.has(name)) {
          return `Plugin '${info.name}' supports extraction of field '${name}' that is ` +
            `overlapping for source '${source}'`;
        }
        taken.add(name);
      }
    }
  }
  const ofCalls = sets.get(SYSCALL_SOURCE)!;
  for (const info of infos) {
    const mistake = readsMistake(info, ofCalls);
    if (mistake !== undefined) return mistake;
  }
  const idle = infos.find((info) =>
    info.fields.length > 0 && info.source === "" &&
    !sources.some((source) => isCompatible(info, source))
  );
  return idle &&
    `Plugin '${idle.name}' is loaded but unused as not compatible with any known event source`;
}

/**
 * Fields that Falco has from plugins alone: saker's own give way to those of any plugin that is
 * loaded. Plugins for the audit logs of clouds have the same as k8saudit, for its source.
 */
const OF_FALCOS_PLUGINS = /^(container|k8s|k8smeta|ka|json|jevt)\.|^proc\.is_container_/;

/** Events of captures are told apart by the id; without one they are system calls. */
function gives({ id, capabilities }: PluginInfo): boolean {
  return capabilities.includes("sourcing") && id !== 0;
}
