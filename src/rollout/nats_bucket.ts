// The bucket of JetStream that hands out bundles, for who publishes them and looks at them: a
// bundle goes in, and never in place of a newer one that somebody else has put there meanwhile.
import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { natsReason } from "../nats/reason.ts";
import { BundleRefused, type Contents } from "./contents.ts";
import { peekBundle } from "./envelope.ts";

export interface Publishing {
  readonly bucket: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Over whatever is there. */
  readonly isForced: boolean;
}

/** Versions of each key that the bucket keeps, for who looks back. */
const HISTORY = 8;
const WRONG_LAST_SEQUENCE = 10071;
/** Of the protocol, beside the bundle. */
const ROOM_BYTES = 4096;
const decoder = new TextDecoder();

/** Rejects with one line; makes the bucket where there is none. */
export async function publishTo(
  connection: NatsConnection,
  { bucket, bytes, isForced }: Publishing,
): Promise<void> {
  const { kind, serial } = peekBundle(bytes).contents;
  const most = connection.info?.max_payload ?? Infinity;
  if (bytes.length + ROOM_BYTES > most) {
    throw new Error(
      `the bundle has ${bytes.length} bytes, and the server takes ${most} (max_payload): ` +
        "hand it out over HTTP",
    );
  }
  const kv = await inWords(() => bucketOf(connection, bucket));
  const entry = await inWords(() => kv.get(kind));
  const isThere = entry !== null && entry.operation === "PUT";
  if (isThere && !isForced) {
    const present = contentsOf(entry.value);
    if (present === undefined) throw new Error(`what is there is no bundle (--force)`);
    if (present.serial >= serial && !isSame(entry.value, bytes)) {
      throw new Error(
        `there is serial ${present.serial} already, hosts take higher ones (--force)`,
      );
    }
  }
  try {
    await kv.put(kind, bytes, { previousSeq: entry?.revision ?? 0 });
  } catch (error) {
    const isLate = error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE;
    if (isLate) throw new Error("somebody else has published just now");
    throw new Error(natsReason(error), { cause: error });
  }
}

/** What the bucket hands out; undefined where there is none. Rejects with one line. */
export async function publishedAt(
  connection: NatsConnection,
  bucket: string,
  key: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const kv = await inWords(() => new Kvm(connection).open(bucket));
  const entry = await inWords(() => kv.get(key));
  return entry === null || entry.operation !== "PUT" ? undefined : new Uint8Array(entry.value);
}

/** A key that has not come for so long has been taken out meanwhile. */
const QUIET_MS = 5_000;

/**
 * The texts of all keys of a bucket, the newest of each. Nobody waits for a moment in which all is
 * read and nothing comes: a bucket that many write to may never have one. Rejects with one line.
 */
export async function valuesOf(connection: NatsConnection, bucket: string): Promise<string[]> {
  return await inWords(async () => {
    const prefix = `$KV.${bucket}.`;
    const { streams } = await jetstreamManager(connection, { checkAPI: false });
    const { state } = await streams.info(`KV_${bucket}`, { subjects_filter: `${prefix}>` });
    const awaited = new Set(
      Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length)),
    );
    if (awaited.size === 0) return [];
    const newest = new Map<string, string>();
    const kv = await new Kvm(connection).open(bucket);
    const entries = await kv.watch();
    const watch = () => setTimeout(() => entries.stop(), QUIET_MS);
    let quiet = watch();
    try {
      for await (const { key, operation, value } of entries) {
        newest.delete(key);
        if (operation === "PUT") newest.set(key, decoder.decode(value));
        if (awaited.delete(key)) {
          clearTimeout(quiet);
          quiet = watch();
        }
        if (awaited.size === 0) break;
      }
    } finally {
      clearTimeout(quiet);
      entries.stop();
    }
    return [...newest.values()];
  });
}

/** Who may not make one may still write to one that is there. */
async function bucketOf(connection: NatsConnection, bucket: string): Promise<KV> {
  const kvm = new Kvm(connection);
  try {
    return await kvm.create(bucket, { history: HISTORY });
  } catch (error) {
    try {
      const kv = await kvm.open(bucket);
      await kv.get("rules");
      return kv;
    } catch {
      throw error;
    }
  }
}

async function inWords<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new Error(natsReason(error), { cause: error });
  }
}

function contentsOf(value: Uint8Array): Contents | undefined {
  try {
    return peekBundle(new Uint8Array(value)).contents;
  } catch (error) {
    if (error instanceof BundleRefused) return undefined;
    throw error;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
