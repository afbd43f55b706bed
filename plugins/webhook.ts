/// <reference path="./saker-plugin.d.ts" />
// Takes JSON that others post, as events of the source "webhook".
//
//   plugins:
//     - name: webhook
//       open_params: http://127.0.0.1:9090/hook
//       init_config: {tokenFile: /etc/saker/hook.token}
//
// `https:` wants `certificate` and `key`, PEM files. A body is one JSON value; of an array each
// item is an event. Who posts hears 202 once the events wait to be judged, 503 where there is no
// room.
import { defineFields, defineSource, type SourceEvent } from "saker/plugin";
import { numberOf, textOf, valueAt } from "./pointer.ts";

export const plugin = {
  name: "webhook",
  version: "0.1.0",
  description: "JSON that is posted to an address",
  contact: "https://falco.org/docs/",
};

interface Config {
  readonly tokenFile?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly maxBodyBytes?: number;
}

interface Posted {
  readonly remote: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

const BODY_BYTES = 1 << 20;
const BODY_BYTES_MAX = 16 << 20;
const BODY_MS = 5_000;
/** Requests that are being read at the same time, and events that wait. */
const REQUESTS_MAX = 64;
const WAITING_MAX = 4_096;
const TOKEN_MIN = 16;
/** Never part of an event. */
const SECRET_HEADERS = new Set(["authorization", "cookie", "proxy-authorization"]);

export const permissions = (config: Config, params: string) => {
  const { hostname, port } = addressOf(params);
  const { tokenFile, certificate, key } = config;
  return {
    net: [`${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`],
    read: [tokenFile, certificate, key].filter((path) => path !== undefined),
  };
};

export const source = defineSource({
  name: "webhook",
  id: 998,
  async *events(params, signal, config: Config) {
    const { hostname, port, path, secure } = addressOf(params);
    const token = config.tokenFile === undefined ? undefined : tokenOf(config.tokenFile);
    const queue = new Queue();
    const hook = new Hook(queue, { path, token, bodyBytesMax: bodyBytesOf(config) });
    if (token === undefined && !isLoopback(hostname)) {
      // deno-lint-ignore no-console
      console.warn(`there is no tokenFile: whoever reaches ${hostname}:${port} can make events`);
    }
    const server = Deno.serve({
      hostname,
      port,
      signal,
      ...(secure ? tlsOf(config) : {}),
      onError: () => new Response(null, { status: 500 }),
    }, (request, { remoteAddr }) => hook.answer(request, (remoteAddr as Deno.NetAddr).hostname));
    signal.addEventListener("abort", () => queue.end());
    // deno-lint-ignore no-console
    console.log(`listening at http${secure ? "s" : ""}://${hostname}:${port}${path}`);
    try {
      yield* queue;
    } finally {
      await server.finished;
    }
  },
  text: (event) => textOf(event.json?.body) ?? "",
});

function addressOf(params: string): {
  hostname: string;
  port: number;
  path: string;
  secure: boolean;
} {
  const url = URL.canParse(params) ? new URL(params) : undefined;
  const port = Number(url?.port || (url?.protocol === "https:" ? 443 : 80));
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new Error(
      `open_params: expected an address such as http://127.0.0.1:9090/hook, found "${params}"`,
    );
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { hostname, port, path: url.pathname, secure: url.protocol === "https:" };
}

function tokenOf(path: string): string {
  const token = Deno.readTextFileSync(path).trim();
  if (token.length >= TOKEN_MIN && !/\s/.test(token)) return token;
  throw new Error(`${path}: expected one line of ${TOKEN_MIN} characters or more`);
}

function tlsOf({ certificate, key }: Config): { cert: string; key: string } {
  if (certificate === undefined || key === undefined) {
    throw new Error("https wants certificate and key in init_config");
  }
  return { cert: Deno.readTextFileSync(certificate), key: Deno.readTextFileSync(key) };
}

function bodyBytesOf({ maxBodyBytes = BODY_BYTES }: Config): number {
  if (Number.isInteger(maxBodyBytes) && maxBodyBytes > 0 && maxBodyBytes <= BODY_BYTES_MAX) {
    return maxBodyBytes;
  }
  throw new Error(`maxBodyBytes: expected a number from 1 to ${BODY_BYTES_MAX}`);
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
}

/** Events between who posts and who judges. */
class Queue implements AsyncIterable<Posted> {
  #waiting: Posted[] = [];
  #hasEnded = false;
  #wake: () => void = () => {};

