// Rules, macros and lists described as data: what `-L` and `-l` print as JSON. Keys and contents
// are Falco's; sets are sorted, where Falco's are in no order.
import { ASYNC_EVENT, EventTypeSearch, namesOf, PLUGIN_EVENT } from "../check/event_types.ts";
import { EVENTS } from "../../events/table.ts";
import type { Entry, ExceptionItem } from "../read/item.ts";
import type { Loaded } from "../load.ts";
import type { ListInfo, MacroInfo } from "../merge/merge.ts";
import type { OutputFormat } from "../check/output.ts";
import { parse } from "../parse/parse.ts";
import { PRIORITY_NAMES } from "../priority.ts";
import type { CheckedRule } from "../check/resolve.ts";
import { type Argument, type Expr, print, printArgument } from "../parse/syntax.ts";
import { usedPlugins } from "./used_plugins.ts";

/** Everything that was loaded. */
export function describeAll(loaded: Loaded): Record<string, unknown> {
  const { collection } = loaded;
  return {
    lists: [...collection.lists.values()].map((info) => describeList(info, loaded)),
    macros: [...collection.macros.values()].map((info) => describeMacro(info, loaded)),
    required_engine_version: collection.requiredEngine.join("."),
    required_plugin_versions: collection.requiredPlugins.map(({ alternatives }) => ({
      alternatives: alternatives.slice(1).map(({ name, version }) => ({ name, version })),
      name: alternatives[0]!.name,
      version: alternatives[0]!.version,
    })),
    rules: loaded.resolved.rules.map((rule) => describeRule(rule, loaded)),
  };
}

/** One rule; undefined where none has the name. */
export function describeOne(name: string, loaded: Loaded): Record<string, unknown> | undefined {
  const rule = loaded.resolved.rules.find((known) => known.name === name);
  return rule && { rules: [describeRule(rule, loaded)] };
}

function describeRule(rule: CheckedRule, loaded: Loaded): Record<string, unknown> {
  const { parts } = rule.info;
  const written = detailsOf(treeOf(parts.condition.text), loaded);
  const compiled = detailsOf(rule.tree, loaded);
  const extra = rule.extraFields.map(({ name, format }) => [name, formatText(format)] as const);
  const outputFields = [...extra.map(([, text]) => text), ...fieldNames(rule.format)];
  const formatted = rule.extraFields.filter(({ raw }) => !raw)
    .map(({ name, format }) => [name, formatText(format)]);
  return {
    details: {
      condition_compiled: print(rule.tree),
      condition_fields: sorted(compiled.fields),
      condition_operators: sorted(compiled.operators),
      events: eventsOf(rule),
      exception_fields: rule.exceptionFields,
      exception_names: sorted(new Set(parts.exceptions.map(({ name }) => name))),
      exception_operators: sorted(new Set(parts.exceptions.flatMap(operatorsOf))),
      ...formatted.length > 0 &&
        { extra_output_formatted_fields: Object.fromEntries(formatted) },
      lists: sorted(written.lists),
      macros: sorted(written.macros),
      output_compiled: rule.output,
      output_fields: outputFields,
      plugins: usedPlugins({
        source: rule.source,
        fields: [...compiled.fields, ...outputFields],
        eventNames: compiled.eventNames,
      }, loaded.plugins),
    },
    info: {
      capture: rule.capture,
      capture_duration: rule.captureDuration,
      condition: parts.condition.text,
      description: rule.description,
      enabled: parts.enabled,
      name: rule.name,
      output: parts.output,
      priority: PRIORITY_NAMES[rule.priority],
      source: rule.source,
      tags: rule.tags,
    },
  };
}

