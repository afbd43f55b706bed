// One client's connection: its request comes in, the answer goes out, and it is closed, unless the
// client gave a body that was taken, as API servers do again and again: it may ask once more.
// Whoever holds a connection longer than its owner (serve.ts) allows is cut off: that closes it
// under the hands of what waits here.
import { type Body, type BodyBounds, framingOf, readBody } from "./body.ts";
import { HEAD_BYTES_MAX, headEnd, parseHead } from "./request_head.ts";
import { type End, socketOwner } from "./socket_owner.ts";

/** What is known of a request besides what it says. */
export interface Peer {
  /** The address that the client reached, and its own. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** Whose socket the client's is, where it is this host's own; undefined: cannot be told. */
  readonly owner: () => number | undefined;
  /** Reads the request's body, once. Rejects where the client goes away. */
  readonly body: (bounds: BodyBounds) => Promise<Body>;
}

export type Answer = (request: Request, peer: Peer) => Response | Promise<Response>;

/** An answer without an end: it is sent as it comes, for as long as the client stays. */
const STREAM = "text/event-stream";
/** A client that takes nothing of a stream for so long is cut off. */
const WRITE_MS = 60_000;

/** What a client may still send behind its request, and is thrown away. */
const REST_BYTES_MAX = 64 << 10;

/** What the owner of a connection is told of, since its time is another one then. */
export interface Turns {
  /** An answer without an end begins. */
  readonly onStream: () => void;
  /** A body is about to be read; false where there are too many at once. */
  readonly onBody: () => boolean;
  /** The client may ask once more; false where it is not to. */
  readonly onKept: () => boolean;
  /** It does. */
  readonly onAgain: () => void;
}

const NO_TURNS: Turns = {
  onStream: () => {},
  onBody: () => true,
  onKept: () => false,
  onAgain: () => {},
};

/** Serves a client; rejects where it goes away or is cut off. */
export async function serveConnection(
  conn: Deno.TcpConn | Deno.TlsConn | Deno.UnixConn,
  answer: Answer,
  turns: Turns = NO_TURNS,
): Promise<void> {
  const secure = "handshake" in conn;
  if (secure) await conn.handshake();
  const [here, there] = [endOf(conn.localAddr), endOf(conn.remoteAddr)];
  let known: { readonly uid: number | undefined } | undefined;
  const peer = {
    localAddress: here.address,
    remoteAddress: there.address,
    // Whoever made the socket: looking takes longer than the rest of a small request.
    owner: () => (known ??= { uid: socketOwner(there, here) }).uid,
  };
  while (await serveRequest({ conn, secure, peer, answer, turns })) {
    // The client may ask once more.
  }
}

interface Served {
  readonly conn: Deno.TcpConn | Deno.TlsConn | Deno.UnixConn;
  readonly secure: boolean;
  readonly peer: Omit<Peer, "body">;
  readonly answer: Answer;
  readonly turns: Turns;
}

/** Serves one request; whether the connection stays for another. */
async function serveRequest({ conn, secure, peer, answer, turns }: Served): Promise<boolean> {
  const read = await readHead(conn, turns.onAgain);
  if (read === undefined) return false;
  const { head, rest } = read;
  const parsed = head.length === 0 ? { status: 431 } : parseHead(head, secure);
  let isWhole = false;
  const body = async (bounds: BodyBounds): Promise<Body> => {
    if (!("request" in parsed)) throw new Error("there is no request");
    if (!turns.onBody()) return { status: 429, reason: "there are too many bodies at once" };
    const read = await bodyOf(conn, { request: parsed.request, rest }, bounds);
    isWhole = "isWhole" in read && read.isWhole;
    return read;
  };
  const response = "request" in parsed
    ? await answer(parsed.request, { ...peer, body })
    : new Response(null, { status: parsed.status });
  const isHead = "request" in parsed && parsed.request.method === "HEAD";
  if (!isHead && response.body !== null && response.headers.get("content-type") === STREAM) {
    turns.onStream();
    await writeStream(conn, response, response.body);
    return false;
  }
  const isLasting = isWhole && response.status === 200 && "request" in parsed && parsed.isLasting;
  const isKept = isLasting && turns.onKept();
  await writeAll(conn, await bytesOf(response, { isHead, isKept }));
  if (isKept) return true;
  await conn.closeWrite();
  await readRest(conn);
  return false;
}

/** A socket of the file system has neither address nor port. */
function endOf(address: Deno.Addr): End {
  return "hostname" in address
    ? { address: address.hostname, port: address.port }
    : { address: "", port: 0 };
}

interface Behind {
  readonly request: Request;
  /** What was read with the head. */
  readonly rest: Uint8Array;
}

