// The `override` and `append` keys: which parts of an earlier item an item changes, and how.
import { type Place, within } from "../diagnostic.ts";
import type { MapReader } from "./map_reader.ts";
import { nearest } from "../../words/nearest.ts";

export interface Overrides {
  readonly append: ReadonlySet<string>;
  readonly replace: ReadonlySet<string>;
}

/** Reads `override`; `appendFlag` is the item's old `append: true`, which excludes it. */
export function readTextOverrides(
  reader: MapReader,
  appendable: readonly string[],
  replaceable: readonly string[],
  appendFlag: boolean,
): Overrides {
  const append = new Set<string>();
  const replace = new Set<string>();
  const node = reader.get("override");
  if (node === undefined) return { append, replace };
  const place = within(reader.place, "overrides", "", reader.lines.at(reader.map.at));
  if (node.kind !== "map") {
    if (node.kind !== "scalar" || !node.isNull) {
      reader.fail("Value is not a mapping", reader.at(node, "value for", "override"));
    }
    return { append, replace };
  }
  for (const { key, value } of node.entries) {
    const name = key.text;
    const operation = value.kind !== "scalar" ? "" : value.isNull ? "null" : value.text;
    const at = within(place, "overrides", name, reader.lines.at(key.at));
    const hint = unknownKey(name, replaceable);
    if (operation === "append") {
      if (appendable.includes(name)) append.add(name);
      else reader.fail(`Key '${name}' cannot be appended to, use 'replace' instead`, at, hint);
    } else if (operation === "replace") {
      if (replaceable.includes(name)) replace.add(name);
      else reader.fail(`Key '${name}' cannot be replaced`, at, hint);
    } else {
      reader.fail(
        `Invalid override operation for key '${name}': '${operation}'. Allowed values are: ` +
          (appendable.includes(name) ? "append " : "") +
          (replaceable.includes(name) ? "replace " : ""),
        within(place, "value for", name, reader.lines.at(value.at)),
      );
    }
  }
  if (appendFlag && append.size + replace.size > 0) {
    reader.fail(
      "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. " +
        "'condition: append') under 'override' instead.",
    );
  }
  return { append, replace };
}

function unknownKey(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const near = nearest(name, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

export function warnAppend(reader: MapReader, place: Place = reader.place): void {
  reader.diagnostics.warning(
    "LOAD_DEPRECATED_ITEM",
    "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under " +
      "'override' instead.",
    place,
  );
}
