// A bundle at a URL: asked for again and again, it is handed over only when it changed. Nothing of
// what the server says is believed but its bytes, whose signature is checked, and none of it is
// shown.
import { BUNDLE_BYTES_MAX } from "./contents.ts";

export interface HttpSourceOptions {
  readonly url: string;
  /** PEM, trusted besides the authorities that are trusted anyway. */
  readonly caCert?: string;
  /** Sent as a bearer token. */
  readonly token?: () => string;
  readonly timeoutMs: number;
}

export class HttpSource {
  readonly #options: HttpSourceOptions;
  readonly #client: Deno.HttpClient;
  /** What the server marked the last answer with. */
  #marks: Record<string, string> = {};

  constructor(options: HttpSourceOptions) {
    this.#options = options;
    const { caCert } = options;
    this.#client = Deno.createHttpClient(caCert === undefined ? {} : { caCerts: [caCert] });
  }

  /** Undefined where it is the same as before. Throws an error of one line. */
  async ask(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { url, token, timeoutMs } = this.#options;
    const headers = new Headers(this.#marks);
    headers.set("user-agent", "saker");
    if (token !== undefined) headers.set("authorization", `Bearer ${token()}`);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await fetch(url, {
        headers,
        signal,
        redirect: "manual",
        client: this.#client,
      });
      if (answer.status === 304) {
        await answer.body?.cancel();
        return undefined;
      }
      if (answer.status !== 200) {
        await answer.body?.cancel();
        throw new Error(`the server answers ${answer.status}`);
      }
      const bytes = await bounded(answer);
      this.#marks = marksOf(answer.headers);
      return bytes;
    } catch (error) {
      if (signal.aborted) throw new Error(`no whole answer within ${timeoutMs / 1000} s`);
      throw new Error((error as Error).message.split("\n", 1)[0]);
    }
  }

  close(): void {
    this.#client.close();
  }
}

/** One byte more than a bundle may have is enough to see that it is none. */
async function bounded({ body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for await (const piece of body ?? []) {
    pieces.push(piece);
    total += piece.length;
    if (total > BUNDLE_BYTES_MAX) break;
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function marksOf(headers: Headers): Record<string, string> {
  const etag = headers.get("etag");
  const modified = headers.get("last-modified");
  return {
    ...(etag === null ? {} : { "if-none-match": etag }),
    ...(modified === null ? {} : { "if-modified-since": modified }),
  };
}
