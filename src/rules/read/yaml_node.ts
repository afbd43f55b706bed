// The values of a rules file with their offsets: what `document` gives and the readers of items
// take. Offsets count characters of the file's text, behind its byte order mark.

export interface ScalarNode {
  readonly kind: "scalar";
  readonly text: string;
  /** Empty, `~` or `null` without quotes. */
  readonly isNull: boolean;
  readonly at: number;
  readonly end: number;
}

export interface MapEntry {
  readonly key: ScalarNode;
  readonly value: YamlNode;
}

export interface MapNode {
  readonly kind: "map";
  /** As they stand: a key may be there twice. */
  readonly entries: readonly MapEntry[];
  readonly at: number;
}

export interface SeqNode {
  readonly kind: "seq";
  readonly items: readonly YamlNode[];
  readonly at: number;
}

export type YamlNode = ScalarNode | MapNode | SeqNode;
