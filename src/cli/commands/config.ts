// `saker config`: the documented configuration that holds without a file. With `--explain FILE`,
// what saker does with each key of that file, with the reason where it is not simply done.
import { defaultText } from "../../config/default_text.ts";
import { problemLine } from "../../config/problem.ts";
import { type PlacedFate, readConfig } from "../../config/read_config.ts";
import { shownText, shownValue } from "../../config/secrets.ts";
import type { Flags } from "../flags.ts";
import { laidOut } from "../print/laid_out.ts";
import type { Terminal } from "../terminal.ts";

export interface ConfigCommandFlags {
  readonly explain?: string;
}

export function printConfig(
  { explain }: ConfigCommandFlags,
  flags: Flags,
  terminal: Terminal,
): number {
  if (explain === undefined) {
    terminal.out(defaultText());
    return 0;
  }
  const { config, fates, problems } = readConfig({
    file: explain,
    options: flags.option,
    environment: terminal.environment,
  });
  const wrong = problems.filter(({ severity }) => severity !== "notice");
  if (config.json_output) {
    terminal.out(`${JSON.stringify({ keys: fates.map(jsonOf), problems: wrong })}\n`);
    return 0;
  }
  const print = laidOut(terminal, { hang: FATE, tones: TONES });
  for (const fate of fates) print(`${lineOf(fate)}\n`);
  for (const problem of wrong) print(`${problemLine(problem)}\n`);
  print(`${countsOf(fates, wrong.length)}\n`);
  return 0;
}

/** What stands before the place of a key. */
const FATE = /^(?:(?:honoured(?: better)?|ignored) +)?/;
const TONES = { ignored: "odd" } as const;

/** `honoured: where: key: value: why`. */
function lineOf({ fate, where, key, value, why, told, restart }: PlacedFate): string {
  const reason = told ?? why;
  const notes = [
    ...(reason === undefined ? [] : [reason]),
    ...(restart && fate.startsWith("honoured") ? ["a change takes a restart"] : []),
  ];
  const safe = shownValue(key, value);
  const shown = typeof safe === "string" ? safe : JSON.stringify(safe);
  const line = `${fate.padEnd(15)}  ${shownText(where)}: ${key}: ${cut(shown)}`;
  return notes.length === 0 ? line : `${line}  (${notes.join("; ")})`;
}

function jsonOf({ key, where, value, fate, why, told, restart }: PlacedFate) {
  const shown = shownValue(key, value);
  return { key, where: shownText(where), value: shown, fate, why: told ?? why ?? null, restart };
}

function countsOf(fates: readonly PlacedFate[], wrong: number): string {
  const counts = new Map<string, number>();
  for (const { fate } of fates) counts.set(fate, (counts.get(fate) ?? 0) + 1);
  if (wrong > 0) counts.set("wrong", wrong);
  const parts = [...counts].map(([fate, count]) => `${count} ${fate}`);
  return `${fates.length} keys: ${parts.join(", ")}`;
}

const SHOWN_MAX = 60;
function cut(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
