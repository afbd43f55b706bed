// Configuration and rules read anew while saker watches. Files may lie on a mount that hangs, or be
// written just now, so a thread of its own reads them; the main thread waits for its answer only,
// and not for long.
import type { AnewAnswer, AnewStart, Told } from "./anew_worker.ts";

const NOTHING_TOLD: Told = { error: "", syslog: [] };

/** Reading takes no longer than this, what is waited for included. */
const ANEW_MS = 60_000;

/** Never rejects. */
export function readAnew(start: AnewStart, timeoutMs = ANEW_MS): Promise<AnewAnswer> {
  const worker = new Worker(new URL("./anew_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve } = Promise.withResolvers<AnewAnswer>();
  const timer = setTimeout(() => {
    const error = `Cannot read the rules: it takes more than ${timeoutMs / 1000} s`;
    resolve({ told: NOTHING_TOLD, error });
  }, timeoutMs);
  worker.onmessage = ({ data }: MessageEvent<AnewAnswer>) => resolve(data);
  worker.onmessageerror = () =>
    resolve({ told: NOTHING_TOLD, error: "Cannot read the rules: no answer" });
  worker.onerror = (event) => {
    event.preventDefault();
    resolve({ told: NOTHING_TOLD, error: `Cannot read the rules: ${event.message}` });
  };
  worker.postMessage(start);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.terminate();
  });
}
