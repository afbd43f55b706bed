// Alerts to a stream of NATS JetStream: each a message with an id, in order, many under way at a
// time. What is not answered is sent again from the first such one on; the stream drops doubles by
// their ids, and what it has already, however long ago, is found by asking for its last one.
import type { NatsDoor } from "../../nats/door.ts";
import type { NatsStream, Outgoing } from "../../nats/stream.ts";
import type { Message } from "../format/message.ts";
import { BEING_CLOSED, Ending } from "./ending.ts";
import { type Output, PartlyWritten } from "./output.ts";
import { toldBeside } from "./told_beside.ts";

export interface NatsOutputOptions {
  readonly door: NatsDoor;
  /** Alerts of a host go to `SUBJECT.HOST`. */
  readonly subject: string;
  /** Of one answer. */
  readonly timeoutMs: number;
  /** Called when the output is closed: it has until the promise settles, or a bound, before the
   * connection ends. */
  readonly onClosing?: () => Promise<void>;
}

/** Bytes of messages without an answer. */
const UNDER_WAY_BYTES_MAX = 4 << 20;

export function natsOutput(options: NatsOutputOptions): Output {
  const { door, subject, timeoutMs } = options;
  /** The link on which it is known how far the stream has come. */
  let known: NatsStream | undefined;
  let isStale = false;
  const ending = new Ending();

  /** Those from the first on that the stream has already. */
  const arrived = async (stream: NatsStream, all: readonly Outgoing[]): Promise<number> => {
    const hosts = new Map<string, number>();
    for (const [at, { subject }] of all.entries()) if (!hosts.has(subject)) hosts.set(subject, at);
    // Of one host, as a rule; where there are more, each one's are in order by themselves, and what
    // is sent twice is dropped by its id.
    if (hosts.size !== 1) return 0;
    const last = await stream.lastId(all[0]!.subject);
    return last === undefined ? 0 : all.findLastIndex(({ id }) => id === last) + 1;
  };

  const writeAll = async (messages: readonly Message[], onMoved?: () => void): Promise<void> => {
    if (isStale) door.drop();
    isStale = false;
    const all = messages.map((message) => outgoing(message, subject));
    let written = 0;
    let stream: NatsStream | undefined;
    try {
      stream = await ending.within(door.open());
      onMoved?.();
      if (stream !== known) {
        written = await ending.within(arrived(stream, all));
        known = stream;
        onMoved?.();
      }
      while (written < all.length) {
        const to = endOf(all, written);
        const answers = all.slice(written, to).map((one) => stream!.publish(one, timeoutMs));
        for (const answer of answers) answer.catch(() => {});
        await ending.within((async () => {
          for (const answer of answers) {
            await answer;
            if (ending.signal.aborted) return;
            written++;
            onMoved?.();
          }
        })());
      }
    } catch (error) {
      const isRefused = (error as Error).name === "MessageRefused";
      // What is still under way there must not come behind what is sent next: another link, and
      // the stream is asked how far it has come.
      if (!isRefused && !ending.isClosing) {
        known = undefined;
        door.drop();
      }
      throw new PartlyWritten(written, error, { refused: isRefused ? 1 : 0 });
    }
  };

  return {
    name: "nats",
    async check(): Promise<void> {
      await door.open();
    },
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      if (ending.isClosing) throw new PartlyWritten(0, new Error(BEING_CLOSED));
      await ending.write(writeAll(messages, onMoved));
    },
    reopen(): void {
      isStale = true;
      if (!ending.isWriting) door.drop();
    },
    close(): void {
      ending.close(async () => {
        await options.onClosing?.();
        door.close();
      });
    },
  };
}

/** So many from there on may be under way at once. */
function endOf(all: readonly Outgoing[], from: number): number {
  let bytes = 0;
  let to = from;
  do bytes += all[to++]!.payload.length; while (to < all.length && bytes < UNDER_WAY_BYTES_MAX);
  return to;
}

function outgoing(message: Message, subject: string): Outgoing {
  const { host, ...beside } = toldBeside(message);
  return { subject: `${subject}.${host}`, ...beside };
}