const BODY_CHUNK_BYTES = 64 << 10;

/** `isWhole`: nothing but the body came, so that what comes next is another request. */
type BodyRead = Body & { readonly isWhole?: boolean };

async function bodyOf(
  conn: Deno.Conn,
  { request: { headers }, rest }: Behind,
  bounds: BodyBounds,
): Promise<BodyRead> {
  const framing = framingOf(headers);
  if ("status" in framing) return framing;
  const expect = headers.get("expect");
  if (expect !== null && expect.toLowerCase() !== "100-continue") {
    return { status: 417, reason: "only 100-continue can be expected" };
  }
  // Curl waits for a second otherwise.
  if (expect !== null && rest.length === 0) await writeAll(conn, CONTINUE);
  let first: Uint8Array | undefined = rest.length === 0 ? undefined : rest;
  let came = rest.length;
  const body = await readBody(
    {
      async read(): Promise<Uint8Array | undefined> {
        const given = first;
        first = undefined;
        if (given !== undefined) return given;
        const chunk = new Uint8Array(BODY_CHUNK_BYTES);
        const read = await conn.read(chunk);
        came += read ?? 0;
        return read === null ? undefined : chunk.subarray(0, read);
      },
    },
    framing,
    bounds,
  );
  return { ...body, isWhole: "length" in framing && came === framing.length };
}

const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/** The bytes of a head, none where it is too long, and what came behind it; undefined where the
 * client went. `onFirst` is told when it begins. */
async function readHead(
  conn: Deno.Conn,
  onFirst: () => void,
): Promise<{ readonly head: Uint8Array; readonly rest: Uint8Array } | undefined> {
  const buffer = new Uint8Array(HEAD_BYTES_MAX);
  let filled = 0;
  while (filled < buffer.length) {
    const read = await conn.read(buffer.subarray(filled));
    if (read === null) return undefined;
    if (filled === 0) onFirst();
    filled += read;
    const end = headEnd(buffer.subarray(0, filled));
    if (end === undefined) continue;
    return { head: buffer.subarray(0, end), rest: buffer.subarray(end, filled) };
  }
  return { head: buffer.subarray(0, 0), rest: buffer.subarray(0, 0) };
}

interface Form {
  readonly isHead: boolean;
  readonly isKept: boolean;
}

async function bytesOf(response: Response, { isHead, isKept }: Form): Promise<Uint8Array> {
  const body = new Uint8Array(await response.arrayBuffer());
  const known = response.headers.get("content-length");
  const length = isHead && known !== null ? known : body.length;
  const head = headOf(response, [`content-length: ${length}`], isKept);
  const bytes = new Uint8Array(head.length + (isHead ? 0 : body.length));
  bytes.set(head);
  if (!isHead) bytes.set(body, head.length);
  return bytes;
}

function headOf(response: Response, more: readonly string[], isKept = false): Uint8Array {
  const lines = [`HTTP/1.1 ${response.status} ${REASONS.get(response.status) ?? ""}`];
  for (const [name, value] of response.headers) {
    if (name !== "content-length") lines.push(`${name}: ${value}`);
  }
  const connection = isKept ? "keep-alive" : "close";
  lines.push(...more, `date: ${new Date().toUTCString()}`, `connection: ${connection}`, "", "");
  return new TextEncoder().encode(lines.join("\r\n"));
}

/** Sends what comes until the stream ends or the client goes. */
async function writeStream(
  conn: Deno.Conn,
  response: Response,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = body.getReader();
  // Who ends its side has gone: it could not tell otherwise that it reads no more.
  const end = () => reader.cancel().catch(() => {});
  readRest(conn).then(end, end);
  try {
    await writeInTime(conn, headOf(response, []));
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      await writeInTime(conn, value);
    }
  } finally {
    await end();
  }
}

/** Closes the connection under a write that takes too long, which then rejects. */
async function writeInTime(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  const timer = setTimeout(() => conn.close(), WRITE_MS);
  try {
    await writeAll(conn, bytes);
  } finally {
    clearTimeout(timer);
  }
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [200, "OK"],
  [202, "Accepted"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [408, "Request Timeout"],
  [409, "Conflict"],
  [411, "Length Required"],
  [413, "Content Too Large"],
  [415, "Unsupported Media Type"],
  [417, "Expectation Failed"],
  [422, "Unprocessable Content"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
]);

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Unread bytes would turn the close into a reset, which can take the answer with it. */
async function readRest(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let total = 0; total < REST_BYTES_MAX;) {
    const read = await conn.read(buffer);
    if (read === null) return;
    total += read;
  }
}
