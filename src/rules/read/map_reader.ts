// Reads the keys of one item's map as the values they must be. What is wrong goes to the
// diagnostics, and the reading goes on with the next key; `failed` tells that the item is lost.
import { type Diagnostics, type ItemType, type Place, within } from "../diagnostic.ts";
import type { Lines } from "./lines.ts";
import type { MapNode, ScalarNode, YamlNode } from "./yaml_node.ts";

export class MapReader {
  readonly map: MapNode;
  readonly lines: Lines;
  readonly diagnostics: Diagnostics;
  /** Where the map itself stands. */
  place: Place;
  failed = false;

  constructor(map: MapNode, lines: Lines, diagnostics: Diagnostics, place: Place) {
    this.map = map;
    this.lines = lines;
    this.diagnostics = diagnostics;
    this.place = place;
  }

  /** The first value of a key, as Falco takes it. */
  get(key: string): YamlNode | undefined {
    return this.map.entries.find((entry) => entry.key.text === key)?.value;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  at(node: YamlNode, itemType: ItemType, itemName: string): Place {
    return within(this.place, itemType, itemName, this.lines.at(node.at));
  }

  fail(message: string, place: Place = this.place, hint?: string | undefined): undefined {
    this.failed = true;
    this.diagnostics.error("LOAD_ERR_YAML_VALIDATE", message, place, hint);
    return undefined;
  }

  /** A scalar that must be there and not be empty. */
  required(key: string): ScalarNode | undefined {
    const node = this.get(key);
    if (node === undefined) return this.fail(`Item has no mapping for key '${key}'`);
    return this.#scalar(key, node);
  }

  optional(key: string): ScalarNode | undefined {
    const node = this.get(key);
    return node === undefined ? undefined : this.#scalar(key, node);
  }

  #scalar(key: string, node: YamlNode): ScalarNode | undefined {
    if (node.kind === "scalar" && node.isNull) {
      return this.fail(`Mapping for key '${key}' is empty`);
    }
    if (node.kind !== "scalar") {
      return this.fail(
        "Value is not a scalar value",
        this.at(node, "value for", key),
        `'${key}' takes one text, number or boolean, not a ${node.kind === "seq" ? "list" : "map"}`,
      );
    }
    if (node.text === "") {
      return this.fail("Value must be non-empty", this.at(node, "value for", key));
    }
    return node;
  }

  /** A boolean of YAML 1.1, as Falco reads them. */
  boolean(key: string): boolean | undefined {
    const node = this.optional(key);
    if (node === undefined) return undefined;
    if (TRUE.test(node.text)) return true;
    if (FALSE.test(node.text)) return false;
    return this.#undecodable(key, node, "true or false");
  }

  unsigned(key: string): number | undefined {
    const node = this.optional(key);
    if (node === undefined) return undefined;
    const value = /^(0x[0-9a-fA-F]+|[0-9]+)$/.test(node.text) ? Number(node.text) : NaN;
    if (value <= 0xffff_ffff) return value;
    return this.#undecodable(key, node, "a whole number, 0 or more");
  }

  #undecodable(key: string, node: ScalarNode, expected: string): undefined {
    return this.fail(
      "Can't decode YAML scalar value",
      this.at(node, "value for", key),
      `expected ${expected}`,
    );
  }

  /** A sequence of scalars. */
  texts(key: string, options: { optional: boolean }): string[] | undefined {
    const node = this.get(key);
    if (node === undefined) {
      return options.optional ? undefined : this.fail(`Item has no mapping for key '${key}'`);
    }
    if (node.kind !== "seq") {
      return this.fail("Value is not a sequence", this.at(node, "value for", key));
    }
    const texts: string[] = [];
    for (const item of node.items) {
      if (item.kind === "scalar" && !item.isNull) {
        texts.push(item.text);
        continue;
      }
      const value = this.at(node, "value for", key);
      this.fail(
        "sequence value is not scalar",
        within(value, "list item", "", this.lines.at(item.at)),
        item.kind === "scalar" ? "an item that means nothing or 'null' needs quotes" : undefined,
      );
    }
    return texts;
  }

  warnUnknownKeys(known: readonly string[], place: Place = this.place): void {
    for (const { key } of this.map.entries) {
      if (known.includes(key.text)) continue;
      this.diagnostics.warning(
        "LOAD_UNKNOWN_KEY",
        `Unknown key '${key.text}'. The key will be ignored.`,
        place,
      );
    }
  }
}

const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
