// What is wrong with a YAML text, in words for those who write rules and configurations: the
// library's error code and message come in, a sentence without its terms goes out. What Falco's
// library takes for no mistake is none here.
import { type Document, Scalar, visit, type YAMLSeq } from "yaml";

const SENTENCES: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias (*name) takes no tag and no anchor",
  BAD_ALIAS: "an anchor or alias without a name: a value that begins with & or * needs quotes",
  BAD_COLLECTION_TYPE: "the tag does not fit the value behind it",
  BAD_DIRECTIVE: "a line that begins with % is no directive that YAML knows",
  BAD_DQ_ESCAPE:
    "unknown escape in a text in double quotes: write \\\\ for a backslash, or use single quotes",
  BAD_INDENT: "the indentation fits neither the lines above nor those around it",
  BAD_PROP_ORDER: "a tag or anchor stands in the wrong place",
  BAD_SCALAR_START: "a value cannot begin with this character: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "a second ': ' on one line: put a value that holds a colon and a blank in quotes",
  BLOCK_IN_FLOW: "a list or map of indented lines cannot stand inside [ ] or { }",
  DUPLICATE_KEY: "a key stands twice",
  KEY_OVER_1024_CHARS: "a key is longer than 1,024 characters: is a colon missing?",
  MULTILINE_IMPLICIT_KEY: "a line without ':': it is neither a key nor part of the value above it",
  MULTIPLE_ANCHORS: "a value has two anchors",
  MULTIPLE_DOCS: "there is more than one document",
  MULTIPLE_TAGS: "a value has two tags",
  NON_STRING_KEY: "a key must be a text",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAB_AS_INDENT: "a tab is used as indentation: YAML takes blanks only",
  TAG_RESOLVE_FAILED: "unknown tag: a value that begins with ! needs quotes",
};

/** Errors of one code that can be told apart by their message. */
const BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [/Missing closing .quote/, "a text in quotes is not closed"],
  [/Unexpected flow-(seq|map)-end/, "a closing bracket has no opening one"],
  [/end with a [\]}]/, "a [ or { is not closed"],
  [/Missing , /, "a comma is missing between the parts of [ ] or { }"],
  [/Missing space after :/, "a blank is missing behind the colon"],
  [/Implicit map keys need/, "a line without ':': it is neither a key nor part of a value"],
  [/Sequence item without/, "an item of the list does not begin with '- '"],
  [/Comments must be separated/, "a comment needs a blank before its #"],
  [/Tags and anchors must/, "a blank is missing behind a tag or anchor"],
  [/directives-end/, "a '---' is missing or has something behind it that does not belong there"],
  [/Block scalar header/, "something stands behind the > or | that begins a block of text"],
  [/block-seq-ind on same line/, "a list cannot begin on the line of its key"],
  [/scalar at node end/, "something stands behind a value that has ended"],
  [/empty item/, "there is nothing between two commas"],
  [/Unexpected , /, "a comma too many"],
];

export function yamlMistake({ code, message }: { code: string; message: string }): string {
  if (/call stack/.test(message)) return SENTENCES["RESOURCE_EXHAUSTION"]!;
  for (const [pattern, sentence] of BY_MESSAGE) if (pattern.test(message)) return sentence;
  return SENTENCES[code] ?? "this is not YAML: the line does not fit what stands around it";
}

/** The quote that the text opens and does not close, where the error is that. */
export function openQuote({ message }: { readonly message: string }): string | undefined {
  return /^Missing closing (.)quote$/.exec(message)?.[1];
}

/** Between two commas of a list stands an item that is nothing, as yaml-cpp reads it. */
export function fillEmptyItems(document: Document.Parsed): void {
  const isEmptyItem = ({ message }: { message: string }) =>
    message === "Unexpected , in flow sequence";
  const commas = document.errors.filter(isEmptyItem).map(({ pos }) => pos[0]);
  if (commas.length === 0) return;
  document.errors = document.errors.filter((error) => !isEmptyItem(error));
  const lists = new Map<number, YAMLSeq>();
  visit(document, {
    Seq(_, list) {
      const [start, end] = list.range!;
      // What is inside comes later.
      for (let at = firstBehind(commas, start); commas[at]! < end; at++) {
        lists.set(commas[at]!, list);
      }
    },
  });
  const nothing = new Map<YAMLSeq, Scalar[]>();
  for (const [at, list] of lists) {
    const item = new Scalar("");
    item.range = [at, at, at];
    item.type = "PLAIN";
    const others = nothing.get(list);
    if (others === undefined) nothing.set(list, [item]);
    else others.push(item);
  }
  for (const [list, added] of nothing) {
    list.items = [...list.items, ...added].sort((one, other) => placeOf(one) - placeOf(other));
  }
}

/** Index of the first of rising numbers above one. */
function firstBehind(numbers: readonly number[], above: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! > above) high = middle;
    else low = middle + 1;
  }
  return low;
}

function placeOf(item: unknown): number {
  return (item as { range?: readonly number[] | null }).range?.[0] ?? 0;
}
