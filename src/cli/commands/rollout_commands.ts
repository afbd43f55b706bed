// `saker rollout key`, `sign`, `show`, `publish` and `status`: how they are asked for.
import { type Command, InvalidArgumentError } from "commander";
import { parseInterval } from "../../config/interval.ts";
import { readFlags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";
import type { PublishAsked } from "./rollout_show.ts";
import type { StatusAsked } from "./rollout_status.ts";
import type { SignAsked } from "./rollout_sign.ts";

/** Adds the commands; `onEnd` gets the exit code of the one that ran. */
export function addRollout(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const rollout = program.command("rollout")
    .description(
      "sign rules and configuration for many hosts, and see what a bundle is (docs/rollout.md)",
    )
    .action(() => rollout.error("missing command: rollout key, sign, show, publish or status"));
  rollout.command("key")
    .description("make a pair of keys: FILE for who signs, FILE.pub for the hosts")
    .argument("<file>", "where the private key goes; nothing is written over")
    .action(async (file: string) => {
      const { makeKeyFiles } = await import("./rollout_key.ts");
      onEnd(await makeKeyFiles(file, terminal));
    });
  rollout.command("sign")
    .description("make a signed bundle of the rules files of -r, or of configuration")
    .requiredOption("--key <file>", "the private key")
    .requiredOption("--name <name>", "whose hosts it is for, such as fleet")
    .requiredOption("--serial <n>", "higher than that of the bundle before", serial)
    .requiredOption("--out <file>", "where the bundle goes")
    .option("--share <percent>", "of the hosts, such as 33%", share, 100)
    .option("--expires <interval>", "after which no host takes it any more", interval, "30d")
    .option("--host <pattern>", "only hosts of such names, with * and ? (repeatable)", append)
    .option("--label <key=value>", "only hosts with this label (repeatable)", append)
    .option("--instead", "in place of the host's own rules, not after them")
    .option("--settings <file>", "configuration instead of rules: the few keys of docs/rollout.md")
    .option("--empty [kind]", "no rules, or no config: hosts go back to their own")
    .option("--force", "sign what this saker does not take")
    .action(async (asked: SignAsked) => {
      const { signRules } = await import("./rollout_sign.ts");
      onEnd(await signRules(asked, readFlags(program), terminal));
    });
  rollout.command("show")
    .description("tell what a bundle is, whether it is valid, and whether a host would take it")
    .argument("<bundle>")
    .option("--public-key <file>", "keys that hosts trust (repeatable)", append)
    .option("--host <name>", "would this host take it", "")
    .option("--label <key=value>", "a label of that host (repeatable)", append)
    .action(async (bundle: string, asked: ShowGiven) => {
      const { showBundle } = await import("./rollout_show.ts");
      const { publicKey = [], host, label = [] } = asked;
      onEnd(await showBundle(bundle, { keys: publicKey, host, labels: label }, terminal));
    });
  rollout.command("status")
    .description("which host has which bundles, which refused them, from what hosts tell in NATS")
    .option("--from <url>", "nats://HOST or tls://HOST (else rollout.source)")
    .option("--bundle <file>", "what hosts should have (else what the bucket hands out)")
    .option("--json", "as JSON")
    .action(async (asked: StatusAsked) => {
      const { rolloutStatus } = await import("./rollout_status.ts");
      onEnd(await rolloutStatus(asked, readFlags(program), terminal));
    });
  rollout.command("publish")
    .description("put a bundle where hosts find it: a web server's file, or a bucket of NATS")
    .argument("<bundle>")
    .requiredOption(
      "--to <place>",
      "a file, nats://HOST or tls://HOST (who we are there: -o " +
        "rollout.creds_file=… and the like)",
    )
    .option("--force", "over whatever is there in the bucket")
    .action(async (bundle: string, asked: PublishAsked) => {
      const { publishBundle } = await import("./rollout_show.ts");
      onEnd(await publishBundle(bundle, asked, readFlags(program), terminal));
    });
}

interface ShowGiven {
  readonly publicKey?: readonly string[];
  readonly host: string;
  readonly label?: readonly string[];
}

function append(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function serial(value: string): number {
  const number = Number(value);
  if (/^\d{1,16}$/.test(value) && number >= 1 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("expected a whole number from 1");
}

function share(value: string): number {
  const number = Number(value.replace(/%$/, ""));
  if (/^\d{1,3}(\.\d+)?%?$/.test(value) && number <= 100) return number;
  throw new InvalidArgumentError("expected a percentage such as 33%");
}

function interval(value: string): string {
  if (parseInterval(value) !== undefined) return value;
  throw new InvalidArgumentError("expected a time such as 30d or 12h");
}
