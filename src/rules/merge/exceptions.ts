// Exceptions as text: `(condition) and not (…)`. Values stand as written, so that a list's name
// among them is replaced later like any other.
import type { Place } from "../diagnostic.ts";
import type { Entry, ExceptionItem } from "../read/item.ts";
import { quoted } from "./lists.ts";
import { isListOperator } from "../parse/grammar.ts";

export interface WithExceptions {
  readonly condition: string;
  /** Fields of exceptions that have values. */
  readonly fields: readonly string[];
  readonly errors: readonly { readonly message: string; readonly place: Place }[];
}

/** The condition with the exceptions' text behind it. */
export function addExceptions(
  condition: string,
  exceptions: readonly ExceptionItem[],
): WithExceptions {
  const fields = new Set<string>();
  const errors: { message: string; place: Place }[] = [];
  if (exceptions.length === 0) return { condition, fields: [], errors };
  let text = `(${condition})`;
  for (const exception of exceptions) {
    if (exception.fields === undefined || !isJoined(exception)) continue;
    const refusal = typeof exception.fields === "string"
      ? checkSingle(exception)
      : checkTuples(exception);
    if (refusal !== undefined) {
      errors.push({ message: refusal, place: exception.place });
      continue;
    }
    if (exception.values.length === 0) continue;
    const used = exception.fields;
    for (const field of typeof used === "string" ? [used] : used) fields.add(field as string);
    text += ` and not ${typeof used === "string" ? single(exception) : tuples(exception)}`;
  }
  return { condition: text, fields: [...fields].sort(), errors };
}

/** Whether its operators are of the same form as its fields; that they are not was told before. */
function isJoined({ fields, comps }: ExceptionItem): boolean {
  if (typeof fields === "string" || comps === undefined) return true;
  return typeof comps !== "string" && comps.length === fields?.length &&
    comps.every((comp) => typeof comp === "string");
}

function checkSingle({ values }: ExceptionItem): string | undefined {
  return values.some((value) => typeof value !== "string")
    ? "Expected values array to contain a list of strings"
    : undefined;
}

function checkTuples({ values, fields }: ExceptionItem): string | undefined {
  return values.some((value) => typeof value === "string" || value.length !== fields?.length)
    ? "Fields and values lists must have equal length"
    : undefined;
}

function single({ fields, comps, values }: ExceptionItem): string {
  const comp = typeof comps === "string" ? comps.trim() : "in";
  return `(${fields} ${comp} (${values.map((value) => quoted(value as string)).join(", ")}))`;
}

function tuples({ fields, comps, values }: ExceptionItem): string {
  const names = fields as readonly string[];
  const operators = comps === undefined
    ? names.map(() => "=")
    : (comps as readonly string[]).map((comp) => comp.trim());
  const tuple = (value: Entry): string =>
    names.map((name, index) =>
      ` ${name} ${operators[index]} ${right(value[index]!, operators[index]!)}`
    )
      .join(" and ");
  return `(${values.map((value) => `(${tuple(value)})`).join(" or ")})`;
}

function right(value: Entry, operator: string): string {
  if (typeof value !== "string") {
    return `(${value.map((inner) => quoted(typeof inner === "string" ? inner : "")).join(", ")})`;
  }
  if (isListOperator(operator)) return value.startsWith("(") ? value : `(${value})`;
  return quoted(value);
}
