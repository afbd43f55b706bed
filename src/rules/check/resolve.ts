// Merged items in, checked rules out: exceptions and lists put into the text, the text parsed,
// macros put into the tree, fields and outputs checked. All diagnostics come from here.
import type { Field } from "../../fields/row/field.ts";
import { type Checked, Checker, DEPRECATED_FIELDS, type Finding } from "./check.ts";
import { type Node, NodeTable } from "./condition.ts";
import { type Diagnostics, inCondition, type Place, wholeCondition } from "../diagnostic.ts";
import { codeCount, type EventBits, EventTypeSearch } from "./event_types.ts";
import { addExceptions } from "../merge/exceptions.ts";
import { EXPANDED_CHARS_MAX, Lists } from "../merge/lists.ts";
import { type MacroError, Macros } from "../merge/macros.ts";
import type { ConditionText } from "../read/item.ts";
import type { Collection, RuleInfo } from "../merge/merge.ts";
import { nearest } from "../../words/nearest.ts";
import type { FieldLookup } from "./operand.ts";
import { completeOutput, type ExtraField, type OutputAddition } from "./output_additions.ts";
import { type OutputFormat, parseOutput } from "./output.ts";
import { parse } from "../parse/parse.ts";
import type { Expr } from "../parse/syntax.ts";

export interface CheckedRule {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  readonly priority: number;
  /** Sorted, each once. */
  readonly tags: readonly string[];
  readonly enabled: boolean;
  readonly capture: boolean;
  /** Milliseconds. */
  readonly captureDuration: number;
  readonly info: RuleInfo;
  /** With its macros. */
  readonly tree: Expr;
  readonly node: Node;
  readonly events: EventBits;
  /** The output with what the configuration appends. */
  readonly output: string;
  readonly format: OutputFormat;
  readonly extraFields: readonly ExtraField[];
  readonly exceptionFields: readonly string[];
}

export interface Resolved {
  readonly rules: readonly CheckedRule[];
  readonly lists: Lists;
  readonly macros: Macros;
  readonly nodes: NodeTable;
}

export interface ResolveContext {
  readonly sources: ReadonlyMap<string, FieldLookup & { readonly fields: readonly Field[] }>;
  readonly asyncNames: ReadonlySet<string>;
  readonly appendOutput: readonly OutputAddition[];
  /** Called before each rule. */
  readonly breathe?: () => void;
}

/** All expanded conditions of a set together: more is a bomb, not rules. */
const TOTAL_CHARS_MAX = 192 << 20;

/** Resolves and checks everything collected. `to` says which file's diagnostics a place goes to. */
export function resolve(
  collection: Collection,
  context: ResolveContext,
  to: (place: Place) => Diagnostics,
): Resolved {
  return new Resolution(collection, context, to).run();
}

class Resolution {
  readonly #collection: Collection;
  readonly #context: ResolveContext;
  readonly #to: (place: Place) => Diagnostics;
  readonly #lists: Lists;
  readonly #nodes = new NodeTable();
  readonly #search: EventTypeSearch;
  readonly #checkers = new Map<string, Checker>();
  readonly #macros: Macros;
  #charsLeft = TOTAL_CHARS_MAX;
  readonly #broad = new Map<EventBits, boolean>();

  constructor(
    collection: Collection,
    context: ResolveContext,
    to: (place: Place) => Diagnostics,
  ) {
    this.#collection = collection;
    this.#context = context;
    this.#to = to;
    this.#lists = new Lists(collection.lists);
    this.#search = new EventTypeSearch(context.asyncNames);
    const parsed = new Map<string, Expr>();
    for (const { name, condition } of collection.macros.values()) {
      const tree = this.#parse(condition.text, condition);
      if (tree !== undefined) parsed.set(name, tree);
    }
    this.#macros = new Macros(collection.macros, parsed);
  }

