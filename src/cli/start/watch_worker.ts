// The thread that watches files: paths come in, a word for each burst of changes goes out. It may
// wait for a mount that hangs.
import { catchStrays } from "../../engine/contract/strays.ts";
import { type FileWatch, watchFiles } from "./watch_files.ts";

export interface WatchOrder {
  readonly paths: readonly string[];
  /** As the paths were when they were read: what changed since is told. */
  readonly stamp?: string;
}

export type WatchAnswer = { readonly changed: true } | { readonly error: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<WatchOrder>) => void) | null;
  postMessage(message: WatchAnswer): void;
}

const scope = self as unknown as WorkerScope;
const state: { watch?: FileWatch } = {};

catchStrays(() => {});

scope.onmessage = ({ data: { paths, stamp } }) => {
  try {
    if (state.watch === undefined) {
      state.watch = watchFiles(paths, () => scope.postMessage({ changed: true }), stamp);
    } else state.watch.watch(paths);
  } catch (error) {
    scope.postMessage({ error: (error as Error).message.split("\n", 1)[0]! });
  }
};
