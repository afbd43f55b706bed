// Which event sources a run has: the flags --enable-source and --disable-source, the plugins of the
// configuration and the rules in; whether system calls are watched, and what brings audit events
// in, out.
import { type AuditSettings, auditSettings } from "../../config/audit_plugin.ts";
import type { Config } from "../../config/schema.ts";
import { AUDIT_SOURCE } from "../../fields/audit/audit_field_set.ts";
import type { RulesText } from "../../rules/load.ts";
import { type LoadedPlugin, type LoadedPlugins, pluginSources } from "./loaded_plugins.ts";
import type { Flags } from "../flags.ts";

export interface Sources {
  readonly syscalls: boolean;
  /** Undefined where audit events are not wanted. */
  readonly audit: AuditSettings | undefined;
  /** Sources of plugins that are enabled, and the plugin that is opened for each. */
  readonly plugins: ReadonlyMap<string, LoadedPlugin>;
  /** The plugin that gives system calls where no driver does (`engine.kind: nodriver`). */
  readonly raw: LoadedPlugin | undefined;
  /** What there is to say of plugins that are not opened. */
  readonly warnings: readonly string[];
}

/**
 * Audit events are wanted where the configuration loads their plugin, or a rule that somebody gave
 * is about them.
 * Throws in Falco's words where the flags make no sense.
 */
export function sourcesOf(
  { enableSource, disableSource }: Flags,
  config: Config,
  rules: readonly RulesText[] = [],
  plugins: LoadedPlugins = [],
): Sources {
  if (enableSource.length > 0 && disableSource.length > 0) {
    throw new Error("You can not mix --enable-source and --disable-source");
  }
  const settings = auditSettings(config);
  const { opened, raw, warnings } = pluginSources(plugins);
  const isWanted = !opened.has(AUDIT_SOURCE) && (settings.isLoaded || rules.some(asksForAudit));
  const known = ["syscall", ...(isWanted ? [AUDIT_SOURCE] : []), ...opened.keys()];
  for (const source of [...enableSource, ...disableSource]) {
    if (known.includes(source)) continue;
    throw new Error(`Attempted disabling/enabling an unknown event source: ${source}`);
  }
  const enabled = known.filter((source) =>
    enableSource.length > 0 ? enableSource.includes(source) : !disableSource.includes(source)
  );
  if (enabled.length === 0) throw new Error("Must enable at least one event source");
  const isRaw = enabled.includes("syscall") && config.engine.kind === "nodriver";
  return {
    syscalls: enabled.includes("syscall"),
    audit: isWanted && enabled.includes(AUDIT_SOURCE) ? settings : undefined,
    plugins: new Map([...opened].filter(([source]) => enabled.includes(source))),
    raw: isRaw ? raw : undefined,
    warnings: raw === undefined || isRaw ? warnings : [...warnings, rawLine(raw)],
  };
}

/** As in Falco, which does not say so. */
function rawLine({ info }: LoadedPlugin): string {
  return `plugin ${info.name} gives system calls itself: it is opened with engine.kind: nodriver ` +
    "and the source 'syscall' alone, and is not now";
}

/** saker's own rules on audit events wait for those: a host without them pays nothing. */
function asksForAudit({ text, isBuiltIn = false }: RulesText): boolean {
  return !isBuiltIn && ABOUT_AUDIT.test(text);
}

const ABOUT_AUDIT = new RegExp(`^[^#\n]*\\bsource:\\s*["']?${AUDIT_SOURCE}\\b`, "m");

/** The one file, pipe or directory that is read to its end, after which the run ends as well. */
export function onlyLogOf({ syscalls, audit, plugins }: Sources): string | undefined {
  return !syscalls && plugins.size === 0 && audit?.input.kind === "once"
    ? audit.input.path
    : undefined;
}

/** What a run does with them, for a person. */
export function watching({ engine }: Config, { syscalls, raw, audit, plugins }: Sources): string {
  if (!syscalls) {
    const all = [...(audit === undefined ? [] : ["audit events"]), ...plugins.keys()];
    return `judges ${all.join(", ")} alone`;
  }
  if (raw !== undefined) return `judges what plugin ${raw.info.name} gives`;
  return engine.kind === "nodriver" ? "sees nothing (engine.kind: nodriver)" : "is watching";
}
