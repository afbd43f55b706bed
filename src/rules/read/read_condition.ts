// The text of a condition with the place that it comes from.
import type { ItemType } from "../diagnostic.ts";
import type { ScalarNode } from "./yaml_node.ts";
import type { ConditionText } from "./item.ts";
import type { MapReader } from "./map_reader.ts";

export function conditionText(
  reader: MapReader,
  node: ScalarNode,
  itemType: ItemType,
): ConditionText {
  const file = reader.place.locations[0]!.name;
  return {
    text: node.text,
    place: reader.at(node, itemType, ""),
    pieces: [{ file, at: node.at, end: node.end }],
  };
}

/** One condition behind the other, with a blank between, as appending joins them. */
export function joinConditions(first: ConditionText, second: ConditionText): ConditionText {
  return {
    text: `${first.text} ${second.text}`,
    place: first.place,
    pieces: [...first.pieces, ...second.pieces],
  };
}
