// What YAML is to the rules: scalars, maps and lists, each with its place in the text. Both readers
// of rules files make these nodes.

export interface ScalarNode {
  readonly kind: "scalar";
  readonly text: string;
  /** Empty, `~` or `null` without quotes. */
  readonly isNull: boolean;
  readonly at: number;
  readonly end: number;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly { readonly key: ScalarNode; readonly value: YamlNode }[];
  readonly at: number;
}

export interface SeqNode {
  readonly kind: "seq";
  readonly items: readonly YamlNode[];
  readonly at: number;
}

export type YamlNode = ScalarNode | MapNode | SeqNode;
