// The thread that opens and writes the alert file: opening waits where a mount hangs, whatever the
// runtime calls asynchronous, and the main thread must not. Requests of far_file.ts in, one answer
// each out.
import { catchStrays } from "../../engine/contract/strays.ts";
import { HeapWatch } from "../../engine/thread/garbage.ts";
import { reasonOf } from "../../files/reason.ts";
import type { Message } from "../format/message.ts";
import { type FileOptions, fileOutput } from "./file.ts";
import { type Output, PartlyWritten } from "./output.ts";

export type FileRequest =
  /** The first one. */
  | { readonly kind: "start"; readonly options: FileOptions }
  | { readonly kind: "check" }
  | { readonly kind: "write"; readonly messages: readonly Message[] }
  | { readonly kind: "reopen" };

/** To `check` and `write`, in their order: what was written, and why not the rest. */
export interface FileAnswer {
  readonly lines: number;
  readonly reason?: string;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<FileRequest>) => void) | null;
  postMessage(message: FileAnswer): void;
}

const scope = self as unknown as WorkerScope;

/** Alerts are garbage as soon as they are written; their thread keeps no more of it than this. */
const SLACK_BYTES = 2 << 20;
const LOOK_MS = 10_000;

catchStrays(() => {});
const heap = new HeapWatch(SLACK_BYTES);
setInterval(() => heap.look(), LOOK_MS);

/** Never rejects. */
async function answer(lines: number, work: () => Promise<void> | undefined): Promise<void> {
  try {
    await work();
    scope.postMessage({ lines });
  } catch (error) {
    const isPart = error instanceof PartlyWritten;
    scope.postMessage({
      lines: isPart ? error.written : 0,
      reason: reasonOf(isPart ? error.cause : error),
    });
  }
}

/** Carries out requests one after the other, once it is known which file it is. */
function serve(output: Output): (event: MessageEvent<FileRequest>) => void {
  let before = Promise.resolve();
  const carryOut = (request: FileRequest): Promise<void> | void => {
    if (request.kind === "reopen") return output.reopen();
    if (request.kind !== "write") return answer(0, () => output.check?.());
    return answer(request.messages.length, () => output.write(request.messages));
  };
  return ({ data }) => before = before.then(() => carryOut(data));
}

scope.onmessage = ({ data }) => {
  if (data.kind === "start") scope.onmessage = serve(fileOutput(data.options));
};
