// `saker rollout sign`: rules files and a private key come in, a bundle goes out. The rules are
// loaded first as a host would load them: what hosts would refuse is not signed.
import { basename } from "node:path";
import { parseInterval } from "../../config/interval.ts";
import { rulesFiles } from "../../config/rules_files.ts";
import { compileRules } from "../../engine/compile_rules.ts";
import { readKeyFile } from "../../files/read_text.ts";
import type { Contents } from "../../rollout/contents.ts";
import { makeBundle } from "../../rollout/envelope.ts";
import { readPrivateKey } from "../../rollout/keys.ts";
import { replaceFile } from "../../rollout/replace_file.ts";
import { withBundle } from "../../rollout/with_bundle.ts";
import { visibleLine } from "../../words/visible.ts";
import type { Flags } from "../flags.ts";
import { readAllRules, rulesStart } from "../start/engine_start.ts";
import { loadConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";

export interface SignAsked {
  readonly key: string;
  readonly name: string;
  readonly serial: number;
  readonly out: string;
  readonly share: number;
  readonly expires: string;
  readonly host?: readonly string[];
  readonly label?: readonly string[];
  readonly instead?: boolean;
  readonly empty?: boolean;
  readonly force?: boolean;
}

const KEY_BYTES_MAX = 64 << 10;

export async function signRules(
  asked: SignAsked,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const { empty = false, force = false } = asked;
  if (empty === flags.rules.length > 0) {
    throw new Error(
      empty
        ? "--empty takes no rules files"
        : "no rules files: -r FILE, or --empty to send hosts back to their own",
    );
  }
  const key = await readPrivateKey(readKeyFile("--key", asked.key, KEY_BYTES_MAX))
    .catch((error: Error) => {
      throw new Error(`--key ${visibleLine(asked.key)}: ${error.message}`);
    });
  const nowMs = Date.now();
  const contents: Contents = {
    kind: "rules",
    name: asked.name,
    serial: asked.serial,
    issuedMs: nowMs,
    expiresMs: nowMs + parseInterval(asked.expires)!,
    share: asked.share,
    hosts: asked.host ?? [],
    labels: asked.label ?? [],
    combine: asked.instead === true ? "instead" : "after",
    files: empty ? [] : readAllRules(rulesFiles({ given: flags.rules, configured: undefined })!)
      .map(({ name, text }) => ({ name: basename(name), text })),
  };
  if (!force && !empty) check(contents, flags, terminal);
  const bytes = await makeBundle(contents, key);
  replaceFile(asked.out, bytes, 0o644);
  terminal.out(
    `Signed ${contents.name} ${contents.serial} with key ${key.publicKey.id}: ` +
      `${contents.files.length} files, ${bytes.length} bytes, for ${contents.share} % of the ` +
      `hosts: ${visibleLine(asked.out)}\n`,
  );
  return 0;
}

/** Throws where the rules do not load behind those of the configuration, or the built-in ones. */
function check(contents: Contents, flags: Flags, terminal: Terminal): void {
  const { config } = loadConfig(flags, terminal);
  const own = rulesStart(config, { ...flags, rules: [] });
  try {
    compileRules({ ...own, files: withBundle(own.files, contents) });
  } catch (error) {
    throw new Error(
      `${(error as Error).message}\nNothing is signed (--force signs it all the same)`,
    );
  }
}
