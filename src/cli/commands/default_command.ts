// `saker` without a command: Falco's flags that print something and exit, in Falco's order, then
// the watching of this host. What a flag needs is loaded only for that flag.
import { auditSettings } from "../../config/audit_plugin.ts";
import { configJsonSchema } from "../../config/schema.ts";
import type { Flags, ListFormat } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";

/** x86_64, and what nearly every aarch64 kernel has. */
const PAGE_BYTES = 4096;

export async function runDefault(flags: Flags, terminal: Terminal): Promise<number> {
  return await printFixed(flags, terminal) ??
    await printConfigured(flags, loadConfig(flags, terminal), terminal);
}

/** What needs no configuration. */
async function printFixed(flags: Flags, terminal: Terminal): Promise<number | undefined> {
  if (flags.configSchema) {
    terminal.out(JSON.stringify(configJsonSchema(), null, 2));
    return 0;
  }
  if (flags.ruleSchema) {
    const { printRuleSchema } = await import("../print/rule_schema.ts");
    printRuleSchema(terminal.out);
    return 0;
  }
  if (flags.ignoredEvents) {
    const { ignoredEventNames } = await import("../../engine/host/interest.ts");
    const names = ignoredEventNames().map((name) => `- ${name}\n`).join("");
    terminal.out(`Ignored syscall(s):\n${names}\n`);
    return 0;
  }
  if (flags.listEvents) {
    const { listEvents } = await import("../print/list_events.ts");
    const { ignoredEventNames } = await import("../../engine/host/interest.ts");
    const { DRIVER_SCHEMA_VERSION } = await import("../start/versions.ts");
    const ignored = new Set(ignoredEventNames());
    listEvents(formatOf(flags, terminal), DRIVER_SCHEMA_VERSION, ignored, terminal.out);
    return 0;
  }
  if (flags.version) {
    const { version } = await import("./version.ts");
    return version(flags, terminal);
  }
  if (flags.pageSize) {
    terminal.out(`${PAGE_BYTES}\n`);
    return 0;
  }
  return undefined;
}

async function printConfigured(
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  if (flags.pluginInfo !== undefined || flags.listPlugins) {
    return await printPlugins(flags, loaded, terminal);
  }
  if (flags.list !== undefined) return await printFields(flags, loaded, terminal);
  if (flags.validate.length > 0) return await validateRules(flags, loaded, terminal);
  if (flags.describeAll || flags.describe !== undefined) {
    return await describeRules(flags, loaded, terminal);
  }
  if (flags.support) {
    const { support } = await import("./support.ts");
    const { rulesStart } = await import("../start/engine_start.ts");
    return support(loaded, rulesStart(loaded.config, flags).files, terminal);
  }
  if (flags.dryRun) {
    const { dryRun } = await import("./dry_run.ts");
    return await dryRun(flags, loaded, terminal);
  }
  const { engine } = loaded.config;
  if (engine.kind === "replay") {
    const { replayWith } = await import("./replay.ts");
    return await replayWith([engine.replay.capture_file], flags, loaded, terminal);
  }
  // Whether a rule is about audit events matters to a watch alone.
  if (auditSettings(loaded.config).input.kind === "once") {
    const { onlyLogOf, sourcesOf } = await import("../start/sources.ts");
    const sources = sourcesOf(flags, loaded.config);
    const log = onlyLogOf(sources);
    if (log !== undefined) {
      const { replayAudit } = await import("./replay.ts");
      return await replayAudit([log], sources.audit!, flags, loaded, terminal);
    }
  }
  const { watch } = await import("./watch.ts");
  return await watch(flags, loaded, terminal);
}

async function printPlugins(
  { pluginInfo }: Flags,
  { config }: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { listPlugins, printPlugin } = await import("../print/list_plugins.ts");
  const { listedPlugins } = await import("../start/plugins_start.ts");
  if (pluginInfo === undefined) {
    listPlugins(config, await listedPlugins(config), terminal.out);
    return 0;
  }
  const { describeAsked } = await import("../start/describe_plugins.ts");
  const library = await describeAsked(pluginInfo, config);
  const error = printPlugin(pluginInfo, config, library, terminal.out);
  if (error !== undefined) throw new Error(error);
  return 0;
}

async function printFields(
  flags: Flags,
  { config }: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { fieldSets } = await import("../../plugins/field_sets.ts");
  const { listedPlugins } = await import("../start/plugins_start.ts");
  const { listFields } = await import("../print/list_fields.ts");
  const settings = { staticFields: config.static_fields };
  const all = [...fieldSets(await listedPlugins(config), settings)]
    .map(([source, { fields }]) => ({ source, fields }));
  const sources = all.filter(({ source }) => flags.list === true || source === flags.list);
  if (sources.length === 0) throw new Error("Value for --list must be a valid source type");
  const options = {
    format: formatOf(flags, terminal),
    namesOnly: flags.namesOnly === true,
    verbose: flags.verbose === true,
    columns: terminal.columns(),
  };
  listFields(sources, options, terminal.out);
  return 0;
}

async function validateRules(
  flags: Flags,
  { config }: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { validate } = await import("../print/validate.ts");
  const { loadOptions } = await import("../../engine/compile_rules.ts");
  const { readAllRules, rulesSettings } = await import("../start/engine_start.ts");
  const { listedPlugins } = await import("../start/plugins_start.ts");
  const { rulesFiles } = await import("../../config/rules_files.ts");
  const describe = flags.describe !== undefined
    ? { rule: flags.describe }
    : flags.describeAll
    ? "all" as const
    : undefined;
  return validate({
    files: () =>
      readAllRules(rulesFiles({ given: flags.validate, configured: undefined, flag: "-V" })!),
    json: config.json_output,
    ...(describe === undefined ? {} : { describe }),
    load: loadOptions(rulesSettings(config, flags, await listedPlugins(config))),
    isOnTerminal: terminal.outIsTerminal && terminal.errorIsTerminal,
  }, {
    write: terminal.out,
    writeError: terminal.error,
    warn: (text) => terminal.error(`${text}\n`),
  });
}

async function describeRules(
  flags: Flags,
  { config }: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { listRules } = await import("../print/list_rules.ts");
  const { loadSound } = await import("../../engine/compile_rules.ts");
  const { rulesStart } = await import("../start/engine_start.ts");
  const { listedPlugins } = await import("../start/plugins_start.ts");
  const loaded = loadSound(rulesStart(config, flags, await listedPlugins(config)));
  const { json_output: json } = config;
  const options = { json, rule: flags.describe, columns: terminal.columns() };
  const error = listRules(loaded, options, terminal.out);
  if (error !== undefined) throw new Error(error);
  return 0;
}

function formatOf(flags: Flags, terminal: Terminal): ListFormat {
  if (!flags.markdown) return flags.format ?? "text";
  if (flags.format !== undefined) throw new Error("--markdown and --format cannot both be used");
  terminal.error("Warning: --markdown is deprecated: use --format markdown\n");
  return "markdown";
}
