// Parts of a page that its script renews: the page as text comes in, those parts as data go out.
// The script makes elements of a few kinds of it and never reads markup (assets/renew.js).
import type { Child } from "hono/jsx";

/** A text, or an element: its name, its attributes, what is in it. */
export type Piece =
  | string
  | readonly [
    tag: string,
    attributes: Readonly<Record<string, string>>,
    pieces: readonly Piece[],
  ];

/** What is answered instead of the page to who asks for JSON. */
export interface Renewal {
  readonly state: string;
  readonly word: string;
  readonly parts: Readonly<Record<string, readonly Piece[]>>;
}

/**
 * A part that is renewed. What stands in it and may change its place has a `data-key` that no
 * other of its parent's has: the element stays the same one, with the focus and what was opened.
 */
export function Renewed({ name, children }: { readonly name: string; readonly children?: Child }) {
  return <div class="renewed" data-renew={name}>{children}</div>;
}

/** Where the script says that nothing new comes; to stand before the first part. */
export function RenewalTrouble() {
  return <p class="panel trouble bad" role="alert" data-renew-says="" hidden></p>;
}

const OPENS = '<div class="renewed" data-renew="';

/** The parts of a document, which is text of our own making (documentText). */
export function partsOf(document: string): Record<string, readonly Piece[]> {
  const parts: Record<string, readonly Piece[]> = {};
  for (let at = document.indexOf(OPENS); at >= 0; at = document.indexOf(OPENS, at + 1)) {
    const [, attributes, pieces] = elementAt(document, at);
    parts[attributes["data-renew"]!] = pieces;
  }
  return parts;
}

type Element = [string, Record<string, string>, Piece[]];

/** Elements have quoted attributes and an end each; those that hold nothing end in `/>`. */
const TOKEN = /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")*)(\/?)>|[^<]+/y;
const ATTRIBUTE = / ([a-z-]+)="([^"]*)"/g;

function elementAt(text: string, at: number): Element {
  const token = new RegExp(TOKEN);
  token.lastIndex = at;
  const open: Element[] = [];
  for (;;) {
    const found = token.exec(text);
    if (found === null) throw new Error("a page is not as its renewal reads it");
    const [whole, closes, tag, attributes = "", isEmpty] = found;
    const parent = open.at(-1);
    if (tag === undefined) parent![2].push(plain(whole));
    else if (closes === "/") {
      const closed = open.pop()!;
      if (closed[0] !== tag) throw new Error(`a page has ${closed[0]} end as ${tag}`);
      if (open.length === 0) return closed;
    } else {
      const element: Element = [tag, attributesOf(attributes), []];
      parent?.[2].push(element);
      if (isEmpty === "") open.push(element);
    }
  }
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(ATTRIBUTE), ([, name, value]) => [name!, plain(value!)]),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

function plain(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]!);
}
