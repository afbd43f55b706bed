// Rules files in, a rule set and every file's diagnostics out: read → merge → resolve → check →
// compile. A set comes out only where no file has an error.
import type { FieldSet } from "../fields/field_set.ts";
import type { PluginInfo } from "../plugins/contract.ts";
import { UNFILLED } from "../events/filled.ts";
import { compileRules } from "./match/compile.ts";
import { type UnfilledCall, UnfilledSearch, withGeneric } from "./match/unfilled.ts";
import { type Diagnostic, Diagnostics, type Place } from "./diagnostic.ts";
import { isCompatible, parseVersion, type Version } from "./read/item.ts";
import { Collection } from "./merge/merge.ts";
import { read } from "./read/read.ts";
import type { RuleSet } from "./rule_set.ts";
import { isLeftSide } from "./check/operand.ts";
import { type CheckedRule, resolve, type Resolved } from "./check/resolve.ts";
import { schemaWarnings } from "./read/schema.ts";
import { applySelections, type RuleSelection } from "./check/selection.ts";

/** What Falco's rules may require at the most: the version of its engine that we speak. */
export const ENGINE_VERSION: Version = [0, 63, 0];

export interface RulesText {
  /** Name of the file. */
  readonly name: string;
  /** Bytes that are no UTF-8 are kept in it (src/words/raw_text.ts). */
  readonly text: string;
  /** Nobody asked for it: it is part of saker. */
  readonly isBuiltIn?: boolean;
}

/** One entry of `append_output`; empty texts match everything. */
export interface AppendOutput {
  /** Where it was written, for messages: such as `-p`. */
  readonly origin?: string;
  readonly match: {
    readonly source: string;
    readonly tags: readonly string[];
    readonly rule: string;
  };
  readonly extraOutput: string;
  /** A field, or a name and a format. */
  readonly extraFields: readonly (string | Readonly<Record<string, string>>)[];
  readonly suggestedOutput: boolean;
}

/** A plugin that rules may require. */
export interface KnownPlugin {
  readonly name: string;
  readonly version: string;
  /** What it says of itself, where it is no part of saker. */
  readonly info?: PluginInfo;
}

export interface LoadOptions {
  /** Fields of the source "syscall". */
  readonly fields: FieldSet;
  /** Fields of sources that plugins give, by source. */
  readonly pluginFields?: ReadonlyMap<string, FieldSet>;
  /** Names of asynchronous events that plugins give. */
  readonly asyncNames?: ReadonlySet<string>;
  /** Default: what Falco has as plugins and saker as parts of its own. */
  readonly plugins?: readonly KnownPlugin[];
  readonly engineVersion?: Version;
  /** Number of the least important priority that is loaded; default 7, all. */
  readonly priority?: number;
  readonly matching?: "first" | "all";
  readonly selections?: readonly RuleSelection[];
  readonly appendOutput?: readonly AppendOutput[];
  /**
   * Judge everything anew after each file, as Falco does: a file's result then holds what is
   * wrong with all rules so far. Without it everything is judged once, after the last file.
   */
  readonly eachFile?: boolean;
  /** The rules are for live events: what cannot match those is told, and more can be told of alerts
   * than their outputs say. */
  readonly live?: boolean;
  /** Whether somebody reads how files differ from the schema; default: yes. */
  readonly schemaWanted?: boolean;
  /** Codes of events that come without parameters; default: those that the probe does not fill. */
  readonly unfilled?: ReadonlySet<number>;
  /** Called between steps, for who has something else to do meanwhile. */
  readonly breathe?: () => void;
}

export interface FileResult {
  readonly name: string;
  readonly text: string;
  readonly successful: boolean;
  readonly errors: readonly Diagnostic[];
  /** Errors and warnings beyond the bounds of what is kept. */
  readonly errorsCut: number;
  readonly warningsCut: number;
  readonly warnings: readonly Diagnostic[];
  /** Undefined where the YAML could not be read or nobody asked; empty: the schema is kept. */
  readonly schemaWarnings: readonly string[] | undefined;
}

export interface Loaded {
  readonly results: readonly FileResult[];
  /** A plugin that is required is not there: fatal, whatever the results say. */
  readonly pluginError: string | undefined;
  readonly plugins: readonly KnownPlugin[];
  /** Of the source "syscall"; undefined where there is an error. Made when it is asked for. */
  readonly ruleSet: RuleSet | undefined;
  /** The same of another source. */
  readonly ruleSetOf: (source: string) => RuleSet | undefined;
  /** What came of lists, macros and rules, for descriptions and tools. */
  readonly resolved: Resolved;
  readonly collection: Collection;
  /** All rules by name, with what the selections left of them. */
  readonly rules: readonly CheckedRule[];
  /** Rules that no selection and no priority left out, in the order in which they are tried. */
  readonly enabled: readonly CheckedRule[];
}

/** What Falco has as plugins is part of saker: rules may require them up to these versions. */
export const BUILT_IN_PLUGINS = [
  { name: "container", version: "0.7.1" },
  { name: "k8saudit", version: "0.18.0" },
  { name: "json", version: "0.7.4" },
  { name: "k8smeta", version: "0.4.1" },
] as const;

