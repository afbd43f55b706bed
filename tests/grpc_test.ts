// Alerts over gRPC to a client of another language, of the built binary that replays a capture:
// what each call gives, over which ways, and that no client is another's business.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { eventually, inOrder, OutputsPlace } from "./outputs/place.ts";
import { certificates, generated, GrpcClient, noGrpcClient } from "./outputs/grpc.ts";
import { SAKER } from "./live/saker.ts";

const ALERTS = Number(Deno.env.get("SAKER_TEST_ALERTS") ?? "20000");
const reason = noGrpcClient();
const told = reason === undefined ? "" : ` (${reason})`;

function test(name: string, fn: (place: OutputsPlace) => Promise<void>): void {
  Deno.test({
    name: `${name}${told}`,
    ignore: reason !== undefined,
    async fn() {
      using place = new OutputsPlace();
      await fn(place);
    },
  });
}

/** A replay that waits for its capture until it is fed. */
class Replay implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;
  error = "";

  constructor(place: OutputsPlace, options: readonly string[]) {
    const all = ["stdout_output.enabled=false", "grpc_output.enabled=true", ...options];
    this.#child = new Deno.Command(SAKER, {
      args: [
        ...["-r", place.file("rules.yaml")],
        ...all.flatMap((option) => ["-o", option]),
        ...["replay", "-"],
      ],
      env: { TZ: "UTC", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#read = this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.error += text;
    }
  }

  /** Where clients are served, once they are. */
  async served(): Promise<string> {
    return await eventually("clients to be served", () => {
      return /gRPC clients are served at (\S+)/.exec(this.error)?.[1];
    });
  }

  async feed(capture: string, options: StreamPipeOptions = {}): Promise<void> {
    const file = await Deno.open(capture);
    await file.readable.pipeTo(this.#child.stdin, options);
  }

  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.stdin.close().catch(() => {});
    await this.ended();
  }
}

function unixGrpc(place: OutputsPlace): string {
  return `grpc={enabled: true, bind_address: "unix://${place.file("socket/falco.sock")}"}`;
}

async function ready(...clients: GrpcClient[]): Promise<void> {
  for (const client of clients) {
    await eventually("the client's stream", () => client.lines[0]);
    strictEqual(client.lines[0], "ready");
  }
}

/** Numbers of the files that a client was told of. */
function numbersOf(lines: readonly string[]): number[] {
  return lines.filter((line) => line.startsWith("/opened/")).map((line) => Number(line.slice(8)));
}

test("a client that follows gets each alert with its parts, until saker ends", async (place) => {
  await using replay = new Replay(place, [unixGrpc(place), "json_output=false"]);
  const address = await replay.served();
  strictEqual(address, `unix://${place.file("socket/falco.sock")}`);
  strictEqual(Deno.statSync(place.file("socket/falco.sock")).mode! & 0o777, 0o600);
  await using client = new GrpcClient({
    generated: await generated(place.directory),
    address,
    call: "sub",
  });
  await ready(client);
  await replay.feed(place.capture(0, 3));
  strictEqual(await replay.ended(), 0, replay.error);
  const [, first, , , status, ...rest] = await client.ended();
  deepStrictEqual([status, rest], ["UNAVAILABLE", []]);
  const { time, ...others } = JSON.parse(first!);
  deepStrictEqual(others, {
    priority: "NOTICE",
    rule: "Opened",
    output: "22:13:20.000000000: Notice Opened /opened/0 by 100",
    output_fields: {
      "fd.name": "/opened/0",
      "thread.tid": "100",
      "evt.time": "22:13:20.000000000",
    },
    hostname: others.hostname,
    source: "syscall",
  });
  strictEqual(time, "2023-11-14T22:13:20Z");
  ok(others.hostname.length > 0);
  deepStrictEqual(
    numbersOf(
      client.lines.slice(1, 4).map((line) => {
        return JSON.parse(line).output_fields["fd.name"];
      }),
    ),
    [0, 1, 2],
  );
  strictEqual(exists(place.file("socket/falco.sock")), false);
});

