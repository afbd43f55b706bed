// OTLP over HTTP, in protobuf or in JSON: one POST a request, over connections that the runtime's
// client uses again.
import { gzipSync } from "node:zlib";
import { pauseOf, withoutUrl } from "./http.ts";
import type { RawAnswer, RawPoster } from "./http_post.ts";
import type { OtlpAnswer, OtlpWay } from "./otlp.ts";
import { fateOfHttp, HTTP_UNAUTHORIZED, notTaken, taken } from "./otlp_answer.ts";
import { encodeJson, partialSuccessIn, statusMessageIn } from "./otlp_json.ts";
import { decodePartialSuccess, decodeStatus, encodeRequest } from "./otlp_protobuf.ts";
import { type OtlpAbout, requestOf } from "./otlp_record.ts";

export interface OtlpHttpOptions {
  readonly poster: RawPoster;
  readonly about: OtlpAbout;
  readonly json: boolean;
  readonly gzip: boolean;
  /** Read anew when the server does not accept them any more. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const UNSUPPORTED_MEDIA_TYPE = 415;

export function otlpHttp(options: OtlpHttpOptions): OtlpWay {
  const { poster, about, json, gzip, headers, now } = options;
  let isZipped = gzip;
  let known: Readonly<Record<string, string>> | undefined;
  const post = async (plain: Uint8Array, signal: AbortSignal): Promise<RawAnswer> => {
    known ??= headers();
    const all = new Headers({
      ...known,
      "content-type": json ? "application/json" : "application/x-protobuf",
      ...(isZipped ? { "content-encoding": "gzip" } : {}),
    });
    try {
      return await poster.post(isZipped ? gzipSync(plain) : plain, all, signal);
    } catch (error) {
      throw new Error(withoutUrl(error as Error));
    }
  };
  return {
    async send(messages, signal): Promise<OtlpAnswer> {
      const request = requestOf(messages, about, now());
      const plain = json ? encodeJson(request) : encodeRequest(request);
      let answer = await post(plain, signal);
      if (answer.status === UNSUPPORTED_MEDIA_TYPE && isZipped) {
        // A server that takes nothing compressed takes it plain.
        isZipped = false;
        answer = await post(plain, signal);
      }
      const { status, retryAfter, body } = answer;
      if (HTTP_UNAUTHORIZED.includes(status)) known = undefined;
      const text = () => new TextDecoder().decode(body);
      const fate = fateOfHttp(status);
      if (fate === "taken") {
        return taken(json ? partialSuccessIn(text()) : decodePartialSuccess(body));
      }
      const says = statusMessageIn(text()) || (json ? "" : decodeStatus(body).message) ||
        plainTextIn(text());
      return notTaken(fate, String(status), says, pauseOf(retryAfter, now()));
    },
    close: () => poster.close(),
  };
}

/** Not every server has a Status for what it refuses; HTML or bytes tell nobody a thing. */
function plainTextIn(text: string): string {
  const line = text.trim().split(/[\r\n]/, 1)[0]!;
  // deno-lint-ignore no-control-regex -- They are looked for.
  return /^[<{[]|[\x00-\x08\x0e-\x1f\ufffd]/.test(line) ? "" : line;
}
