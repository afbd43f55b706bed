// The schema of rules files: printed by `--rule-schema`, and held against files for the schema
// part of `-V`, where a breach is a warning.
import { PRIORITY_WORDS } from "../../words/priorities.ts";
import type { MapEntry, YamlNode } from "./yaml_node.ts";

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

/** Entries that are kept for a file. */
const STATUS_MAX = 100;
const OK = "ok";

/**
 * Where a file does not keep the schema, in the words and the order of Falco's validator; empty
 * where its first document keeps it, which is what Falco calls valid. Undefined: no document.
 */
export function schemaWarnings(roots: readonly YamlNode[]): string[] | undefined {
  if (roots.length === 0) return undefined;
  const status: string[] = [];
  for (const root of roots) {
    if (status.length >= STATUS_MAX) break;
    const errors = new Breaches();
    status.push(...validate(root, RULE_SCHEMA, "<root>", errors) ? [OK] : errors.texts);
  }
  return status[0] === OK ? [] : status.slice(0, STATUS_MAX);
}

class Breaches {
  readonly texts: string[] = [];

  add(path: string, what: string): false {
    if (this.texts.length < STATUS_MAX) this.texts.push(`failed for ${path}: ${what}`);
    return false;
  }
}

type Shape = Readonly<Record<string, unknown>>;

/**
 * All constraints of a schema, in the order in which Falco's validator has them; what fails inside
 * comes before what it fails for.
 */
function validate(node: YamlNode, shape: Shape, path: string, breaches: Breaches): boolean {
  if (typeof shape["$ref"] === "string") {
    const definitions = RULE_SCHEMA["definitions"] as Record<string, Shape>;
    return validate(node, definitions[shape["$ref"].split("/").at(-1)!]!, path, breaches);
  }
  let kept = true;
  for (const check of CONSTRAINTS) if (!check(node, shape, path, breaches)) kept = false;
  return kept;
}

type Constraint = typeof validate;

const checkType: Constraint = (node, { type }, path, breaches) =>
  type === undefined || hasType(node, type as string) ||
  breaches.add(path, "Value type not permitted by 'type' constraint.");

/** Types are taken loosely: a text that reads as a value of the type is one. */
function hasType(node: YamlNode, type: string): boolean {
  if (type === "array") return node.kind === "seq";
  if (type === "object") return node.kind === "map";
  if (node.kind !== "scalar" || node.isNull) return false;
  if (type === "boolean") return node.text === "true" || node.text === "false";
  if (type === "integer") return /^\s*[+-]?\d{1,18}$/.test(node.text);
  return true;
}

const checkAnyOf: Constraint = (node, { anyOf }, path, breaches) => {
  if (anyOf === undefined) return true;
  const inner = new Breaches();
  if ((anyOf as Shape[]).some((shape) => validate(node, shape, path, inner))) return true;
  breaches.texts.push(...inner.texts);
  return breaches.add(path, "Failed to validate against any schemas allowed by anyOf constraint.");
};

const checkEnum: Constraint = (node, { enum: words }, path, breaches) =>
  words === undefined ||
  (node.kind === "scalar" && !node.isNull && (words as string[]).includes(node.text)) ||
  breaches.add(path, "Failed to match against any enum values.");

const checkItems: Constraint = (node, { items }, path, breaches) => {
  if (items === undefined || node.kind !== "seq") return true;
  let kept = true;
  for (const [index, item] of node.items.entries()) {
    if (validate(item, items as Shape, `${path}[${index}]`, breaches)) continue;
    kept = breaches.add(path, `Failed to validate item #${index} in array.`);
  }
  return kept;
};

const checkSize: Constraint = (node, { minProperties }, path, breaches) =>
  minProperties === undefined || node.kind !== "map" ||
  node.entries.length >= (minProperties as number) ||
  breaches.add(path, `Object should have no fewer than ${minProperties} properties.`);

const checkProperties: Constraint = (node, { properties }, path, breaches) => {
  if (properties === undefined || node.kind !== "map") return true;
  let kept = true;
  const known = properties as Record<string, Shape>;
  const matched = new Set<string>();
  // The validator goes by the names, sorted, and takes the first of two that are equal.
  const named = node.entries.filter(({ key }) => Object.hasOwn(known, key.text));
  for (const { key: { text: name }, value } of named.sort(byName)) {
    if (matched.has(name)) continue;
    matched.add(name);
    if (validate(value, known[name]!, `${path}[${name}]`, breaches)) continue;
    kept = breaches.add(
      path,
      `Failed to validate against schema associated with property name '${name}'.`,
    );
  }
  // A key that stands twice is one too many, and has no name in Falco's message.
  if (matched.size === node.entries.length) return kept;
  const unwanted = node.entries.find(({ key }) => !matched.has(key.text))?.key.text ?? "";
  return breaches.add(
    path,
    "Object contains a property that could not be validated using 'properties' or " +
      `'additionalProperties' constraints: '${unwanted}'.`,
  );
};

function byName({ key: one }: MapEntry, { key: other }: MapEntry): number {
  return one.text < other.text ? -1 : one.text > other.text ? 1 : 0;
}

const checkRequired: Constraint = (node, { required }, path, breaches) => {
  if (required === undefined || node.kind !== "map") return true;
  let kept = true;
  for (const name of required as string[]) {
    if (node.entries.some(({ key }) => key.text === name)) continue;
    kept = breaches.add(path, `Missing required property '${name}'.`);
  }
  return kept;
};

const CONSTRAINTS: readonly Constraint[] = [
  checkType,
  checkAnyOf,
  checkEnum,
  checkItems,
  checkSize,
  checkProperties,
  checkRequired,
];
