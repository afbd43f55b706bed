// The web server of the built binary, asked by whoever can reach it: by other names, other methods,
// from pages of others.
import { assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, Saker } from "./saker.ts";
import { has, isRoot, Place, PYTHON, run } from "./trigger.ts";

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One request as bytes, since a client of the runtime sends no Host of another. */
async function ask(port: number, line: string, headers: readonly string[]): Promise<Answer> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = [`${line} HTTP/1.1`, ...headers, "", ""].join("\r\n");
  await conn.write(new TextEncoder().encode(text));
  const answer = await new Response(conn.readable).text();
  const at = answer.indexOf("\r\n\r\n");
  return {
    status: Number(answer.slice(9, 12)),
    head: answer.slice(0, at).toLowerCase(),
    body: answer.slice(at + 4),
  };
}

Deno.test({
  name: "pages and names of others are refused, loopback and configured names are answered",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], {
      args: ["-o", "webserver.allowed_hosts=[watch.example]"],
    });
    const { port } = saker;
    const statusOf = async (...headers: string[]) =>
      (await ask(port, "GET /healthz", headers)).status;
    const answered = [
      [`Host: 127.0.0.1:${port}`],
      ["Host: localhost"],
      ["Host: LOCALHOST."],
      ["Host: [::1]:1"],
      ["Host: watch.example:80"],
      ["Host: localhost", "Origin: http://localhost:3000"],
    ];
    for (const headers of answered) assertEquals(await statusOf(...headers), 200, `${headers}`);
    const refused = [
      ["Host: evil.example"],
      [`Host: evil.example:${port}`],
      ["Host: localhost.evil.example"],
      ["Host: 127.0.0.1.evil.example"],
      ["Host: localhost", "Origin: http://evil.example"],
      ["Host: localhost", "Origin: null"],
      ["Host: 192.0.2.1"],
    ];
    for (const headers of refused) {
      const { status, head, body } = await ask(port, "GET /healthz", headers);
      assertEquals(status, 403, `${headers}`);
      assertIncludes(head, "x-content-type-options: nosniff");
      assertEquals(body.includes("events"), false, body);
    }
    for (const headers of [[], ["Host: localhost", "Host: evil.example"], ["Host: a b"]]) {
      const status = await statusOf(...headers);
      assertEquals(status === 400 || status === 403, true, `${headers}: ${status}`);
    }
  },
});

Deno.test({
  name: "methods that mean nothing are refused, and no answer is kept or guessed at",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    const localhost = ["Host: localhost"];
    for (const path of ["/healthz", "/versions"]) {
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const { status, head } = await ask(saker.port, `${method} ${path}`, localhost);
        assertEquals(status, 405, `${method} ${path}`);
        assertIncludes(head, "allow: get, head");
      }
      const whole = await ask(saker.port, `GET ${path}`, localhost);
      const { status, head, body } = await ask(saker.port, `HEAD ${path}`, localhost);
      assertEquals([status, body], [200, ""]);
      assertEquals(typeof JSON.parse(whole.body), "object");
      for (const text of [whole.head, head]) {
        assertIncludes(text, "cache-control: no-store");
        assertIncludes(text, "x-content-type-options: nosniff");
        assertIncludes(text, "content-type: application/json");
      }
    }
    const none = await ask(saker.port, "GET /no-such", localhost);
    assertEquals(none.status, 404);
    assertIncludes(none.head, "nosniff");
  },
});

Deno.test({
  name: "--listen takes a name of this host, and -M 0 sets no end",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const port = freePort();
    // The last --listen counts.
    await using saker = Saker.launch([place.marker], {
      args: ["-M", "0", "--listen", `localhost:${port}`],
      port: freePort(),
    });
    await eventually("an answer", async () => {
      const response = await fetch(`http://localhost:${port}/healthz`).catch(() => undefined);
      await response?.body?.cancel();
      return response?.status === 200 || undefined;
    });
    const told = `health at http://127.0.0.1:${port}/healthz`;
    await eventually("it to be told", () => saker.told.includes(told) || undefined);
    const { code, stderr } = await saker.stop();
    assertEquals(code, 0);
    assertIncludes(stderr, "Events detected:");
  },
});

/** Asks as another user: the first line of the answer. */
const AS_OTHER = `
# All modules before: those of an interpreter in root's home are root's alone to read.
import encodings.idna, os, socket, sys
os.setgid(65534); os.setuid(int(sys.argv[2]))
conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
conn.sendall(b"GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" % sys.argv[3].encode())
print(conn.recv(4096).split(b"\\r\\n")[0].decode())
`;

async function asUser(uid: number, port: number, path: string): Promise<number> {
  const { stdout } = await run(PYTHON, [
    ...["-I", "-S", "-c", AS_OTHER],
    ...[`${port}`, `${uid}`, path],
  ]);
  return Number(stdout.split(" ")[1]);
}

Deno.test({
  name: "alerts are given to root, and to another user only where anyone may read them",
  ignore: !isRoot() || !has("python3"),
  async fn() {
    for (const [whose, status] of [["root", 401], ["anyone", 200]] as const) {
      await using place = new Place();
      await using saker = await Saker.start([place.marker], {
        args: ["-o", `webserver.alerts_for=${whose}`],
      });
      assertEquals(await asUser(0, saker.port, "/alerts"), 200, whose);
      assertEquals(await asUser(65534, saker.port, "/alerts"), status, whose);
      assertEquals(await asUser(65534, saker.port, "/metrics"), 404, whose);
      assertEquals(await asUser(65534, saker.port, "/status"), 200, whose);
    }
  },
});
