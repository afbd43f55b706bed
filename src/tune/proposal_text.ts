// Proposals as the YAML file that a person reads: each below its evidence; those that need care,
// and what is not proposed, as comments.
import { evidenceText } from "./evidence.ts";
import { comment } from "./exception_text.ts";
import type { Lacking, Proposal, Tuning } from "./proposal.ts";

/** One proposal with its evidence. */
export function proposalText(proposal: Omit<Proposal, "text">): string {
  const { rule, silenced, evidence, warnings, open, told, forFalco, level, yaml } = proposal;
  const lines = [
    comment(`Silences ${silenced} of "${rule}": ${evidenceText(evidence)}.`),
    ...evidence.examples.map((example) => comment(`e.g. ${example}`, "     ")),
    ...open.length === 0 ? [] : [comment(`Leaves open: ${open.join("; ")}.`, "  ")],
    ...told.length === 0 ? [] : [comment(`Still told: ${told.join("; ")}.`, "  ")],
    ...warnings.map((warning) => comment(`Mind: ${warning}.`, "  ")),
    ...forFalco ? [] : [comment("saker's own fields: Falco does not load it.")],
  ];
  if (level === "safe") return `${lines.join("")}${yaml}`;
  const inactive = yaml.trimEnd().split("\n").map((line) => `#| ${line}\n`).join("");
  return `${lines.join("")}${
    comment("Not in force: take away the #| where the above is no danger to you.")
  }${inactive}`;
}

const HEAD = [
  "Exceptions that saker tune proposes. Read them before you take them: what an exception excuses,",
  "nobody is told of, whoever does it. Load this file behind the rules that it is about (-r RULES",
  "-r THIS_FILE).",
].join(" ");

/** The whole file; `proof`: what was tried besides, line by line. */
export function tuningText(tuning: Tuning, proof: readonly string[]): string {
  const { proposals, refusals, lacking, advice } = tuning;
  const sections = [comment(HEAD) + proof.map((line) => comment(line, "  ")).join("")];
  const safe = proposals.filter(({ level }) => level === "safe");
  const care = proposals.filter(({ level }) => level === "care");
  sections.push(...safe.map(({ text }, at) => `# ---- ${at + 1}\n${text}`));
  if (care.length > 0) {
    sections.push(
      comment("==== Only with care: each rests on something that somebody may choose"),
      ...care.map(({ text }, at) => `# ---- ${safe.length + at + 1}\n${text}`),
    );
  }
  if (refusals.length > 0) {
    const shown = refusals.slice(0, REFUSALS_MAX);
    const told = new Set<string>();
    sections.push(
      comment("==== Not proposed") +
        shown.map(({ rule, subject, alerts, why, tempting }) =>
          comment(`${alerts} of "${rule}" by ${subject}: ${why.join("; ")}.`, "  ") +
          temptingText(tempting, told)
        ).join("") +
        (refusals.length > shown.length
          ? comment(`… and ${refusals.length - shown.length} more`)
          : ""),
    );
  }
  if (lacking.length > 0) sections.push(lackingText(lacking));
  if (advice.length > 0) {
    sections.push(
      comment("==== Not a matter of exceptions") +
        advice.map((words) => comment(words, "  ")).join(""),
    );
  }
  return sections.join("\n");
}

const REFUSALS_MAX = 40;

/** Why a field is picked by whoever acts is told once; `told` has the reasons so far. */
function temptingText(tempting: readonly string[], told: Set<string>): string {
  if (tempting.length === 0) return "";
  const texts = tempting.map((text) => {
    const at = text.indexOf(": it ");
    const reason = `${text.slice(0, text.indexOf(" "))} ${text.slice(at)}`;
    if (told.has(reason)) return text.slice(0, at);
    told.add(reason);
    return `${text.slice(0, at)} (it ${text.slice(at + ": it ".length)})`;
  });
  return comment(`Tempting, and wrong: ${texts.join("; ")}.`, "    ");
}

/** What to add to the output so that the next alerts tell enough: all at once, for all rules. */
function lackingText(lacking: readonly Lacking[]): string {
  const count = lacking.reduce((sum, { alerts }) => sum + alerts, 0);
  const head = comment(
    `==== ${count} alerts tell too little. With these fields in the output (append_output of ` +
      "falco.yaml) an exception may be found for those that come then",
  );
  const entries = [...Map.groupBy(lacking, ({ source }) => source)].flatMap(([source, ofIt]) => [
    `#   - match: {source: ${source}}`,
    `#     extra_fields: [${
      [...new Set(ofIt.flatMap(({ fields }) => fields))].sort().map((field) =>
        JSON.stringify(field)
      ).join(", ")
    }]`,
  ]);
  return `${head}# append_output:\n${entries.join("\n")}\n`;
}
