// Rules as text → one rule set, on the thread that uses it (compiled functions cannot be sent).
// Errors become one line each; so do warnings.
import { AUDIT_SOURCE } from "../fields/audit/audit_field_set.ts";
import type { FieldSet } from "../fields/field_set.ts";
import { SYSCALL_SOURCE } from "../plugins/compatible.ts";
import { fieldSets, type Hands } from "../plugins/field_sets.ts";
import { parseOutput } from "../rules/check/output.ts";
import type { Diagnostic } from "../rules/diagnostic.ts";
import {
  BUILT_IN_PLUGINS,
  type FileResult,
  type Loaded,
  type LoadOptions,
  loadRules,
} from "../rules/load.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import { EVENTS } from "../events/table.ts";
import { namedCodes } from "../rules/match/unfilled.ts";
import { namedFiles } from "../sieve/named_files.ts";
import { type LiveSieve, liveSieveOf, type RulesSieve, sieveOf } from "../sieve/sieve.ts";
import { CANARY_RULE } from "./contract/canary.ts";
import type { DeadRule, RulesStart } from "./contract/messages.ts";

export interface CompiledRules {
  /** Of system calls; made when it is asked for. */
  readonly rules: RuleSet;
  /** Of audit events of Kubernetes, likewise. */
  readonly auditRules: RuleSet;
  /** Of that source, likewise. */
  readonly rulesOf: (source: string) => RuleSet;
  readonly warnings: readonly string[];
  /** Whether a rule shows `fd.types`, whose order the machine then has to keep. */
  readonly fdsOrdered: boolean;
  /** Whether `proc.hash.sha256` may be asked for, so that programs' files have to be read. */
  readonly sumsWanted: boolean;
  /** Rules that cannot match or show all that they name; they are among the warnings. */
  readonly dead: readonly DeadRule[];
  /** Those that name an event which the kernel's refusal of its program takes away. */
  readonly deadWithout: (refused: ReadonlyMap<number, string>) => DeadRule[];
  /** The sieve over captures, and the kernel's; each is made when it is asked for. */
  readonly sieve: () => RulesSieve;
  readonly liveSieve: () => LiveSieve;
  /** The files that rules name exactly. */
  readonly namedFiles: () => readonly string[];
}

/**
 * Throws an error of one line where the rules are not sound. `breathe` is called again and again
 * on the way, which takes a while.
 */
export function compileRules(
  start: RulesStart,
  breathe?: () => void,
  hands?: Hands,
): CompiledRules {
  const loaded = loadSound(start, breathe, hands);
  checkAny(loaded, start);
  const fdsOrdered = loaded.enabled.some(({ format }) =>
    format.fields.some(({ text }) => text === "fd.types")
  );
  const syscallRules = () => loaded.enabled.filter(({ source }) => source === "syscall");
  return {
    get rules(): RuleSet {
      return loaded.ruleSet!;
    },
    get auditRules(): RuleSet {
      return loaded.ruleSetOf(AUDIT_SOURCE)!;
    },
    rulesOf: (source) => loaded.ruleSetOf(source)!,
    warnings: warningLines(loaded),
    fdsOrdered,
    sumsWanted: sumsWanted(start),
    dead: deadRules(loaded),
    deadWithout: (refused) =>
      loaded.enabled.flatMap((rule) => {
        const codes = namedCodes(rule).filter((code) => refused.has(code));
        return codes.length === 0 ? [] : [{
          rule: rule.name,
          reason: `the kernel refused the probe's program for ${EVENTS[codes[0]!]!.name}: ` +
            refused.get(codes[0]!),
        }];
      }),
    sieve: () => sieveOf(syscallRules()),
    liveSieve: () => liveSieveOf(syscallRules()),
    namedFiles: () => namedFiles(syscallRules()),
  };
}

function deadRules({ results }: Loaded): DeadRule[] {
  return results.flatMap(({ warnings }) =>
    warnings.filter(({ code }) => /^LOAD_UNFILLED/.test(code)).map(({ code, message, place }) => ({
      rule: place.locations.find(({ itemType }) => itemType === "rule")?.itemName ?? "",
      reason: message,
      ...(code === "LOAD_UNFILLED_OUTPUT" ? { onlyOutput: true } : {}),
    }))
  );
}

const NAMES_TOLD = 5;

/** A set without a rule watches nothing: files that were cut off, or settings by mistake. */
export function checkAny({ enabled }: Loaded, { files }: RulesStart): void {
  const isAny = enabled.some(({ name }) => name !== CANARY_RULE);
  if (isAny || files.length === 0) return;
  const empty = files.filter(({ text }) => text.trim() === "").map(({ name }) => name);
  throw new Error(
    `No rule is left to watch with in ${namesOf(files)}` +
      (empty.length === 0
        ? ": expected one that is enabled and of the wanted priority"
        : `: ${empty.length === files.length ? "there is nothing in it" : `${empty[0]} is empty`}`),
  );
}

