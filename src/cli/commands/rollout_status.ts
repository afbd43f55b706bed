// `saker rollout status`: which host has which bundle of rules, which refused it and why, and which
// should have it and have not, from what hosts tell of themselves in NATS (nats_output).
import { natsUrlsOf } from "../../config/rollout_keys.ts";
import type { Config } from "../../config/schema.ts";
import { parsePresence, type Presence } from "../../fleet/contract/presence.ts";
import { readBoundedFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { connectNats } from "../../nats/connect.ts";
import { BUNDLE_BYTES_MAX, BundleRefused, type Contents } from "../../rollout/contents.ts";
import { peekBundle } from "../../rollout/envelope.ts";
import { publishedAt, valuesOf } from "../../rollout/nats_bucket.ts";
import { outsideOf } from "../../rollout/share.ts";
import { visibleLine } from "../../words/visible.ts";
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import { natsOptionsOf } from "../start/nats.ts";
import type { Terminal } from "../terminal.ts";

export interface StatusAsked {
  readonly from?: string;
  /** The bundle that hosts should have, where the bucket does not hand it out. */
  readonly bundle?: string;
  readonly json?: boolean;
}

/** `behind`: it should have it and has not; `open`: what labels it has is not told. */
export const STANDINGS = [
  ...["refused", "behind", "silent", "stopped", "open", "waits", "has"] as const,
];
export type Standing = typeof STANDINGS[number];

export interface HostStanding {
  readonly host: string;
  readonly rules: { readonly name: string; readonly serial: number } | null;
  readonly at: string;
  readonly standing: Standing;
  /** Why it refused, or waits. */
  readonly why: string | null;
}

const NATS_TIMEOUT_MS = 10_000;
/** Of what a host should have told in so many times, it has told nothing. */
const SILENT_TIMES = 3;
const SILENT_LEAST_MS = 60_000;

/** 0 where no host has refused it and none is behind. */
export async function rolloutStatus(
  asked: StatusAsked,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const { config } = loadConfig(flags, terminal);
  const { bundle, presences } = await gathered(asked, config);
  const nowMs = Date.now();
  const hosts = presences.map((one) => standingOf(one, bundle, nowMs))
    .sort((one, other) =>
      STANDINGS.indexOf(one.standing) - STANDINGS.indexOf(other.standing) ||
      (one.host < other.host ? -1 : 1)
    );
  const counts = Object.fromEntries(
    STANDINGS.map((is) => [is, hosts.filter(({ standing }) => standing === is).length]),
  ) as Record<Standing, number>;
  terminal.out(
    asked.json === true
      ? `${JSON.stringify({ bundle: bundleOf(bundle), counts, hosts }, null, 2)}\n`
      : textOf(bundle, counts, hosts, nowMs),
  );
  return counts.refused + counts.behind === 0 ? 0 : 1;
}

/** What a host's word for itself and the bundle say together. */
export function standingOf(
  { host, at, every, state, rules: { rollout, refused } }: Presence,
  bundle: Contents,
  nowMs: number,
): HostStanding {
  const told = { host, at, rules: rollout };
  // Labels are the host's own affair.
  const why = outsideOf({ ...bundle, labels: [] }, { name: host, labels: [] });
  const silentMs = Math.max(SILENT_LEAST_MS, SILENT_TIMES * every * 1000);
  if (state === "stopped") return { ...told, standing: "stopped", why: null };
  if (nowMs - Date.parse(at) > silentMs) return { ...told, standing: "silent", why: null };
  const hasIt = bundle.files.length === 0
    ? rollout === null
    : rollout?.name === bundle.name && rollout.serial === bundle.serial;
  if (refused !== null && refused.serial === bundle.serial) {
    return { ...told, standing: "refused", why: refused.why };
  }
  if (hasIt) return { ...told, standing: "has", why: null };
  if (why !== undefined) return { ...told, standing: "waits", why };
  if (bundle.labels.length > 0) {
    return { ...told, standing: "open", why: `it is for hosts with ${bundle.labels.join(", ")}` };
  }
  // One that nobody can read has no serial.
  const other = refused === null ? null : `it refused another one: ${refused.why}`;
  return { ...told, standing: "behind", why: other };
}

async function gathered(
  { from, bundle: file }: StatusAsked,
  { rollout, nats_output }: Config,
): Promise<{ bundle: Contents; presences: Presence[] }> {
  const source = from ?? rollout.source;
  const url = natsUrlsOf(source);
  if (url === undefined) {
    throw new Error(
      from === undefined
        ? "where do hosts tell of themselves? --from nats://HOST, or rollout.source in -c"
        : `--from ${visibleLine(from)}: expected nats://HOST[:PORT] or tls://HOST[:PORT]`,
    );
  }
  try {
    const options = { name: "saker rollout status", timeoutMs: NATS_TIMEOUT_MS };
    const connection = await connectNats(natsOptionsOf("rollout", { ...rollout, url }, options));
    try {
      const bytes = file === undefined
        ? await publishedAt(connection, rollout.bucket, "rules")
        : read(file);
      if (bytes === undefined) throw new Error(`bucket ${rollout.bucket} has no rules`);
      const values = await valuesOf(connection, nats_output.hosts_bucket);
      const presences = values.flatMap((value) => parsePresence(value) ?? []);
      return { bundle: peekBundle(bytes).contents, presences };
    } finally {
      await connection.close();
    }
  } catch (error) {
    const { message } = error as Error;
    const what = error instanceof BundleRefused
      ? `what is handed out is refused: ${message}`
      : message;
    throw new Error(`Cannot tell of the roll-out (${visibleLine(source)}): ${what}`);
  }
}

function read(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readBoundedFile(file, BUNDLE_BYTES_MAX));
  } catch (error) {
    throw new Error(`cannot read the bundle ${visibleLine(file)}: ${reasonOf(error)}`);
  }
}

function bundleOf({ kind, name, serial, share, hosts, labels }: Contents) {
  return { kind, name, serial, share, hosts, labels };
}

function textOf(
  bundle: Contents,
  counts: Readonly<Record<Standing, number>>,
  hosts: readonly HostStanding[],
  nowMs: number,
): string {
  const told = STANDINGS.toReversed().filter((is) => counts[is] > 0 || is === "has")
    .map((is) => `${counts[is]} ${SAID[is]}`);
  const head = `${bundle.name} ${bundle.serial}, for ${bundle.share} % of the hosts: ` +
    `${told.join(", ")}\n`;
  const rows = hosts.map((one) => [
    visibleLine(one.host),
    one.rules === null ? "its own" : visibleLine(`${one.rules.name} ${one.rules.serial}`),
    `${Math.max(0, Math.round((nowMs - Date.parse(one.at)) / 1000))} s ago`,
    visibleLine(one.why === null ? one.standing : `${one.standing}: ${one.why}`),
  ]);
  const all = [["HOST", "RULES", "TOLD", "STANDING"], ...rows];
  const widths = [0, 1, 2].map((at) => Math.max(...all.map((row) => row[at]!.length)));
  const lines = all.map((row) =>
    `${widths.map((width, at) => row[at]!.padEnd(width)).join("  ")}  ${row[3]}\n`
  );
  return head + (rows.length === 0 ? "" : lines.join(""));
}

const SAID: Readonly<Record<Standing, string>> = {
  has: "have it",
  waits: "wait for their share",
  open: "may be meant by a label",
  stopped: "are stopped",
  silent: "are silent",
  behind: "are behind",
  refused: "have refused it",
};