  /** All of them, or none where there is no room. */
  put(events: readonly Posted[]): boolean {
    if (this.#waiting.length + events.length > WAITING_MAX && this.#waiting.length > 0) {
      return false;
    }
    this.#waiting.push(...events);
    this.#wake();
    return true;
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Posted> {
    while (!this.#hasEnded) {
      const taken = this.#waiting;
      this.#waiting = [];
      yield* taken;
      if (this.#waiting.length > 0 || this.#hasEnded) continue;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

interface HookOptions {
  readonly path: string;
  readonly token: string | undefined;
  readonly bodyBytesMax: number;
}

class Hook {
  readonly #queue: Queue;
  readonly #options: HookOptions;
  #requests = 0;

  constructor(queue: Queue, options: HookOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  async answer(request: Request, remote: string): Promise<Response> {
    const { path, token } = this.#options;
    const url = new URL(request.url);
    if (url.pathname !== path) return said(404, "no such path");
    if (request.method !== "POST") return said(405, "POST alone", { allow: "POST" });
    if (token !== undefined && !isSame(request.headers.get("authorization"), `Bearer ${token}`)) {
      return said(401, "the token is wrong", { "www-authenticate": "Bearer" });
    }
    if (this.#requests >= REQUESTS_MAX) return busy();
    this.#requests++;
    try {
      return await this.#take(request, remote, url.pathname);
    } finally {
      this.#requests--;
    }
  }

  async #take(request: Request, remote: string, path: string): Promise<Response> {
    const { bodyBytesMax } = this.#options;
    const text = await bodyOf(request, bodyBytesMax);
    if (text === "large") return said(413, `more than ${bodyBytesMax} bytes`);
    if (text === "late") return said(408, "the body did not come in time");
    let body: unknown;
    try {
      body = JSON.parse(text.text);
    } catch {
      return said(400, "expected JSON");
    }
    const headers = Object.fromEntries(
      [...request.headers].filter(([name]) => !SECRET_HEADERS.has(name)),
    );
    const items = Array.isArray(body) ? body : [body];
    if (items.length > WAITING_MAX) return said(413, `more than ${WAITING_MAX} events`);
    const events = items.map((item) => ({ remote, path, headers, body: item }));
    return this.#queue.put(events) ? said(202, "taken") : busy();
  }
}

async function bodyOf(
  request: Request,
  bytesMax: number,
): Promise<"large" | "late" | { readonly text: string }> {
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) return "large";
  const reader = request.body?.getReader();
  if (reader === undefined) return { text: "" };
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, BODY_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) return "late";
      if (done) break;
      bytes += value.length;
      if (bytes > bytesMax) {
        await reader.cancel();
        return "large";
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return { text: new TextDecoder().decode(all) };
}

/** Takes as long whatever is wrong. */
function isSame(given: string | null, wanted: string): boolean {
  if (given === null || given.length !== wanted.length) return false;
  let differ = 0;
  for (let at = 0; at < wanted.length; at++) differ |= given.charCodeAt(at) ^ wanted.charCodeAt(at);
  return differ === 0;
}

function busy(): Response {
  return said(503, "there is no room now", { "retry-after": "1" });
}

function said(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

function bodyValue(event: SourceEvent, pointer: string): unknown {
  return valueAt(event.json?.body, pointer);
}

export const fields = defineFields({
  "webhook.body": {
    type: "string",
    desc: "What was posted, as JSON",
    addOutput: true,
    value: (event) => textOf(event.json?.body),
  },
  "webhook.value": {
    type: "string",
    desc: "A value of it by its JSON pointer: webhook.value[/alerts/0/status]",
    arg: "key",
    value: (event, key) => textOf(bodyValue(event, key)),
  },
  "webhook.number": {
    type: "uint64",
    desc: "The same as a whole number from 0 on: webhook.number[/count] > 3",
    arg: "key",
    value: (event, key) => numberOf(bodyValue(event, key)),
  },
  "webhook.header": {
    type: "string",
    desc: "A header of the request, in small letters: webhook.header[x-github-event]",
    arg: "key",
    value: (event, key) => textOf(valueAt(event.json?.headers, key)),
  },
  "webhook.path": {
    type: "string",
    desc: "The path that it was posted to",
    value: (event) => textOf(event.json?.path),
  },
  "webhook.remote": {
    type: "ipaddr",
    desc: "Who posted it",
    value: (event) => textOf(event.json?.remote),
  },
});
