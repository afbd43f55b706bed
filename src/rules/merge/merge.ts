// Items of all files in, in order; lists, macros and rules as they stand after appends, overrides
// and redefinitions out. Text level only: nothing is parsed here but the shape of exceptions.
import type { Diagnostics, Place } from "../diagnostic.ts";
import {
  compareVersions,
  type ConditionText,
  type ExceptionItem,
  isCompatible,
  type Item,
  parseVersion,
  type PluginRequirement,
  type RuleParts,
  type Version,
} from "../read/item.ts";
import { isModified, OPERATORS } from "../parse/grammar.ts";
import { joinConditions } from "../read/read_condition.ts";

export interface ListInfo {
  readonly name: string;
  items: readonly string[];
  /** When it was first defined; a redefinition keeps it. */
  readonly index: number;
  /** When it was last touched: what came before is visible to it. */
  visibility: number;
  readonly place: Place;
}

export interface MacroInfo {
  readonly name: string;
  condition: ConditionText;
  readonly index: number;
  visibility: number;
  readonly place: Place;
}

export interface RuleInfo {
  readonly name: string;
  readonly source: string;
  readonly unknownSource: boolean;
  parts: Required<RuleParts>;
  readonly place: Place;
}

/** What merging asks of the world: the engine, its sources and their fields. */
export interface MergeOptions {
  readonly engineVersion: Version;
  hasSource(source: string): boolean;
  /** Whether the text is a field of the source, its argument included. */
  isField(source: string, text: string): boolean;
}

export class Collection {
  readonly lists = new Map<string, ListInfo>();
  readonly macros = new Map<string, MacroInfo>();
  readonly rules = new Map<string, RuleInfo>();
  /** Names of items that could not be read, by kind and name. */
  readonly broken = new Set<string>();
  requiredEngine: Version = [0, 0, 0];
  readonly requiredPlugins: { alternatives: readonly PluginRequirement[]; place: Place }[] = [];
  #index = 0;
  readonly #options: MergeOptions;

  constructor(options: MergeOptions) {
    this.#options = options;
  }

  /** Adds one file's items. */
  merge(items: readonly Item[], diagnostics: Diagnostics): void {
    for (const item of items) this.#add(item, diagnostics);
  }

