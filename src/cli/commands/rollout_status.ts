// `saker rollout status`: which host has which bundle of rules and of configuration, which refused
// it and why, and which should have it and have not, from what hosts tell of themselves in NATS
// (nats_output).
import type { NatsConnection } from "@nats-io/nats-core";
import { natsUrlsOf } from "../../config/rollout_keys.ts";
import type { Config } from "../../config/schema.ts";
import { parsePresence, type Presence } from "../../fleet/contract/presence.ts";
import { readBoundedFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { connectNats } from "../../nats/connect.ts";
import {
  BUNDLE_BYTES_MAX,
  BUNDLE_KINDS,
  type BundleKind,
  BundleRefused,
  type Contents,
} from "../../rollout/contents.ts";
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
  /** The bundle in force; null: what the host has by itself. */
  readonly has: { readonly name: string; readonly serial: number } | null;
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
  const { bundles, presences } = await gathered(asked, config);
  const nowMs = Date.now();
  const all = bundles.map((bundle) => kindStanding(bundle, presences, nowMs));
  terminal.out(
    asked.json === true
      ? `${JSON.stringify(Object.fromEntries(all.map(jsonOf)), null, 2)}\n`
      : all.map((one) => textOf(one, nowMs)).join("\n"),
  );
  return all.every(({ counts }) => counts.refused + counts.behind === 0) ? 0 : 1;
}

/** How the hosts stand to one bundle, those that want looking after first. */
interface KindStanding {
  readonly bundle: Contents;
  readonly counts: Readonly<Record<Standing, number>>;
  readonly hosts: readonly HostStanding[];
}

function kindStanding(
  bundle: Contents,
  presences: readonly Presence[],
  nowMs: number,
): KindStanding {
  const hosts = presences.map((one) => standingOf(one, bundle, nowMs))
    .sort((one, other) =>
      STANDINGS.indexOf(one.standing) - STANDINGS.indexOf(other.standing) ||
      (one.host < other.host ? -1 : 1)
    );
  const counts = Object.fromEntries(
    STANDINGS.map((is) => [is, hosts.filter(({ standing }) => standing === is).length]),
  ) as Record<Standing, number>;
  return { bundle, counts, hosts };
}

/** What a host's word for itself and the bundle say together. */
export function standingOf(
  { host, at, every, state, ...presence }: Presence,
  bundle: Contents,
  nowMs: number,
): HostStanding {
  const of = presence[bundle.kind];
  const { rollout, refused } = of ?? { rollout: null, refused: null };
  const told = { host, at, has: rollout };
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
  if (of === null) return { ...told, standing: "behind", why: TAKES_NONE };
  // One that nobody can read has no serial.
  const other = refused === null ? null : `it refused another one: ${refused.why}`;
  return { ...told, standing: "behind", why: other };
}

const TAKES_NONE = "it takes no configuration (rollout.config_source), or its saker is older";

async function gathered(
  { from, bundle: file }: StatusAsked,
  { rollout, nats_output }: Config,
): Promise<{ bundles: Contents[]; presences: Presence[] }> {
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
      const published = file === undefined
        ? await publishedOf(connection, rollout.bucket)
        : [read(file)];
      if (published.length === 0) throw new Error(`bucket ${rollout.bucket} has no bundle`);
      const values = await valuesOf(connection, nats_output.hosts_bucket);
      const presences = values.flatMap((value) => parsePresence(value) ?? []);
      return { bundles: published.map((bytes) => peekBundle(bytes).contents), presences };
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

/** Of each kind that the bucket hands out. */
async function publishedOf(connection: NatsConnection, bucket: string) {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for (const kind of BUNDLE_KINDS) {
    const bytes = await publishedAt(connection, bucket, kind);
    if (bytes !== undefined) all.push(bytes);
  }
  return all;
}

function read(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readBoundedFile(file, BUNDLE_BYTES_MAX));
  } catch (error) {
    throw new Error(`cannot read the bundle ${visibleLine(file)}: ${reasonOf(error)}`);
  }
}

function jsonOf({ bundle, counts, hosts }: KindStanding) {
  const { kind, name, serial, share, hosts: patterns, labels } = bundle;
  const told = { kind, name, serial, share, hosts: patterns, labels };
  return [kind, { bundle: told, counts, hosts }] as const;
}

const KINDS: Readonly<Record<BundleKind, string>> = { rules: "Rules", config: "Configuration" };

function textOf({ bundle, counts, hosts }: KindStanding, nowMs: number): string {
  const told = STANDINGS.toReversed().filter((is) => counts[is] > 0 || is === "has")
    .map((is) => `${counts[is]} ${SAID[is]}`);
  const head =
    `${KINDS[bundle.kind]} ${bundle.name} ${bundle.serial}, for ${bundle.share} % of the hosts: ` +
    `${told.join(", ")}\n`;
  const rows = hosts.map((one) => [
    visibleLine(one.host),
    one.has === null ? "its own" : visibleLine(`${one.has.name} ${one.has.serial}`),
    `${Math.max(0, Math.round((nowMs - Date.parse(one.at)) / 1000))} s ago`,
    visibleLine(one.why === null ? one.standing : `${one.standing}: ${one.why}`),
  ]);
  const all = [["HOST", "HAS", "TOLD", "STANDING"], ...rows];
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
