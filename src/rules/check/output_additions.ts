// What the configuration appends to a rule's output (`append_output`), and its extra fields.
import type { Field } from "../../fields/row/field.ts";
import type { OutputFormat } from "./output.ts";
import type { RuleInfo } from "../merge/merge.ts";

export interface OutputAddition {
  readonly match: {
    readonly source: string;
    readonly tags: readonly string[];
    readonly rule: string;
  };
  readonly extraOutput: string;
  readonly extraFields: readonly (string | Readonly<Record<string, string>>)[];
  readonly suggestedOutput: boolean;
}

/** A field that JSON alerts have besides those of the message. */
export interface ExtraField {
  readonly name: string;
  /** The value itself, not text. */
  readonly raw: boolean;
  readonly format: OutputFormat;
}

export interface CompletedOutput {
  readonly output: string;
  readonly usedContainerInfo: boolean;
  /** By name; the last of a name counts. */
  readonly extraFields: readonly { name: string; raw: boolean; text: string }[];
}

/** The output of a rule with all that is appended to it. */
export function completeOutput(
  { name, source, parts }: RuleInfo,
  additions: readonly OutputAddition[],
  fields: readonly Field[],
): CompletedOutput {
  const extra = new Map<string, { name: string; raw: boolean; text: string }>();
  const pieces = [parts.output];
  for (const addition of additions) {
    const { match } = addition;
    if (match.source !== "" && match.source !== source) continue;
    if (match.rule !== "" && match.rule !== name) continue;
    if (!match.tags.every((tag) => parts.tags.includes(tag))) continue;
    if (addition.extraOutput !== "") pieces.push(addition.extraOutput);
    if (addition.suggestedOutput) pieces.push(...suggestions(fields));
    for (const entry of addition.extraFields) {
      if (typeof entry === "string") {
        extra.set(entry, { name: entry, raw: true, text: `%${entry}` });
        continue;
      }
      for (const [key, text] of Object.entries(entry)) {
        if (text !== "") extra.set(key, { name: key, raw: false, text });
      }
    }
  }
  const output = pieces.join(" ");
  return {
    output: output.replaceAll(CONTAINER_INFO, ""),
    usedContainerInfo: output.includes(CONTAINER_INFO),
    extraFields: [...extra.values()].sort((one, other) => one.name < other.name ? -1 : 1),
  };
}

const CONTAINER_INFO = "%container.info";

function suggestions(fields: readonly Field[]): string[] {
  return fields.filter((field) => field.flags.has("suggested"))
    .map(({ name }) => `${name.replaceAll(".", "_")}=%${name}`);
}
