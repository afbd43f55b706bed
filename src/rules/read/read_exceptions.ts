// The `exceptions` of a rule's item.
import { within } from "../diagnostic.ts";
import type { YamlNode } from "./yaml_node.ts";
import type { Entry, ExceptionItem } from "./item.ts";
import { MapReader } from "./map_reader.ts";

/**
 * Reads the exceptions of an item. When they are to be appended to others, `fields` may be
 * missing and values should not be.
 */
export function readExceptions(rule: MapReader, append: boolean): ExceptionItem[] {
  const node = rule.get("exceptions");
  if (node === undefined || (node.kind === "scalar" && node.isNull)) return [];
  const all = rule.at(node, "exceptions", "");
  if (node.kind !== "seq") {
    rule.fail("Rule exceptions must be a sequence", all);
    return [];
  }
  const exceptions: ExceptionItem[] = [];
  for (const item of node.items) {
    const unnamed = within(all, "exception", "", rule.lines.at(item.at));
    if (item.kind !== "map") {
      rule.fail("Rule exception must be a mapping", unnamed);
      continue;
    }
    const reader = new MapReader(item, rule.lines, rule.diagnostics, unnamed);
    const exception = readException(rule, reader, exceptions, append);
    if (exception !== undefined) exceptions.push(exception);
    if (reader.failed) rule.failed = true;
  }
  return exceptions;
}

function readException(
  rule: MapReader,
  reader: MapReader,
  earlier: readonly ExceptionItem[],
  append: boolean,
): ExceptionItem | undefined {
  const name = reader.required("name")?.text;
  if (name === undefined) return undefined;
  const place = reader.place = rule.at(reader.map, "exception", name);
  if (earlier.some((exception) => exception.name === name)) {
    reader.diagnostics.warning(
      "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
      `Multiple definitions of exception '${name}' in the same rule`,
      place,
    );
  }
  const fields = readKey(reader, "fields", append);
  const comps = readKey(reader, "comps", true);
  const values: Entry[] = [];
  const node = reader.get("values");
  if (node === undefined) {
    if (append) {
      reader.diagnostics.warning(
        "LOAD_APPEND_NO_VALUES",
        "Overriding/appending exception with no values",
        place,
      );
    }
  } else if (node.kind !== "seq") {
    reader.fail(
      "Rule exception values must be a sequence",
      reader.at(node, "exception values", ""),
    );
  } else {
    for (const value of node.items) {
      const entry = readEntry(reader, value, "");
      if (entry !== undefined) values.push(entry);
    }
  }
  return { name, fields, comps, values, place };
}

function readKey(reader: MapReader, key: string, optional: boolean): Entry | undefined {
  const node = reader.get(key);
  if (node !== undefined) return readEntry(reader, node, key);
  return optional ? undefined : reader.fail(`Item has no mapping for key '${key}'`);
}

function readEntry(reader: MapReader, node: YamlNode, key: string): Entry | undefined {
  if (node.kind === "scalar") {
    // Nothing is a value to Falco, which then cannot make a condition of it.
    if (node.text !== "" || (node.isNull && key === "")) return node.isNull ? "" : node.text;
    return reader.fail("Value must be non-empty", reader.at(node, "value for", key));
  }
  if (node.kind === "map") {
    return reader.fail("Could not decode scalar value", reader.at(node, "value for", key));
  }
  const entries: Entry[] = [];
  for (const item of node.items) {
    const entry = readEntry(reader, item, "");
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}
