// Alerts on standard output, one line each, written at once. Writing does not block this thread:
// a reader that stops holds up its own queue only.
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert, type FormatOptions } from "../format.ts";
import { type Output, OutputClosed } from "./output.ts";

/** What the output needs of a stream; `Deno.stdout` has it. */
export interface ByteStream {
  write(bytes: Uint8Array): Promise<number>;
}

const encoder = new TextEncoder();

export function stdoutOutput(stream: ByteStream, format: FormatOptions): Output {
  return {
    name: "stdout",
    async write(alerts: readonly Alert[]): Promise<void> {
      const text = alerts.map((alert) => formatAlert(alert, format) + "\n").join("");
      let bytes = encoder.encode(text);
      try {
        while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
      } catch (error) {
        if (isGone(error)) {
          throw new OutputClosed("The reader of standard output has gone", { cause: error });
        }
        throw error;
      }
    },
    reopen(): void {},
    close(): void {},
  };
}

/** A pipe without a reader, or a terminal that was closed. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error as { code?: unknown } | null)?.code === "EIO";
}
