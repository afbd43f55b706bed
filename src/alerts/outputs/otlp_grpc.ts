// OTLP over gRPC: the service that collectors have, one call a request.
import { GrpcChannel } from "./grpc_channel.ts";
import type { TlsFiles } from "./http_post.ts";
import type { OtlpAnswer, OtlpWay } from "./otlp.ts";
import {
  fateOfGrpc,
  fateOfHttp,
  GRPC_UNAUTHORIZED,
  grpcName,
  HTTP_UNAUTHORIZED,
  notTaken,
  taken,
  UNIMPLEMENTED,
} from "./otlp_answer.ts";
import { decodePartialSuccess, decodeStatus, encodeRequest } from "./otlp_protobuf.ts";
import { type OtlpAbout, requestOf } from "./otlp_record.ts";

export interface OtlpGrpcOptions {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly origin: string;
  readonly tls: TlsFiles;
  readonly about: OtlpAbout;
  readonly gzip: boolean;
  /** Read anew when the server does not accept them any more. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const HTTP_OK = 200;

export function otlpGrpc(options: OtlpGrpcOptions): OtlpWay {
  const { origin, tls, about, gzip, headers, now } = options;
  const channel = new GrpcChannel(origin, tls);
  let isZipped = gzip;
  let known: Readonly<Record<string, string>> | undefined;
  const call = (message: Uint8Array, signal: AbortSignal) => {
    known ??= lowerCased(headers());
    return channel.call({ path: EXPORT, message, headers: known, gzip: isZipped, signal });
  };
  return {
    async send(messages, signal): Promise<OtlpAnswer> {
      const message = encodeRequest(requestOf(messages, about, now()));
      let answer = await call(message, signal);
      if (answer.code === UNIMPLEMENTED && isZipped) {
        // So does a server answer that does not know the compression; one that takes it plain has
        // it so from then on.
        isZipped = false;
        answer = await call(message, signal);
        isZipped = answer.code === UNIMPLEMENTED;
      }
      const { httpStatus, code, body } = answer;
      if (httpStatus !== HTTP_OK) {
        if (HTTP_UNAUTHORIZED.includes(httpStatus)) known = undefined;
        return notTaken(fateOfHttp(httpStatus), `${httpStatus}, which is no gRPC`, answer.message);
      }
      if (GRPC_UNAUTHORIZED.includes(code)) known = undefined;
      const { retryMs } = decodeStatus(answer.details);
      const fate = fateOfGrpc(code, retryMs !== undefined);
      if (fate === "taken") return taken(decodePartialSuccess(body));
      return notTaken(fate, grpcName(code), answer.message, retryMs);
    },
    close: () => channel.close(),
  };
}

/** HTTP/2 has no others. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