/** Loads rules files in order. Never throws on what they hold. */
export function loadRules(files: readonly RulesText[], options: LoadOptions): Loaded {
  const sources = new Map([["syscall", options.fields], ...options.pluginFields ?? []]);
  const collection = new Collection({
    engineVersion: options.engineVersion ?? ENGINE_VERSION,
    hasSource: (source) => sources.has(source),
    isField: (source, text) => {
      const fields = sources.get(source);
      return fields !== undefined && isLeftSide(text, fields);
    },
  });
  const context = {
    sources,
    asyncNames: options.asyncNames ?? new Set<string>(),
    appendOutput: options.appendOutput ?? [],
    breathe: options.breathe ?? (() => {}),
  };
  const { breathe } = context;
  const all: Diagnostics[] = [];
  const schemas: (readonly string[] | undefined)[] = [];
  let resolved: Resolved | undefined;
  const texts = files.map(({ text }) => text.replace(/^\ufeff/, ""));
  for (const [index, file] of files.entries()) {
    const diagnostics = new Diagnostics();
    all.push(diagnostics);
    const { items, parsed, roots } = read(file.name, texts[index]!, diagnostics);
    schemas.push(parsed && options.schemaWanted !== false ? schemaWarnings(roots) : undefined);
    breathe();
    collection.merge(items, diagnostics);
    if (options.eachFile) resolved = resolve(collection, context, () => diagnostics);
    else if (index === files.length - 1) {
      const byFile = new Map(files.map(({ name }, at) => [name, all[at]!]));
      resolved = resolve(
        collection,
        context,
        (place) => byFile.get(place.locations[0]!.name) ?? diagnostics,
      );
    }
  }
  resolved ??= resolve(collection, context, () => new Diagnostics());
  const plugins = options.plugins ?? BUILT_IN_PLUGINS;
  const pluginError = missingPlugin(collection, plugins);
  const rules = applySelections(resolved.rules, options.selections ?? []);
  const priority = options.priority ?? 7;
  const enabled = rules.filter((rule) => rule.enabled && rule.priority <= priority);
  const search = new UnfilledSearch(resolved.nodes, options.unfilled ?? UNFILLED);
  breathe();
  const unfilled = enabled.map((rule) => search.callsOf(rule));
  breathe();
  if (options.live) {
    for (const [index, { info: { place } }] of enabled.entries()) {
      const at = files.findIndex(({ name }) => name === place.locations[0]!.name);
      tellUnfilled(unfilled[index]!, place, all[at]!);
    }
  }
  const results = files.map(({ name }, index): FileResult => ({
    name,
    text: texts[index]!,
    successful: all[index]!.errors.length === 0,
    errors: all[index]!.errors,
    errorsCut: all[index]!.errorsCut,
    warningsCut: all[index]!.warningsCut,
    warnings: all[index]!.warnings,
    schemaWarnings: schemas[index],
  }));
  breathe();
  const compiled = enabled.map((rule, index) => withGeneric(rule, unfilled[index]!));
  const sound = pluginError === undefined && results.every(({ successful }) => successful);
  const textsByName = new Map(files.map(({ name }, index) => [name, texts[index]!]));
  const sets = new Map<string, RuleSet>();
  const ruleSetOf = (source: string): RuleSet | undefined => {
    if (!sound || !sources.has(source)) return undefined;
    const set = sets.get(source) ??
      compileRules(compiled.filter((rule) => rule.source === source), {
        matching: options.matching ?? "first",
        source,
        ...(options.live === true
          ? { told: { resolved: resolved!, fields: sources.get(source)!, texts: textsByName } }
          : {}),
      });
    sets.set(source, set);
    return set;
  };
  return {
    results,
    pluginError,
    plugins,
    get ruleSet(): RuleSet | undefined {
      return ruleSetOf("syscall");
    },
    ruleSetOf,
    resolved,
    collection,
    rules,
    enabled,
  };
}

function tellUnfilled(
  calls: readonly UnfilledCall[],
  place: Place,
  diagnostics: Diagnostics,
): void {
  for (const [needed, names] of namesBy(calls, ({ fields }) => fields)) {
    const [are, them] = names.length === 1 ? ["comes", "it"] : ["come", "them"];
    const message = `${names.join(", ")} ${are} live without parameters in this version of ` +
      `saker, and the condition needs ${needed}: the rule cannot match ${them}`;
    diagnostics.warning("LOAD_UNFILLED_CALL", message, place);
  }
  for (const [lost, names] of namesBy(calls, ({ shown }) => shown)) {
    const [are, them] = names.length === 1 ? ["comes", "it"] : ["come", "them"];
    const message = `${names.join(", ")} ${are} live without parameters in this version of ` +
      `saker: the output of the rule does not show ${lost} of ${them}`;
    diagnostics.warning("LOAD_UNFILLED_OUTPUT", message, place);
  }
}

/** Names of the calls by the fields that they lack; those that lack none are left out. */
function namesBy(
  calls: readonly UnfilledCall[],
  lacking: (call: UnfilledCall) => readonly string[],
): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const call of calls) {
    const fields = lacking(call).join(", ");
    if (fields === "") continue;
    names.set(fields, [...names.get(fields) ?? [], call.name]);
  }
  return names;
}

function missingPlugin(
  collection: Collection,
  plugins: readonly { readonly name: string; readonly version: string }[],
): string | undefined {
  for (const { alternatives } of collection.requiredPlugins) {
    const satisfied = alternatives.some(({ name, version }) => {
      const loaded = plugins.find((plugin) => plugin.name === name);
      const have = loaded && parseVersion(loaded.version);
      const wanted = parseVersion(version);
      return have && wanted && isCompatible(have, wanted);
    });
    if (satisfied) continue;
    const wanted = alternatives.map(({ name, version }) => `${name} (>= ${version})`).join(", ");
    return `Plugin requirement not satisfied, must load one of: ${wanted}`;
  }
  return undefined;
}
