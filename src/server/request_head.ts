// The head of an HTTP/1 request: bytes come in, a Request goes out, or the status that tells why
// there is none. Bodies are read where an answer asks for one (body.ts).

/** Bytes of a request line with its headers. */
export const HEAD_BYTES_MAX = 8 << 10;

export type Head =
  | {
    readonly request: Request;
    /** The client would ask again on this connection. */
    readonly isLasting: boolean;
  }
  | { readonly status: number };

const REQUEST_LINE = /^([A-Z]{1,16}) (\S{1,4096}) HTTP\/1\.([01])$/;
const HEADER_LINE = /^([!#$%&'*+.^`|~\w-]+):[ \t]*(.*?)[ \t]*$/;

/** Where the head ends, behind its empty line; undefined where there is more to come. */
export function headEnd(bytes: Uint8Array): number | undefined {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== LF) continue;
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return undefined;
}

const LF = 10;
const CR = 13;

/** Reads a whole head; `secure` says whether it came over TLS. */
export function parseHead(bytes: Uint8Array, secure: boolean): Head {
  const lines = new TextDecoder("latin1").decode(bytes).split(/\r?\n/);
  const line = REQUEST_LINE.exec(lines[0]!);
  if (line === null) return { status: 400 };
  const [, method, target, minor] = line;
  const headers: [string, string][] = [];
  for (const text of lines.slice(1)) {
    if (text === "") break;
    const header = HEADER_LINE.exec(text);
    if (header === null) return { status: 400 };
    headers.push([header[1]!, header[2]!]);
  }
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host");
  // Two hosts are a trick; none is what the oldest clients send.
  if (hosts.length > 1 || (hosts.length === 0 && minor === "1")) return { status: 400 };
  if (!target!.startsWith("/")) return { status: 400 };
  try {
    // The host is judged by the app; here it only has to make a URL.
    const url = new URL(target!.replace(/^\/+/, "/"), `http${secure ? "s" : ""}://localhost`);
    const request = new Request(url, { method: method!, headers });
    const connection = request.headers.get("connection")?.toLowerCase() ?? "";
    return { request, isLasting: minor === "1" && !/\bclose\b/.test(connection) };
  } catch {
    // Such as TRACE, which a Request cannot be.
    return { status: method === "TRACE" || method === "CONNECT" ? 405 : 400 };
  }
}
