// `saker rollout show` and `publish`: what a bundle is, for a person who has it as a file, and the
// way to where hosts find it.
import { natsUrlsOf } from "../../config/rollout_keys.ts";
import { readBoundedFile, readKeyFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { BUNDLE_BYTES_MAX, BundleRefused, type Contents } from "../../rollout/contents.ts";
import { openBundle, peekBundle } from "../../rollout/envelope.ts";
import { judge } from "../../rollout/judge.ts";
import { type PublicKey, readPublicKeys } from "../../rollout/keys.ts";
import { replaceFile } from "../../rollout/replace_file.ts";
import { placeOf } from "../../rollout/share.ts";
import { visibleLine } from "../../words/visible.ts";
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";

export interface ShowAsked {
  readonly keys: readonly string[];
  /** "": no host is asked about. */
  readonly host: string;
  readonly labels: readonly string[];
}

const KEY_BYTES_MAX = 64 << 10;
const NATS_TIMEOUT_MS = 10_000;

/** 0 where it is valid, and the host that was asked about takes it; else 1. */
export async function showBundle(
  file: string,
  { keys, host, labels }: ShowAsked,
  terminal: Terminal,
): Promise<number> {
  const bytes = read(file);
  const { contents, keyId } = peekBundle(bytes);
  terminal.out(describe(contents, keyId));
  if (keys.length === 0) {
    terminal.out("signature  not checked: --public-key FILE\n");
    return 0;
  }
  try {
    const bundle = await openBundle(bytes, await readKeys(keys));
    terminal.out(`signature  good\n`);
    const verdict = judge(bundle, {
      kind: contents.kind,
      wantedName: "",
      host: host === "" ? undefined : { name: host, labels },
      seen: undefined,
      nowMs: Date.now(),
    });
    if (host === "") return 0;
    const place = placeOf(contents.name, host).toFixed(1);
    terminal.out(
      verdict.kind === "take"
        ? `${visibleLine(host)}  takes it (place ${place})\n`
        : `${visibleLine(host)}  waits: ${verdict.why}\n`,
    );
    return verdict.kind === "take" ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BundleRefused)) throw error;
    terminal.out(`refused    ${error.message}\n`);
    return 1;
  }
}

export interface PublishAsked {
  readonly to: string;
  readonly force?: boolean;
}

/** To a file, which is never half written, or to a bucket of NATS. */
export async function publishBundle(
  file: string,
  { to, force = false }: PublishAsked,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const bytes = read(file);
  const { contents } = peekBundle(bytes);
  const url = natsUrlsOf(to);
  if (url === undefined) {
    if (/^[a-z]+:\/\//.test(to)) {
      throw new Error(`--to ${visibleLine(to)}: expected a file, nats://HOST or tls://HOST`);
    }
    replaceFile(to, bytes, 0o644);
  } else {
    const { connectNats } = await import("../../nats/connect.ts");
    const { publishTo } = await import("../../rollout/nats_bucket.ts");
    const { natsOptionsOf } = await import("../start/nats.ts");
    const { rollout } = loadConfig(flags, terminal).config;
    const options = { name: "saker rollout publish", timeoutMs: NATS_TIMEOUT_MS };
    const { bucket } = rollout;
    try {
      const connection = await connectNats(natsOptionsOf("rollout", { ...rollout, url }, options));
      try {
        await publishTo(connection, { bucket, bytes, isForced: force });
      } finally {
        await connection.close();
      }
    } catch (error) {
      throw new Error(`Cannot publish to ${visibleLine(to)}: ${(error as Error).message}`);
    }
  }
  const { kind, name, serial } = contents;
  terminal.out(`Published ${kind} ${name} ${serial}: ${visibleLine(to)}\n`);
  return 0;
}

/** Throws one line where a file cannot be read or holds no public key. */
export async function readKeys(files: readonly string[]): Promise<PublicKey[]> {
  const all = await Promise.all(files.map(async (file) => {
    try {
      return await readPublicKeys(readKeyFile("--public-key", file, KEY_BYTES_MAX));
    } catch (error) {
      throw new Error(`--public-key ${visibleLine(file)}: ${(error as Error).message}`);
    }
  }));
  return all.flat();
}

function read(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readBoundedFile(file, BUNDLE_BYTES_MAX));
  } catch (error) {
    throw new Error(`Cannot read the bundle ${visibleLine(file)}: ${reasonOf(error)}`);
  }
}

function describe(contents: Contents, keyId: string): string {
  const { kind, name, serial, issuedMs, expiresMs, share, hosts, labels, combine, files } =
    contents;
  const rows: [string, string][] = [
    ["name", name],
    ["serial", String(serial)],
    ["kind", files.length === 0 ? `${kind}, none: back to the host's own` : kind],
    ...kind === "config" ? [] : [
      [
        "combine",
        combine === "after" ? "after the host's own rules" : "instead of the host's own",
      ] as [string, string],
    ],
    ["issued", new Date(issuedMs).toISOString()],
    ["expires", new Date(expiresMs).toISOString()],
    ["share", `${share} %`],
    ...hosts.length === 0 ? [] : [["hosts", hosts.join(", ")] as [string, string]],
    ...labels.length === 0 ? [] : [["labels", labels.join(", ")] as [string, string]],
    ...files.map(({ name, text }) =>
      ["file", `${name} (${new TextEncoder().encode(text).length} bytes)`] as [string, string]
    ),
    ["key", keyId],
  ];
  return rows.map(([key, value]) => `${key.padEnd(10)} ${visibleLine(value)}\n`).join("");
}
