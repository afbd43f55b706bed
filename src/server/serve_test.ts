// The server's socket: listening, being refused, clients that hold on, and closing.
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert";
import { Hono } from "hono";
import { ownCertificate, within } from "../alerts/outputs/message_fixture.ts";
import { type Bindings, serve, type ServeOptions, type Server } from "./serve.ts";

function app(): Hono<{ Bindings: Bindings }> {
  return new Hono<{ Bindings: Bindings }>()
    .get("/", (context) => context.text(`here ${context.env.localAddress}`));
}

function serveHere(more: Partial<ServeOptions> = {}): Server {
  return serve(app(), { address: "127.0.0.1", port: 0, ...more });
}

function connect({ port }: Server): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends bytes and reads all that comes back. */
async function exchange(server: Server, text: string): Promise<string> {
  using conn = await connect(server);
  await conn.write(new TextEncoder().encode(text));
  return await new Response(conn.readable).text();
}

async function isCutOff(conn: Deno.Conn): Promise<boolean> {
  return await conn.read(new Uint8Array(1)).catch(() => null) === null;
}

Deno.test("a server answers where it says that it listens", async () => {
  const server = serveHere();
  ok(server.port > 0);
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  strictEqual(await response.text(), "here 127.0.0.1");
  await server.close();
});

