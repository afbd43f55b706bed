// What is wrong with rules, as values: code, text, where. Stages make them and go on; `report`
// draws them. Codes and texts are Falco's, since scripts look for them.
import { byteLength } from "../words/raw_text.ts";

export const ERRORS = {
  LOAD_ERR_FILE_READ: "File read error",
  LOAD_ERR_YAML_PARSE: "YAML parse error",
  LOAD_ERR_YAML_VALIDATE: "Error validating internal structure of YAML file",
  LOAD_ERR_COMPILE_CONDITION: "Error compiling condition",
  LOAD_ERR_COMPILE_OUTPUT: "Error compiling output",
  LOAD_ERR_VALIDATE: "Error validating rule/macro/list/exception objects",
  LOAD_ERR_EXTENSION: "Error in extension item",
} as const;

/** Short text, and the long one that JSON shows. */
export const WARNINGS = {
  LOAD_UNKNOWN_SOURCE: [
    "Unknown event source",
    "A rule has a unknown event source. This can occur when reading rules content without having " +
    "a corresponding plugin loaded, etc. The rule will be silently ignored.",
  ],
  LOAD_UNSAFE_NA_CHECK: [
    "Unsafe <NA> comparison in condition",
    "Comparing a field value with <NA> is unsafe and can lead to unpredictable behavior of the " +
    "rule condition. If you need to check for the existence of a field, consider using the " +
    "'exists' operator instead.",
  ],
  LOAD_NO_EVTTYPE: [
    "Condition has no event-type restriction",
    "A rule condition matches too many evt.type values. This has a significant performance " +
    "penalty. Make the condition more specific by adding an evt.type field or further " +
    "restricting the number of evt.type values in the condition.",
  ],
  LOAD_UNKNOWN_FILTER: [
    "Unknown field or event-type in condition or output",
    "A rule condition or output refers to a field or evt.type that does not exist. This is " +
    "normally an error, but if a rule has a skip-if-unknown-filter property, the error is " +
    "downgraded to a warning.",
  ],
  LOAD_UNUSED_MACRO: [
    "Unused macro",
    "A macro is defined in the rules content but is not used by any other macro or rule.",
  ],
  LOAD_UNUSED_LIST: [
    "Unused list",
    "A list is defined in the rules content but is not used by any other list, macro, or rule.",
  ],
  LOAD_UNKNOWN_ITEM: [
    "Unknown rules file item",
    "An unknown top-level object is in the rules content. It will be ignored.",
  ],
  LOAD_DEPRECATED_ITEM: [
    "Used deprecated item",
    "A deprecated item is employed by lists, macros, or rules.",
  ],
  LOAD_WARNING_EXTENSION: ["Warning in extension item", "An extension item has a warning"],
  LOAD_APPEND_NO_VALUES: [
    "Overriding/appending with no values",
    "A rule exception is overriding/appending with no values",
  ],
  LOAD_EXCEPTION_NAME_NOT_UNIQUE: [
    "Multiple exceptions defined with the same name",
    "A rule is defining multiple exceptions with the same name",
  ],
  LOAD_INVALID_MACRO_NAME: ["Invalid macro name", "A macro is defined with an invalid name"],
  LOAD_INVALID_LIST_NAME: ["Invalid list name", "A list is defined with an invalid name"],
  LOAD_COMPILE_CONDITION: [
    "Warning in rule condition",
    "A rule condition or output have been parsed with a warning",
  ],
  LOAD_UNKNOWN_KEY: [
    "Unknown key in item definition",
    "An item in the rules content contains an unrecognized key. The key will be ignored. This " +
    "may indicate a typo or a property placed on the wrong item type.",
  ],
  // Saker's own: text of the file that is lost, as it is in Falco, which does not tell; and what
  // its probe lacks.
  LOAD_DUPLICATE_KEY: [
    "Key stands twice",
    "A key stands twice in one mapping. The first one holds, the others are ignored.",
  ],
  LOAD_UNREAD_DOCUMENTS: [
    "Documents that are not read",
    "An empty YAML document ends the reading of a rules file. What follows it is ignored.",
  ],
  LOAD_UNFILLED_CALL: [
    "System call that comes without parameters",
    "The probe tells of a system call of the rule without its parameters, which the condition " +
    "needs. The rule cannot match such calls live.",
  ],
  LOAD_UNFILLED_OUTPUT: [
    "System call whose output is not whole",
    "The probe tells of a system call of the rule without the parameters that its output shows. " +
    "The rule matches, its alerts on such calls tell less.",
  ],
  LOAD_UNCLOSED_QUOTE: [
    "Quote that is not closed",
    "A text in quotes is open at the end of the file. It is closed there.",
  ],
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type WarningCode = keyof typeof WARNINGS;

export type ItemType =
  | "value for"
  | "exceptions"
  | "exception"
  | "exception values"
  | "exception value"
  | "rules content"
  | "rules content item"
  | "required_engine_version"
  | "required plugin versions"
  | "required plugin versions entry"
  | "required plugin versions alternative"
  | "list"
  | "list item"
  | "macro"
  | "macro condition"
  | "rule"
  | "rule condition"
  | "condition expression"
  | "rule output"
  | "rule output expression"
  | "rule priority"
  | "overrides"
  | "extension item";

/** Lines and columns count from 0 and in bytes, as YAML marks do. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface Location {
  readonly itemType: ItemType;
  readonly itemName: string;
  /** The file; for condition expressions the quoted start of the condition. */
  readonly name: string;
  readonly position: Position;
}

