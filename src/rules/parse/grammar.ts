// The words of conditions: operators, modifiers and transformers.

export const TRANSFORMERS = [
  "tolower",
  "toupper",
  "b64",
  "basename",
  "len",
  "join",
  "concat",
  "getopt",
] as const;

export const NUMBER_OPERATORS = ["<=", "<", ">=", ">"];
/** Those that end in a blank need one after them. */
export const STRING_OPERATORS = [
  "==",
  "=",
  "!=",
  "glob ",
  "iglob ",
  "contains ",
  "icontains ",
  "bcontains ",
  "startswith ",
  "bstartswith ",
  "endswith ",
  "regex ",
];
export const MODIFIERS = ["oneof ", "anyof ", "allof "];
export const LIST_OPERATORS = ["intersects", "in", "pmatch"];

/** In the order in which messages name them. */
export const OPERATORS: readonly string[] = [
  "exists",
  ...NUMBER_OPERATORS,
  ...STRING_OPERATORS.map((operator) => operator.trim()),
  ...LIST_OPERATORS,
];

export function isListOperator(operator: string): boolean {
  return LIST_OPERATORS.includes(operator) || isModified(operator);
}

/** Whether it is a string operator and its modifier, such as `startswith oneof`. */
export function isModified(operator: string): boolean {
  const [base, modifier, more] = operator.split(" ");
  return more === undefined && modifier !== undefined && MODIFIERS.includes(`${modifier} `) &&
    (STRING_OPERATORS.includes(base!) || STRING_OPERATORS.includes(`${base} `));
}
