// A source over HTTP and what web servers answer: bytes once, nothing where they are the same, and
// one line where there are none.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { BUNDLE_BYTES_MAX } from "./contents.ts";
import { HttpSource } from "./http_source.ts";

/** What the server answers next, and what it was asked with. */
class Scene implements AsyncDisposable {
  readonly asked: Headers[] = [];
  answer: () => Response | Promise<Response> = () => new Response(null, { status: 404 });
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ headers }) => {
      this.asked.push(headers);
      return this.answer();
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/b`;
  }

  source(timeoutMs = 10_000): HttpSource {
    return new HttpSource({ url: this.url, token: () => "secret", timeoutMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function failure(source: HttpSource): Promise<string> {
  return source.ask().then(() => "none", ({ message }: Error) => message);
}

Deno.test("a web server's bundle is handed over once, and again when it changed", async () => {
  await using scene = new Scene();
  const source = scene.source();
  const marked = (tag: string) => new Response(tag, { headers: { etag: `"${tag}"` } });
  scene.answer = () => {
    const known = scene.asked.at(-1)!.get("if-none-match");
    return known === '"one"' ? new Response(null, { status: 304 }) : marked("one");
  };
  strictEqual(new TextDecoder().decode(await source.ask()), "one");
  strictEqual(await source.ask(), undefined);
  scene.answer = () => marked("two");
  strictEqual(new TextDecoder().decode(await source.ask()), "two");
  deepStrictEqual(scene.asked.map((headers) => headers.get("if-none-match")), [
    ...[null, '"one"', '"one"'],
  ]);
  ok(scene.asked.every((headers) => headers.get("authorization") === "Bearer secret"));
  source.close();
});

Deno.test("what a web server answers else is one line, and no other server is asked", async () => {
  await using scene = new Scene();
  await using other = new Scene();
  const source = scene.source();
  strictEqual(await failure(source), "the server answers 404");
  const headers = { location: other.url };
  scene.answer = () => new Response(null, { status: 302, headers });
  strictEqual(await failure(source), "the server answers 302");
  strictEqual(other.asked.length, 0);
  source.close();
});

Deno.test("a web server that never ends is not waited for, nor read for ever", async () => {
  await using scene = new Scene();
  const source = scene.source();
  const chunk = new Uint8Array(1 << 20);
  let sent = 0;
  scene.answer = () =>
    new Response(
      new ReadableStream({
        pull(controller): void {
          sent += chunk.length;
          controller.enqueue(chunk);
        },
      }),
    );
  const bytes = (await source.ask())!;
  ok(bytes.length > BUNDLE_BYTES_MAX && bytes.length <= BUNDLE_BYTES_MAX + (2 << 20));
  ok(sent < 4 * BUNDLE_BYTES_MAX, `${sent}`);
  source.close();
  const slow = scene.source(300);
  const { promise, resolve } = Promise.withResolvers<Response>();
  scene.answer = () => promise;
  strictEqual(await failure(slow), "no whole answer within 0.3 s");
  resolve(new Response(null));
  slow.close();
});