/** Where something stands: from the file down to the item's part. */
export interface Place {
  readonly locations: readonly Location[];
  /** The text that a condition's position counts in; absent: the file's. */
  readonly text?: string;
  /** Offset in `text` that the caret points to. */
  readonly textAt?: number;
  /** Where the text comes from. */
  readonly pieces?: readonly Piece[];
}

/** A scalar of a file that gave a part of a condition's text. */
export interface Piece {
  readonly file: string;
  readonly at: number;
  readonly end: number;
}

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: ErrorCode | WarningCode;
  readonly message: string;
  readonly place: Place;
  /** What was expected, or the nearest known name. */
  readonly hint?: string;
  /** Warnings about deprecated fields name the field. */
  readonly deprecatedField?: string;
}

/** Diagnostics that are kept for a file; the rest is counted. */
export const ERRORS_MAX = 100;
export const WARNINGS_MAX = 1_000;

/** Collects the diagnostics of one file. */
export class Diagnostics {
  readonly errors: Diagnostic[] = [];
  readonly warnings: Diagnostic[] = [];
  /** Errors and warnings beyond their bounds. */
  errorsCut = 0;
  warningsCut = 0;

  error(code: ErrorCode, message: string, place: Place, hint?: string): void {
    if (this.errors.length >= ERRORS_MAX) {
      this.errorsCut++;
      return;
    }
    this.errors.push({ severity: "error", code, message, place, ...(hint && { hint }) });
  }

  warning(code: WarningCode, message: string, place: Place, more: { hint?: string } = {}): void {
    this.#warn({ severity: "warning", code, message, place, ...more });
  }

  deprecatedField(field: string, message: string, place: Place): void {
    this.#warn({
      severity: "warning",
      code: "LOAD_DEPRECATED_ITEM",
      message,
      place,
      deprecatedField: field,
    });
  }

  #warn(warning: Diagnostic): void {
    if (this.warnings.length < WARNINGS_MAX) this.warnings.push(warning);
    else this.warningsCut++;
  }
}

const START: Position = { line: 0, column: 0, offset: 0 };

/** The place of a whole file. */
export function filePlace(file: string): Place {
  return {
    locations: [{ itemType: "rules content", itemName: "", name: file, position: START }],
  };
}

/** A part of `parent`. */
export function within(
  parent: Place,
  itemType: ItemType,
  itemName: string,
  position: Position,
): Place {
  const name = parent.locations[0]!.name;
  return { locations: [...parent.locations, { itemType, itemName, name, position }] };
}

/**
 * A check in a condition's text. As Falco does, its line and column (from 1) are added to those
 * of the condition's place; the caret is drawn in the text itself, at `spot`.
 */
export function inCondition(
  parent: Place,
  text: string,
  at: number,
  pieces?: readonly Piece[],
  spot = at,
): Place {
  const before = text.slice(0, at);
  const lines = before.split(/[\r\n]/);
  const base = parent.locations.at(-1)!.position;
  const shown = text.length > 20 ? `${text.slice(0, 17)}...` : text;
  return {
    locations: [...parent.locations, {
      itemType: "condition expression",
      itemName: "",
      name: `"${shown.replace(/[\r\n]/g, " ")}"`,
      position: {
        line: lines.length + base.line,
        column: byteLength(lines.at(-1)!) + 1 + base.column,
        offset: byteLength(before) + base.offset,
      },
    }],
    text,
    textAt: spot,
    ...pieces && { pieces },
  };
}

/** As `inCondition`, for what concerns the condition as a whole. */
export function wholeCondition(parent: Place, text: string): Place {
  const place = inCondition(parent, text, 0);
  const { position } = parent.locations.at(-1)!;
  const last = { ...place.locations.at(-1)!, position };
  return { ...place, locations: [...parent.locations, last] };
}
