// `-L` and `-l`: the loaded rules, as two columns or as one line of JSON.
import { describeAll, describeOne } from "../../rules/tools/describe.ts";
import type { Loaded } from "../../rules/load.ts";
import { below } from "./laid_out.ts";

export interface ListRulesOptions {
  readonly json: boolean;
  /** `-l`: only this rule. */
  readonly rule: string | undefined;
  /** Of the terminal; absent: of two columns, however wide. */
  readonly columns?: number | undefined;
}

/** Writes the description; returns an error where the rule is not there. */
export function listRules(
  loaded: Loaded,
  options: ListRulesOptions,
  write: (text: string) => void,
): string | undefined {
  const description = options.rule === undefined
    ? describeAll(loaded)
    : describeOne(options.rule, loaded);
  if (description === undefined) return `Rule "${options.rule}" is not loaded`;
  write(options.json ? `${JSON.stringify(description)}\n` : listText(description, options.columns));
  return undefined;
}

/** Width of the names' column. */
const NAME_WIDTH = 50;
const INDENT = NAME_WIDTH + 1;
const LINE_LENGTH = 110;

/** The rules of a description as text. */
export function listText(
  description: Readonly<Record<string, unknown>>,
  columns = Infinity,
): string {
  const rules = description.rules as { info: { name: string; description: string } }[];
  if (columns < LINE_LENGTH) {
    return rules.map(({ info }) => below(info.name, info.description, columns)).join("\n");
  }
  const row = (left: string, right: string) => `${left.padEnd(NAME_WIDTH)} ${right}\n`;
  return row("Rule", "Description") + row("----", "-----------") +
    rules.map(({ info }) => row(info.name, wrapped(info.description) + "\n")).join("");
}

function wrapped(text: string): string {
  let result = "";
  let length = 0;
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    if (length + word.length + 1 > LINE_LENGTH - INDENT) {
      result += `\n${" ".repeat(INDENT)}`;
      length = 0;
    }
    length += word.length + 1;
    result += `${word} `;
  }
  return result;
}
