// Text of one rules file in, its items out, in order. Every mistake is told, not only the first.
import {
  type Diagnostics,
  filePlace,
  type ItemType,
  type Place,
  type WarningCode,
  within,
} from "../diagnostic.ts";
import { readDocuments } from "./document.ts";
import { Lines } from "./lines.ts";
import type { MapEntry, YamlNode } from "./yaml_node.ts";
import { type Item, parseVersion, type PluginRequirement } from "./item.ts";
import { MapReader } from "./map_reader.ts";
import { conditionText } from "./read_condition.ts";
import { readRule } from "./read_rule.ts";
import { readTextOverrides, warnAppend } from "./read_overrides.ts";

export interface ReadFile {
  readonly items: readonly Item[];
  /** Whether the YAML itself could be read. */
  readonly parsed: boolean;
  readonly roots: readonly YamlNode[];
}

/** Reads a file's text. `diagnostics` gets what is wrong with it. */
export function read(file: string, text: string, diagnostics: Diagnostics): ReadFile {
  const lines = new Lines(text);
  const place = filePlace(file);
  const { roots, errors, unreadFrom, unclosedAt } = readDocuments(text);
  for (const error of errors) {
    diagnostics.error(
      "LOAD_ERR_YAML_PARSE",
      error.message,
      within(place, "value for", "", lines.at(error.at)),
    );
  }
  const tell = (code: WarningCode, message: string, at: number | undefined): void => {
    if (at === undefined) return;
    diagnostics.warning(code, message, within(place, "rules content item", "", lines.at(at)));
  };
  tell(
    "LOAD_UNREAD_DOCUMENTS",
    "An empty YAML document stands before this one: this and all that follows is not read",
    unreadFrom,
  );
  tell("LOAD_UNCLOSED_QUOTE", "The quote is not closed: it ends with the file", unclosedAt);
  const items: Item[] = [];
  for (const root of roots) {
    if (root.kind !== "seq") {
      diagnostics.error(
        "LOAD_ERR_YAML_VALIDATE",
        root.kind === "map"
          ? "Rules content is not yaml array of objects"
          : "Rules content is not yaml",
        place,
        "a rules file is a list: each item starts with '- rule:', '- macro:' or '- list:'",
      );
      continue;
    }
    for (const node of root.items) {
      if (node.kind === "scalar" && node.isNull) continue;
      readItem(node, lines, place, diagnostics, items);
      warnDoubled(node, lines, place, diagnostics);
    }
  }
  return { items, parsed: errors.length === 0, roots };
}

function readItem(
  node: YamlNode,
  lines: Lines,
  file: Place,
  diagnostics: Diagnostics,
  items: Item[],
): void {
  if (node.kind !== "map") {
    diagnostics.error(
      "LOAD_ERR_YAML_VALIDATE",
      "Unexpected element type. Each element should be a yaml associative array.",
      within(file, "rules content item", "", lines.at(node.at)),
    );
    return;
  }
  const reader = new MapReader(node, lines, diagnostics, file);
  if (reader.has("required_engine_version")) {
    named(reader, "required_engine_version", "");
    readEngineVersion(reader, items);
  } else if (reader.has("required_plugin_versions")) {
    readPluginVersions(reader, items);
  } else if (reader.has("list")) {
    readNamed(reader, "list", items, readList);
  } else if (reader.has("macro")) {
    readNamed(reader, "macro", items, readMacro);
  } else if (reader.has("rule")) {
    readNamed(reader, "rule", items, readRule);
  } else {
    diagnostics.warning(
      "LOAD_UNKNOWN_ITEM",
      "Unknown top level item",
      within(file, "rules content item", "", lines.at(node.at)),
    );
  }
}

/** Falco takes the first of two equal keys; what the other says is lost. */
function warnDoubled(node: YamlNode, lines: Lines, place: Place, diagnostics: Diagnostics): void {
  if (node.kind === "scalar") return;
  if (node.kind === "seq") {
    for (const item of node.items) warnDoubled(item, lines, place, diagnostics);
    return;
  }
  for (const [index, { key, value }] of node.entries.entries()) {
    if (isKeyBefore(node.entries, index)) {
      diagnostics.warning(
        "LOAD_DUPLICATE_KEY",
        `Key '${key.text}' stands twice: the first one holds, this one is ignored`,
        within(place, "value for", key.text, lines.at(key.at)),
      );
    }
    warnDoubled(value, lines, place, diagnostics);
  }
}

/** Maps of rules files have few keys: a set of them would cost more than to look. */
function isKeyBefore(entries: readonly MapEntry[], index: number): boolean {
  const { text } = entries[index]!.key;
  const last = Math.min(index, KEYS_MAX);
  for (let at = 0; at < last; at++) if (entries[at]!.key.text === text) return true;
  return false;
}

/** Keys of one map that are looked through for an equal one. */
const KEYS_MAX = 1000;

function named(reader: MapReader, itemType: ItemType, name: string): void {
  reader.place = within(
    { locations: reader.place.locations.slice(0, 1) },
    itemType,
    name,
    reader.lines.at(reader.map.at),
  );
}

