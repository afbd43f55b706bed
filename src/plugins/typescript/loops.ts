// Loops of a plugin that can be ended: text of JavaScript and its tokens come in, the same
// text goes out, in which every turn of every loop asks whether the plugin is still wanted.
//
// The engine's own way to end a thread is looked for by compiled code at calls alone: a loop that
// calls nothing but built-in functions (`for (;;) all.push(new Array(1000))`) is never ended by it,
// and fills the memory of the whole process.

export interface Token {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** Types of tokens, as the parser numbers them. */
export interface TokenTypes {
  readonly name: number;
  readonly _for: number;
  readonly _while: number;
  readonly parenL: number;
  readonly parenR: number;
}

/** `alive` is the name of what is asked, which throws where the plugin is to end. */
export function endable(
  text: string,
  alive: string,
  tokens: readonly Token[],
  types: TokenTypes,
): string {
  const added: { readonly at: number; readonly text: string }[] = [];
  for (const [place, token] of tokens.entries()) {
    const { type } = token;
    if (type !== types._for && type !== types._while) continue;
    // `for await (`
    const isAwait = tokens[place + 1]?.type === types.name &&
      text.slice(tokens[place + 1]!.start, tokens[place + 1]!.end) === "await";
    const open = place + (isAwait ? 2 : 1);
    if (tokens[open]?.type !== types.parenL) continue;
    // Of `do … while (…)` the condition alone is asked in every turn.
    if (type === types._while) added.push({ at: tokens[open]!.end, text: `${alive}(),` });
    else added.push({ at: closing(tokens, open, types), text: `if(${alive}())` });
  }
  let made = "";
  let from = 0;
  for (const { at, text: more } of added.toSorted((one, other) => one.at - other.at)) {
    made += text.slice(from, at) + more;
    from = at;
  }
  return made + text.slice(from);
}

/** Where the parenthesis ends that is opened there. */
function closing(tokens: readonly Token[], open: number, types: TokenTypes): number {
  let depth = 0;
  for (let place = open; place < tokens.length; place++) {
    const { type, end } = tokens[place]!;
    if (type === types.parenL) depth++;
    else if (type === types.parenR && --depth === 0) return end;
  }
  throw new Error("a loop has no end of its parenthesis");
}
