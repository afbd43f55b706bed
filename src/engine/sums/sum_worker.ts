// The thread that reads programs' files, so that the engine never waits for a disk: requests and
// answers go through the port that its first message brings.
import { catchStrays } from "../contract/strays.ts";
import { ProgramFiles, type SumAnswer, type SumRequest } from "./program_file.ts";

export interface SumStart {
  readonly hostRoot: string;
  readonly port: MessagePort;
}

const scope = self as unknown as { onmessage: ((event: MessageEvent<SumStart>) => void) | null };

catchStrays(() => {});

scope.onmessage = ({ data: { hostRoot, port } }) => {
  const files = new ProgramFiles(hostRoot);
  port.onmessage = ({ data }: MessageEvent<SumRequest>) => {
    const answer: SumAnswer = { key: data.key, sum: files.sumOf(data) };
    port.postMessage(answer);
  };
};