/** The first few names, and how many there are besides. */
function namesOf(files: RulesStart["files"]): string {
  const names = files.slice(0, NAMES_TOLD).map(({ name }) => name).join(", ");
  return files.length <= NAMES_TOLD ? names : `${names} and ${files.length - NAMES_TOLD} more`;
}

/** By the text alone: to read files for nothing costs little, to miss a use costs the sum. */
function sumsWanted({ files, appendOutput }: RulesStart): boolean {
  const field = "proc.hash.sha256";
  return files.some(({ text }) => text.includes(field)) ||
    JSON.stringify(appendOutput).includes(field);
}

export function warningLines({ results }: Loaded): string[] {
  return results.flatMap((file) =>
    file.warnings.map((warning) => `Warning: ${diagnosticLine(file, warning)}`)
  );
}

/** The same load, for those who want everything that came of it. */
export function loadWith(start: RulesStart, hands?: Hands): Loaded {
  return loadRules(start.files, loadOptions(start, hands));
}

/**
 * How the configuration wants rules to be loaded, whatever the files. Throws where it would append
 * what is no format: no rule is to be blamed for that.
 */
export function loadOptions(start: Omit<RulesStart, "files">, hands?: Hands): LoadOptions {
  const settings = {
    bufferFormat: start.base64 ? "base64" as const : "dots" as const,
    staticFields: start.staticFields,
    ...(start.lineage && { lineage: start.lineage }),
  };
  const { plugins = [] } = start;
  const sets = fieldSets(plugins, settings, hands);
  const fields = sets.get(SYSCALL_SOURCE)!;
  for (const addition of start.appendOutput) {
    const ofSource = sets.get(addition.match.source);
    checkAddition(addition, ofSource === undefined ? [...sets.values()] : [ofSource]);
  }
  return {
    fields,
    pluginFields: sets,
    asyncNames: new Set(plugins.flatMap(({ asyncEvents }) => asyncEvents)),
    plugins: [
      ...BUILT_IN_PLUGINS.filter(({ name }) => !plugins.some((one) => one.name === name)),
      ...plugins.map((info) => ({ name: info.name, version: info.version, info })),
    ],
    priority: start.priority,
    matching: start.matching,
    selections: start.selections,
    appendOutput: start.appendOutput,
    live: start.live ?? false,
  };
}

/** It must be a format for one of the sets, of which the first is that of system calls. */
function checkAddition(
  addition: RulesStart["appendOutput"][number],
  sets: readonly FieldSet[],
): void {
  const { extraOutput, extraFields, origin = "append_output" } = addition;
  const texts = [
    extraOutput.replaceAll("%container.info", ""),
    ...extraFields.flatMap((one) => typeof one === "string" ? [`%${one}`] : Object.values(one)),
  ];
  for (const text of texts) {
    if (text === "") continue;
    const tried = sets.map((fields) => parseOutput(text, fields));
    const parsed = tried[0]!;
    if (!("error" in parsed) || tried.some((one) => !("error" in one))) continue;
    const hint = parsed.hint === undefined ? "" : `, ${parsed.hint}`;
    throw new Error(`${origin}: bad output format "${text}": ${parsed.error}${hint}`);
  }
}

/** Loads and wants a sound set; throws an error of one line where it is not. */
export function loadSound(start: RulesStart, breathe?: () => void, hands?: Hands): Loaded {
  const loaded = loadRules(start.files, {
    ...loadOptions(start, hands),
    schemaWanted: false,
    ...(breathe === undefined ? {} : { breathe }),
  });
  if (loaded.pluginError !== undefined) throw new Error(loaded.pluginError);
  if (loaded.results.some(({ successful }) => !successful)) {
    throw new Error(errorLine(loaded.results));
  }
  return loaded;
}

/** The first error, and how many more there are. */
function errorLine(results: readonly FileResult[]): string {
  const lines = results.flatMap((file) => file.errors.map((error) => diagnosticLine(file, error)));
  const cut = results.reduce((sum, file) => sum + file.errorsCut, 0);
  const more = lines.length + cut - 1;
  if (more <= 0) return lines[0] ?? "the rules cannot be used";
  return `${lines[0]} (and ${more} more: saker -V shows them all)`;
}

/** `file:line:column: rule "X": message, hint (CODE)`; line and column count from 1. */
function diagnosticLine(file: FileResult, diagnostic: Diagnostic): string {
  const { locations } = diagnostic.place;
  const inFile = locations.findLast((location) => location.name === file.name);
  const item = locations.find((location) =>
    location.itemName !== "" && /^(rule|macro|list)$/.test(location.itemType)
  );
  const { line, column } = inFile?.position ?? { line: 0, column: 0 };
  const what = item === undefined ? "" : `${item.itemType} "${item.itemName}": `;
  const hint = diagnostic.hint === undefined ? "" : `, ${diagnostic.hint}`;
  const text = `${file.name}:${line + 1}:${column + 1}: ${what}${diagnostic.message}${hint}`;
  return `${text.split(/[\r\n]+/).map((line) => line.trim()).join(" ")} (${diagnostic.code})`;
}
