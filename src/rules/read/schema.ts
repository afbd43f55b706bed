// The schema of rules files: printed by `--rule-schema`, and held against files for the schema
// part of `-V`, where a breach is a warning.
import { PRIORITY_WORDS } from "../../words/priorities.ts";
import type { MapNode, YamlNode } from "./yaml_node.ts";

const TEXT = { type: "string" };
const FLAG = { type: "boolean" };

function reference(name: string): { $ref: string } {
  return { $ref: `#/definitions/${name}` };
}

function list(items: Record<string, unknown>): Record<string, unknown> {
  return { type: "array", items };
}

/** Keys of items and the shape of their values. */
const ITEM_KEYS: Readonly<Record<string, Record<string, unknown>>> = {
  required_engine_version: TEXT,
  required_plugin_versions: list(reference("RequiredPluginVersion")),
  macro: TEXT,
  condition: TEXT,
  list: TEXT,
  items: list(reference("Item")),
  rule: TEXT,
  desc: TEXT,
  enabled: FLAG,
  output: TEXT,
  append: FLAG,
  priority: reference("Priority"),
  capture: FLAG,
  capture_duration: { type: "integer" },
  source: TEXT,
  exceptions: list(reference("Exception")),
  override: reference("Override"),
  tags: list(TEXT),
  warn_evttypes: FLAG,
  "skip-if-unknown-filter": FLAG,
};

const OVERRIDABLE = [
  "items",
  "desc",
  "condition",
  "output",
  "priority",
  "enabled",
  "exceptions",
  "capture",
  "capture_duration",
  "tags",
  "warn_evttypes",
  "skip-if-unknown-filter",
];

function object(
  title: string,
  properties: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { type: "object", additionalProperties: false, properties, ...more, title };
}

/** The JSON schema (draft 6) of a rules file. */
export const RULE_SCHEMA: Readonly<Record<string, unknown>> = {
  $schema: "http://json-schema.org/draft-06/schema#",
  type: "array",
  items: reference("FalcoRule"),
  definitions: {
    FalcoRule: object("FalcoRule", ITEM_KEYS, { required: [] }),
    Item: { anyOf: [{ type: "integer" }, TEXT], title: "Item" },
    Exception: object("Exception", { name: TEXT, fields: {}, comps: {}, values: {} }, {
      required: ["name"],
    }),
    Priority: {
      type: "string",
      enum: PRIORITY_WORDS.map((word) => word.toUpperCase()),
      title: "Priority",
    },
    OverriddenItem: { type: "string", enum: ["append", "replace"], title: "OverriddenItem" },
    Override: object(
      "Override",
      Object.fromEntries(OVERRIDABLE.map((key) => [key, reference("OverriddenItem")])),
      { minProperties: 1 },
    ),
    RequiredPluginVersion: object("RequiredPluginVersion", {
      name: TEXT,
      version: TEXT,
      alternatives: list(reference("Alternative")),
    }, { required: ["name", "version"] }),
    Alternative: object("Alternative", { name: TEXT, version: TEXT }, {
      required: ["name", "version"],
    }),
  },
};

/** Warnings that are kept for a file. */
const WARNINGS_MAX = 100;

/** Where a file does not keep the schema; empty where it does. */
export function schemaWarnings(roots: readonly YamlNode[]): string[] {
  const warnings: string[] = [];
  const warn = (path: string, what: string) => {
    if (warnings.length < WARNINGS_MAX) warnings.push(`failed for <root>${path}: ${what}`);
  };
  let index = 0;
  for (const root of roots) {
    if (root.kind !== "seq") {
      warn("", "Value type not permitted by 'type' constraint.");
      continue;
    }
    for (const item of root.items) checkItem(item, `[${index++}]`, warn);
  }
  return warnings;
}

type Warn = (path: string, what: string) => void;

const WRONG_TYPE = "Value type not permitted by 'type' constraint.";

function checkItem(item: YamlNode, path: string, warn: Warn): void {
  if (item.kind !== "map") return warn(path, WRONG_TYPE);
  for (const { key, value } of item.entries) {
    const shape = Object.hasOwn(ITEM_KEYS, key.text) ? ITEM_KEYS[key.text] : undefined;
    if (shape === undefined) {
      warn(path, `Object contains a property that is not allowed: '${key.text}'.`);
    } else {
      checkValue(value, shape, `${path}[${key.text}]`, warn);
    }
  }
}

function checkValue(
  value: YamlNode,
  shape: Record<string, unknown>,
  path: string,
  warn: Warn,
): void {
  if (shape.type === "array") {
    if (value.kind !== "seq") return warn(path, WRONG_TYPE);
    for (const [index, item] of value.items.entries()) {
      checkValue(item, shape.items as Record<string, unknown>, `${path}[${index}]`, warn);
    }
    return;
  }
  if (typeof shape.$ref === "string") {
    const definitions = RULE_SCHEMA.definitions as Record<string, Record<string, unknown>>;
    return checkDefinition(value, definitions[shape.$ref.split("/").at(-1)!]!, path, warn);
  }
  if (shape.type === undefined) return;
  // As Falco's validator, which takes types loosely: a text that reads as the type is one.
  if (value.kind !== "scalar") return warn(path, WRONG_TYPE);
  if (shape.type === "boolean" && !BOOLEAN.test(value.text)) warn(path, WRONG_TYPE);
  if (shape.type === "integer" && !/^-?\d+$/.test(value.text)) warn(path, WRONG_TYPE);
}

const BOOLEAN = /^(y|n|yes|no|true|false|on|off)$/i;

function checkDefinition(
  value: YamlNode,
  definition: Record<string, unknown>,
  path: string,
  warn: Warn,
): void {
  if (definition.anyOf !== undefined) return checkValue(value, TEXT, path, warn);
  if (Array.isArray(definition.enum)) {
    if (value.kind !== "scalar") return warn(path, WRONG_TYPE);
    if (!definition.enum.includes(value.text)) {
      warn(path, "Failed to match against any enum values.");
    }
    return;
  }
  if (value.kind !== "map") return warn(path, WRONG_TYPE);
  checkObject(value, definition, path, warn);
}

function checkObject(
  map: MapNode,
  definition: Record<string, unknown>,
  path: string,
  warn: Warn,
): void {
  const properties = definition.properties as Record<string, Record<string, unknown>>;
  for (const { key, value } of map.entries) {
    if (Object.hasOwn(properties, key.text)) {
      checkValue(value, properties[key.text]!, `${path}[${key.text}]`, warn);
    } else {
      warn(path, `Object contains a property that is not allowed: '${key.text}'.`);
    }
  }
  for (const key of definition.required as string[] ?? []) {
    if (!map.entries.some((entry) => entry.key.text === key)) {
      warn(path, `Missing required property '${key}'.`);
    }
  }
}