  run(): Resolved {
    for (const { name, condition, place } of this.#collection.macros.values()) {
      const result = this.#macros.resolveMacro(name);
      if (result !== undefined && "errors" in result) {
        this.#tellMacroErrors(result.errors, condition.text, place, condition);
      }
    }
    const rules: CheckedRule[] = [];
    for (const info of this.#collection.rules.values()) {
      if (info.unknownSource) continue;
      this.#context.breathe?.();
      const rule = this.#resolveRule(info);
      if (rule !== undefined) rules.push(rule);
    }
    this.#tellUnused();
    return { rules, lists: this.#lists, macros: this.#macros, nodes: this.#nodes };
  }

  #resolveRule(info: RuleInfo): CheckedRule | undefined {
    const { parts, source } = info;
    const lookup = this.#context.sources.get(source)!;
    const added = addExceptions(parts.condition.text, parts.exceptions);
    for (const { message, place } of added.errors) {
      this.#to(place).error("LOAD_ERR_VALIDATE", message, place);
    }
    const output = this.#checkOutput(info, lookup);
    if (output === "skipped") return undefined;
    const tree = this.#parse(added.condition, parts.condition);
    if (tree === undefined) return undefined;
    const substituted = this.#macros.resolve(tree);
    if ("errors" in substituted) {
      this.#tellMacroErrors(substituted.errors, added.condition, info.place, parts.condition);
      const { partial } = substituted;
      if (partial !== undefined) {
        this.#tell(this.#checker(source, lookup).check(partial), info, added.condition);
      }
      return undefined;
    }
    const checked = this.#checker(source, lookup).check(substituted.tree);
    if (!this.#tell(checked, info, added.condition)) return undefined;
    const events = this.#search.search(substituted.tree);
    if ("error" in events) {
      const place = inCondition(
        parts.condition.place,
        added.condition,
        events.at,
        parts.condition.pieces,
      );
      this.#to(place).error("LOAD_ERR_COMPILE_CONDITION", events.error, place);
      return undefined;
    }
    if (source === "syscall" && parts.warnEvtTypes && this.#isBroad(events.bits)) {
      this.#to(info.place).warning(
        "LOAD_NO_EVTTYPE",
        "Rule matches too many evt.type values. This has a significant performance penalty.",
        info.place,
        codeCount(events.bits) === 0 ? { hint: "its condition can never be true" } : {},
      );
    }
    if (output === undefined || added.errors.length > 0) return undefined;
    return {
      name: info.name,
      source,
      description: parts.desc,
      priority: parts.priority,
      tags: [...new Set(parts.tags)].sort(),
      enabled: parts.enabled,
      capture: parts.capture,
      captureDuration: parts.captureDuration,
      info,
      tree: substituted.tree,
      node: checked.node,
      events: events.bits,
      ...output,
      exceptionFields: added.fields,
    };
  }

