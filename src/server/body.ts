// The body of a request: what came behind its head and what the connection still gives come in, its
// bytes go out, or the status that tells why there are none. Never more than a bound, and never for
// longer than a time; `content-length` and chunked bodies alike.

export interface BodyBounds {
  readonly bytesMax: number;
  /** Asked before so many bytes more are held: there may be no room beside other bodies. */
  readonly mayHold: (bytes: number) => boolean;
}

export type Body = { readonly bytes: Uint8Array } | BodyRefusal;
export interface BodyRefusal {
  readonly status: 400 | 408 | 411 | 413 | 417 | 429;
  readonly reason: string;
}

/** What is read from. */
export interface BodySource {
  /** Undefined: it has ended. May reject where the client has gone. */
  read(): Promise<Uint8Array | undefined>;
}

/** A client that gives nothing for so long, or not all in so long, is refused. */
export const BODY_IDLE_MS = 5_000;
export const BODY_MS = 20_000;

/** Of a chunk's line, its extensions included, and of what follows the last one. */
const CHUNK_LINE_MAX = 256;
const TRAILERS_MAX = 4_096;

type Framing = { readonly length: number } | { readonly chunked: true };

/** How the head says that the body is framed. */
export function framingOf(headers: Headers): Framing | BodyRefusal {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (coding !== null) {
    if (length !== null) return bad("content-length and transfer-encoding at once");
    return coding.trim().toLowerCase() === "chunked" ? { chunked: true } : bad("transfer-encoding");
  }
  if (length === null) return { status: 411, reason: "a body of known length is wanted" };
  return /^\d{1,15}$/.test(length) ? { length: Number(length) } : bad("content-length");
}

function bad(what: string): BodyRefusal {
  return { status: 400, reason: `the request cannot be read: ${what}` };
}

export async function readBody(
  source: BodySource,
  framing: Framing,
  bounds: BodyBounds,
): Promise<Body> {
  if ("length" in framing && framing.length > bounds.bytesMax) return tooLarge(bounds);
  const reader = new BodyReader(source, bounds);
  try {
    if ("length" in framing) await reader.take(framing.length);
    else await readChunks(reader);
    return { bytes: reader.bytes() };
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  } finally {
    reader.end();
  }
}

/** size CRLF bytes CRLF … 0 CRLF trailers CRLF */
async function readChunks(reader: BodyReader): Promise<void> {
  for (;;) {
    const line = await reader.line(CHUNK_LINE_MAX);
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw new Refused(bad("the size of a chunk"));
    const bytes = parseInt(size, 16);
    if (bytes === 0) break;
    await reader.take(bytes);
    if (await reader.line(0) !== "") throw new Refused(bad("the end of a chunk"));
  }
  let trailers = 0;
  for (;;) {
    const line = await reader.line(TRAILERS_MAX);
    if (line === "") return;
    trailers += line.length;
    if (trailers > TRAILERS_MAX) throw new Refused(bad("its trailers"));
  }
}

class Refused extends Error {
  readonly refusal: BodyRefusal;

  constructor(refusal: BodyRefusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

function tooLarge({ bytesMax }: BodyBounds): BodyRefusal {
  return { status: 413, reason: `the body has more than ${bytesMax} bytes` };
}

/** Pieces of so many bytes together in one. */
export function joined(pieces: readonly Uint8Array[], total: number): Uint8Array {
  const all = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const LF = 10;

class BodyReader {
  readonly #source: BodySource;
  readonly #bounds: BodyBounds;
  readonly #pieces: Uint8Array[] = [];
  readonly #end = Promise.withResolvers<undefined>();
  readonly #timer: number;
  #waiting = new Uint8Array(0);
  #total = 0;

  constructor(source: BodySource, bounds: BodyBounds) {
    this.#source = source;
    this.#bounds = bounds;
    this.#timer = setTimeout(() => this.#end.resolve(undefined), BODY_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  bytes(): Uint8Array {
    return joined(this.#pieces, this.#total);
  }

  async take(count: number): Promise<void> {
    if (this.#total + count > this.#bounds.bytesMax) throw new Refused(tooLarge(this.#bounds));
    for (let left = count; left > 0;) {
      if (this.#waiting.length === 0) await this.#more();
      const piece = this.#waiting.subarray(0, left);
      if (!this.#bounds.mayHold(piece.length)) {
        throw new Refused({ status: 429, reason: "there are too many bodies at once" });
      }
      this.#waiting = this.#waiting.subarray(piece.length);
      this.#pieces.push(piece);
      this.#total += piece.length;
      left -= piece.length;
    }
  }

  /** The text up to the end of a line, without it. */
  async line(most: number): Promise<string> {
    let text = "";
    for (;;) {
      if (this.#waiting.length === 0) await this.#more();
      const end = this.#waiting.indexOf(LF);
      const part = this.#waiting.subarray(0, end < 0 ? this.#waiting.length : end);
      text += latin1.decode(part);
      if (text.length > most + 1) throw new Refused(bad("a line of its body is too long"));
      this.#waiting = this.#waiting.subarray(end < 0 ? part.length : end + 1);
      if (end >= 0) return text.replace(/\r$/, "");
    }
  }

  async #more(): Promise<void> {
    const late = Symbol();
    const idle = Promise.withResolvers<typeof late>();
    const timer = setTimeout(() => idle.resolve(late), BODY_IDLE_MS);
    const overall = this.#end.promise.then(() => late);
    const reading = this.#source.read();
    try {
      const read = await Promise.race([reading, idle.promise, overall]);
      if (read === late) {
        // Nobody takes what still comes: the connection is closed under it.
        reading.catch(() => {});
        throw new Refused({ status: 408, reason: "the body did not come in time" });
      }
      if (read === undefined) throw new Refused(bad("the body is shorter than it says"));
      this.#waiting = read as Uint8Array<ArrayBuffer>;
    } finally {
      clearTimeout(timer);
    }
  }
}

const latin1 = new TextDecoder("latin1");
