// The thread that follows the sources of bundles: disks and servers may hang, and the main thread
// waits for neither. What to follow comes in, bundles to take and reports go out.
import { catchStrays } from "../../engine/contract/strays.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { BUNDLE_KINDS, type BundleKind, type Contents } from "../../rollout/contents.ts";
import { Follower } from "../../rollout/follower.ts";
import { HttpSource } from "../../rollout/http_source.ts";
import { readPublicKeys } from "../../rollout/keys.ts";
import { type KindReport, NOTHING_YET } from "../../rollout/report.ts";
import type { Host } from "../../rollout/share.ts";
import type { Source } from "../../rollout/source.ts";
import { Store } from "../../rollout/store.ts";
import { type NatsAccess, natsOptionsOf } from "./nats.ts";

export type SourceStart =
  | {
    readonly of: "http";
    readonly url: string;
    readonly caCert?: string;
    readonly tokenFile?: string;
  }
  | { readonly of: "nats"; readonly access: NatsAccess; readonly bucket: string };

export interface RolloutStart {
  readonly sources: { readonly [Kind in BundleKind]?: SourceStart };
  readonly everyMs: number;
  readonly directory: string;
  /** PEM. */
  readonly keys: string;
  readonly host: Host;
  readonly wantedName: string;
}

type Outcome = { readonly refused?: string } | undefined;

export type RolloutOrder =
  | {
    readonly order: "start";
    readonly start: RolloutStart;
    readonly keptRefused: { readonly [Kind in BundleKind]?: string };
  }
  /** What came of an offer; nothing where saker ends. */
  | { readonly order: "outcome"; readonly kind: BundleKind; readonly outcome: Outcome }
  | { readonly order: "again" };

export type RolloutNews =
  | { readonly news: "offer"; readonly contents: Contents }
  | { readonly news: "report"; readonly kind: BundleKind; readonly report: KindReport }
  | { readonly news: "log"; readonly level: "info" | "warning"; readonly line: string }
  | { readonly news: "refused"; readonly line: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<RolloutOrder>) => void) | null;
  postMessage(message: RolloutNews): void;
}

const scope = self as unknown as WorkerScope;
const TIMEOUT_MS = 30_000;
const NATS_TIMEOUT_MS = 5_000;
/** What is told of comes by itself: many hosts do not ask in the same moment, and nobody can make
 * one of them do nothing else. */
const TOLD_LEAST_MS = 200;
const TOLD_MOST_MS = 1_000;
const TOKEN_BYTES_MAX = 64 << 10;

/** Of each kind that is followed. */
interface Followed {
  answer: (outcome: Outcome) => void;
  again: () => void;
}

const followed = new Map<BundleKind, Followed>();

catchStrays((failure) => warn(`a mistake in saker: ${failure}`));

scope.onmessage = ({ data }) => {
  if (data.order === "outcome") followed.get(data.kind)?.answer(data.outcome);
  else if (data.order === "again") { for (const one of followed.values()) one.again(); }
  else {
    for (const kind of BUNDLE_KINDS) {
      const source = data.start.sources[kind];
      if (source === undefined) continue;
      // It never rejects.
      follow(kind, source, data.start, data.keptRefused[kind]).catch(({ message }: Error) => {
        warn(`rollout of ${kind}: ${message}`);
        scope.postMessage({ news: "report", kind, report: { ...NOTHING_YET, trouble: message } });
      });
    }
  }
};

async function follow(
  kind: BundleKind,
  from: SourceStart,
  { everyMs, directory, keys: pem, host, wantedName }: RolloutStart,
  keptRefused: string | undefined,
): Promise<void> {
  const keys = await readPublicKeys(pem);
  const store = new Store(directory, kind);
  const source = await sourceOf(kind, from);
  let [answer, wake] = [(_outcome: Outcome): void => {}, (): void => {}];
  const follower = new Follower({
    kind,
    source,
    everyMs,
    keys,
    host,
    wantedName,
    store,
    kept: await store.read({ keys, name: wantedName }),
    keptRefused,
    offer(contents) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      answer = resolve;
      scope.postMessage({ news: "offer", contents });
      return promise;
    },
    onReport: (report) => scope.postMessage({ news: "report", kind, report }),
    log: (level, line) => scope.postMessage({ news: "log", level, line }),
    onRefused: (line) => scope.postMessage({ news: "refused", line }),
    now: () => Date.now(),
    random: () => Math.random(),
  });
  followed.set(kind, {
    answer: (outcome) => answer(outcome),
    again(): void {
      follower.again();
      wake();
    },
  });
  // It never rejects.
  if (source.changed !== undefined) listen(source as Required<Source>, () => wake());
  for (;;) {
    const waitMs = await follower.look();
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
  }
}

/** What changed while it was looked at is still news, and told again. */
async function listen(source: Required<Source>, wake: () => void): Promise<void> {
  for (;;) {
    await source.changed();
    await pause(TOLD_LEAST_MS + Math.random() * (TOLD_MOST_MS - TOLD_LEAST_MS));
    wake();
  }
}

async function sourceOf(kind: BundleKind, from: SourceStart): Promise<Source> {
  if (from.of === "nats") {
    const { NatsSource } = await import("../../rollout/nats_source.ts");
    const options = { name: "saker rollout", timeoutMs: NATS_TIMEOUT_MS };
    return new NatsSource({
      connect: () => natsOptionsOf("rollout", from.access, options),
      bucket: from.bucket,
      key: kind,
      timeoutMs: NATS_TIMEOUT_MS,
      now: () => performance.now(),
    });
  }
  const { url, caCert, tokenFile } = from;
  return new HttpSource({
    url,
    ...(caCert === undefined ? {} : { caCert }),
    ...(tokenFile === undefined ? {} : {
      token: () => readKeyFile("rollout.token_file", tokenFile, TOKEN_BYTES_MAX).trim(),
    }),
    timeoutMs: TIMEOUT_MS,
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function warn(line: string): void {
  scope.postMessage({ news: "log", level: "warning", line });
}
