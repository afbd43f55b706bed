// What an API server's audit webhook posts: a request comes in, its body goes to the sink, and only
// when its events are judged the answer goes out. Whoever may not post, and what is no audit event,
// is refused with one line; all of it is counted.
import type { AuditSink, AuditVerdict } from "../audit/contract.ts";
import type { HookNumbers, HookRefusal } from "../metrics/audit_families.ts";
import type { Asked } from "./asker.ts";
import { type Body, type BodyBounds, type BodyRefusal, joined } from "./body.ts";

export interface AuditHookOptions {
  readonly sink: AuditSink;
  /** Of one body, unpacked. */
  readonly bytesMax: number;
}

/** Bytes of all bodies that are read at once, in bodies of the largest size. */
const BODIES_HELD = 4;
const RETRY = { "retry-after": "1" };

export class AuditHook {
  readonly #sink: AuditSink;
  readonly #bytesMax: number;
  readonly #heldMax: number;
  #held = 0;
  #requests = 0;
  #taken = 0;
  #events = 0;
  #bytes = 0;
  #malformed = 0;
  #broken = 0;
  #waiting = 0;
  #reason: string | undefined;
  readonly #refused: Record<HookRefusal, number> = {
    unauthorized: 0,
    unwanted: 0,
    hostile: 0,
    too_large: 0,
    slow: 0,
    busy: 0,
  };

  constructor({ sink, bytesMax }: AuditHookOptions) {
    this.#sink = sink;
    this.#bytesMax = bytesMax;
    this.#heldMax = BODIES_HELD * bytesMax;
  }

  numbers(): HookNumbers {
    return {
      requests: this.#requests,
      taken: this.#taken,
      events: this.#events,
      bytes: this.#bytes,
      refused: { ...this.#refused },
      malformed: this.#malformed,
      broken: this.#broken,
      waiting: this.#waiting,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  /** `refusal`: why this client may not post; undefined where it may. */
  async answer(context: Asked, refusal: string | undefined): Promise<Response> {
    this.#requests++;
    if (context.req.method !== "POST") {
      return this.#refuse(context, "unwanted", 405, "method not allowed", { allow: "POST" });
    }
    if (refusal !== undefined) {
      const headers = { "www-authenticate": "Bearer" };
      return this.#refuse(context, "unauthorized", 401, refusal, headers);
    }
    // No API server sends one: it is a page in somebody's browser.
    if (context.req.header("origin") !== undefined) {
      return this.#refuse(context, "unauthorized", 403, "not answered to pages of browsers");
    }
    const type = context.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (type !== "application/json") {
      return this.#refuse(context, "unwanted", 415, "the content type application/json is wanted");
    }
    const coding = context.req.header("content-encoding")?.trim().toLowerCase() ?? "identity";
    if (coding !== "identity" && coding !== "gzip") {
      return this.#refuse(context, "unwanted", 415, "of content encodings gzip alone is taken");
    }
    const hold = new Hold((bytes) => this.#mayHold(bytes));
    this.#waiting++;
    let isAnswered = false;
    try {
      const answer = await this.#take(context, hold, coding === "gzip");
      isAnswered = true;
      return answer;
    } finally {
      this.#waiting--;
      this.#held -= hold.bytes;
      if (!isAnswered) this.#broken++;
    }
  }

  async #take(context: Asked, hold: Hold, isPacked: boolean): Promise<Response> {
    const bounds = { bytesMax: this.#bytesMax, mayHold: hold.more };
    const read = await context.env.body(bounds);
    if ("status" in read) return this.#refuseBody(context, read);
    const body = isPacked ? await unpacked(read.bytes, bounds) : read;
    if ("status" in body) return this.#refuseBody(context, body);
    const { bytes } = body;
    const { length } = bytes;
    if (length === 0) return this.#refuse(context, "hostile", 400, "the body is empty");
    const offered = this.#sink.offer({ bytes, origin: "webhook" });
    if (offered === "busy") {
      return this.#refuse(context, "busy", 429, "there is no room for more events", RETRY);
    }
    this.#bytes += length;
    return this.#tell(context, await offered);
  }

  #tell(context: Asked, { events, malformed, reason = "no audit event" }: AuditVerdict): Response {
    this.#events += events;
    this.#malformed += malformed;
    if (malformed > 0) this.#reason = reason;
    if (malformed > 0 && events === 0) return this.#refuse(context, "hostile", 400, reason);
    this.#taken++;
    if (malformed === 0) return context.body(null, 200);
    return context.json({ events, malformed, reason }, 200);
  }

  #mayHold(bytes: number): boolean {
    if (this.#held + bytes > this.#heldMax) return false;
    this.#held += bytes;
    return true;
  }

  #refuseBody(context: Asked, { status, reason }: BodyRefusal): Response {
    const kind = status === 413
      ? "too_large"
      : status === 408
      ? "slow"
      : status === 429
      ? "busy"
      : "hostile";
    return this.#refuse(context, kind, status, reason, status === 429 ? RETRY : {});
  }

  #refuse(
    context: Asked,
    kind: HookRefusal,
    status: 400 | 401 | 403 | 405 | 408 | 411 | 413 | 415 | 417 | 429,
    error: string,
    headers: Record<string, string> = {},
  ): Response {
    this.#refused[kind]++;
    if (kind === "hostile") this.#reason = error;
    return context.json({ error }, status, headers);
  }
}

/** What one request holds of the room for all. */
class Hold {
  bytes = 0;
  readonly more: (bytes: number) => boolean;

  constructor(mayHold: (bytes: number) => boolean) {
    this.more = (bytes) => {
      if (!mayHold(bytes)) return false;
      this.bytes += bytes;
      return true;
    };
  }
}

/** A small body may unpack to a large one: no more than the bound is ever made. */
async function unpacked(
  packed: Uint8Array,
  { bytesMax, mayHold }: BodyBounds,
): Promise<Body> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const source = new Blob([packed as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      total += value.length;
      if (total > bytesMax) {
        return { status: 413, reason: `the body unpacks to more than ${bytesMax} bytes` };
      }
      if (!mayHold(value.length)) {
        return { status: 429, reason: "there are too many bodies at once" };
      }
      pieces.push(value);
    }
  } catch {
    return { status: 400, reason: "the body is no gzip" };
  } finally {
    reader.cancel().catch(() => {});
  }
  return { bytes: joined(pieces, total) };
}
