// The alert file as the main thread has it: another thread opens and writes it (file_worker.ts), so
// that a mount that hangs holds up this output and nothing else.
import type { Message } from "../format/message.ts";
import type { FileOptions } from "./file.ts";
import type { FileAnswer, FileRequest } from "./file_worker.ts";
import { type Output, PartlyWritten } from "./output.ts";

export function farFileOutput(options: FileOptions): Output {
  const worker = new Worker(new URL("./file_worker.ts", import.meta.url), { type: "module" });
  /** Who waits for an answer, in the order of the requests. */
  const waiting: ((answer: FileAnswer) => void)[] = [];
  let failure: string | undefined;
  const fail = (reason: string) => {
    failure ??= reason;
    for (const settle of waiting.splice(0)) settle({ lines: 0, reason });
  };
  worker.onmessage = ({ data }: MessageEvent<FileAnswer>) => waiting.shift()?.(data);
  worker.onmessageerror = () => fail("its thread sent what cannot be read");
  worker.onerror = (event) => {
    event.preventDefault();
    fail(`its thread failed: ${event.message}`);
  };
  const post = (request: FileRequest) => worker.postMessage(request);
  const ask = async (request: FileRequest) => {
    if (failure !== undefined) throw new PartlyWritten(0, new Error(failure));
    const answered = new Promise<FileAnswer>((resolve) => waiting.push(resolve));
    post(request);
    const { lines, reason } = await answered;
    if (reason !== undefined) throw new PartlyWritten(lines, new Error(reason));
  };
  post({ kind: "start", options });
  return {
    name: "file",
    check: () => ask({ kind: "check" }),
    write: (messages: readonly Message[]) => ask({ kind: "write", messages }),
    reopen: () => post({ kind: "reopen" }),
    close: () => worker.terminate(),
  };
}
