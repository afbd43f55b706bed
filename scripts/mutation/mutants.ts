// Small mistakes that can be planted in a source text: where each stands, and what would stand
// there instead. What only types or people read is left out.

/** One change of one place. */
export interface Mutant {
  /** Offset in the text. */
  readonly at: number;
  readonly was: string;
  readonly becomes: string;
}

const TURNED: Readonly<Record<string, string>> = {
  " === ": " !== ",
  " !== ": " === ",
  " < ": " <= ",
  " <= ": " < ",
  " > ": " >= ",
  " >= ": " > ",
  " && ": " || ",
  " || ": " && ",
  " + ": " - ",
  " - ": " + ",
  "true": "false",
  "false": "true",
  "++": "--",
  "--": "++",
  "return;": ";",
};

const PLACES = new RegExp(
  [
    String.raw` (?:===|!==|<=?|>=?|&&|\|\||[+-]) `,
    String.raw`\b(?:true|false)\b`,
    String.raw`\+\+|--`,
    String.raw`\breturn;`,
    String.raw`(?<![\w.#$])\d+(?![\w.])`,
  ].join("|"),
  "g",
);

/** Every mistake that can be planted in the text, in its order. */
export function mutantsOf(text: string): Mutant[] {
  const code = codeOnly(text);
  const mutants: Mutant[] = [];
  for (const match of code.matchAll(PLACES)) {
    const was = match[0];
    const becomes = TURNED[was] ?? String(Number(was) + 1);
    mutants.push({ at: match.index, was, becomes });
  }
  return mutants;
}

/** The text with the mistake in it. */
export function planted(text: string, { at, was, becomes }: Mutant): string {
  return text.slice(0, at) + becomes + text.slice(at + was.length);
}

const TEXTS = new RegExp(
  [
    String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`,
    "`(?:\\\\[^]|[^`\\\\])*`",
    String.raw`\/\*[^]*?\*\/|\/\/[^\n]*`,
    String.raw`(?<=[(,=:[!&|?{};\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/`,
  ].join("|"),
  "g",
);
const TYPES = new RegExp(
  [
    String.raw`^(?:export )?(?:interface|type) [^]*?(?:^\}|;)$`,
    String.raw`^(?:import|export) (?:type )?\{[^]*?;$|^import [^]*?;$`,
  ].join("|"),
  "gm",
);

/** The text with all that is no running code blanked out, offsets kept. */
function codeOnly(text: string): string {
  const blank = (piece: string) => piece.replace(/[^\n]/g, " ");
  return text.replace(TEXTS, blank).replace(TYPES, blank);
}
