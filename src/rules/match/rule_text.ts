// The text of a rule as its file has it, and what else is told of it: a checked rule and the texts
// of the files come in, what a person reads goes out.
import { addExceptions } from "../merge/exceptions.ts";
import type { CheckedRule } from "../check/resolve.ts";
import { Lines } from "../read/lines.ts";
import type { RuleAbout, RulePlace } from "../rule_account.ts";

/** Characters of one text that are kept. */
const TEXT_MAX = 16_384;
const PLACES_MAX = 32;

/** `texts`: those of the rules files, by their names. */
export function aboutRule(rule: CheckedRule, texts: ReadonlyMap<string, string>): RuleAbout {
  const { parts, place } = rule.info;
  const file = place.locations[0]?.name ?? "";
  const line = lineOf(rule);
  return {
    name: rule.name,
    source: rule.source,
    priority: rule.priority,
    tags: rule.tags,
    description: cut(rule.description),
    file,
    line,
    text: cut(itemText(texts.get(file) ?? "", line)),
    alsoAt: furtherPlaces(rule, { file, line }, texts),
    condition: cut(addExceptions(parts.condition.text, parts.exceptions).condition),
    output: cut(rule.output),
  };
}

function lineOf({ info: { place }, name }: CheckedRule): number {
  const item =
    place.locations.findLast(({ itemType, itemName }) =>
      itemType === "rule" && itemName === name
    ) ?? place.locations[0];
  return (item?.position.line ?? 0) + 1;
}

/** Where else its condition's text stands: what was appended, or replaced it. */
function furtherPlaces(
  { info: { parts } }: CheckedRule,
  own: RulePlace,
  texts: ReadonlyMap<string, string>,
): RulePlace[] {
  const places = new Map<string, RulePlace>();
  const end = own.line + itemText(texts.get(own.file) ?? "", own.line).split("\n").length;
  const pieces = [
    ...parts.condition.pieces.map(({ file, at }) => {
      const text = texts.get(file);
      return { file, line: text === undefined ? 0 : new Lines(text).inCharacters(at).line + 1 };
    }),
    ...parts.exceptions.map(({ place: { locations } }) => ({
      file: locations[0]?.name ?? "",
      line: (locations.at(-1)?.position.line ?? -1) + 1,
    })),
  ];
  for (const place of pieces) {
    const isOwn = place.file === own.file && place.line >= own.line && place.line < end;
    if (isOwn || place.line === 0 || places.size === PLACES_MAX) continue;
    places.set(`${place.file}:${place.line}`, place);
  }
  return [...places.values()];
}

/**
 * The item of a list that begins on a line: it, and the lines behind it that are indented further.
 * "" where the line begins no item of its own, as in a list between brackets.
 */
export function itemText(text: string, line: number): string {
  const lines = text.split("\n");
  const first = lines[line - 1];
  const dash = first === undefined ? undefined : /^([ ]*)- /.exec(first);
  if (first === undefined || dash === undefined || dash === null) return "";
  const indent = dash[1]!.length;
  let end = line;
  for (let at = line; at < lines.length; at++) {
    const own = /^[ ]*/.exec(lines[at]!)![0].length;
    const rest = lines[at]!.slice(own);
    if (rest === "" || rest === "\r") continue;
    if (own <= indent) break;
    end = at + 1;
  }
  return lines.slice(line - 1, end).map((one) => one.slice(indent)).join("\n");
}

function cut(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}
