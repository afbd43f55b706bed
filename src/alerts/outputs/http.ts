// Alerts to a URL, one POST each, in order. What a server answers decides: taken, refused for good
// (a fault of this alert, such as 400), or to be tried again (anything else, no answer included).
import { gzipSync } from "node:zlib";
import type { Message } from "../format/message.ts";
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
  const send = async ({ text }: Message): Promise<Answer> => {
    const headers = new Headers(options.headers);
    token ??= options.token?.();
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (gzip) headers.set("content-encoding", "gzip");
    const line = encoder.encode(text);
    const answer = await posted(gzip ? gzipSync(line) : line, headers, options);
    if (UNAUTHORIZED.includes(answer.status)) token = undefined;
    echo?.(answer.text);
    return answer;
  };
  return {
    name: "http",
    async write(messages: readonly Message[]): Promise<void> {
      for (const [written, message] of messages.entries()) {
        let answer: Answer;
        try {
          answer = await send(message);
          if (answer.status === UNSUPPORTED_MEDIA_TYPE && gzip) {
            // A server that takes no compressed alerts takes plain ones.
            gzip = false;
            answer = await send(message);
          }
        } catch (error) {
          throw new PartlyWritten(written, new Error(withoutUrl(error as Error)));
        }
        const { status, retryAfter } = answer;
        if (status >= 200 && status < 300) continue;
        const isRefused = status >= 400 && status < 500 && !PASSING.includes(status);
        throw new PartlyWritten(written, new Error(`the server answers ${status}`), {
          refused: isRefused ? 1 : 0,
          againMs: isRefused ? 0 : pauseOf(retryAfter, now()),
        });
      }
    },
    reopen(): void {
      token = undefined;
    },
    close: () => poster.close(),
  };
}

/** One request, repeated while it is not answered in time. */
async function posted(body: Uint8Array, headers: Headers, options: HttpOptions): Promise<Answer> {
  const { poster, timeoutMs, timeoutsMax } = options;
  for (let timeouts = 0;; timeouts++) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      return await poster.post(body, headers, late.signal);
    } catch (error) {
      if (!late.signal.aborted) throw error;
      if (timeouts >= timeoutsMax) throw new Error(`no answer within ${timeoutMs} ms`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** `Retry-After` in milliseconds: a number of seconds, or a date. */
function pauseOf(retryAfter: string | undefined, nowMs: number): number {
  if (retryAfter === undefined) return 0;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs);
}

/** The runtime names the address, in which a password may stand. */
function withoutUrl({ message }: Error): string {
  return message.replace(/^error sending request.*?\): (client error \(\w+\): )?/, "");
}
