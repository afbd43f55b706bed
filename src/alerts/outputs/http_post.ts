// One POST: bytes and headers in, what the server answered out. By the runtime's own client; where
// the server is to be trusted whoever it is, which that cannot, over a connection of our own.
import { Buffer } from "node:buffer";
import { connect, type TLSSocket } from "node:tls";

export interface Answer {
  readonly status: number;
  /** Seconds or a date. */
  readonly retryAfter: string | undefined;
  /** The first part of its body. */
  readonly text: string;
}

export interface Poster {
  /** Rejects where there is no answer. */
  post(body: Uint8Array, headers: Headers, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

export interface TlsFiles {
  /** PEM. */
  readonly caCerts: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Of an answer's body. */
const BODY_BYTES_MAX = 64 << 10;

/** The same with the first part of the answer's body as it came. */
export interface RawAnswer extends Omit<Answer, "text"> {
  readonly body: Uint8Array;
}

export interface RawPoster {
  /** Rejects where there is no answer. */
  post(body: Uint8Array, headers: Headers, signal: AbortSignal): Promise<RawAnswer>;
  close(): void;
}

export function clientPoster(url: string, tls: TlsFiles): Poster {
  const raw = rawPoster(url, tls);
  return {
    async post(sent, headers, signal): Promise<Answer> {
      const { status, retryAfter, body } = await raw.post(sent, headers, signal);
      return { status, retryAfter, text: new TextDecoder().decode(body) };
    },
    close: () => raw.close(),
  };
}

export function rawPoster(url: string, { caCerts, cert, key }: TlsFiles): RawPoster {
  const client = Deno.createHttpClient({
    caCerts: [...caCerts],
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  });
  const once = async (body: Uint8Array, headers: Headers, signal: AbortSignal) => {
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: body as Uint8Array<ArrayBuffer>,
      redirect: "manual",
      signal,
      client,
    });
    return {
      status: answer.status,
      retryAfter: answer.headers.get("retry-after") ?? undefined,
      body: await firstOf(answer.body),
    };
  };
  let isKept = false;
  return {
    async post(body, headers, signal): Promise<RawAnswer> {
      const wasKept = isKept;
      isKept = false;
      let answer: RawAnswer;
      try {
        answer = await once(body, headers, signal);
      } catch (error) {
        // A server may have closed the kept connection just now, as it does with idle ones.
        if (!wasKept || signal.aborted) throw error;
        answer = await once(body, headers, signal);
      }
      isKept = true;
      return answer;
    },
    close: () => client.close(),
  };
}

/** Read to its end, so that the connection can be used again, unless it is long. */
async function firstOf(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks);
}

/** Verifies nobody; a connection for each request. */
export function trustingPoster(url: string, { cert, key }: TlsFiles): Poster {
  const { hostname, host, port, pathname, search } = new URL(url);
  return {
    async post(body, headers, signal): Promise<Answer> {
      const lines = [`POST ${pathname}${search} HTTP/1.1`, `host: ${host}`, "connection: close"];
      for (const [name, value] of headers) lines.push(`${name}: ${value}`);
      lines.push(`content-length: ${body.length}`, "", "");
      const socket = connect({
        host: hostname.replace(/^\[|\]$/g, ""),
        port: Number(port || 443),
        rejectUnauthorized: false,
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
      });
      const stop = () => socket.destroy(signal.reason as Error);
      signal.addEventListener("abort", stop);
      try {
        return parsed(await exchanged(socket, lines.join("\r\n"), body));
      } finally {
        signal.removeEventListener("abort", stop);
        socket.destroy();
      }
    },
    close(): void {},
  };
}

/** What comes back until the end, or as much of it as is wanted. */
function exchanged(socket: TLSSocket, head: string, body: Uint8Array): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  return new Promise((resolve, reject) => {
    socket.on("secureConnect", () => {
      socket.write(head);
      socket.write(body);
    });
    socket.on("data", (bytes: Uint8Array) => {
      text += decoder.decode(bytes, { stream: true });
      if (text.length > BODY_BYTES_MAX || isWhole(text)) resolve(text);
    });
    socket.on("end", () => resolve(text));
    socket.on("close", () => resolve(text));
    // Not every server ends its side of TLS properly: what it has said counts.
    socket.on("error", (error) => text.includes("\r\n\r\n") ? resolve(text) : reject(error));
  });
}

/** Whether the body has the length that its head says. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, Math.max(0, end)))?.[1];
  return length !== undefined && encoder.encode(text.slice(end + 4)).length >= Number(length);
}

const encoder = new TextEncoder();

function parsed(text: string): Answer {
  const status = /^HTTP\/1\.\d (\d{3})\b/.exec(text);
  if (status === null) throw new Error("what the server answers is no HTTP");
  const end = text.indexOf("\r\n\r\n");
  const head = end < 0 ? text : text.slice(0, end);
  return {
    status: Number(status[1]),
    retryAfter: /^retry-after: *(.*?) *$/im.exec(head)?.[1],
    text: end < 0 ? "" : text.slice(end + 4),
  };
}
