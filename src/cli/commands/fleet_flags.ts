// The options of `saker fleet`: arguments come in, FleetFlags go out.
import type { Command } from "commander";
import { readFlags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";
import type { FleetFlags } from "./fleet.ts";

const EXAMPLES = `
Examples:
  saker fleet --nats nats://nats.example:4222
  saker fleet -c falco.yaml --listen 0.0.0.0:8766
  saker fleet --nats tls://nats.example -o nats_output.creds_file=page.creds

Who we are at the server, certificates, stream, subject and bucket are the keys of nats_output;
token, TLS and names of the page are those of webserver.`;

export function addFleet(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  program.command("fleet")
    .description("a page of all hosts that write to a NATS JetStream (127.0.0.1:8766)")
    .option(
      "--nats <url>",
      "where the nats-server is; may be there again (nats_output.url)",
      (url: string, before: readonly string[] = []) => [...before, url],
    )
    .option(
      "--name <name>",
      "what this page is called among others; what it counts is kept under that",
    )
    .addHelpText("after", EXAMPLES)
    .action(async (options: FleetFlags) => {
      const { fleet } = await import("./fleet.ts");
      onEnd(await fleet(options, readFlags(program), terminal));
    });
}
