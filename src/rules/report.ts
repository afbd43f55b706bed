// Diagnostics drawn: the texts and the JSON of `-V`. Snippets and carets are made here, last, so
// that no other stage carries the files' texts.
import {
  type Diagnostic,
  type ErrorCode,
  ERRORS,
  type Place,
  type WarningCode,
  WARNINGS,
} from "./diagnostic.ts";
import type { FileResult } from "./load.ts";
import { characterAt } from "../words/raw_text.ts";
import { spotOf } from "./read/spot.ts";

/** Texts of all files by name. */
export type Contents = ReadonlyMap<string, string>;

export function contentsOf(results: readonly FileResult[]): Contents {
  return new Map(results.map(({ name, text }) => [name, text]));
}

/** One line and the codes, as a summary. */
export function summaryText(result: FileResult): string {
  const lines = [headline(result)];
  const schema = result.schemaWarnings ?? [];
  if (schema.length > 0) lines.push(` ${schema.length} schema warnings: [${schema.join(" ")}]`);
  for (const [kind, all] of [["errors", result.errors], ["warnings", result.warnings]] as const) {
    if (all.length === 0) continue;
    const codes = all.map(({ code }) => `${code} (${shortText(code)})`).join(" ");
    lines.push(` ${all.length} ${kind}: [${codes}]`);
  }
  return lines.join("\n");
}

/** Everything, each with its place and the text under a caret. */
export function verboseText(result: FileResult, contents: Contents): string {
  let text = headline(result);
  const schema = result.schemaWarnings ?? [];
  if (schema.length > 0) {
    text += `\n${schema.length} Schema warnings:\n`;
    text += schema.map((warning) => `------\n${warning}\n`).join("") + "------\n";
  }
  if (result.errors.length > 0) {
    text += `\n${result.errors.length + result.errorsCut} Errors:\n`;
    text += result.errors.map((error) => diagnosticText(error, contents)).join("");
    if (result.errorsCut > 0) text += `and ${result.errorsCut} more errors\n`;
  }
  if (result.warnings.length > 0) {
    text += `\n${result.warnings.length + result.warningsCut} Warnings:\n`;
    text += result.warnings.map((warning) => diagnosticText(warning, contents)).join("");
    if (result.warningsCut > 0) text += `and ${result.warningsCut} more warnings\n`;
  }
  return text;
}

function headline({ name, successful, warnings }: FileResult): string {
  const state = !successful ? "Invalid" : warnings.length > 0 ? "Ok, with warnings" : "Ok";
  return `${name}: ${state}`;
}

function diagnosticText(diagnostic: Diagnostic, contents: Contents): string {
  const { code, message, place, hint } = diagnostic;
  const locations = place.locations.map(({ itemType, itemName, name, position }, index) =>
    `${index === 0 ? "In " : "    "}${itemType}${itemName === "" ? "" : ` '${itemName}'`}: ` +
    `(${name}:${position.line}:${position.column})\n`
  );
  const spot = spotOf(place, contents);
  return locations.join("") +
    `------\n${snippetOf(place, contents)}------\n` +
    `${code} (${shortText(code)}): ${message}\n` +
    // What Falco does not say: the place in the file itself, and what would be right.
    (spot === undefined ? "" : `  at ${spot.file}:${spot.line + 1}:${spot.column + 1}\n`) +
    (hint === undefined ? "" : `  ${hint}\n`);
}

function shortText(code: ErrorCode | WarningCode): string {
  return code in ERRORS ? ERRORS[code as ErrorCode] : WARNINGS[code as WarningCode][0];
}

/** A file's entry of `falco_load_results`; keys are in Falco's order, which is sorted. */
export function resultJson(result: FileResult, contents: Contents): Record<string, unknown> {
  const schema = result.schemaWarnings;
  return {
    errors: result.errors.map((error) => diagnosticJson(error, contents)),
    name: result.name,
    ...schema && { schema_valid: schema.length === 0, schema_warnings: schema },
    successful: result.successful,
    warnings: result.warnings.map((warning) => diagnosticJson(warning, contents)),
  };
}

function diagnosticJson(diagnostic: Diagnostic, contents: Contents): Record<string, unknown> {
  const { code, message, place, deprecatedField } = diagnostic;
  return {
    code,
    codedesc: diagnostic.severity === "error"
      ? ERRORS[code as ErrorCode]
      : WARNINGS[code as WarningCode][1],
    context: {
      locations: place.locations.map(({ itemType, itemName, name, position }) => ({
        item_name: itemName,
        item_type: itemType,
        position: {
          column: position.column,
          line: position.line,
          name,
          offset: position.offset,
        },
      })),
      snippet: snippetOf(place, contents),
    },
    ...deprecatedField !== undefined && { deprecated_field: deprecatedField },
    message,
  };
}

/** Characters of a snippet. */
const SNIPPET_WIDTH = 160;

/** The line around a place with a caret below. */
export function snippetOf(place: Place, contents: Contents): string {
  const last = place.locations.at(-1)!;
  const text = place.text ?? contents.get(place.locations[0]!.name);
  if (text === undefined) return `<No context for file + ${last.name}>\n`;
  if (text === "") return "<No context available>\n";
  let at = Math.min(
    place.text === undefined ? characterAt(text, last.position.offset) : place.textAt ?? 0,
    text.length,
  );
  // A value that is missing at the end of a file stands behind it.
  while (at > 0 && (at >= text.length || text[at] === "\n")) at--;
  const half = SNIPPET_WIDTH / 2;
  const lineStart = text.lastIndexOf("\n", Math.max(at - 1, 0)) + 1;
  const lineEnd = text.indexOf("\n", at);
  const from = Math.max(at === 0 ? 0 : lineStart, at - half);
  const to = Math.min(lineEnd < 0 ? text.length : lineEnd, at + half + 1);
  let line = text.slice(from, to);
  if (line === "") return "<No context available>\n";
  if (at - from >= half) line = `...${line.slice(3)}`;
  if (to - at > half) line = `${line.slice(0, -3)}...`;
  return `${line}\n${" ".repeat(at - from)}^\n`;
}
