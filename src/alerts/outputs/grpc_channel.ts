// Calls of gRPC with one message each way, over a connection of HTTP/2 that is kept: a message and
// headers go out, the server's message and status come in. The runtime's fetch shows no trailers,
// in which the status stands.
import { Buffer } from "node:buffer";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { gzipSync } from "node:zlib";
import { withoutUrl } from "./http.ts";
import type { TlsFiles } from "./http_post.ts";

export interface GrpcAnswer {
  /** Of HTTP: another one than 200 is no server of gRPC. */
  readonly httpStatus: number;
  readonly code: number;
  readonly message: string;
  /** A google.rpc.Status, or nothing. */
  readonly details: Uint8Array;
  readonly body: Uint8Array;
}

export interface GrpcCall {
  readonly path: string;
  readonly message: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly signal: AbortSignal;
}

/** Whether a message is compressed, and its length. */
const FRAME_HEAD_BYTES = 5;
/** Of a server's answer; more ends the call. */
const ANSWER_BYTES_MAX = 64 << 10;
const UNKNOWN = 2;

type Received = Readonly<Record<string, string | string[] | number | undefined>>;

export class GrpcChannel {
  readonly #origin: string;
  readonly #tls: TlsFiles;
  #session: ClientHttp2Session | undefined;

  /** `http://HOST:PORT` or `https://HOST:PORT`; connects when something is called. */
  constructor(origin: string, tls: TlsFiles) {
    this.#origin = origin;
    this.#tls = tls;
  }

  /** Rejects where there is no answer. */
  async call(call: GrpcCall): Promise<GrpcAnswer> {
    const kept = this.#session;
    try {
      return await this.#try(call, kept ?? this.#connect());
    } catch (error) {
      // A server may have closed the kept connection just now.
      if (kept === undefined || call.signal.aborted) throw error;
      return await this.#try(call, this.#connect());
    }
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.destroy();
  }

  #connect(): ClientHttp2Session {
    this.close();
    const session = this.#origin.startsWith("https:")
      ? connectSecurely(this.#origin, this.#tls)
      : connect(this.#origin);
    const forget = () => {
      if (this.#session === session) this.#session = undefined;
    };
    for (const event of ["error", "close", "goaway"]) session.on(event, forget);
    this.#session = session;
    return session;
  }

  async #try(call: GrpcCall, session: ClientHttp2Session): Promise<GrpcAnswer> {
    try {
      return await answered(call, session);
    } catch (error) {
      // What is under way there is of no use any more, nor is what it was under way on.
      if (this.#session === session) this.#session = undefined;
      session.destroy();
      throw error;
    }
  }
}

/**
 * A session over TLS. The runtime's own way to one heeds neither authorities nor certificates; and
 * of a connection that is handed to it, it waits for "connect", behind which TLS only begins: it is
 * told of that when the connection is secure.
 */
function connectSecurely(origin: string, { caCerts, cert, key }: TlsFiles): ClientHttp2Session {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  const options: ConnectionOptions & { readonly manualStart: true } = {
    host,
    port: Number(port || 443),
    servername: host,
    ALPNProtocols: ["h2"],
    ...(caCerts.length === 0 ? {} : { ca: [...caCerts] }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    // Nothing is read before the session does.
    manualStart: true,
  };
  const socket = connectTls(options);
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string | symbol, ...given: unknown[]) => {
    if (event === "connect") return true;
    return emit(event === "secureConnect" ? "connect" : event, ...given);
  };
  return connect(origin, { createConnection: () => socket });
}

function answered(call: GrpcCall, session: ClientHttp2Session): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const { path, headers, gzip, signal } = call;
    const fail = (error: unknown) => reject(new Error(reasonOf(error)));
    const stop = () => fail(new Error("it was given up"));
    if (signal.aborted) return stop();
    // Until there is a stream, it is the session that fails.
    session.on("error", fail);
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        ...headers,
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        "te": "trailers",
        ...(gzip ? { "grpc-encoding": "gzip" } : {}),
      });
    } catch (error) {
      session.off("error", fail);
      return fail(error);
    }
    signal.addEventListener("abort", stop);
    let head: Received = {};
    let trailers: Received = {};
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    stream.on("response", (received: Received) => head = received);
    stream.on("trailers", (received: Received) => trailers = received);
    stream.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > ANSWER_BYTES_MAX) fail(new Error("the server's answer is too long"));
    });
    const over = () => {
      signal.removeEventListener("abort", stop);
      session.off("error", fail);
    };
    stream.on("error", (error: Error) => (over(), fail(error)));
    stream.on("close", () => (over(), fail(new Error("the server has ended the call"))));
    stream.on("end", () => {
      over();
      const answer = answerOf({ ...head, ...trailers }, Buffer.concat(chunks));
      if (answer === undefined) fail(new Error("the server has ended the call"));
      else resolve(answer);
      // The session would keep it.
      stream.destroy();
    });
    stream.end(framed(call.message, gzip));
  });
}

function framed(message: Uint8Array, gzip: boolean): Uint8Array {
  const body = gzip ? gzipSync(message) : message;
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + body.length);
  frame[0] = gzip ? 1 : 0;
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, FRAME_HEAD_BYTES);
  return frame;
}

/** Undefined where the server has not said how it ended. */
function answerOf(all: Received, body: Uint8Array): GrpcAnswer | undefined {
  const httpStatus = Number(all[":status"]);
  const code = all["grpc-status"];
  if (code === undefined && httpStatus === 200 || Number.isNaN(httpStatus)) return undefined;
  const details = all["grpc-status-details-bin"];
  return {
    httpStatus,
    code: code === undefined ? UNKNOWN : Number(code),
    message: percentDecoded(String(all["grpc-message"] ?? "")),
    details: typeof details === "string" ? Buffer.from(details, "base64") : new Uint8Array(),
    body: body.subarray(FRAME_HEAD_BYTES),
  };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function reasonOf(error: unknown): string {
  return withoutUrl(error as Error).replace(
    /^The pending stream has been canceled \(caused by: (.*)\)$/s,
    "$1",
  )
    .replace(/^connect ECONNREFUSED .*/, "connection refused");
}
