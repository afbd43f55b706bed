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

/** Of a line, what makes no difference that a test could, or should, see. */
const CHOICES: readonly (readonly [of: RegExp, line: RegExp])[] = [
  // How large a bound, a block or a table is: one more or twice as much is as good. That there is
  // a bound is tested where it is kept, with what it refuses.
  [/^\d+$/, /^(?:export )?const [A-Z][A-Z_]*_(?:MAX|MIN|BYTES|BITS|CHARS|MS|NS|CHUNK) = /],
  [/^\d+$/, /^(?:export )?const (?:CHUNK|ROOM) = /],
  // Whether the last one is still in, or the first out.
  [/^ [<>]=? $/, / [<>]=? [A-Z][A-Z_.#]*_MAX\b/],
  // What grows when it is full begins somewhere.
  [/^\d+$/, /new (?:\w+Array|BlockBuffer)\([^()]*<< ?\d/],
  // How bits are mixed: another way spreads them as well.
  [/^\d+$|^ [+-] $/, /\bhash\b.*(?:>>>|<<|Math\.imul)|Math\.imul\(.*\bhash\b|\bhash = /],
];

/** Whether a mistake changes a choice, so that nobody could tell which of the two is right. */
export function isChoice(text: string, { at, was }: Mutant): boolean {
  const start = text.lastIndexOf("\n", at) + 1;
  const end = text.indexOf("\n", at);
  const line = text.slice(start, end < 0 ? text.length : end);
  return CHOICES.some(([of, pattern]) => of.test(was) && pattern.test(line.trim()));
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
