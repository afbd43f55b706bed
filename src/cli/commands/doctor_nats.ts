// What `saker doctor` says of the servers that alerts are to go to: whether one answers and takes
// us, and whether the stream is there. Nothing is made. A configuration comes in, findings go out.
import type { Config } from "../../config/schema.ts";
import type { Finding } from "../start/host_findings.ts";
import { natsStreamOf } from "../start/nats.ts";

/** Who does not answer within this is said not to. */
const PATIENCE_MS = 3_000;

export async function natsFindings({ nats_output: nats }: Config): Promise<Finding[]> {
  if (!nats.enabled) return [];
  let options: ReturnType<typeof natsStreamOf>;
  try {
    options = natsStreamOf(nats, PATIENCE_MS);
  } catch (error) {
    // With this no watch begins.
    return [{ verdict: "missing", text: (error as Error).message }];
  }
  const where = nats.url.join(", ");
  try {
    const { NatsStream } = await import("../../nats/stream.ts");
    const { made: _, ...look } = options;
    const stream = await NatsStream.open(look);
    const { isThere } = stream;
    await stream.close();
    return [{ verdict: "ok", text: `${where} takes us, and ${streamLine(nats.stream, isThere)}` }];
  } catch (error) {
    const { message } = error as Error;
    return [{ verdict: "note", text: `nats_output.url: ${where}: ${message}`, advice: ADVICE }];
  }
}

const ADVICE = "alerts wait until it can be written to";

function streamLine(stream: string, isThere: boolean | undefined): string {
  switch (isThere) {
    case true:
      return `has stream ${stream}`;
    case false:
      return `has no stream ${stream} yet: a watch makes it`;
    case undefined:
      return `does not say whether there is a stream ${stream}`;
  }
}