test("get gives what waits, once, and ends; version tells Falco's", async (place) => {
  await using replay = new Replay(place, [unixGrpc(place)]);
  const common = { generated: await generated(place.directory), address: await replay.served() };
  const called = async (call: "get" | "version") => {
    await using client = new GrpcClient({ ...common, call });
    const lines = await client.ended();
    strictEqual(lines.at(-1), "OK");
    return lines.slice(0, -1).map((line) => JSON.parse(line));
  };
  deepStrictEqual(await called("get"), []);
  const [{ version, major = 0, minor = 0, patch = 0, build, engine_version }] = await called(
    "version",
  );
  strictEqual(version, [major, minor, patch].join("."));
  match(build, /^saker-\d/);
  ok(engine_version >= 50);
  await replay.feed(place.capture(0, 50), { preventClose: true });
  const got: number[] = [];
  while (got.length < 50) {
    const some = (await called("get")).map(({ output_fields }) => output_fields["fd.name"]);
    got.push(...numbersOf(some));
  }
  inOrder(got, 0, 50);
  deepStrictEqual(await called("get"), []);
});

test("a stuck client alone misses alerts; one that reads has all, in order", async (place) => {
  await using replay = new Replay(place, [
    unixGrpc(place),
    "outputs_queue.capacity=2000",
  ]);
  const common = { generated: await generated(place.directory), address: await replay.served() };
  await using stuck = new GrpcClient({ ...common, call: "names" });
  await using reader = new GrpcClient({ ...common, call: "names", number: ALERTS });
  await ready(stuck, reader);
  await stuck.stop();
  await replay.feed(place.capture(0, ALERTS));
  inOrder(numbersOf(await reader.ended()), 0, ALERTS);
  strictEqual(await replay.ended(), 0, replay.error);
  // The stuck one has what its connection and its buffers hold.
  const missed = Number(/could not take: (\d+)/.exec(replay.error)?.[1]);
  ok(missed > ALERTS / 2 && missed < ALERTS, replay.error);
});

test("a client that is cut off harms nobody, and the next goes on behind it", async (place) => {
  await using replay = new Replay(place, [unixGrpc(place)]);
  const common = { generated: await generated(place.directory), address: await replay.served() };
  await using cut = new GrpcClient({ ...common, call: "cut", number: 10 });
  await using reader = new GrpcClient({ ...common, call: "names" });
  await ready(cut, reader);
  await replay.feed(place.capture(0, 5000));
  strictEqual(await replay.ended(), 0, replay.error);
  strictEqual((await cut.ended()).length, 11);
  inOrder(numbersOf(await reader.ended()), 0, 5000);
});

test("streams are bounded, and those beyond are refused", async (place) => {
  await using replay = new Replay(place, [unixGrpc(place)]);
  const common = { generated: await generated(place.directory), address: await replay.served() };
  await using many = new GrpcClient({ ...common, call: "many", number: 40 });
  const [answers] = await many.ended();
  const { open, RESOURCE_EXHAUSTED: refused } = JSON.parse(answers!);
  // On a busy machine a connection may end and another stream take its place: the bound is of
  // those that are open together.
  ok(open > 0 && open <= 16 && refused > 0 && refused <= 24, answers);
  await using next = new GrpcClient({ ...common, call: "version" });
  strictEqual((await next.ended()).at(-1), "OK");
});

