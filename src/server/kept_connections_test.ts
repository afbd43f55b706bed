// Connections that stay for another body, as API servers use them, and those that do not.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { Hono } from "hono";
import { type Bindings, serve, type Server } from "./serve.ts";

const BOUNDS = { bytesMax: 1_000, mayHold: () => true };

/** Takes bodies, and says how many. */
function app(): Hono<{ Bindings: Bindings }> {
  let taken = 0;
  return new Hono<{ Bindings: Bindings }>().post("/", async (context) => {
    const body = await context.env.body(BOUNDS);
    if ("status" in body) return context.text(body.reason, body.status);
    return context.text(`${++taken}`);
  });
}

async function served(act: (server: Server) => Promise<void>): Promise<void> {
  const server = serve(app(), { address: "127.0.0.1", port: 0, graceMs: 60_000 });
  try {
    await act(server);
  } finally {
    await server.close();
  }
}

const connect = ({ port }: Server) => Deno.connect({ hostname: "127.0.0.1", port });

function request(body: string, more = "", version = "1.1"): Uint8Array {
  const head = `POST / HTTP/${version}\r\nHost: a\r\nContent-Length: ${body.length}\r\n${more}\r\n`;
  return new TextEncoder().encode(head + body);
}

/** One answer, which has no more than fits into one read; "" where the connection has ended. */
async function answer(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(4_096);
  const read = await conn.read(bytes).catch(() => null);
  return new TextDecoder().decode(bytes.subarray(0, read ?? 0));
}

async function asked(conn: Deno.Conn, bytes: Uint8Array): Promise<string> {
  await conn.write(bytes);
  return await answer(conn);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("a client whose body was taken may send another, and counts apart until it does", () =>
  served(async (server) => {
    using conn = await connect(server);
    match(await asked(conn, request("one")), /^HTTP\/1.1 200 [^]*\r\nconnection: keep-alive\r\n/);
    deepStrictEqual([server.stats().kept, server.stats().open], [1, 0]);
    match(await asked(conn, request("two")), /^HTTP\/1.1 200 [^]*\r\n\r\n2$/);
    // Who has begun to ask has the few seconds of all.
    await conn.write(new TextEncoder().encode("POST / HT"));
    await until(() => server.stats().open === 1);
    strictEqual(server.stats().kept, 0);
  }));

Deno.test("who asks for the end, sends more than a body, or what is not taken, stays not", () =>
  served(async (server) => {
    const others = [
      request("one", "Connection: close\r\n"),
      request("one", "", "1.0"),
      new Uint8Array([...request("one"), ...request("two")]),
      request("x".repeat(1_001)),
      new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    for (const bytes of others) {
      using conn = await connect(server);
      match(await asked(conn, bytes), /\r\nconnection: close\r\n/);
      strictEqual(await answer(conn), "");
    }
    strictEqual(server.stats().kept, 0);
  }));

Deno.test("connections that stay are few, and the one that has waited longest gives way", () =>
  served(async (server) => {
    const conns: Deno.Conn[] = [];
    for (let count = 0; count < 33; count++) {
      const conn = await connect(server);
      conns.push(conn);
      match(await asked(conn, request("x")), /keep-alive/);
    }
    strictEqual(server.stats().kept, 32);
    strictEqual(await answer(conns[0]!), "");
    match(await asked(conns[32]!, request("x")), /keep-alive/);
    await server.close();
    strictEqual(await answer(conns[1]!), "");
    for (const conn of conns) conn.close();
  }));

Deno.test("a burst of more clients than there may be at once is served", () =>
  served(async (server) => {
    const burst = await Promise.all(Array.from({ length: 100 }, async () => {
      using conn = await connect(server);
      return (await asked(conn, request("x", "Connection: close\r\n"))).slice(9, 12);
    }));
    // Some may be told to come again, none is left without an answer.
    deepStrictEqual(burst.filter((status) => status !== "200" && status !== "429"), []);
    strictEqual(server.stats().cutOff, 0);
  }));
