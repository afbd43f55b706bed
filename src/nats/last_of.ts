// The last message that a stream has of a subject.
import type { StreamAPI } from "@nats-io/jetstream";

type StoredMessage = NonNullable<Awaited<ReturnType<StreamAPI["getMessage"]>>>;

/**
 * Null: it has none. A stream that has no message at all is not asked for one: nats-server
 * 2.9.10, which Debian 12 has, ends by a panic where that is asked while the stream is being made,
 * which another host may be at. Rejects as the library does.
 */
export async function lastOf(
  streams: Pick<StreamAPI, "info" | "getMessage">,
  stream: string,
  subject: string,
): Promise<StoredMessage | null> {
  if ((await streams.info(stream)).state.messages === 0) return null;
  return await streams.getMessage(stream, { last_by_subj: subject });
}