  /** Falco 0.44 says of no events at all what it says of too many. */
  #isBroad(events: EventBits): boolean {
    let broad = this.#broad.get(events);
    if (broad === undefined) {
      const count = codeCount(events);
      this.#broad.set(events, broad = count > EVENTS_WARN || count === 0);
    }
    return broad;
  }

  #checker(source: string, lookup: FieldLookup): Checker {
    let checker = this.#checkers.get(source);
    if (checker === undefined) {
      checker = new Checker(lookup, this.#nodes, this.#macros.origins, this.#context.asyncNames);
      this.#checkers.set(source, checker);
    }
    return checker;
  }

  #parse(text: string, { place, pieces }: ConditionText): Expr | undefined {
    const expanded = this.#lists.expand(text);
    this.#charsLeft -= expanded?.length ?? 0;
    if (expanded === undefined || this.#charsLeft < 0) {
      this.#to(place).error(
        "LOAD_ERR_COMPILE_CONDITION",
        `condition is too long with its lists: more than ${
          expanded === undefined ? EXPANDED_CHARS_MAX : TOTAL_CHARS_MAX
        } characters`,
        place,
      );
      return undefined;
    }
    const parsed = parse(expanded);
    if ("tree" in parsed) return parsed.tree;
    const { message, at } = parsed.error;
    this.#to(place).error(
      "LOAD_ERR_COMPILE_CONDITION",
      message,
      inCondition(place, expanded, at, pieces),
    );
    return undefined;
  }

  /** Returns whether the rule's condition can be compiled. */
  #tell(checked: Checked, info: RuleInfo, text: string): boolean {
    const { place } = info.parts.condition;
    const at = (finding: Finding): Place =>
      inCondition(
        place,
        finding.macro?.condition.text ?? text,
        finding.at,
        (finding.macro ?? info.parts).condition.pieces,
        finding.spot,
      );
    const to = this.#to(place);
    const whole = () => wholeCondition(place, text);
    for (const field of checked.deprecated) {
      to.deprecatedField(field, deprecation(field), whole());
    }
    if (checked.unsafe) to.warning("LOAD_UNSAFE_NA_CHECK", "", whole());
    for (const error of checked.errors) {
      if (info.parts.skipIfUnknown && isUnknown(error.message)) {
        to.warning("LOAD_UNKNOWN_FILTER", error.message, at(error), hintOf(error));
      } else {
        to.error("LOAD_ERR_COMPILE_CONDITION", error.message, at(error), error.hint);
      }
    }
    if (checked.errors.length > 0) return false;
    for (const warning of checked.warnings) {
      to.warning("LOAD_COMPILE_CONDITION", warning.message, at(warning));
    }
    return true;
  }

  #checkOutput(
    info: RuleInfo,
    lookup: FieldLookup & { readonly fields: readonly Field[] },
  ): Pick<CheckedRule, "output" | "format" | "extraFields"> | "skipped" | undefined {
    const place = info.parts.outputPlace;
    const to = this.#to(place);
    const additions = this.#context.appendOutput.filter((addition) =>
      info.source === "syscall" || addition.match.source !== "" || fitsIn(addition, lookup)
    );
    const completed = completeOutput(info, additions, lookup.fields);
    if (completed.usedContainerInfo) {
      to.warning(
        "LOAD_DEPRECATED_ITEM",
        "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. " +
          "The container plugin will automatically add required fields to the output message.",
        info.place,
      );
    }
    const parsed = parseOutput(completed.output, lookup);
    if ("error" in parsed) {
      if (info.parts.skipIfUnknown && isUnknown(parsed.error)) {
        to.warning("LOAD_UNKNOWN_FILTER", parsed.error, place, hintOf(parsed));
        return "skipped";
      }
      to.error("LOAD_ERR_COMPILE_OUTPUT", parsed.error, place, parsed.hint);
    }
    const extraFields: ExtraField[] = [];
    for (const extra of completed.extraFields) {
      const format = parseOutput(extra.text, lookup);
      if ("error" in format) {
        to.error("LOAD_ERR_COMPILE_OUTPUT", format.error, place, format.hint);
      } else {
        extraFields.push({ name: extra.name, raw: extra.raw, format: format.format });
      }
    }
    for (const text of [completed.output, ...completed.extraFields.map((extra) => extra.text)]) {
      for (const field of DEPRECATED_FIELDS) {
        if (!text.includes(field)) continue;
        const message = `usage of deprecated field '${field}' has been detected in the rule output`;
        to.deprecatedField(field, message, place);
      }
    }
    if ("error" in parsed || extraFields.length < completed.extraFields.length) return undefined;
    return { output: completed.output, format: parsed.format, extraFields };
  }

  #tellMacroErrors(
    errors: readonly MacroError[],
    text: string,
    place: Place,
    { pieces }: ConditionText,
  ): void {
    for (const { message, at, hint, name } of errors) {
      // Without a message it is told where the macro itself stands.
      if (message === "" || (hint && this.#collection.broken.has(`macro ${name}`))) continue;
      this.#to(place).error(
        "LOAD_ERR_VALIDATE",
        message,
        inCondition(place, text, at, pieces),
        hint && this.#macroHint(name),
      );
    }
  }

  #macroHint(name: string): string | undefined {
    if (this.#collection.lists.has(name)) return `'${name}' is a list, not a macro`;
    if (this.#collection.macros.has(name)) return `macro '${name}' is defined only later`;
    const near = nearest(name, this.#collection.macros.keys());
    return near === undefined ? undefined : `did you mean ${near}?`;
  }

  #tellUnused(): void {
    for (const { name, place } of this.#collection.macros.values()) {
      if (this.#macros.used.has(name)) continue;
      const message = "Macro not referred to by any other rule/macro";
      this.#to(place).warning("LOAD_UNUSED_MACRO", message, place);
    }
    for (const { name, place } of this.#collection.lists.values()) {
      if (this.#lists.used.has(name)) continue;
      const message = "List not referred to by any other rule/macro";
      this.#to(place).warning("LOAD_UNUSED_LIST", message, place);
    }
  }
}

/** A rule of more event codes than this gets a warning. */
const EVENTS_WARN = 100;

/** What `skip-if-unknown-filter` forgives, by the message as in Falco. */
function isUnknown(message: string): boolean {
  return /nonexistent field|invalid formatting token|unknown event type|unknown filter:/
    .test(message);
}

function hintOf({ hint }: { readonly hint?: string }): { hint?: string } {
  return hint === undefined ? {} : { hint };
}

function deprecation(field: string): string {
  return field === "evt.dir"
    ? "due to the drop of enter events, 'evt.dir = <' always evaluates to true, and 'evt.dir " +
      "= >' always evaluates to false. The rule expression can be simplified by removing the " +
      "condition on 'evt.dir'"
    : "field is not available due to the drop of enter events.";
}

/** Whether all that an addition shows is among the fields: one for all sources is left out where a
 * source has other fields, since saker's own rules are of several. */
function fitsIn({ extraOutput, extraFields }: OutputAddition, lookup: FieldLookup): boolean {
  const texts = extraFields.flatMap((one) =>
    typeof one === "string" ? [`%${one}`] : Object.values(one)
  );
  return [extraOutput, ...texts].every((text) =>
    text === "" || !("error" in parseOutput(text, lookup))
  );
}
