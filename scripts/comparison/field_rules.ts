// The rules of captures/fields_rules.yaml evaluated without the rule engine: each asks for a group
// of event types and prints many fields. So fields are held against Falco's on their own.
import { parse } from "yaml";
import type { Bound } from "../../src/fields/field.ts";
import { FieldSet } from "../../src/fields/field_set.ts";
import { forEachShown, jsonOf } from "../../src/fields/render.ts";
import { eventName, GENERIC_X } from "../../src/fields/event_names.ts";
import type { Context } from "../../src/state/context.ts";
import type { Json } from "./alert_stream.ts";

export interface FieldRule {
  readonly name: string;
  readonly priority: string;
  readonly tags: readonly string[];
  readonly fields: readonly Bound[];
  matches(context: Context): boolean;
}

/** Fields that `append_output: suggested_output` adds to each rule. */
const SUGGESTED = [
  "container.id",
  "container.name",
  "container.image.repository",
  "container.image.tag",
  "k8s.pod.name",
  "k8s.ns.name",
];

export function readFieldRules(yaml: string): FieldRule[] {
  const set = new FieldSet({ zone: "utc" });
  const items = parse(yaml) as Record<string, unknown>[];
  return items.filter((item) => item["rule"] !== undefined).map((item) => {
    const condition = String(item["condition"]);
    const types = new Set(/\(([^)]*)\)/.exec(condition)![1]!.split(/\s*,\s*/));
    const inverted = condition.includes("not evt.type in");
    const names = [...String(item["output"]).matchAll(/%([^\s|]+)/g)].map((match) => match[1]!);
    const fields = [...new Set(["evt.time", ...names, ...SUGGESTED])].map((name) => {
      const resolved = set.resolve(name);
      if ("error" in resolved) throw new Error(`${item["rule"]}: ${resolved.error}`);
      return resolved.bound;
    });
    return {
      name: String(item["rule"]),
      priority: "Debug",
      tags: item["tags"] as string[],
      fields,
      // Generic events are in a set by their call's name only: its complement has none of them.
      matches: ({ event }) =>
        types.has(eventName(event)) !== inverted && !(inverted && event.code <= GENERIC_X),
    };
  });
}

export function valuesOf(rule: FieldRule, context: Context): Map<string, Json> {
  const values = new Map<string, Json>();
  forEachShown(context, rule.fields, (bound) => {
    values.set(bound.text, jsonOf(bound, context) ?? null);
  });
  return values;
}