  #add(item: Item, diagnostics: Diagnostics): void {
    const fail = (message: string, place: Place, hint?: string): void =>
      diagnostics.error("LOAD_ERR_VALIDATE", message, place, hint);
    switch (item.kind) {
      case "engine":
        return this.#requireEngine(item.version, item.place, fail);
      case "plugin":
        return this.#requirePlugin(item.alternatives, item.place, fail);
      case "list":
        return this.#addList(item, fail);
      case "macro":
        return this.#addMacro(item, fail);
      case "rule":
        return this.#define(item, diagnostics, fail);
      case "change":
        return this.#change(item, fail);
      case "enable": {
        const rule = this.rules.get(item.name);
        if (rule !== undefined) rule.parts = { ...rule.parts, enabled: item.enabled };
        else if (!this.broken.has(`rule ${item.name}`)) {
          fail("Rule has 'enabled' key but no rule by that name already exists", item.place);
        }
        return;
      }
      case "broken":
        this.broken.add(`${item.of} ${item.name}`);
    }
  }

  #requireEngine(version: Version, place: Place, fail: Fail): void {
    const have = this.#options.engineVersion;
    if (!isCompatible(have, version)) {
      fail(
        `Rules require engine version ${version.join(".")}, but engine version is ${
          have.join(".")
        }`,
        place,
      );
    } else if (compareVersions(version, this.requiredEngine) > 0) {
      this.requiredEngine = version;
    }
  }

  #requirePlugin(alternatives: readonly PluginRequirement[], place: Place, fail: Fail): void {
    const names = new Set<string>();
    for (const { name, version } of alternatives) {
      if (parseVersion(version) === undefined) {
        return fail(`Invalid required version '${version}' for plugin '${name}'`, place);
      }
      if (names.has(name)) {
        return fail(
          `Defined multiple alternative version requirements for plugin '${name}'`,
          place,
        );
      }
      names.add(name);
    }
    this.requiredPlugins.push({ alternatives, place });
  }

  #addList(item: Item & { kind: "list" }, fail: Fail): void {
    const earlier = this.lists.get(item.name);
    if (item.append) {
      if (earlier === undefined) {
        if (this.broken.has(`list ${item.name}`)) return;
        return fail(
          "List uses 'append' or 'override.items: append' but no list by that name already exists",
          item.place,
        );
      }
      earlier.items = [...earlier.items, ...item.items];
      earlier.visibility = this.#index++;
      return;
    }
    const index = this.#index++;
    this.lists.set(item.name, {
      name: item.name,
      items: item.items,
      index: earlier?.index ?? index,
      visibility: index,
      place: item.place,
    });
  }

  #addMacro(item: Item & { kind: "macro" }, fail: Fail): void {
    const earlier = this.macros.get(item.name);
    if (item.append) {
      if (earlier === undefined) {
        if (this.broken.has(`macro ${item.name}`)) return;
        return fail(
          "Macro uses 'append' or 'override.condition: append' but no macro by that name already " +
            "exists",
          item.place,
        );
      }
      earlier.condition = joinConditions(earlier.condition, item.condition);
      earlier.visibility = this.#index++;
      return;
    }
    const index = this.#index++;
    this.macros.set(item.name, {
      name: item.name,
      condition: item.condition,
      index: earlier?.index ?? index,
      visibility: index,
      place: item.place,
    });
  }

  #define(item: Item & { kind: "rule" }, diagnostics: Diagnostics, fail: Fail): void {
    if (this.#otherSource(item)) {
      return fail("Rule has been re-defined with a different source", item.place);
    }
    const unknownSource = !this.#options.hasSource(item.source);
    if (unknownSource) {
      diagnostics.warning(
        "LOAD_UNKNOWN_SOURCE",
        `Unknown source ${item.source}, skipping`,
        item.place,
      );
    }
    for (const exception of item.parts.exceptions) {
      this.#checkException(exception, unknownSource ? undefined : item.source, fail);
    }
    this.#index++;
    const { name, source, parts, place } = item;
    this.rules.set(name, { name, source, unknownSource, parts, place });
  }

  #otherSource(item: { readonly name: string; readonly source: string }): boolean {
    const earlier = this.rules.get(item.name);
    return earlier !== undefined && item.source !== "" && earlier.source !== item.source;
  }

  #change(item: Item & { kind: "change" }, fail: Fail): void {
    const rule = this.rules.get(item.name);
    if (this.#otherSource(item)) {
      return fail("Rule has been re-defined with a different source", item.place);
    }
    const append = item.change === "append";
    if (rule === undefined) {
      if (this.broken.has(`rule ${item.name}`)) return;
      return fail(
        append
          ? "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists"
          : "An 'override.<key>: replace' to a rule was requested but no rule by that name " +
            "already exists",
        item.place,
      );
    }
    if (Object.keys(item.parts).length === 0) {
      return fail(
        append
          ? "Appended rule must have exceptions or condition property"
          : "The rule must have at least one field that can be replaced",
        item.place,
      );
    }
    this.#index++;
    const source = rule.unknownSource ? undefined : rule.source;
    if (append) {
      rule.parts = this.#appended(rule.parts, item.parts, source, fail);
      return;
    }
    // A replaced condition keeps the place that Falco shows: that of the first one.
    for (const exception of item.parts.exceptions ?? []) {
      this.#checkException(exception, source, fail);
    }
    rule.parts = { ...rule.parts, ...item.parts };
  }

  #appended(
    rule: Required<RuleParts>,
    parts: RuleParts,
    source: string | undefined,
    fail: Fail,
  ): Required<RuleParts> {
    const { condition, output, desc, tags, exceptions } = parts;
    return {
      ...rule,
      ...(condition && { condition: joinConditions(rule.condition, condition) }),
      ...(output && { output: `${rule.output} ${output}` }),
      ...(desc && { desc: `${rule.desc} ${desc}` }),
      ...(tags && { tags: [...rule.tags, ...tags] }),
      ...(exceptions && {
        exceptions: this.#appendedExceptions(rule.exceptions, exceptions, source, fail),
      }),
    };
  }

  #appendedExceptions(
    earlier: readonly ExceptionItem[],
    added: readonly ExceptionItem[],
    source: string | undefined,
    fail: Fail,
  ): ExceptionItem[] {
    const exceptions = [...earlier];
    for (const exception of added) {
      const at = exceptions.findIndex((known) => known.name === exception.name);
      if (at >= 0) {
        const what = exception.fields !== undefined
          ? "fields"
          : exception.comps !== undefined
          ? "comps"
          : undefined;
        if (what !== undefined) {
          fail(
            `Can not append exception ${what} to existing exception, only values`,
            exception.place,
          );
          continue;
        }
        const known = exceptions[at]!;
        exceptions[at] = { ...known, values: [...known.values, ...exception.values] };
      } else if (exception.fields === undefined) {
        fail(
          "Rule exception must have fields property with a list of fields",
          exception.place,
        );
      } else if (exception.values.length === 0) {
        fail("Rule exception must have values property with a list of values", exception.place);
      } else {
        this.#checkException(exception, source, fail);
        exceptions.push(exception);
      }
    }
    return exceptions;
  }

  #checkException(
    { fields, comps, place }: ExceptionItem,
    source: string | undefined,
    fail: Fail,
  ): void {
    const checkField = (field: string): void => {
      if (source !== undefined && !this.#options.isField(source, field)) {
        fail(`'${field}' is not a supported filter field`, place);
      }
    };
    if (fields === undefined) {
      return fail("Rule exception item must have fields property with a list of fields", place);
    }
    if (typeof fields === "string") {
      if (comps !== undefined && typeof comps !== "string") {
        return fail("Fields and comps must both be strings", place);
      }
      const comp = comps?.trim() ?? "in";
      if (!["in", "pmatch", "intersects"].includes(comp) && !isModified(comp)) {
        fail(
          "When fields is a single value, comps must be one of (in, pmatch, intersects) or a " +
            "modifier operator (e.g. startswith oneof)",
          place,
        );
      }
      return checkField(fields);
    }
    const operators = comps ?? fields.map(() => "=");
    if (typeof operators === "string" || operators.length !== fields.length) {
      return fail("Fields and comps lists must have equal length", place);
    }
    for (const operator of operators) {
      const text = typeof operator === "string" ? operator.trim() : "";
      if (!OPERATORS.includes(text) && !isModified(text)) {
        fail(`'${text}' is not a supported comparison operator`, place);
      }
    }
    for (const field of fields) checkField(typeof field === "string" ? field : "");
  }
}

type Fail = (message: string, place: Place, hint?: string) => void;
