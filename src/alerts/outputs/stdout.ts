// Alerts on standard output, one line each, written at once. Writing does not block this thread:
// a reader that stops holds up its own queue only.
import { codeOf } from "../../files/reason.ts";
import type { Message } from "../format/message.ts";
import { type ByteStream, LineWriter } from "./lines.ts";
import { type Output, OutputClosed, PartlyWritten } from "./output.ts";

export interface StandardStream extends ByteStream {
  isTerminal(): boolean;
}

export function stdoutOutput(stream: StandardStream): Output {
  const lines = new LineWriter();
  return {
    name: "stdout",
    async write(messages: readonly Message[]): Promise<void> {
      try {
        await lines.write(messages.map(({ text }) => `${text}\n`), stream);
      } catch (error) {
        const cause = error instanceof PartlyWritten ? error.cause : error;
        if (isGone(cause, stream)) {
          throw new OutputClosed("The reader of standard output has gone", { cause });
        }
        throw error;
      }
    },
    reopen(): void {},
    close(): void {},
  };
}

/** A pipe without a reader, or a terminal that was closed; a disk may fail with the same error. */
function isGone(error: unknown, stream: StandardStream): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (codeOf(error) === "EIO" && stream.isTerminal());
}
