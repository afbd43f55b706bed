// `saker rollout sign`: rules files or a file of configuration, and a private key come in, a bundle
// goes out. They are loaded first as a host would: what hosts would refuse is not signed.
import { basename } from "node:path";
import { parseInterval } from "../../config/interval.ts";
import { rulesFiles } from "../../config/rules_files.ts";
import { compileRules } from "../../engine/compile_rules.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { BUNDLE_BYTES_MAX, type Contents } from "../../rollout/contents.ts";
import { makeBundle } from "../../rollout/envelope.ts";
import { readPrivateKey } from "../../rollout/keys.ts";
import { replaceFile } from "../../rollout/replace_file.ts";
import { settingsOf, withBundle } from "../../rollout/with_bundle.ts";
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
  readonly settings?: string;
  /** `--empty` alone: of rules. */
  readonly empty?: boolean | string;
  readonly force?: boolean;
}

const KEY_BYTES_MAX = 64 << 10;

export async function signRules(
  asked: SignAsked,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const what = contentsOf(asked, flags);
  const key = await readPrivateKey(readKeyFile("--key", asked.key, KEY_BYTES_MAX))
    .catch((error: Error) => {
      throw new Error(`--key ${visibleLine(asked.key)}: ${error.message}`);
    });
  const nowMs = Date.now();
  const contents: Contents = {
    ...what,
    name: asked.name,
    serial: asked.serial,
    issuedMs: nowMs,
    expiresMs: nowMs + parseInterval(asked.expires)!,
    share: asked.share,
    hosts: asked.host ?? [],
    labels: asked.label ?? [],
    combine: asked.instead === true ? "instead" : "after",
  };
  if (asked.force !== true && contents.files.length > 0) check(contents, flags, terminal);
  const bytes = await makeBundle(contents, key);
  replaceFile(asked.out, bytes, 0o644);
  terminal.out(
    `Signed ${contents.kind} ${contents.name} ${contents.serial} with key ${key.publicKey.id}: ` +
      `${filesOf(contents)}, ${bytes.length} bytes, for ${contents.share} % of the ` +
      `hosts: ${visibleLine(asked.out)}\n`,
  );
  return 0;
}

function filesOf({ files }: Contents): string {
  return files.length === 1 ? "1 file" : `${files.length} files`;
}

function contentsOf(
  { settings, empty, instead }: SignAsked,
  { rules }: Flags,
): Pick<Contents, "kind" | "files"> {
  const kind = settings === undefined && empty !== "config" ? "rules" : "config";
  if (typeof empty === "string" && empty !== "rules" && empty !== "config") {
    throw new Error(`--empty: expected rules or config, found "${empty}"`);
  }
  const given = Number(rules.length > 0) + Number(settings !== undefined) +
    Number(empty !== undefined);
  if (given !== 1) {
    throw new Error("expected one of -r FILE, --settings FILE, and --empty to send hosts back");
  }
  if (kind === "config" && instead === true) {
    throw new Error("--instead is about rules: a host's configuration cannot be replaced");
  }
  if (empty !== undefined) return { kind, files: [] };
  const files = settings === undefined
    ? readAllRules(rulesFiles({ given: rules, configured: undefined })!)
    : [{ name: settings, text: readKeyFile("--settings", settings, BUNDLE_BYTES_MAX) }];
  return { kind, files: files.map(({ name, text }) => ({ name: basename(name), text })) };
}

/** Throws where they do not load with the configuration of `-c`, and behind its rules or the
 * built-in ones. */
function check(contents: Contents, flags: Flags, terminal: Terminal): void {
  try {
    if (contents.kind === "config") {
      loadConfig(flags, terminal, [], settingsOf(contents));
      return;
    }
    const { config } = loadConfig(flags, terminal);
    const own = rulesStart(config, { ...flags, rules: [] });
    compileRules({ ...own, files: withBundle(own.files, contents) });
  } catch (error) {
    throw new Error(
      `${(error as Error).message}\nNothing is signed (--force signs it all the same)`,
    );
  }
}
