// Nodes of the YAML library in, our nodes out: aliases followed, within a bound for all that comes
// of one file and a bound for nesting.
import { isAlias, isMap, isNode, isScalar, isSeq } from "yaml";
import type { ScalarNode, YamlNode } from "./yaml_node.ts";

/** Values of one file after aliases were followed. */
export const NODES_MAX = 1_000_000;
const DEPTH_MAX = 64;
export const TOO_DEEP = `nested too deeply: more than ${DEPTH_MAX} levels`;

/** How many more values a file may have. */
export interface Budget {
  left: number;
}

/** Thrown where a bound is passed or an alias leads nowhere; its message is for people. */
export class Unreadable extends Error {}

/** Turns the nodes of one document into ours. */
export class Conversion {
  readonly #start: number;
  readonly #budget: Budget;
  readonly #anchors = new Map<string, unknown>();

  /** `start`: where the library's text stands in the file. */
  constructor(start: number, budget: Budget) {
    this.#start = start;
    this.#budget = budget;
  }

  convert(node: unknown, depth: number): YamlNode {
    if (depth > DEPTH_MAX) throw new Unreadable(TOO_DEEP);
    if (--this.#budget.left < 0) {
      throw new Unreadable(`too many values: aliases make more than ${NODES_MAX} of them`);
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) throw new Unreadable(`unknown alias *${node.source}`);
      return this.convert(target, depth + 1);
    }
    if (!isNode(node)) return EMPTY_SCALAR;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const at = this.#start + (node.range?.[0] ?? 0);
    if (isScalar(node)) {
      const text = typeof node.value === "string" ? node.value : "";
      // A tag makes a text of it.
      const isPlain = (node.type === undefined || node.type === "PLAIN") && !node.tag;
      return {
        kind: "scalar",
        text,
        isNull: isPlain && /^(|~|null|Null|NULL)$/.test(text),
        at,
        end: this.#start + (node.range?.[1] ?? 0),
      };
    }
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }) => {
        const converted = this.convert(key, depth + 1);
        return {
          key: converted.kind === "scalar" ? converted : { ...EMPTY_SCALAR, at, end: at },
          value: this.convert(value, depth + 1),
        };
      });
      return { kind: "map", at, entries };
    }
    if (isSeq(node)) {
      return { kind: "seq", at, items: node.items.map((item) => this.convert(item, depth + 1)) };
    }
    return EMPTY_SCALAR;
  }
}

const EMPTY_SCALAR: ScalarNode = { kind: "scalar", text: "", isNull: true, at: 0, end: 0 };