Deno.test("a server answers a request in pieces, and HEAD without a body", async () => {
  const server = serveHere();
  using conn = await connect(server);
  for (const piece of ["GET / HT", "TP/1.1\r\nHo", "st: x\r\n", "\r\n"]) {
    await conn.write(new TextEncoder().encode(piece));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  match(await new Response(conn.readable).text(), /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nhere/);
  match(
    await exchange(server, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"),
    /^HTTP\/1.1 200 [^]*\r\n\r\n$/,
  );
  await server.close();
});

Deno.test("what is no request is answered with its fault", async () => {
  const server = serveHere();
  const status = async (text: string) => (await exchange(server, text)).slice(9, 12);
  strictEqual(await status("\x16\x03\x01\x02\n\n"), "400");
  strictEqual(await status("GET / HTTP/1.1\r\n\r\n"), "400");
  strictEqual(await status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400");
  strictEqual(await status("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), "400");
  strictEqual(await status("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), "400");
  strictEqual(await status("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), "405");
  strictEqual(await status(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(20_000)}`), "431");
  strictEqual(await status("GET / HTTP/1.0\r\n\r\n"), "200");
  await server.close();
});

Deno.test("a client that asks for nothing, or slowly, is cut off after its time", async () => {
  const server = serveHere({ connectionMs: 100 });
  using silent = await connect(server);
  using slow = await connect(server);
  const dripping = setInterval(() => slow.write(new Uint8Array([0x47])).catch(() => {}), 20);
  ok(await isCutOff(silent));
  ok(await isCutOff(slow));
  clearInterval(dripping);
  strictEqual(server.stats().cutOff, 2);
  strictEqual(server.stats().open, 0);
  await server.close();
});

Deno.test("connections beyond the bound cut off the oldest; who asks is answered", async () => {
  const server = serveHere({ connectionsMax: 8, connectionMs: 60_000 });
  const idle: Deno.Conn[] = [];
  for (let count = 0; count < 100; count++) idle.push(await connect(server));
  match(await exchange(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), /^HTTP\/1.1 200/);
  ok(await isCutOff(idle[0]!));
  ok(server.stats().open <= 8);
  deepStrictEqual(server.stats().accepted, 101);
  await server.close();
  for (const conn of idle) conn.close();
});

Deno.test("a server closes although clients hold on, idle or within a request", async () => {
  const server = serveHere();
  using idle = await connect(server);
  using half = await connect(server);
  await half.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost:"));
  await server.close();
  ok(await isCutOff(idle));
  ok(await isCutOff(half));
  await connect(server).then(
    () => ok(false, "the port is still taken"),
    (error) => ok(error instanceof Deno.errors.ConnectionRefused),
  );
});

Deno.test("a variable of the runtime does not move the server", async () => {
  Deno.env.set("DENO_SERVE_ADDRESS", "tcp:0.0.0.0:1");
  try {
    const server = serveHere();
    strictEqual(server.address, "127.0.0.1");
    await server.close();
  } finally {
    Deno.env.delete("DENO_SERVE_ADDRESS");
  }
});

Deno.test("an address that cannot be had is told in one line with what to do", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  throws(
    () => serve(app(), { address: "127.0.0.1", port }),
    new RegExp(`^Error: Cannot listen on 127.0.0.1:${port}: another program listens there; choose`),
  );
  throws(
    () => serve(app(), { address: "192.0.2.1", port: 1 }),
    /Cannot listen on 192.0.2.1:1: this host does not have the address/,
  );
});

const STREAM_HEADERS = { "content-type": "text/event-stream" };

/** An app whose one answer has no end, until it is told; how many streams were given up. */
function streaming() {
  const state = { cancelled: 0, send: (_text: string): void => {} };
  const streams = new Hono<{ Bindings: Bindings }>().get("/", (context) => {
    const body = new ReadableStream<Uint8Array>({
      start(controller): void {
        state.send = (text) => controller.enqueue(new TextEncoder().encode(text));
        state.send("first\n");
      },
      cancel: () => void state.cancelled++,
    });
    return context.body(body, 200, STREAM_HEADERS);
  });
  return { streams, state };
}

async function readSome(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  const read = await conn.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
}

/** Reads until it has seen the text. */
async function readUntil(conn: Deno.Conn, wanted: string): Promise<string> {
  let text = "";
  while (!text.includes(wanted)) {
    const more = await readSome(conn);
    ok(more !== "", `ended before ${wanted}: ${text}`);
    text += more;
  }
  return text;
}

const GET = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

Deno.test("a stream stays beyond the time of others, and takes no place of theirs", async () => {
  const { streams, state } = streaming();
  const options = { address: "127.0.0.1", port: 0, connectionsMax: 1, connectionMs: 1_500 };
  const server = serve(streams, options);
  using conn = await connect(server);
  await conn.write(GET);
  const head = await readUntil(conn, "first\n");
  ok(!head.toLowerCase().includes("content-length"), head);
  match(head, /content-type: text\/event-stream/);
  // Others come and go, and are cut off.
  for (let other = 0; other < 2; other++) {
    using held = await connect(server);
    ok(await isCutOff(held));
  }
  state.send("second\n");
  strictEqual(await readSome(conn), "second\n");
  const { open, streams: count } = server.stats();
  deepStrictEqual([open, count], [0, 1]);
  await server.close();
  ok(await isCutOff(conn));
  strictEqual(state.cancelled, 1);
});

Deno.test("a stream whose client goes is given up", async () => {
  const { streams, state } = streaming();
  const server = serve(streams, { address: "127.0.0.1", port: 0 });
  {
    using conn = await connect(server);
    await conn.write(GET);
    await readUntil(conn, "first\n");
  }
  while (server.stats().streams > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  strictEqual(state.cancelled, 1);
  await server.close();
});

Deno.test("a stream goes over TLS too, and plain HTTP gets nothing there", () =>
  within(async (directory) => {
    const { certificate, key } = await ownCertificate(directory, "localhost");
    const { streams, state } = streaming();
    const tls = { certificate, key };
    const server = serve(streams, { address: "127.0.0.1", port: 0, tls });
    const { port } = server;
    using conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [certificate] });
    await conn.write(GET);
    await readUntil(conn, "first\n");
    state.send("second\n");
    strictEqual(await readSome(conn), "second\n");
    using plain = await connect(server);
    await plain.write(GET);
    ok(!(await new Response(plain.readable).text().catch(() => "")).includes("first"));
    await server.close();
  }));
