// The server's socket: listening, being refused, and closing with clients that do not go.
import { match, ok, strictEqual, throws } from "node:assert";
import { Hono } from "hono";
import { serve } from "./serve.ts";

function app(): Hono {
  return new Hono().get("/", (context) => context.text("here"));
}

Deno.test("a server answers where it says that it listens", async () => {
  const server = serve(app(), { address: "127.0.0.1", port: 0 });
  ok(server.port > 0);
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  strictEqual(await response.text(), "here");
  await server.close();
});

Deno.test("a server closes although clients keep their connections, whole or half a request", {
  // The clients' connections are cut off under their hands, which is the point.
  sanitizeResources: false,
}, async () => {
  const server = serve(app(), { address: "127.0.0.1", port: 0 });
  const idle = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await idle.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  const answer = new Uint8Array(1024);
  const length = await idle.read(answer);
  match(new TextDecoder().decode(answer.subarray(0, length!)), /^HTTP\/1.1 200/);
  const half = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await half.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost:"));
  await server.close();
  idle.close();
  half.close();
  await Deno.connect({ hostname: "127.0.0.1", port: server.port }).then(
    () => ok(false, "the port is still taken"),
    (error) => ok(error instanceof Deno.errors.ConnectionRefused),
  );
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
