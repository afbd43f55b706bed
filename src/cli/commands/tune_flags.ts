// The options of `saker tune`: arguments come in, TuneFlags go out.
import { type Command, InvalidArgumentError } from "commander";
import { readFlags } from "../flags.ts";
import { addAskFlags } from "../start/ask_flags.ts";
import type { Terminal } from "../terminal.ts";
import type { TuneFlags } from "./tune.ts";

const EXAMPLES = `
Examples:
  saker tune > exceptions.yaml                     alerts that the saker here holds
  saker tune alerts.jsonl > exceptions.yaml        alerts that were written, also .gz
  journalctl -u saker -o cat | saker tune -        what a pipe brings
  saker tune https://host:8765 --token-file token  those of another host
  saker tune trace.scap                            alerts of a capture, with all that they need
  saker tune alerts.jsonl --keep attacks.scap --capture ordinary.scap
  saker tune alerts.jsonl -r falco_rules.yaml --falco --output exceptions.yaml
  saker -r falco_rules.yaml -r exceptions.yaml     with what was taken of it`;

export function addTune(
  program: Command,
  onCode: (code: number) => void,
  terminal: Terminal,
): void {
  const command = program.command("tune")
    .description("propose exceptions for alerts that are noise, with evidence and proof")
    .argument(
      "[alerts...]",
      "alerts as JSON lines (also .gz), captures (.scap), http://HOST:PORT of a running saker " +
        "(without any: the one here); - reads a pipe",
    )
    .option(
      "--keep <file>",
      "alerts or a capture whose alerts must still fire (repeatable)",
      append,
    )
    .option("--capture <file>", "try the proposals on this capture, too (repeatable)", append)
    .option("--output <file>", "write the YAML there instead of to standard output")
    .option("--min <n>", "alerts that a proposal must silence at least (2)", whole)
    .option("--falco", "only with fields that Falco has");
  addAskFlags(command)
    .addHelpText("after", EXAMPLES)
    .action(async (alerts: string[], options: TuneFlags) => {
      const { tune } = await import("./tune.ts");
      onCode(await tune(alerts, options, readFlags(program), terminal));
    });
}

function whole(value: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("expected a whole number above 0");
}

function append(value: string, previous: readonly string[] | undefined): string[] {
  return [...previous ?? [], value];
}
