// An API server's webhook, and those who only look like one: what they post, what they are
// answered, and what is counted. The sink here says how many events are in what it is given.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { gzipSync } from "node:zlib";
import type { AuditPiece, AuditSink, AuditVerdict } from "../audit/contract.ts";
import { makeAuditApp } from "./audit_app.ts";
import { AuditHook } from "./audit_hook.ts";
import { Rights } from "./rights.ts";
import { serve, type Server } from "./serve.ts";

const BYTES_MAX = 1_000;

class CountingSink implements AuditSink {
  readonly bodies: string[] = [];
  isBusy = false;
  judging: Promise<void> = Promise.resolve();

  offer({ bytes }: AuditPiece): Promise<AuditVerdict> | "busy" {
    if (this.isBusy) return "busy";
    const text = new TextDecoder().decode(bytes);
    this.bodies.push(text);
    return this.#judge(text);
  }

  async #judge(text: string): Promise<AuditVerdict> {
    await this.judging;
    const events = text.split('"Event"').length - 1;
    const isWhole = text.trim().endsWith("}");
    return isWhole ? { events, malformed: 0 } : { events, malformed: 1, reason: "it is no JSON" };
  }
}

interface Hooked {
  readonly server: Server;
  readonly sink: CountingSink;
  readonly hook: AuditHook;
  readonly url: string;
}

async function hooked(
  act: (here: Hooked) => Promise<void>,
  { token, path = "/k8s-audit" }: { token?: string; path?: string } = {},
): Promise<void> {
  const sink = new CountingSink();
  const hook = new AuditHook({ sink, bytesMax: BYTES_MAX });
  const rights = new Rights({ token, insecure: true, mayAct: [] });
  const app = makeAuditApp({ hook, path, rights });
  const server = serve(app, { address: "127.0.0.1", port: 0 });
  try {
    await act({ sink, hook, server, url: `http://127.0.0.1:${server.port}` });
  } finally {
    await server.close();
  }
}

const EVENT = '{"kind":"Event","auditID":"1"}';
const JSON_TYPE = { "content-type": "application/json" };

async function post(url: string, body: BodyInit | undefined, headers: HeadersInit = JSON_TYPE) {
  const response = await fetch(url, { method: "POST", headers, ...(body ? { body } : {}) });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Sends bytes as they are and reads all that comes back. */
async function raw({ server: { port } }: Hooked, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(text));
  return await new Response(conn.readable).text();
}

function gzipped(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(text));
}

const HEAD =
  "POST /k8s-audit?timeout=30s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

Deno.test("a body is judged before it is answered", async () => {
  await hooked(async ({ url, sink, hook }) => {
    const judged = Promise.withResolvers<void>();
    sink.judging = judged.promise;
    const answer = post(`${url}/k8s-audit?timeout=30s`, EVENT);
    while (sink.bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    strictEqual(hook.numbers().waiting, 1);
    strictEqual(hook.numbers().taken, 0);
    judged.resolve();
    deepStrictEqual([(await answer).status, (await answer).text], [200, ""]);
    deepStrictEqual(sink.bodies, [EVENT]);
    const { requests, taken, events, waiting, broken } = hook.numbers();
    deepStrictEqual([requests, taken, events, waiting, broken], [1, 1, 1, 0, 0]);
  });
});

Deno.test("a body may come in chunks, after 100-continue, and packed", async () => {
  await hooked(async (here) => {
    const { sink, url } = here;
    const chunks = `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n${EVENT.slice(0, 5)}\r\n` +
      `${(EVENT.length - 5).toString(16)};x=y\r\n${EVENT.slice(5)}\r\n0\r\nA: b\r\n\r\n`;
    match(await raw(here, chunks), /^HTTP\/1.1 200 /);
    const expecting = `${HEAD}Expect: 100-continue\r\nConnection: close\r\n` +
      `Content-Length: ${EVENT.length}\r\n\r\n`;
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: here.server.port });
    await conn.write(new TextEncoder().encode(expecting));
    const first = new Uint8Array(100);
    const read = await conn.read(first);
    match(new TextDecoder().decode(first.subarray(0, read!)), /^HTTP\/1.1 100 Continue\r\n\r\n$/);
    await conn.write(new TextEncoder().encode(EVENT));
    match(await new Response(conn.readable).text(), /^HTTP\/1.1 200 /);
    const packed = { ...JSON_TYPE, "content-encoding": "gzip" };
    strictEqual((await post(`${url}/k8s-audit`, gzipped(EVENT), packed)).status, 200);
    deepStrictEqual(sink.bodies, [EVENT, EVENT, EVENT]);
  });
});

