// The options of `saker page`: arguments come in, AskFlags go out.
import type { Command } from "commander";
import { readFlags } from "../flags.ts";
import { addAskFlags, type AskFlags } from "../start/ask_flags.ts";
import type { Terminal } from "../terminal.ts";

const EXAMPLES = `
Examples:
  sudo saker page                            a link for your own browser on this host
  saker page --url https://host:8765 --token-file token --ca-file ca.pem
  ssh -L 8765:localhost:8765 host            the page of another host, as http://localhost:8765/

Exit codes: 0 printed; 1 a mistake, or it refuses; 2 no saker answers there.`;

export function addPage(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const command = program.command("page")
    .description("print a link that opens the page of the saker that runs here, once");
  addAskFlags(command)
    .addHelpText("after", EXAMPLES)
    .action(async (options: AskFlags) => {
      const { page } = await import("./page.ts");
      onEnd(await page(options, readFlags(program), terminal));
    });
}
