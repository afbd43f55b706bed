// An output of which somebody wants to know what it has taken.
import type { Message } from "../format/message.ts";
import type { Output } from "./output.ts";

/** The same output; `onWritten` is called with messages that have left this process. */
export function withNews(
  output: Output,
  onWritten: ((messages: readonly Message[]) => void) | undefined,
): Output {
  if (onWritten === undefined) return output;
  const check = output.check?.bind(output);
  return {
    name: output.name,
    ...(check === undefined ? {} : { check }),
    async write(messages: readonly Message[]): Promise<void> {
      await output.write(messages);
      onWritten(messages);
    },
    reopen: () => output.reopen(),
    close: () => output.close(),
  };
}