Deno.test("what is not wanted is refused and counted", async () => {
  await hooked(async ({ url, sink, hook }) => {
    const to = `${url}/k8s-audit`;
    strictEqual((await fetch(to)).status, 405);
    strictEqual((await post(to, EVENT, { "content-type": "text/plain" })).status, 415);
    strictEqual((await post(to, EVENT, { ...JSON_TYPE, "content-encoding": "br" })).status, 415);
    strictEqual((await post(to, EVENT, { ...JSON_TYPE, origin: "http://a" })).status, 403);
    strictEqual((await post(`${url}/k8s-audit/`, EVENT)).status, 404);
    const charset = { "content-type": "Application/JSON; charset=utf-8" };
    strictEqual((await post(to, EVENT, charset)).status, 200);
    strictEqual(sink.bodies.length, 1);
    const { unwanted, unauthorized } = hook.numbers().refused;
    deepStrictEqual([unwanted, unauthorized], [3, 1]);
  });
});

Deno.test("what is no audit event is answered with the reason", async () => {
  await hooked(async ({ url, hook }) => {
    const to = `${url}/k8s-audit`;
    const broken = await post(to, '{"kind":');
    deepStrictEqual([broken.status, broken.text], [400, '{"error":"it is no JSON"}']);
    match((await post(to, `${EVENT},"Event"`)).text, /"events":2,"malformed":1,"reason":"it is no/);
    const empty = await post(to, undefined, { ...JSON_TYPE, "content-length": "0" });
    deepStrictEqual([empty.status, empty.text], [400, '{"error":"the body is empty"}']);
    const { malformed, refused, reason } = hook.numbers();
    deepStrictEqual([malformed, refused.hostile, reason], [2, 2, "the body is empty"]);
  });
});

Deno.test("a body that is too large is refused, however it comes", async () => {
  await hooked(async (here) => {
    const { url, sink, hook } = here;
    const large = "x".repeat(BYTES_MAX + 1);
    strictEqual((await post(`${url}/k8s-audit`, large)).status, 413);
    const packed = { ...JSON_TYPE, "content-encoding": "gzip" };
    const bomb = gzipped("x".repeat(100_000));
    ok(bomb.length < BYTES_MAX);
    strictEqual((await post(`${url}/k8s-audit`, bomb, packed)).status, 413);
    match(
      await raw(
        here,
        `${HEAD}Transfer-Encoding: chunked\r\n\r\n${"1f4\r\n" + "y".repeat(500)}` +
          `\r\n1f5\r\n${"y".repeat(501)}\r\n0\r\n\r\n`,
      ),
      /^HTTP\/1.1 413 /,
    );
    strictEqual((await post(`${url}/k8s-audit`, "x".repeat(BYTES_MAX - 1) + "}")).status, 200);
    strictEqual(sink.bodies.length, 1);
    ok(hook.numbers().refused.too_large >= 3);
  });
});

Deno.test("what cannot be a body is refused", async () => {
  await hooked(async (here) => {
    const status = async (more: string) => (await raw(here, HEAD + more)).slice(9, 12);
    strictEqual(await status("\r\n"), "411");
    strictEqual(await status("Content-Length: x\r\n\r\n"), "400");
    strictEqual(await status("Content-Length: 99999999999999\r\n\r\n"), "413");
    strictEqual(await status("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), "400");
    strictEqual(await status("Transfer-Encoding: gzip\r\n\r\n"), "400");
    strictEqual(await status("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "400");
    strictEqual(await status("Transfer-Encoding: chunked\r\n\r\nffffffff\r\n"), "413");
    strictEqual(await status(`Transfer-Encoding: chunked\r\n\r\n${"1".repeat(600)}`), "400");
    strictEqual(await status("Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"), "400");
    strictEqual(await status("Expect: tea\r\nContent-Length: 2\r\n\r\n{}"), "417");
    strictEqual(await status("Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"), "400");
    strictEqual(here.sink.bodies.length, 0);
  });
});

Deno.test("a client that goes away in the middle is counted, and nothing is taken", async () => {
  await hooked(async ({ server, sink, hook }) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(new TextEncoder().encode(`${HEAD}Content-Length: 100\r\n\r\n{"kind"`));
    await conn.closeWrite();
    match(await new Response(conn.readable).text(), /^HTTP\/1.1 400 .*shorter than it says/s);
    strictEqual(hook.numbers().refused.hostile, 1);
    deepStrictEqual(sink.bodies, []);
  });
});

Deno.test("a sink without room makes the client come again", async () => {
  await hooked(async ({ url, sink, hook }) => {
    sink.isBusy = true;
    const answer = await post(`${url}/k8s-audit`, EVENT);
    deepStrictEqual([answer.status, answer.headers.get("retry-after")], [429, "1"]);
    strictEqual(hook.numbers().refused.busy, 1);
    sink.isBusy = false;
    strictEqual((await post(`${url}/k8s-audit`, EVENT)).status, 200);
  });
});

Deno.test("bodies at once are bounded, and others are told to come again", async () => {
  await hooked(async ({ url, sink, hook }) => {
    const judged = Promise.withResolvers<void>();
    sink.judging = judged.promise;
    const body = "x".repeat(BYTES_MAX - 1) + "}";
    const answers = Array.from({ length: 6 }, () => post(`${url}/k8s-audit`, body));
    while (hook.numbers().refused.busy < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    judged.resolve();
    const statuses = (await Promise.all(answers)).map(({ status }) => status).sort();
    deepStrictEqual(statuses, [200, 200, 200, 200, 429, 429]);
    strictEqual((await post(`${url}/k8s-audit`, body)).status, 200);
  });
});

Deno.test("others who only connect push out nobody whose body is judged", async () => {
  await hooked(async ({ url, sink, server }) => {
    const judged = Promise.withResolvers<void>();
    sink.judging = judged.promise;
    const answer = post(`${url}/k8s-audit`, EVENT);
    while (sink.bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const others = await Promise.all(
      Array.from({ length: 80 }, () => Deno.connect({ hostname: "127.0.0.1", port: server.port })),
    );
    while (server.stats().accepted < 81) await new Promise((resolve) => setTimeout(resolve, 5));
    judged.resolve();
    strictEqual((await answer).status, 200);
    for (const conn of others) conn.close();
  });
});

Deno.test("where there is a token, whoever posts must show it", async () => {
  const token = "0123456789abcdef";
  await hooked(async ({ url, sink, hook }) => {
    strictEqual((await post(`${url}/k8s-audit`, EVENT)).status, 401);
    const wrong = { ...JSON_TYPE, authorization: "Bearer 0123456789abcdeX" };
    strictEqual((await post(`${url}/k8s-audit`, EVENT, wrong)).status, 401);
    const right = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    strictEqual((await post(`${url}/k8s-audit`, EVENT, right)).status, 200);
    deepStrictEqual([sink.bodies.length, hook.numbers().refused.unauthorized], [1, 2]);
  }, { token });
});

Deno.test("a path that ends with a slash stands for all below it", async () => {
  await hooked(async ({ url }) => {
    const status = async (path: string) => (await post(url + path, EVENT)).status;
    deepStrictEqual(
      [await status("/a/"), await status("/a/b?c"), await status("/a"), await status("/b")],
      [200, 200, 200, 404],
    );
  }, { path: "/a/" });
  await hooked(async ({ url }) => {
    strictEqual((await post(`${url}/any%20thing`, EVENT)).status, 200);
  }, { path: "/" });
  await hooked(async ({ url }) => {
    strictEqual((await post(`${url}/k8s%2Daudit`, EVENT)).status, 200);
  });
});
