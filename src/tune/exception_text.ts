// An exception as YAML that Falco and saker read: an item that appends it to its rule. Texts of
// alerts were written by others: values are quoted twice over, for conditions and for YAML, and
// what stands in comments is one visible line.
import { escaped } from "../rules/parse/syntax.ts";
import { visibleLine } from "../words/visible.ts";
import type { AlertValue } from "./alert.ts";
import type { Part } from "./objects.ts";

export interface ExceptionText {
  readonly rule: string;
  readonly name: string;
  readonly parts: readonly Part[];
}

/** The item, without comments. */
export function exceptionYaml({ rule, name, parts }: ExceptionText): string {
  const value = (part: Part): string =>
    part.comp === "in" || part.comp === "pmatch"
      ? `[${part.values.map(valueYaml).join(", ")}]`
      : valueYaml(part.values[0]!);
  return [
    `- rule: ${plain(rule)}`,
    "  exceptions:",
    `    - name: ${plain(name)}`,
    `      fields: [${parts.map(({ field }) => plain(field)).join(", ")}]`,
    `      comps: [${parts.map(({ comp }) => plain(comp)).join(", ")}]`,
    "      values:",
    `        - [${parts.map(value).join(", ")}]`,
    "  override:",
    "    exceptions: append",
    "",
  ].join("\n");
}

/** Whether a value can stand in an exception at all: control characters and marks that turn the
 * direction of reading are what nobody can check by looking. */
export function canStand(value: AlertValue): boolean {
  if (typeof value === "string") {
    return value !== "" && value.length <= VALUE_CHARS_MAX && value.isWellFormed() &&
      visibleLine(value) === value && !value.includes("\ufffd");
  }
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
}

const VALUE_CHARS_MAX = 512;

function valueYaml(value: AlertValue): string {
  if (typeof value !== "string") return String(value);
  if (/^[\w./:@+-]+$/.test(value) && !/[:-]$|^-/.test(value)) return plain(value);
  // Lists' names are put in where they stand bare, and blanks and brackets end a bare word.
  const inner = escaped(value);
  return quotedYaml(inner.startsWith('"') ? inner : `"${inner}"`);
}

/** A scalar of YAML that reads as the same text. */
function plain(text: string): string {
  const isPlain = /^[A-Za-z_/][\w./@+-]*( [\w./@+-]+)*$/.test(text) &&
    !/^(true|false|yes|no|on|off|null|y|n|~)$/i.test(text);
  return isPlain ? text : quotedYaml(text);
}

function quotedYaml(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Comment lines of at most some 100 characters; what came from alerts stays one visible line. */
export function comment(text: string, indent = ""): string {
  const words = visibleLine(text).split(" ");
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length + indent.length > COMMENT_COLUMNS) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `# ${one}`.trimEnd()).join("\n") + "\n";
}

const COMMENT_COLUMNS = 92;
