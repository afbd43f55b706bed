// An item with the key `rule`: a whole rule, a change to an earlier one, or the old way to switch
// one on or off.
import { within } from "../diagnostic.ts";
import type { Item, RuleParts } from "./item.ts";
import type { MapReader } from "./map_reader.ts";
import { nearest } from "../../words/nearest.ts";
import { PRIORITY_WORDS, priorityOf } from "../../words/priorities.ts";
import { conditionText } from "./read_condition.ts";
import { readExceptions } from "./read_exceptions.ts";
import { type Overrides, readTextOverrides, warnAppend } from "./read_overrides.ts";

const APPENDABLE = ["condition", "output", "desc", "tags", "exceptions"];
const REPLACEABLE = [
  "condition",
  "output",
  "desc",
  "priority",
  "capture",
  "capture_duration",
  "tags",
  "exceptions",
  "enabled",
  "warn_evttypes",
  "skip-if-unknown-filter",
];
const REQUIRED = ["condition", "output", "desc", "priority"];
const KEYS = ["rule", ...REPLACEABLE, "source", "override", "append"];

/** Reads a rule's item; several changes may come of one. */
export function readRule(reader: MapReader, name: string): Item[] {
  const source = readSource(reader);
  const append = reader.boolean("append") ?? false;
  if (append) warnAppend(reader);
  const overrides = readTextOverrides(reader, APPENDABLE, REPLACEABLE, append);
  const items = overrides.append.size + overrides.replace.size > 0
    ? readChanges(reader, name, source, overrides)
    : append
    ? [change(reader, name, source, "append", readAppended(reader))]
    : readWhole(reader, name, source);
  reader.warnUnknownKeys(KEYS);
  return items;
}

function readSource(reader: MapReader): string {
  const node = reader.get("source");
  if (node === undefined || (node.kind === "scalar" && (node.isNull || node.text === ""))) {
    return "";
  }
  return reader.optional("source")?.text ?? "";
}

function readWhole(reader: MapReader, name: string, source: string): Item[] {
  if (!REQUIRED.some((key) => reader.has(key))) return readEnable(reader, name);
  for (const key of REQUIRED) {
    if (!reader.has(key)) reader.fail(`Item has no mapping for key '${key}'`);
  }
  const parts = readParts(reader, REPLACEABLE, false);
  const { condition, output } = parts;
  if (condition === undefined || output === undefined) return [];
  return [{
    kind: "rule",
    name,
    source: source || "syscall",
    place: reader.place,
    parts: {
      ...DEFAULTS,
      ...parts,
      condition,
      // Falco trims blanks and line ends around the whole output of a definition alone.
      output: output.trim(),
      outputPlace: parts.outputPlace!,
    },
  }];
}

/** What a rule has where its item does not say, or says it wrongly. */
const DEFAULTS = {
  desc: "",
  priority: 7,
  tags: [],
  exceptions: [],
  capture: false,
  captureDuration: 0,
  enabled: true,
  warnEvtTypes: true,
  skipIfUnknown: false,
};

function readEnable(reader: MapReader, name: string): Item[] {
  if (!reader.has("enabled")) reader.fail("Item has no mapping for key 'enabled'");
  const enabled = reader.boolean("enabled");
  reader.diagnostics.warning(
    "LOAD_DEPRECATED_ITEM",
    "The standalone 'enabled' key usage is deprecated. The correct approach requires also a " +
      "'replace' entry under the 'override' key (i.e. 'enabled: replace').",
    reader.place,
  );
  return enabled === undefined ? [] : [{ kind: "enable", name, enabled, place: reader.place }];
}

/** `append: true` looks at conditions and exceptions only. */
function readAppended(reader: MapReader): RuleParts {
  return readParts(reader, ["condition", "exceptions"].filter((key) => reader.has(key)), true);
}

function readChanges(
  reader: MapReader,
  name: string,
  source: string,
  overrides: Overrides,
): Item[] {
  const items: Item[] = [];
  const unexpected = new Set(REPLACEABLE.filter((key) => reader.has(key)));
  for (
    const [operation, keys] of Object.entries(overrides) as ["append" | "replace", Set<string>][]
  ) {
    if (keys.size === 0) continue;
    for (const key of keys) {
      if (!reader.has(key)) {
        reader.fail(
          `An ${operation} override for '${key}' was specified but '${key}' is not defined`,
        );
      }
      unexpected.delete(key);
    }
    const present = [...keys].filter((key) => reader.has(key));
    const parts = readParts(reader, present, operation === "append");
    items.push(change(reader, name, source, operation, parts));
  }
  for (const key of unexpected) {
    reader.fail(
      `Unexpected key '${key}': no corresponding entry under 'override' is defined.`,
      within(reader.place, "overrides", key, reader.lines.at(reader.get(key)!.at)),
    );
  }
  return items;
}

function change(
  reader: MapReader,
  name: string,
  source: string,
  operation: "append" | "replace",
  parts: RuleParts,
): Item {
  // Only a change of the condition can contradict the rule's source.
  const stated = parts.condition === undefined && operation === "replace" ? "" : source;
  return { kind: "change", change: operation, name, source: stated, parts, place: reader.place };
}

function readParts(reader: MapReader, keys: readonly string[], append: boolean): RuleParts {
  const wanted = new Set(keys);
  const parts: { -readonly [Key in keyof RuleParts]?: RuleParts[Key] } = {};
  const text = (key: string) => wanted.has(key) ? reader.optional(key) : undefined;
  const set = <Key extends keyof RuleParts>(key: Key, value: RuleParts[Key] | undefined) => {
    if (value !== undefined) parts[key] = value;
  };
  const condition = text("condition");
  if (condition) parts.condition = conditionText(reader, condition, "rule condition");
  const output = text("output");
  if (output) {
    parts.output = output.text;
    parts.outputPlace = reader.at(output, "rule output", "");
  }
  set("desc", text("desc")?.text);
  const priority = text("priority");
  if (priority) set("priority", readPriority(reader, priority));
  if (wanted.has("tags")) set("tags", reader.texts("tags", { optional: true }));
  if (wanted.has("exceptions") && reader.has("exceptions")) {
    parts.exceptions = readExceptions(reader, append);
  }
  if (wanted.has("capture")) set("capture", reader.boolean("capture"));
  if (wanted.has("capture_duration")) {
    set("captureDuration", reader.unsigned("capture_duration"));
  }
  if (wanted.has("enabled")) set("enabled", reader.boolean("enabled"));
  if (wanted.has("warn_evttypes")) set("warnEvtTypes", reader.boolean("warn_evttypes"));
  if (wanted.has("skip-if-unknown-filter")) {
    set("skipIfUnknown", reader.boolean("skip-if-unknown-filter"));
  }
  return parts;
}

function readPriority(
  reader: MapReader,
  node: { readonly text: string; readonly at: number },
): number | undefined {
  const number = priorityOf(node.text);
  if (number !== undefined) return number;
  const near = nearest(node.text.toLowerCase(), PRIORITY_WORDS);
  return reader.fail(
    "Invalid priority",
    within(reader.place, "rule priority", "", reader.lines.at(node.at)),
    (near ? `did you mean ${near}? ` : "") + `known are ${PRIORITY_WORDS.join(", ")}`,
  );
}
