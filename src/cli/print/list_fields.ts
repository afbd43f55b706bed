// `--list`: the fields that conditions and outputs can name, as text, Markdown or JSON.
import type { Field, FieldFlag } from "../../fields/row/field.ts";
import { below } from "./laid_out.ts";

export type PrintFormat = "text" | "markdown" | "json";

export interface ListFieldsOptions {
  readonly format: PrintFormat;
  /** `-N`: only the names. */
  readonly namesOnly: boolean;
  /** `-v`: with the types in text. */
  readonly verbose: boolean;
  /** Of the terminal; absent: of two columns, however wide. */
  readonly columns?: number | undefined;
}

/** Fields of one event source. */
export interface SourceFields {
  readonly source: string;
  readonly fields: readonly Field[];
}

/** Writes the fields of the given sources, grouped by class. */
export function listFields(
  sources: readonly SourceFields[],
  options: ListFieldsOptions,
  write: (text: string) => void,
): void {
  const classes = classesOf(sources);
  if (options.namesOnly) {
    const names = classes.flatMap(({ fields }) => shown(fields).map(({ name }) => name));
    write(
      options.format === "json"
        ? `${JSON.stringify({ fieldnames: names }, undefined, 2)}\n`
        : names.map((name) => `${name}\n`).join(""),
    );
    return;
  }
  switch (options.format) {
    case "json":
      write(`${JSON.stringify({ fieldclasses: classes.map(classJson) }, undefined, 2)}\n`);
      return;
    case "markdown":
      return classes.forEach((group) => write(`${classMarkdown(group)}\n`));
    case "text":
      return classes.forEach((group) => write(`${classText(group, options)}\n`));
  }
}

interface FieldClass {
  readonly name: string;
  readonly sources: string[];
  readonly fields: Field[];
}

function classesOf(sources: readonly SourceFields[]): FieldClass[] {
  const classes = new Map<string, FieldClass>();
  for (const { source, fields } of sources) {
    for (const field of fields) {
      const known = classes.get(field.fieldClass) ??
        { name: field.fieldClass, sources: [], fields: [] };
      classes.set(field.fieldClass, known);
      if (!known.sources.includes(source)) known.sources.push(source);
      if (!known.fields.some(({ name }) => name === field.name)) known.fields.push(field);
    }
  }
  return [...classes.values()].filter(({ fields }) => shown(fields).length > 0);
}

function shown(fields: readonly Field[]): Field[] {
  return fields.filter(({ flags }) => !flags.has("hidden") && !flags.has("deprecated"));
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  evt: "What the event is: its time, type, parameters and result.",
  process: "The process and thread that made the event, and its ancestors.",
  user: "The user that the thread acts as.",
  group: "The group that the thread acts as.",
  fd: "The file, socket or other thing behind the event's descriptor.",
  "fs.path": "Paths that a system call acts on, wherever it takes them from.",
  fdlist: "The descriptors that poll and its like wait for.",
  container: "The container that the process runs in.",
  k8s: "The pod that the container belongs to.",
  k8smeta: "The pod, and what it belongs to, as the cluster's API server tells it.",
  ka: "What Kubernetes' audit log tells of a request to its API.",
  json: "Values of the event's JSON.",
  jevt: "The same as json.*; kept for old rules.",
  static: "Constants of the configuration.",
  hash: "Sums of the program's file.",
};

const COLUMN = 30;
const WIDTH = 120;

function classText(
  { name, sources, fields }: FieldClass,
  { verbose, columns = Infinity }: ListFieldsOptions,
): string {
  const description = DESCRIPTIONS[name];
  if (columns < WIDTH) {
    const about = `${description ?? ""} Event sources: ${sources.join(" ")}`;
    return below(`--- ${name}`, about, columns) +
      shown(fields).map((field) => below(field.name, wordsOf(field, verbose), columns)).join("");
  }
  let text = "-------------------------------\n";
  text += `${"Field Class:".padEnd(COLUMN)}${name}\n`;
  if (description) text += `${"Description:".padEnd(COLUMN)}${wrapped(description)}\n`;
  text += `${"Event Sources:".padEnd(COLUMN)}${sources.map((source) => `${source} `).join("")}\n\n`;
  for (const field of shown(fields)) {
    const left = field.name.length > COLUMN
      ? `${field.name}\n${" ".repeat(COLUMN)}`
      : field.name.padEnd(COLUMN);
    text += `${left}${wrapped(wordsOf(field, verbose))}\n`;
  }
  return text;
}

function wordsOf(field: Field, verbose: boolean): string {
  const tags = tagsOf(field);
  return (verbose ? `(Type: ${field.type}) ` : "") +
    (tags.length > 0 ? `(${tags.join(",")}) ` : "") + field.description;
}

function wrapped(text: string): string {
  let result = "";
  let length = 0;
  for (const word of text.split(/\s+/)) {
    if (length + word.length + 1 > WIDTH - COLUMN) {
      result += `\n${" ".repeat(COLUMN)}`;
      length = 0;
    }
    length += word.length + 1;
    result += `${word} `;
  }
  return result;
}

const FLAG_TAGS: readonly (readonly [FieldFlag, string])[] = [
  ["deprecated", "EPF_DEPRECATED"],
  ["no_rhs", "EPF_NO_RHS"],
  ["no_transformer", "EPF_NO_TRANSFORMER"],
  ["hidden", "EPF_TABLE_ONLY"],
  ["filter_only", "FILTER_ONLY"],
];

function tagsOf({ argument, flags, isList }: Field): string[] {
  const tags = FLAG_TAGS.filter(([flag]) => flags.has(flag)).map(([, tag]) => tag);
  if (isList) tags.push("EPF_IS_LIST");
  if (argument !== null) {
    tags.push(argument.required ? "ARG_REQUIRED" : "ARG_ALLOWED");
    tags.push(...argument.kinds.map((kind) => `ARG_${kind}`));
  }
  return tags.sort();
}

function classMarkdown({ name, sources, fields }: FieldClass): string {
  const description = DESCRIPTIONS[name];
  return `## Field Class: ${name}\n\n` + (description ? `${description}\n\n` : "") +
    `Event Sources: ${sources.map((source) => `${source} `).join("")}\n\n` +
    "Name | Type | Description\n:----|:-----|:-----------\n" +
    shown(fields).map((field) => {
      const type = field.isList ? `LIST(${field.type})` : field.type;
      return `\`${field.name}\` | ${type} | ${field.description}\n`;
    }).join("");
}

function classJson({ name, sources, fields }: FieldClass): Record<string, unknown> {
  const description = DESCRIPTIONS[name];
  return {
    ...description && { desc: description },
    event_sources: [...sources].sort(),
    fields: shown(fields).map((field) => ({
      argument: field.argument === null
        ? null
        : { required: field.argument.required, type: field.argument.kinds },
      desc: field.description,
      is_list: field.isList,
      name: field.name,
      type: field.type,
    })),
    name,
  };
}
