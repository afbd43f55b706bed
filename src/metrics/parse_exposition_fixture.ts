// For tests: the text format of Prometheus (0.0.4) read strictly. Text comes in, families go out;
// what the format does not allow is an error with its line. Beyond what each line must be: HELP
// and TYPE once and before the samples, those of a family together, none twice, histograms whole.

export interface ParsedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly kind: string;
  readonly samples: ParsedSample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/i;

export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let helped: string | undefined;
  let current: ParsedFamily | undefined;
  for (const [at, line] of text.slice(0, -1).split("\n").entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${at + 1}: ${why}: ${line}`);
    };
    const help = HELP.exec(line);
    if (help !== null) {
      if (families.has(help[1]!) || helped === help[1]) fail("HELP a second time");
      helped = help[1];
      continue;
    }
    const type = TYPE.exec(line);
    if (type !== null) {
      if (type[1] !== helped) fail("TYPE without its HELP");
      if (families.has(type[1]!)) fail("TYPE a second time");
      current = { name: type[1]!, kind: type[2]!, samples: [] };
      families.set(current.name, current);
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) return fail("neither a comment nor a sample");
    const [, name, labelText = "", valueText] = sample;
    if (current === undefined || !belongs(name!, current)) return fail("not of this family");
    if (!VALUE.test(valueText!)) fail("no number");
    const labels = labelsOf(labelText, fail);
    const key = `${name}{${[...labels].sort().join()}}`;
    if (seen.has(key)) fail("a second time");
    seen.add(key);
    const value = Number(valueText!.replace(/inf$/i, "Infinity"));
    if (current.kind === "counter" && !(value >= 0)) fail("a counter below 0");
    current.samples.push({ name: name!, labels, value });
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

/** Value of the sample whose labels hold all of the given ones. */
export function value(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return families.get(name)?.samples.find((sample) =>
    Object.entries(labels).every(([label, wanted]) => sample.labels.get(label) === wanted)
  )?.value;
}

function belongs(name: string, { name: family, kind }: ParsedFamily): boolean {
  if (kind !== "histogram") return name === family;
  return [`${family}_bucket`, `${family}_sum`, `${family}_count`].includes(name);
}

function labelsOf(text: string, fail: (why: string) => never): Map<string, string> {
  const labels = new Map<string, string>();
  for (let rest = text; rest !== "";) {
    const label = LABEL.exec(rest);
    if (label === null) return fail("no label");
    if (labels.has(label[1]!)) fail("a label twice");
    const unescaped = label[2]!.replace(/\\(.)/g, (_, char) => char === "n" ? "\n" : char);
    labels.set(label[1]!, unescaped);
    rest = rest.slice(label[0].length);
    if (label[3] === "," && rest === "") fail("a comma at the end");
  }
  return labels;
}

function checkFamily({ name, kind, samples }: ParsedFamily): void {
  if (samples.length === 0) throw new Error(`${name} has no sample`);
  if (kind !== "histogram") return;
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  let [bound, count] = [-Infinity, 0];
  for (const { labels, value } of buckets) {
    const le = Number(labels.get("le")!.replace("+Inf", "Infinity"));
    if (!(le > bound) || value < count) throw new Error(`${name}: buckets that do not rise`);
    [bound, count] = [le, value];
  }
  const total = samples.find((sample) => sample.name === `${name}_count`)?.value;
  if (bound !== Infinity || total !== count) throw new Error(`${name}: not all are counted`);
}
