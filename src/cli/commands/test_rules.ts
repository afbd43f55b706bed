// `saker rules test FILE…`: runs the tests that are kept beside rules.
import { readTextFile } from "../../files/read_text.ts";
import { type Loaded, type LoadOptions, loadRules } from "../../rules/load.ts";
import { contentsOf, verboseText } from "../../rules/report.ts";
import { readScenarios, type ScenarioFile, unknownRules } from "../../rules/tools/scenario.ts";
import { type Paths, type RunningPlugins, runScenario } from "../../rules/tools/scenario_run.ts";
import { RULES_BYTES_MAX } from "../start/engine_start.ts";
import type { ToolPlugins } from "../start/tool_plugins.ts";

export interface RulesTestOptions {
  /** Files of tests; see rules/scenario.ts for what stands in them. */
  readonly files: readonly string[];
  /** Fields, plugins and their events, that the configuration gives. */
  readonly load: Pick<LoadOptions, "fields" | "pluginFields" | "asyncNames" | "plugins">;
  /** Which views count in captures: engine.paths. */
  readonly paths: Paths;
  /** Tell the cases that hold, too. */
  readonly verbose: boolean;
  /** Plugins that can be asked of events of captures, where any are loaded. */
  readonly plugins?: Pick<ToolPlugins, "running">;
}

/** Runs the tests and returns the exit code: 0 where every case holds. */
export function testRules(options: RulesTestOptions, write: (text: string) => void): number {
  let passed = 0;
  let failed = 0;
  for (const file of options.files) {
    const loaded = load(file, options, write);
    if (loaded === undefined) {
      failed++;
      continue;
    }
    const { scenarios } = loaded.file;
    for (const scenario of scenarios) {
      const { failures } = runScenario(
        scenario,
        loaded.rules,
        scenario.capture === undefined ? undefined : beside(file, scenario.capture),
        options.paths,
        loaded.plugins,
      );
      if (failures.length === 0) {
        passed++;
        if (options.verbose) write(`ok   ${file}: ${scenario.name}\n`);
        continue;
      }
      failed++;
      write(`FAIL ${file}:${scenario.line}: ${scenario.name}\n`);
      for (const failure of failures) write(`    ${failure}\n`);
    }
  }
  write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

interface LoadedTests {
  readonly file: ScenarioFile;
  readonly rules: Loaded;
  readonly plugins: RunningPlugins | undefined;
}

function load(
  path: string,
  { load: wanted, plugins }: RulesTestOptions,
  write: (text: string) => void,
): LoadedTests | undefined {
  const text = read(path);
  if (text === undefined) {
    write(`FAIL ${path}: cannot be read\n`);
    return undefined;
  }
  const { fields, pluginFields = new Map(), asyncNames = new Set() } = wanted;
  const file = readScenarios(path, text, fields, { fields: pluginFields, asyncNames });
  const names = file.rules?.map((name) => beside(path, name)) ??
    [path.replace(/_test(\.ya?ml)$/, "$1")];
  const errors = [...file.errors];
  const texts = names.map((name) => ({ name, text: name === path ? undefined : read(name) }));
  for (const { name, text } of texts) {
    if (text === undefined) errors.push(`the rules file ${name} cannot be read`);
  }
  if (errors.length > 0) {
    write(`FAIL ${path}\n${errors.map((error) => `    ${error}\n`).join("")}`);
    return undefined;
  }
  const files = texts.map(({ name, text }) => ({ name, text: text! }));
  const loadAll = (by: RulesTestOptions["load"]) => loadRules(files, fieldsOf(by));
  const rules = loadAll(wanted);
  const wrong = rules.results.filter(({ successful }) => !successful);
  if (wrong.length > 0 || rules.pluginError !== undefined) {
    const contents = contentsOf(rules.results);
    write(`FAIL ${path}\n`);
    if (rules.pluginError !== undefined) write(`    ${rules.pluginError}\n`);
    for (const result of wrong) write(verboseText(result, contents));
    return undefined;
  }
  const unknown = unknownRules(file, new Set(rules.rules.map(({ name }) => name)));
  if (unknown.length > 0) {
    write(`FAIL ${path}\n${unknown.map((error) => `    ${error}\n`).join("")}`);
    return undefined;
  }
  return { file, rules, plugins: plugins?.running((options) => loadAll(options).rules) };
}

/** Whatever else the configuration says of rules, a test is of what they mean. */
function fieldsOf(
  { fields, pluginFields, asyncNames, plugins }: RulesTestOptions["load"],
): LoadOptions {
  return {
    fields,
    ...(pluginFields === undefined ? {} : { pluginFields }),
    ...(asyncNames === undefined ? {} : { asyncNames }),
    ...(plugins === undefined ? {} : { plugins }),
  };
}

function read(path: string): string | undefined {
  try {
    return readTextFile(path, RULES_BYTES_MAX);
  } catch {
    return undefined;
  }
}

/** A path as seen from the directory of a file. */
function beside(file: string, path: string): string {
  if (path.startsWith("/")) return path;
  const slash = file.lastIndexOf("/");
  return slash < 0 ? path : `${file.slice(0, slash + 1)}${path}`;
}
