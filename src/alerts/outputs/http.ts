// Alerts to a URL, one POST each, in order. What a server answers decides: taken, refused for good
// (a fault of this alert, such as 400), or to be tried again (anything else, no answer included).
import { gzipSync } from "node:zlib";
import type { Message } from "../format/message.ts";
import { BEING_CLOSED, Ending } from "./ending.ts";
import type { Answer, Poster } from "./http_post.ts";
import { type Output, PartlyWritten } from "./output.ts";

export interface HttpOptions {
  readonly poster: Poster;
  readonly headers: Readonly<Record<string, string>>;
  /** Read anew when the server does not accept it any more. */
  readonly token?: (() => string) | undefined;
  readonly gzip: boolean;
  /** Of one request. */
  readonly timeoutMs: number;
  /** Requests without an answer in a row that are repeated at once. */
  readonly timeoutsMax: number;
  /** Gets what the server answers. */
  readonly echo?: ((text: string) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What heals although the alert stays as it is: who may send, where to, how often. */
const PASSING = [401, 402, 403, 404, 407, 408, 409, 421, 423, 425, 429];
const UNAUTHORIZED = [401, 403];
const UNSUPPORTED_MEDIA_TYPE = 415;

const encoder = new TextEncoder();

export function httpOutput(options: HttpOptions): Output {
  const { poster, echo, now } = options;
  let gzip = options.gzip;
  let token: string | undefined;
  const ending = new Ending();
  const send = async ({ text }: Message): Promise<Answer> => {
    const headers = new Headers(options.headers);
    token ??= options.token?.();
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (gzip) headers.set("content-encoding", "gzip");
    const line = encoder.encode(text);
    const body = gzip ? gzipSync(line) : line;
    const answer = await posted(body, headers, options, ending.signal);
    if (UNAUTHORIZED.includes(answer.status)) token = undefined;
    echo?.(answer.text);
    return answer;
  };
  const post = async (message: Message, written: number): Promise<Answer> => {
    try {
      const answer = await send(message);
      if (answer.status !== UNSUPPORTED_MEDIA_TYPE || !gzip) return answer;
      // A server that takes no compressed alerts takes plain ones.
      gzip = false;
      return await send(message);
    } catch (error) {
      throw new PartlyWritten(written, new Error(withoutUrl(error as Error)));
    }
  };
  const writeAll = async (messages: readonly Message[], onMoved?: () => void): Promise<void> => {
    for (const [written, message] of messages.entries()) {
      if (ending.isClosing) throw new PartlyWritten(written, new Error(BEING_CLOSED));
      const { status, retryAfter } = await post(message, written);
      onMoved?.();
      if (status >= 200 && status < 300) continue;
      const isRefused = status >= 400 && status < 500 && !PASSING.includes(status);
      throw new PartlyWritten(written, new Error(`the server answers ${status}`), {
        refused: isRefused ? 1 : 0,
        againMs: isRefused ? 0 : pauseOf(retryAfter, now()),
      });
    }
  };
  return {
    name: "http",
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      await ending.write(writeAll(messages, onMoved));
    },
    reopen(): void {
      token = undefined;
    },
    close(): void {
      ending.close(() => poster.close());
    },
  };
}

/** One request, repeated while it is not answered in time. */
async function posted(
  body: Uint8Array,
  headers: Headers,
  { poster, timeoutMs, timeoutsMax }: HttpOptions,
  closed: AbortSignal,
): Promise<Answer> {
  for (let timeouts = 0;; timeouts++) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      return await poster.post(body, headers, AbortSignal.any([late.signal, closed]));
    } catch (error) {
      if (!late.signal.aborted) throw error;
      if (timeouts >= timeoutsMax) throw new Error(`no answer within ${timeoutMs} ms`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** `Retry-After` in milliseconds: a number of seconds, or a date. */
export function pauseOf(retryAfter: string | undefined, nowMs: number): number {
  if (retryAfter === undefined) return 0;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs);
}

/** The runtime names the address, in which a password may stand. */
export function withoutUrl({ message }: Error): string {
  return message.replace(/^error sending request.*?\): (client error \(\w+\): )?/, "")
    .replace(/: https?:\/\/docs\S*/, "");
}