function describeMacro(info: MacroInfo, loaded: Loaded): Record<string, unknown> {
  const { macros } = loaded.resolved;
  const written = detailsOf(treeOf(info.condition.text), loaded);
  const resolved = macros.resolveMacro(info.name);
  const tree = resolved !== undefined && "tree" in resolved ? resolved.tree : undefined;
  const compiled = detailsOf(tree, loaded);
  const events = tree && new EventTypeSearch().search(tree);
  return {
    details: {
      condition_compiled: tree ? print(tree) : "",
      condition_fields: sorted(compiled.fields),
      condition_operators: sorted(compiled.operators),
      events: events && "bits" in events
        ? sorted(new Set([...namesOf(events.bits), EVENTS[ASYNC_EVENT]!.name]))
        : [],
      lists: sorted(written.lists),
      macros: sorted(written.macros),
      plugins: [],
      used: macros.used.has(info.name),
    },
    info: { condition: info.condition.text, name: info.name },
  };
}

function describeList(info: ListInfo, loaded: Loaded): Record<string, unknown> {
  const { lists } = loaded.resolved;
  const compiled = lists.lists.get(info.name)?.items ?? [];
  const known = new Set(compiled);
  return {
    details: {
      items_compiled: compiled,
      // What is no longer among the items was the name of a list.
      lists: sorted(new Set(info.items.filter((item) => !known.has(item)))),
      plugins: [],
      used: lists.used.has(info.name),
    },
    info: { items: info.items.filter((item) => known.has(item)), name: info.name },
  };
}

function eventsOf(rule: CheckedRule): string[] {
  if (rule.source !== "syscall") {
    return [PLUGIN_EVENT, ASYNC_EVENT].map((code) => EVENTS[code]!.name);
  }
  return sorted(new Set([...namesOf(rule.events), EVENTS[ASYNC_EVENT]!.name]));
}

interface Details {
  readonly fields: Set<string>;
  readonly operators: Set<string>;
  readonly macros: Set<string>;
  readonly lists: Set<string>;
  /** Values that `evt.type` is held against. */
  readonly eventNames: Set<string>;
}

function treeOf(text: string): Expr | undefined {
  const parsed = parse(text);
  return "tree" in parsed ? parsed.tree : undefined;
}

function detailsOf(tree: Expr | undefined, { collection }: Loaded): Details {
  const details: Details = {
    fields: new Set(),
    operators: new Set(),
    macros: new Set(),
    lists: new Set(),
    eventNames: new Set(),
  };
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    switch (expr.kind) {
      case "and":
      case "or":
        return expr.children.forEach(visit);
      case "not":
        return visit(expr.child);
      case "macro":
        if (collection.macros.has(expr.name)) details.macros.add(expr.name);
        return;
      case "check": {
        details.operators.add(expr.operator);
        visitTerm(expr.left, details);
        const { left, right } = expr;
        const isType = left.kind === "field" && left.name === "evt.type";
        if (right?.kind === "values") {
          for (const text of right.texts) {
            if (collection.lists.has(text)) details.lists.add(text);
            if (isType) details.eventNames.add(text);
          }
        } else if (right !== undefined) {
          visitTerm(right, details);
        }
      }
    }
  };
  if (tree !== undefined) visit(tree);
  return details;
}

function visitTerm(term: Argument, details: Details): void {
  if (term.kind === "field") details.fields.add(printArgument(term));
  else if (term.kind === "transform") term.args.forEach((arg) => visitTerm(arg, details));
  else if (term.kind === "list") term.items.forEach((item) => visitTerm(item, details));
}

function operatorsOf({ comps, fields }: ExceptionItem): string[] {
  const flat = (entry: Entry): string[] =>
    typeof entry === "string" ? [entry.trim()] : entry.flatMap(flat);
  if (comps !== undefined) return flat(comps);
  return [typeof fields === "string" ? "in" : "="];
}

function fieldNames(format: OutputFormat): string[] {
  return format.tokens.flatMap((token) => {
    if (typeof token === "string") return [];
    const { operand } = token;
    if (operand.bound !== undefined) return [operand.text];
    return [...operand.fields.map(({ text }) => text), operand.text];
  });
}

function formatText(format: OutputFormat): string {
  return format.tokens.map((token) => typeof token === "string" ? token : `%${token.operand.text}`)
    .join("");
}

function sorted(texts: ReadonlySet<string>): string[] {
  return [...texts].sort();
}
