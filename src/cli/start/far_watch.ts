// Watching files from a thread of its own: looking where a path leads, and asking for a watch of
// it, waits where a mount hangs, and the main thread must go on.
import { type FileWatch, stampOf } from "./watch_files.ts";
import type { WatchAnswer, WatchOrder } from "./watch_worker.ts";

export interface FarWatchOptions {
  readonly onChange: () => void;
  /** There is no watch, or it ended: why. */
  readonly onFailure: (reason: string) => void;
}

/** As `watchFiles`; what changes until the watch stands is told as well. */
export function watchFilesAside(
  paths: readonly string[],
  { onChange, onFailure }: FarWatchOptions,
): FileWatch {
  let worker: Worker | undefined;
  const watch = (paths: readonly string[]) => {
    if (worker === undefined && paths.length === 0) return;
    // At the start the paths have just been read, and later an older watch tells what changes.
    const order: WatchOrder = worker === undefined ? { paths, stamp: stampOf(paths) } : { paths };
    worker ??= start({ onChange, onFailure });
    worker.postMessage(order);
  };
  watch(paths);
  return { watch, close: () => worker?.terminate() };
}

function start({ onChange, onFailure }: FarWatchOptions): Worker {
  const worker = new Worker(new URL("./watch_worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<WatchAnswer>) => {
    if ("error" in data) onFailure(data.error);
    else onChange();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    onFailure(event.message);
  };
  worker.onmessageerror = () => onFailure("what its thread said cannot be read");
  return worker;
}