/** Reads an item that has a name; one that cannot be read stays known by it. */
function readNamed(
  reader: MapReader,
  kind: "list" | "macro" | "rule",
  items: Item[],
  readKind: (reader: MapReader, name: string) => Item[],
): void {
  named(reader, kind, "");
  const name = reader.required(kind)?.text;
  if (name === undefined) return;
  named(reader, kind, name);
  const found = readKind(reader, name);
  // What could be read of it is checked further, so that all its errors are told at once.
  if (found.length === 0) items.push({ kind: "broken", of: kind, name });
  items.push(...found);
}

function readEngineVersion(reader: MapReader, items: Item[]): void {
  const node = reader.required("required_engine_version");
  if (node === undefined) return;
  const version = /^\d+$/.test(node.text)
    ? [0, Number(node.text), 0] as const
    : parseVersion(node.text);
  if (version === undefined) {
    reader.fail(
      `Unable to parse engine version '${node.text}' as a semver string. ` +
        'Expected "x.y.z" semver format.',
    );
    return;
  }
  items.push({ kind: "engine", version, place: reader.place });
  reader.warnUnknownKeys(["required_engine_version"]);
}

function readPluginVersions(reader: MapReader, items: Item[]): void {
  const node = reader.get("required_plugin_versions")!;
  const place = reader.at(node, "required plugin versions", "");
  if (node.kind !== "seq") {
    reader.fail("Value of required_plugin_versions must be a sequence", place);
    return;
  }
  for (const entry of node.items) {
    const unnamed = within(place, "required plugin versions entry", "", reader.lines.at(entry.at));
    if (entry.kind !== "map") {
      reader.fail("Plugin version must be a mapping", unnamed);
      continue;
    }
    const plugin = new MapReader(entry, reader.lines, reader.diagnostics, unnamed);
    const first = readRequirement(plugin, "required plugin versions entry", place);
    const alternatives = readAlternatives(plugin);
    if (plugin.failed || first === undefined) continue;
    items.push({
      kind: "plugin",
      alternatives: [first, ...alternatives],
      place: plugin.place,
    });
  }
  named(reader, "required plugin versions", "");
  reader.warnUnknownKeys(["required_plugin_versions"]);
}

function readRequirement(
  reader: MapReader,
  itemType: ItemType,
  parent: Place,
): PluginRequirement | undefined {
  const name = reader.required("name")?.text;
  if (name === undefined) return undefined;
  reader.place = within(parent, itemType, name, reader.lines.at(reader.map.at));
  const version = reader.required("version")?.text;
  return version === undefined ? undefined : { name, version };
}

function readAlternatives(plugin: MapReader): PluginRequirement[] {
  const node = plugin.get("alternatives");
  if (node === undefined) return [];
  if (node.kind !== "seq") {
    plugin.fail("Value of plugin version alternatives must be a sequence");
    return [];
  }
  return node.items.flatMap((entry) => {
    const itemType = "required plugin versions alternative";
    const place = plugin.at(entry, itemType, "");
    if (entry.kind !== "map") {
      plugin.fail("Plugin version alternative must be a mapping", place);
      return [];
    }
    const reader = new MapReader(entry, plugin.lines, plugin.diagnostics, place);
    const requirement = readRequirement(reader, itemType, plugin.place);
    if (reader.failed) plugin.failed = true;
    return requirement ? [requirement] : [];
  });
}

const BARE = "([^()\"'[:space:]=,]+)";
const IDENTIFIER = "([a-zA-Z]+[a-zA-Z0-9_]*)";

function readList(reader: MapReader, name: string): Item[] {
  if (!/^[^()"'\s=,]+$/.test(name)) {
    reader.diagnostics.warning(
      "LOAD_INVALID_LIST_NAME",
      "List has an invalid name. List names should match a regular expression: " + BARE,
      reader.place,
    );
  }
  const items = reader.texts("items", { optional: false }) ?? [];
  const append = readAppend(reader, "items");
  reader.warnUnknownKeys(["list", "items", "append", "override"]);
  return [{ kind: "list", name, items, append, place: reader.place }];
}

function readMacro(reader: MapReader, name: string): Item[] {
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) {
    reader.diagnostics.warning(
      "LOAD_INVALID_MACRO_NAME",
      "Macro has an invalid name. Macro names should match a regular expression: " + IDENTIFIER,
      reader.place,
    );
  }
  const condition = reader.required("condition");
  const append = readAppend(reader, "condition");
  reader.warnUnknownKeys(["macro", "condition", "append", "override"]);
  if (condition === undefined) return [];
  return [{
    kind: "macro",
    name,
    condition: conditionText(reader, condition, "macro condition"),
    append,
    place: reader.place,
  }];
}

/** Lists and macros have one part, so that appending to it or to the item is the same. */
function readAppend(reader: MapReader, key: string): boolean {
  const append = reader.boolean("append") ?? false;
  if (append) warnAppend(reader);
  const overrides = readTextOverrides(reader, [key], [key], append);
  return append || overrides.append.has(key);
}
