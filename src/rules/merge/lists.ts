// Lists as text: their items put where their names stand, in other lists (one level) and in
// conditions. In order of the lists' definition, each once, over the whole text, as Falco does;
// but only for names that the text has, so that ten thousand lists cost nothing.
import type { ListInfo } from "./merge.ts";

export interface ResolvedList {
  readonly name: string;
  readonly items: readonly string[];
  /** The items as they stand in conditions. */
  readonly text: string;
  readonly order: number;
}

/** Characters that a condition may have once its lists are in it. */
export const EXPANDED_CHARS_MAX = 24 << 20;

export class Lists {
  readonly lists: ReadonlyMap<string, ResolvedList>;
  /** Names of lists that something refers to. */
  readonly used = new Set<string>();
  readonly #ordered: readonly ResolvedList[];
  /** Names that are no single word of a condition; they are looked for one by one. */
  readonly #odd: readonly ResolvedList[];

  constructor(infos: ReadonlyMap<string, ListInfo>) {
    const lists = new Map<string, ResolvedList>();
    for (const info of infos.values()) {
      const items: string[] = [];
      for (const item of info.items) {
        const other = infos.get(item);
        if (other !== undefined && other.index < info.visibility) {
          this.used.add(other.name);
          for (const inner of other.items) items.push(inner);
        } else {
          items.push(item);
        }
      }
      const text = items.map(quoted).join(", ");
      lists.set(info.name, { name: info.name, items, text, order: lists.size });
    }
    this.lists = lists;
    this.#ordered = [...lists.values()];
    this.#odd = this.#ordered.filter(({ name }) => DELIMITER.test(name));
  }

  /** The condition with all lists put in; undefined where that makes it too long. */
  expand(condition: string): string | undefined {
    let text = condition;
    const named = new Set<ResolvedList>();
    this.#collect(text, 0, named);
    for (let next = 0;;) {
      const list = this.#first(text, next, named);
      if (list === undefined) return text;
      named.delete(list);
      next = list.order + 1;
      const expanded = substitute(text, list);
      if (expanded === undefined) continue;
      this.used.add(list.name);
      text = expanded;
      if (text.length > EXPANDED_CHARS_MAX) return undefined;
      // What it put in may name others, which are put in where they come later.
      this.#collect(list.text, next, named);
    }
  }

  /** Adds the lists, from `order` on, whose names are words of the text. */
  #collect(text: string, order: number, named: Set<ResolvedList>): void {
    WORDS.lastIndex = 0;
    for (let found = WORDS.exec(text); found !== null; found = WORDS.exec(text)) {
      const list = this.lists.get(found[0]);
      if (list !== undefined && list.order >= order) named.add(list);
    }
  }

  /** The first list, from `order` on, that the text names. */
  #first(
    text: string,
    order: number,
    named: ReadonlySet<ResolvedList>,
  ): ResolvedList | undefined {
    let first = this.#odd.find((list) => list.order >= order && text.includes(list.name));
    for (const list of named) {
      if (first === undefined || list.order < first.order) first = list;
    }
    return first;
  }
}

const DELIMITER = /[ \t\n\r(),=]/;
const WORDS = /[^ \t\n\r(),=]+/g;
const BLANKS = " \t\n\r";

/** A value with a blank needs quotes to stay one value. */
export function quoted(item: string): string {
  return item.includes(" ") && item[0] !== '"' && item[0] !== "'" ? `"${item}"` : item;
}

/** Puts the list's items where its name stands; undefined where it does not. */
function substitute(text: string, { name, text: items }: ResolvedList): string | undefined {
  if (name === "") return undefined;
  let result = "";
  /** Up to where `text` is in `result`. */
  let done = 0;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    let start = at;
    let end = at + name.length;
    if (at < done) continue;
    if (start > 0 && !DELIMITER.test(text[start - 1]!)) continue;
    if (end < text.length && !DELIMITER.test(text[end]!)) continue;
    while (start > done && BLANKS.includes(text[start - 1]!)) start--;
    while (end < text.length && BLANKS.includes(text[end]!)) end++;
    if (items === "") {
      // An empty list takes a comma with it.
      if (start > done && text[start - 1] === ",") start--;
      else if (end < text.length && text[end] === ",") end++;
    }
    result += text.slice(done, start) + (start > 0 ? " " : "") + items + " ";
    done = end;
  }
  return done === 0 ? undefined : result + text.slice(done);
}
