// The thread that follows the source of bundles: disks and servers may hang, and the main thread
// waits for neither. What to follow comes in, bundles to take and reports go out.
import { catchStrays } from "../engine/contract/strays.ts";
import { readKeyFile } from "../files/read_text.ts";
import type { Contents } from "./contents.ts";
import { Follower } from "./follower.ts";
import { HttpSource } from "./http_source.ts";
import { readPublicKeys } from "./keys.ts";
import { NOTHING_YET, type RolloutReport } from "./report.ts";
import type { Host } from "./share.ts";
import { Store } from "./store.ts";

export interface FollowStart {
  readonly url: string;
  readonly caCert?: string;
  readonly tokenFile?: string;
  readonly everyMs: number;
  readonly directory: string;
  /** PEM. */
  readonly keys: string;
  readonly host: Host;
  readonly wantedName: string;
  readonly keptRefused?: string;
}

export type FollowOrder =
  | { readonly kind: "start"; readonly start: FollowStart }
  /** What came of an offer; nothing where saker ends. */
  | { readonly kind: "outcome"; readonly outcome: { readonly refused?: string } | undefined }
  | { readonly kind: "again" };

export type FollowNews =
  | { readonly kind: "offer"; readonly contents: Contents }
  | { readonly kind: "report"; readonly report: RolloutReport }
  | { readonly kind: "log"; readonly level: "info" | "warning"; readonly line: string }
  | { readonly kind: "refused"; readonly line: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<FollowOrder>) => void) | null;
  postMessage(message: FollowNews): void;
}

const scope = self as unknown as WorkerScope;
const TIMEOUT_MS = 30_000;
const TOKEN_BYTES_MAX = 64 << 10;
/** Many hosts do not ask in the same moment. */
const JITTER = 0.2;

const state: { follower?: Follower; answer?: (outcome: { refused?: string } | undefined) => void } =
  {};

catchStrays((failure) =>
  scope.postMessage({ kind: "log", level: "warning", line: `a mistake in saker: ${failure}` })
);

scope.onmessage = ({ data }) => {
  if (data.kind === "start") {
    // It never rejects.
    follow(data.start).catch(({ message: trouble }: Error) => {
      scope.postMessage({ kind: "log", level: "warning", line: `rollout: ${trouble}` });
      scope.postMessage({ kind: "report", report: { ...NOTHING_YET, trouble } });
    });
  } else if (data.kind === "outcome") state.answer?.(data.outcome);
  else state.follower?.again();
};

async function follow(start: FollowStart): Promise<void> {
  const { url, caCert, tokenFile, everyMs, directory, host, wantedName, keptRefused } = start;
  const keys = await readPublicKeys(start.keys);
  const store = new Store(directory);
  const follower = state.follower = new Follower({
    source: new HttpSource({
      url,
      ...(caCert === undefined ? {} : { caCert }),
      ...(tokenFile === undefined ? {} : {
        token: () => readKeyFile("rollout.token_file", tokenFile, TOKEN_BYTES_MAX).trim(),
      }),
      timeoutMs: TIMEOUT_MS,
    }),
    keys,
    host,
    wantedName,
    store,
    kept: await store.read(keys),
    keptRefused,
    offer(contents) {
      const { promise, resolve } = Promise.withResolvers<{ refused?: string } | undefined>();
      state.answer = resolve;
      scope.postMessage({ kind: "offer", contents });
      return promise;
    },
    onReport: (report) => scope.postMessage({ kind: "report", report }),
    log: (level, line) => scope.postMessage({ kind: "log", level, line }),
    onRefused: (line) => scope.postMessage({ kind: "refused", line }),
    now: () => Date.now(),
  });
  for (;;) {
    await follower.look();
    const ms = everyMs * (1 - JITTER / 2 + Math.random() * JITTER);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}