test("connections that ask for nothing are few, and cut off", async (place) => {
  await using replay = new Replay(place, [unixGrpc(place)]);
  const address = await replay.served();
  const path = place.file("socket/falco.sock");
  const silent: Deno.Conn[] = [];
  // So many at once find the queue of the socket full, until some are taken.
  while (silent.length < 80) {
    const conn = await Deno.connect({ transport: "unix", path }).catch(() => undefined);
    if (conn !== undefined) silent.push(conn);
    else await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const garbage = silent.pop()!;
  await garbage.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")).catch(() => {});
  // Each of them hears that it is over, whatever else it hears.
  for (const conn of [garbage, ...silent]) {
    while (await conn.read(new Uint8Array(4096)).catch(() => null) !== null);
    conn.close();
  }
  await using next = new GrpcClient({
    generated: await generated(place.directory),
    address,
    call: "version",
  });
  strictEqual((await next.ended()).at(-1), "OK");
});

test("TCP takes certificates of both sides, and refuses whoever shows none", async (place) => {
  const files = await certificates(place.directory);
  await using replay = new Replay(place, [
    `grpc={enabled: true, bind_address: "127.0.0.1:0", private_key: ${files}/server.key, ` +
    `cert_chain: ${files}/server.pem, root_certs: ${files}/ca.pem}`,
  ]);
  const port = /:(\d+)$/.exec(await replay.served())![1]!;
  const common = { generated: await generated(place.directory), address: `localhost:${port}` };
  await Deno.mkdir(`${files}/none`);
  await Deno.copyFile(`${files}/ca.pem`, `${files}/none/ca.pem`);
  for (const certificates of [`${files}/none`, `${files}/strange`, undefined]) {
    await using client = new GrpcClient({
      ...common,
      ...certificates === undefined ? {} : { certificates },
      call: "version",
    });
    deepStrictEqual(await client.ended(), ["UNAVAILABLE"], `${certificates}`);
  }
  await using client = new GrpcClient({ ...common, certificates: files, call: "names" });
  await ready(client);
  await replay.feed(place.capture(0, 100));
  strictEqual(await replay.ended(), 0, replay.error);
  inOrder(numbersOf(await client.ended()), 0, 100);
});

test("what cannot be right is an error at the start that names key and value", async (place) => {
  const files = await certificates(place.directory);
  const whole = { private_key: "server.key", cert_chain: "server.pem", root_certs: "ca.pem" };
  const tcp = (keys: Record<string, string>) => {
    const all = Object.entries({ ...whole, ...keys }).map(([key, name]) => {
      return `${key}: "${name === "" ? "" : `${files}/${name}`}"`;
    });
    return `grpc={enabled: true, bind_address: "0.0.0.0:0", ${all.join(", ")}}`;
  };
  const cases: [option: string, error: RegExp][] = [
    ["grpc.bind_address=nowhere", /bind_address: expected unix:.*"nowhere"/],
    [tcp({ private_key: "none" }), /grpc\.private_key: Cannot read \S+none: there is no such/],
    [tcp({ root_certs: "server.key" }), /grpc\.root_certs: \S+server.key: expected a certificate/],
    [tcp({ cert_chain: "client.pem" }), /grpc\.cert_chain: \S+, grpc\.private_key: \S+: /],
    [tcp({ cert_chain: "" }), /grpc\.cert_chain: it is empty/],
    [tcp({ private_key: "", cert_chain: "", root_certs: "" }), /is reached by other hosts/],
    [
      'grpc={enabled: true, bind_address: "127.0.0.1:0", private_key: "", cert_chain: "", ' +
      'root_certs: ""}',
      /is reached by every user of this host.*webserver\.alerts_for/,
    ],
  ];
  for (const [option, error] of cases) {
    await using replay = new Replay(place, [option]);
    strictEqual(await replay.ended(), 1, option);
    match(replay.error, error);
    strictEqual(replay.error.trimEnd().split("\n").length, 1, replay.error);
  }
});

test("plain TCP is for this host alone; a taken port is told, not waited for", async (place) => {
  const plain = 'private_key: "", cert_chain: "", root_certs: ""';
  await using replay = new Replay(place, [
    `grpc={enabled: true, bind_address: "127.0.0.1:0", ${plain}}`,
    "webserver.alerts_for=anyone",
  ]);
  const address = await replay.served();
  await using client = new GrpcClient({
    generated: await generated(place.directory),
    address,
    call: "version",
  });
  strictEqual((await client.ended()).at(-1), "OK");
  await using other = new Replay(place, [
    `grpc={enabled: true, bind_address: "${address}", ${plain}}`,
    "webserver.alerts_for=anyone",
  ]);
  await other.feed(place.capture(0, 3));
  strictEqual(await other.ended(), 0, other.error);
  match(other.error, new RegExp(`grpc.bind_address ${address}: another program listens there`));
  match(other.error, /could not take: 3/);
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
