// Series as Prometheus reads them (text format 0.0.4): families come in, text goes out. HELP and
// TYPE stand once before all samples of their family, as the format asks; Falco repeats them before
// each sample, which strict readers refuse.

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | bigint;
  /** `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
}

export interface Family {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A family of one number. */
export function single(
  name: string,
  kind: Family["kind"],
  value: number | bigint,
  help: string,
): Family {
  return { name, kind, help, samples: [{ labels: {}, value }] };
}

/** Families without a sample are left out. */
export function exposition(families: readonly Family[]): string {
  return families.filter(({ samples }) => samples.length > 0).map(familyText).join("");
}

function familyText({ name, kind, help, samples }: Family): string {
  const lines = [`# HELP ${name} ${escapedHelp(help)}`, `# TYPE ${name} ${kind}`];
  for (const { labels, value, suffix = "" } of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapedLabel(text)}"`);
    lines.push(`${name}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The name of a label for a text such as a tag. */
export function labelName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, "_").replace(/_+/g, "_");
  return /^[a-zA-Z_]/.test(name) ? name : `_${name}`;
}

function escapedHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapedLabel(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
