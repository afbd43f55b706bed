// Alerts on standard output, one line each, written at once. Writing does not block this thread:
// a reader that stops holds up its own queue only.
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert, type FormatOptions } from "../format.ts";
import { type ByteStream, LineWriter, PartlyWritten } from "./lines.ts";
import { type Output, OutputClosed } from "./output.ts";

export function stdoutOutput(stream: ByteStream, format: FormatOptions): Output {
  const lines = new LineWriter();
  return {
    name: "stdout",
    async write(alerts: readonly Alert[]): Promise<void> {
      try {
        await lines.write(alerts.map((alert) => formatAlert(alert, format) + "\n"), stream);
      } catch (error) {
        const cause = error instanceof PartlyWritten ? error.cause : error;
        if (isGone(cause)) {
          throw new OutputClosed("The reader of standard output has gone", { cause });
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
