// Web servers that take alerts, refuse them, do not answer, and are who they say or not.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { gunzipSync } from "node:zlib";
import { type HttpOptions, httpOutput } from "./http.ts";
import { clientPoster, trustingPoster } from "./http_post.ts";
import { messages, ownCertificate, texts, within } from "./message_fixture.ts";
import type { PartlyWritten } from "./output.ts";

interface Got {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** A web server that keeps what it is given and answers as it is told. */
function webServer(answer: (got: Got, at: number) => Response, tls?: Deno.TlsCertifiedKeyPem) {
  const got: Got[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    ...tls,
  }, async (request) => {
    got.push({
      headers: request.headers,
      body: new Uint8Array(await request.arrayBuffer()),
    });
    return answer(got.at(-1)!, got.length - 1);
  });
  const { port } = server.addr;
  return {
    got,
    url: (name = "127.0.0.1") => `${tls === undefined ? "http" : "https"}://${name}:${port}/in?a=b`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const fine = () => new Response("ok");

function httpTo(url: string, options: Partial<HttpOptions> = {}) {
  return httpOutput({
    poster: options.poster ?? clientPoster(url, { caCerts: [] }),
    headers: { "content-type": "application/json", "user-agent": "falcosecurity/falco" },
    gzip: false,
    timeoutMs: 5_000,
    timeoutsMax: 0,
    now: () => 0,
    ...options,
  });
}

const bodies = (got: readonly Got[]) => got.map(({ body }) => new TextDecoder().decode(body));

Deno.test("http: each alert is a POST, in order, with the headers asked for", async () => {
  await using server = webServer(fine);
  const echoed: string[] = [];
  const output = httpTo(server.url(), {
    headers: { "content-type": "text/plain", "user-agent": "x", "x-host": "web1" },
    echo: (text) => echoed.push(text),
  });
  await output.write(messages(0, 300));
  output.close();
  deepStrictEqual(bodies(server.got), texts(0, 300));
  const { headers } = server.got[0]!;
  const names = ["content-type", "user-agent", "x-host"];
  deepStrictEqual(names.map((name) => headers.get(name)), ["text/plain", "x", "web1"]);
  deepStrictEqual(echoed.slice(0, 2), ["ok", "ok"]);
});

Deno.test("http: compressed, and plain for a server that does not take that", async () => {
  await using server = webServer(({ headers }, at) =>
    new Response(null, { status: at >= 3 && headers.has("content-encoding") ? 415 : 204 })
  );
  const output = httpTo(server.url(), { gzip: true });
  await output.write(messages(0, 6));
  output.close();
  const [zipped, plain] = [server.got.slice(0, 3), server.got.slice(4)];
  deepStrictEqual(zipped.map(({ body }) => gunzipSync(body).toString()), texts(0, 3));
  deepStrictEqual(bodies(plain), texts(3, 6));
});

Deno.test("http: what the server answers decides what becomes of an alert", async () => {
  const cases: [number, "refused" | "again"][] = [
    ...[400, 405, 413, 415, 422].map((status): [number, "refused"] => [status, "refused"]),
    ...[301, 401, 403, 404, 408, 429, 500, 502, 503]
      .map((status): [number, "again"] => [status, "again"]),
  ];
  for (const [status, fate] of cases) {
    await using server = webServer((_, at) =>
      new Response(null, { status: at === 1 ? status : 200, headers: { "retry-after": "7" } })
    );
    const output = httpTo(server.url());
    await rejects(output.write(messages(0, 3)), (error: PartlyWritten) => {
      strictEqual(error.message, `the server answers ${status}`);
      const { written, refused, againMs } = error;
      const expected = fate === "refused" ? [1, 1, 0] : [1, 0, 7000];
      deepStrictEqual([written, refused, againMs], expected, String(status));
      return true;
    });
    output.close();
  }
});

Deno.test("http: a token is read anew when the server does not accept it any more", async () => {
  let valid = "one";
  await using server = webServer(({ headers }) =>
    new Response(null, { status: headers.get("authorization") === `Bearer ${valid}` ? 200 : 401 })
  );
  const file = { token: "one" };
  const output = httpTo(server.url(), { token: () => file.token });
  await output.write(messages(0, 1));
  valid = "two";
  await rejects(output.write(messages(1, 2)), /401/);
  file.token = "two";
  await output.write(messages(1, 2));
  output.close();
});

Deno.test("http: a server without an answer is asked again, then it is told", async () => {
  let asked = 0;
  const held = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    asked++;
    await held.promise;
    return new Response();
  });
  const output = httpTo(`http://127.0.0.1:${server.addr.port}/`, {
    timeoutMs: 1_000,
    timeoutsMax: 2,
  });
  await rejects(output.write(messages(0, 1)), /no answer within 1000 ms/);
  strictEqual(asked, 3);
  held.resolve();
  await server.shutdown();
  output.close();
  const gone = httpTo("http://127.0.0.1:1/");
  await rejects(gone.write(messages(0, 1)), (error: Error) => !/http:\/\//.test(error.message));
  gone.close();
});

Deno.test("https: who is trusted is verified, with an authority, with a certificate of ours", () =>
  within(async (directory) => {
    const { certificate, key } = await ownCertificate(directory, "localhost");
    await using server = webServer(fine, { cert: certificate, key });
    const stranger = httpTo(server.url("localhost"));
    await rejects(stranger.write(messages(0, 1)), /certificate/);
    stranger.close();
    const tls = { caCerts: [certificate] };
    const known = httpTo(server.url("localhost"), {
      poster: clientPoster(server.url("localhost"), tls),
    });
    await known.write(messages(0, 10));
    known.close();
    // Its name is not 127.0.0.1.
    const other = httpTo("", { poster: clientPoster(server.url(), tls) });
    await rejects(other.write(messages(0, 1)), /certificate/);
    other.close();
    deepStrictEqual(bodies(server.got), texts(0, 10));
  }));

Deno.test("https: insecure trusts whoever answers", () =>
  within(async (directory) => {
    const { certificate, key } = await ownCertificate(directory, "elsewhere");
    await using server = webServer(
      (_, at) => new Response("so", { status: at === 3 ? 503 : 200 }),
      {
        cert: certificate,
        key,
      },
    );
    const echoed: string[] = [];
    const output = httpTo("", {
      poster: trustingPoster(server.url(), { caCerts: [] }),
      echo: (text) => echoed.push(text),
    });
    await rejects(output.write(messages(0, 5)), /503/);
    await output.write(messages(3, 5));
    deepStrictEqual(bodies(server.got), [...texts(0, 4), ...texts(3, 5)]);
    ok(echoed.every((text) => text.includes("so")), echoed.join());
  }));
