// The options of `saker record`: arguments come in, RecordFlags go out.
import { type Command, InvalidArgumentError } from "commander";
import { readFlags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";
import type { RecordFlags } from "./record.ts";

const EXAMPLES = `
Examples:
  saker record trace.scap                          until ctrl-C
  saker record trace.scap -M 60 --filter 'proc.name = nginx'
  saker record ring.scap --file-size 100 --files 5 the last 500 MB, in ring_00001.scap ...
  saker record - --compress 0 | ssh host 'cat > trace.scap'
  saker record doors.scap -c falco.yaml --enable-source doors
  saker record small.scap --read big.scap --filter 'fd.name startswith /etc'`;

export function addRecord(
  program: Command,
  onCode: (code: number) => void,
  terminal: Terminal,
): void {
  program.command("record")
    .description("record this host into a capture (.scap) that saker, Falco and sysdig read")
    .argument("<file>", "where to write; - is standard output")
    .option("--filter <condition>", "record what a condition of the rules language takes")
    .option("-n, --events <n>", "stop after n events", whole)
    .option("--file-size <MB>", "begin another file at this size (compressed)", whole)
    .option("--file-seconds <n>", "begin another file after n seconds", whole)
    .option("--files <n>", "keep the newest n files", whole)
    .option("--compress <level>", "gzip from 1 (fast) to 9 (small); 0: plain", level, 1)
    .option("--read <capture>", "take the events from a capture (repeatable)", append)
    .option("--force", "overwrite a file of that name")
    .option("--alerts", "write the alerts of the rules to standard output meanwhile")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, options: RecordFlags) => {
      const { record } = await import("./record.ts");
      onCode(await record(file, options, readFlags(program), terminal));
    });
}

function whole(value: string): number {
  if (/^\d{1,12}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("expected a whole number above 0");
}

function level(value: string): number {
  if (/^\d$/.test(value)) return Number(value);
  throw new InvalidArgumentError("expected a number from 0 to 9");
}

function append(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
