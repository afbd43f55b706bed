// `saker rules lint`, `filter` and `test` and `saker explain`: how they are asked for.
import type { Command } from "commander";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { readFlags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import { infosOf, type LoadedPlugins } from "../start/loaded_plugins.ts";
import { listedPlugins, loadPlugins } from "../start/plugins_start.ts";
import type { Terminal } from "../terminal.ts";

/** Adds the commands; `onEnd` gets the exit code of the one that ran. */
export function addRulesCommands(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const rules = program.command("rules").description("check and test rules")
    .action(() => rules.error("missing command: rules lint, filter or test"));
  rules.command("lint")
    .description("tell what is odd about rules that load: never match, shadowed, costly")
    .argument("[paths...]", "rules files or directories; those of -r or the built-in ones without")
    .action(async (paths: string[]) => {
      const { lintRules } = await import("./rules_lint.ts");
      onEnd(lintRules(await loadRules(program, terminal, paths), await writer(terminal)));
    });
  rules.command("filter")
    .description("tell in words which events can matter to the rules, and which are dropped early")
    .argument("[paths...]", "rules files or directories; those of -r or the built-in ones without")
    .action(async (paths: string[]) => {
      const { filterRules } = await import("./rules_filter.ts");
      onEnd(filterRules(await loadRules(program, terminal, paths), await writer(terminal)));
    });
  rules.command("test")
    .description("run the tests that are kept beside rules (*_test.yaml)")
    .argument("[files...]", "files of tests")
    .option(
      "--from-alert <file>",
      "print a test made of an alert: of a file of JSON lines or a capture, #N for one of it",
    )
    .action(async (files: string[], { fromAlert }: { readonly fromAlert?: string }) => {
      if (fromAlert !== undefined) {
        if (files.length > 0) throw new Error("--from-alert makes a test: it runs none");
        return onEnd(await fromAlertOf(program, terminal, fromAlert));
      }
      if (files.length === 0) throw new Error("missing argument: files of tests (*_test.yaml)");
      const { testRules } = await import("./test_rules.ts");
      const { verbose = false } = readFlags(program);
      const { load, paths, plugins } = await settings(program, terminal);
      try {
        onEnd(testRules({ files, load, paths, verbose, ...plugins && { plugins } }, terminal.out));
      } finally {
        plugins?.close();
      }
    });
  program.command("explain")
    .description("show why a rule fires on an event, or does not")
    .argument("<rule>", "name of the rule")
    .requiredOption(
      "--event <file>",
      "an event written in YAML, or a capture, with #NUMBER for one event of it",
    )
    .action(async (rule: string, { event }: { event: string }) => {
      const { explainRule } = await import("./explain.ts");
      const { rulesStart } = await import("../start/engine_start.ts");
      const { config, flags, infos, load, paths, plugins } = await settings(program, terminal);
      try {
        const { files } = rulesStart(config, flags, infos);
        const options = { rule, event, load, paths, ...plugins && { plugins } };
        onEnd(explainRule(files, options, await writer(terminal)));
      } finally {
        plugins?.close();
      }
    });
}

async function fromAlertOf(program: Command, terminal: Terminal, alert: string): Promise<number> {
  const { caseFromAlert } = await import("./from_alert.ts");
  const { rulesStart } = await import("../start/engine_start.ts");
  const { config, flags, infos, load, paths, plugins } = await settings(program, terminal);
  plugins?.close();
  return caseFromAlert(rulesStart(config, flags, infos).files, { alert, load, paths }, terminal);
}

/** Long lines fit a terminal; it is read where something is written. */
async function writer(terminal: Terminal): Promise<(text: string) => void> {
  const { laidOut } = await import("../print/laid_out.ts");
  return laidOut(terminal, { tones: { "✓": "good", "✗": "bad" } });
}

/** The rules that the command line or the configuration names. */
async function loadRules(program: Command, terminal: Terminal, paths: readonly string[]) {
  const { loadWith } = await import("../../engine/compile_rules.ts");
  const { rulesStart } = await import("../start/engine_start.ts");
  const flags = readFlags(program);
  const { config } = loadConfig(flags, terminal);
  const infos = await listedPlugins(config);
  const named = paths.length === 0 ? flags : { ...flags, rules: paths };
  return loadWith(rulesStart(config, named, infos));
}

/** What rules may name, which views count, and the plugins, which can be asked of captures. */
async function settings(program: Command, terminal: Terminal) {
  const { loadOptions } = await import("../../engine/compile_rules.ts");
  const { rulesSettings } = await import("../start/engine_start.ts");
  const flags = readFlags(program);
  const { config } = loadConfig(flags, terminal);
  const loaded = await loadPlugins(config);
  const wanted = rulesSettings(config, flags, infosOf(loaded));
  return {
    config,
    flags,
    infos: infosOf(loaded),
    load: loadOptions(wanted),
    paths: config.engine.paths,
    plugins: await toolPlugins(loaded, wanted),
  };
}

/** Read where there are plugins alone. */
async function toolPlugins(loaded: LoadedPlugins, wanted: Omit<RulesStart, "files">) {
  if (loaded.length === 0) return undefined;
  const { ToolPlugins } = await import("../start/tool_plugins.ts");
  return new ToolPlugins(loaded, wanted);
}
