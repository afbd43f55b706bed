// The configuration that holds without a file, as the text of one: every key with what it is for,
// its choices or bounds, and its value. Read back, it gives what holds without a file.
import { DESCRIBED } from "./described.ts";
import { configJsonSchema, schema } from "./schema.ts";

type Described = string | { readonly [key: string]: Described };

interface Meta {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Meta>>;
}

/** Keys that have no value without a file: shown as comments. */
const EXAMPLES: Readonly<Record<string, string>> = {
  rules_files: "[/etc/falco/falco_rules.yaml, /etc/falco/rules.d]",
  rules_file: "/etc/falco/falco_rules.yaml",
  load_plugins: "[]",
};

const HEAD =
  `# What holds where no file says otherwise (saker config). The keys are Falco's, and some of
# saker's own; values may hold \${VARIABLE}, and $\${VARIABLE} stands for that text itself.
# What saker does with the keys of a file: saker config --explain FILE
`;
const WIDTH = 98;

export function defaultText(): string {
  const meta = configJsonSchema() as Meta;
  const lines = group(DESCRIBED as Described, schema.initial(), meta, "");
  return `${HEAD}${lines.join("\n")}\n`;
}

function group(words: Described, values: unknown, meta: Meta, indent: string): string[] {
  return Object.entries(words).filter(([key]) => key !== "").flatMap(([key, inner]) => {
    const value = (values as Record<string, unknown>)[key];
    const about = meta.properties?.[key] ?? {};
    const gap = indent === "" ? [""] : [];
    if (typeof inner === "string") {
      const shown = value === undefined
        ? `${indent}# ${key}: ${EXAMPLES[key]}`
        : `${indent}${key}: ${valueText(value)}`;
      return [...gap, ...comment(inner + boundsOf(about, value), indent), shown];
    }
    const text = inner[""];
    return [
      ...gap,
      ...(typeof text === "string" ? comment(text, indent) : []),
      `${indent}${key}:`,
      ...group(inner, value, about, `${indent}  `),
    ];
  });
}

/** ` (one of a, b)`, ` (1 to 10)`, ` (0 or more)`. */
function boundsOf({ enum: choices, minimum, maximum }: Meta, value: unknown): string {
  if (choices !== undefined) return ` (one of ${choices.join(", ")})`;
  if (typeof value !== "number" || minimum === undefined) return "";
  const isOpen = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER;
  return isOpen ? ` (${minimum} or more)` : ` (${minimum} to ${maximum})`;
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** As YAML: texts that could be taken for something else in quotes. */
function valueText(value: unknown): string {
  if (typeof value === "string") {
    return /^[/\w.][\w./-]*$/.test(value) ? value : JSON.stringify(value);
  }
  return JSON.stringify(value);
}
