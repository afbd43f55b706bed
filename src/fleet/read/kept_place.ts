// A page's place in JetStream's key-value store: its name, which no other page has at the same
// time, and what it has counted. A name is held by a key that is renewed every few seconds and only
// where nobody else has written it; so any number of pages stand side by side, and one that was
// killed gives its name free without anybody's help. What is kept of a page that does not come back
// goes by the bucket's own expiry.
import { JetStreamApiError } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { hostToken } from "../../nats/names.ts";
import { pause } from "./pause.ts";

export interface PlaceOptions {
  readonly bucket: string;
  /** Of the bucket, where it has to be made. */
  readonly replicas: number;
  readonly name: string;
  /** Of this process: what it holds is its own after it lost the connection. */
  readonly owner: string;
  /** Ends the waiting for another one's name. */
  readonly signal: AbortSignal;
}

/** Of all that is kept; a page that has not written for so long is forgotten. */
export const KEPT_DAYS = 7;
/** Pages that have a place, those that went away less than KEPT_DAYS ago among them. */
export const PAGES_MAX = 64;
/** Of what a page has counted, as JSON. */
export const STATE_BYTES_MAX = 256 << 10;
export const RENEW_MS = 5_000;
/** A name that was not renewed for so long is free. */
export const STALE_MS = 3 * RENEW_MS + 1_000;
const LOOK_MS = 1_000;
const BUCKET_BYTES_MAX = PAGES_MAX * (STATE_BYTES_MAX + 4096);
const WRONG_LAST_SEQUENCE = 10071;

/** Another page has this name now. */
export class NameTaken extends Error {
  override readonly name = "NameTaken";
}

export class KeptPlace {
  readonly #kv: KV;
  readonly #options: PlaceOptions;
  readonly #key: string;
  #revision: number;

  private constructor(kv: KV, options: PlaceOptions, revision: number) {
    this.#kv = kv;
    this.#options = options;
    this.#key = hostToken(options.name);
    this.#revision = revision;
  }

  /**
   * Waits while it cannot be told whether the name is still held. Rejects with NameTaken, or where
   * there is no room, or no bucket and none may be made; undefined: the waiting was ended.
   */
  static async take(
    connection: NatsConnection,
    options: PlaceOptions,
  ): Promise<KeptPlace | undefined> {
    const { bucket, replicas, name, owner, signal } = options;
    const kv = await new Kvm(connection).create(bucket, {
      history: 1,
      ttl: KEPT_DAYS * 86_400_000,
      max_bytes: BUCKET_BYTES_MAX,
      maxValueSize: STATE_BYTES_MAX,
      replicas,
    });
    const key = hostToken(name);
    const mine = JSON.stringify({ owner, name });
    const untilMs = performance.now() + STALE_MS;
    let seen: number | undefined;
    for (;;) {
      const entry = await kv.get(key);
      const isHeld = entry !== null && entry.operation === "PUT";
      if (!isHeld && (await kv.status()).values >= 2 * PAGES_MAX) throw new Error(NO_ROOM);
      const isMine = isHeld && entry.string() === mine;
      if (!isHeld || isMine || performance.now() > untilMs) {
        const revision = isHeld
          ? await unlessTaken(kv.update(key, mine, entry.revision))
          : await unlessTaken(kv.create(key, mine));
        return new KeptPlace(kv, options, revision);
      }
      // Whose clock is right nobody knows: that it is renewed is seen.
      if (seen !== undefined && entry.revision !== seen) throw new NameTaken(takenText(name));
      seen = entry.revision;
      await pause(LOOK_MS, signal);
      if (signal.aborted) return undefined;
    }
  }

  /** To be called every RENEW_MS. Rejects with NameTaken where another page has the name now. */
  async renew(): Promise<void> {
    const { owner, name } = this.#options;
    const mine = JSON.stringify({ owner, name });
    this.#revision = await unlessTaken(this.#kv.update(this.#key, mine, this.#revision));
  }

  /** What was kept last under this name; undefined: nothing. */
  async load(): Promise<string | undefined> {
    const entry = await this.#kv.get(`${this.#key}.state`);
    return entry === null || entry.operation !== "PUT" ? undefined : entry.string();
  }

  /** At most STATE_BYTES_MAX. */
  async save(text: string): Promise<void> {
    await this.renew();
    await this.#kv.put(`${this.#key}.state`, text);
  }

  /** Gives the name free; what was saved stays. */
  async leave(): Promise<void> {
    await this.#kv.delete(this.#key, { previousSeq: this.#revision });
  }
}

const NO_ROOM = `there are ${PAGES_MAX} pages already; of one that has gone nothing is left ` +
  `after ${KEPT_DAYS} days`;

function takenText(name: string): string {
  return `another page is called "${name}"`;
}

/** What was written meanwhile was written by another page. */
async function unlessTaken(written: Promise<number>): Promise<number> {
  try {
    return await written;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== WRONG_LAST_SEQUENCE) throw error;
    throw new NameTaken("another page has this name now", { cause: error });
  }
}
