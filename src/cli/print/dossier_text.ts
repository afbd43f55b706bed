// An alert with all that saker kept of it, as a person reads it: who acted and who started whom,
// why the rule fired, the rule, the fields. The answer of GET /alerts/ID comes in, lines go out.
import type {
  AlertAnswer,
  DossierJson,
  ProcessJson,
  WhyPartJson,
} from "../../server/told/answers.ts";
import { clock } from "./alert_text.ts";

/** Deeper is not indented further: a terminal has few columns. */
const DEPTH_MAX = 8;

/** Each line one that has no end: who prints them breaks them. */
export function dossierLines({ dossier, no_dossier: lack }: AlertAnswer): string[] {
  if (dossier === null) return [`No more is known of it: ${lack ?? "nothing was kept"}`];
  const { processes, why, capture, fields } = dossier;
  const left = why.left_off > 0 ? [`  (${why.left_off} more parts were not kept)`] : [];
  return [
    ...(processes === null ? [] : ["Who started whom, by birth:", ...processLines(processes), ""]),
    `Why it fired${why.view === null ? "" : `, as seen under the ${why.view} view`}:`,
    ...(why.tree === null ? ["  not kept"] : whyLines(why.tree, 1)),
    ...left,
    "",
    ...ruleLines(dossier),
    "",
    "Fields:",
    ...Object.entries(fields).filter(([, value]) => value !== null && value !== "")
      .map(([name, value]) => `  ${name} = ${String(value)}`),
    ...(capture === null ? [] : ["", `The events around it are in ${capture}`]),
  ];
}

/** The eldest first. */
function processLines(processes: readonly ProcessJson[]): string[] {
  const eldest = processes.toReversed();
  return eldest.flatMap((process, at) => {
    const { pid, name, exepath, cmdline, started, past, unknown_between: between } = process;
    const indent = "  ".repeat(Math.min(at + 1, DEPTH_MAX));
    const since = started === null ? "" : ` since ${clock(Date.parse(started))}`;
    const about = [
      `${name} (${pid})${since}`,
      ...(cmdline === null || cmdline === "" ? [exepath] : [cmdline]),
      ...(past ? ["(it has ended, or ran another program, by then)"] : []),
    ].filter((part) => part !== "");
    // What is told of a process is what lies between it and the one that it made.
    const gap = at === eldest.length - 1 || between === 0
      ? []
      : [`${indent}  … ${between === null ? "some" : between} between that are not known`];
    return [`${indent}${about.join("  ")}`, ...gap];
  });
}

function whyLines(part: WhyPartJson, depth: number): string[] {
  const { kind, holds, macro, text = "", values = [], children = [] } = part;
  const mark = holds === null ? "?" : holds ? "✓" : "✗";
  const name = macro === undefined ? "" : `${macro}: `;
  const indent = "  ".repeat(Math.min(depth, DEPTH_MAX));
  if (kind === "check") {
    const seen = values.map(({ of, is }) => `${of} is ${is}`).join("; ");
    return [`${indent}${mark} ${name}${text}${seen === "" ? "" : `   [${seen}]`}`];
  }
  const words = { and: "all of", or: "any of", not: "not" }[kind];
  return [
    `${indent}${mark} ${name}${words}`,
    ...children.flatMap((child) => whyLines(child, depth + 1)),
  ];
}

function ruleLines({ rule }: DossierJson): string[] {
  const { file, line, also_at: also, description, condition, tags } = rule;
  return [
    `The rule, ${[`${file}:${line}`, ...also].join(", ")}:`,
    `  ${description}`,
    `  condition: ${condition}`,
    ...(tags.length === 0 ? [] : [`  tags: ${tags.join(", ")}`]),
  ];
}
