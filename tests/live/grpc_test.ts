// The gRPC server of a watch: a client that reads nothing is told of and slows nobody, clients stay
// over reloads that are not about them, and a port that another program has is waited for.
import { certificates, generated, GrpcClient, noGrpcClient } from "../outputs/grpc.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, Saker } from "./saker.ts";
import { isRoot, Place, python, triggersOf } from "./trigger.ts";

const reason = noGrpcClient();

function test(name: string, fn: (place: Place) => Promise<void>): void {
  Deno.test({
    name: `${name}${reason === undefined ? "" : ` (${reason})`}`,
    ignore: !isRoot() || reason !== undefined,
    async fn() {
      await using place = new Place();
      await fn(place);
    },
  });
}

/** Opens so many files that are not there, `FIRST` and the following ones. */
const OPENS = `
import os, sys
place, first, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for at in range(first, first + count):
    try: os.open("%s/absent-%d" % (place, at), os.O_RDONLY)
    except OSError: pass
`;

class GrpcPlace {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
    const { marker } = place;
    Deno.writeTextFileSync(
      place.file("rules.yaml"),
      `- {rule: Absent, desc: d, condition: 'evt.type in (open, openat) and fd.name startswith ` +
        `${place.file("absent-")} and ${triggersOf(marker)}', output: "Opened %fd.name", ` +
        "priority: WARNING, tags: [mine]}\n",
    );
  }

  get socket(): string {
    return `unix://${this.#place.file("falco.sock")}`;
  }

  /** Writes the configuration: two lines of YAML, and more. */
  configure(grpc: string, ...more: string[]): string {
    const file = this.#place.file("falco.yaml");
    const lines = [
      `rules_files: [${this.#place.file("rules.yaml")}]`,
      "watch_config_files: false",
      "json_output: true",
      `grpc: {enabled: true, ${grpc}}`,
      "grpc_output: {enabled: true}",
      ...more,
    ];
    Deno.writeTextFileSync(file, `${lines.join("\n")}\n`);
    return file;
  }

  async open(first: number, count: number): Promise<void> {
    const { marker, path } = this.#place;
    await python(marker, OPENS, [path, `${first}`, `${count}`]);
  }

  /** Numbers of the files that a client was told of. */
  numbers(client: GrpcClient): number[] {
    const prefix = this.#place.file("absent-");
    return client.lines.filter((line) => line.startsWith(prefix))
      .map((line) => Number(line.slice(prefix.length)));
  }

  /** Waits until the client has those up to this one. */
  async read(client: GrpcClient, last: number): Promise<void> {
    await eventually(`the alert of ${last}`, () => {
      return this.numbers(client).at(-1) === last || undefined;
    });
  }
}

async function ready(client: GrpcClient): Promise<void> {
  assertEquals(await eventually("the client's stream", () => client.lines[0]), "ready");
}

async function asked(saker: Saker, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${saker.port}${path}`);
  return await response.text();
}

// deno-lint-ignore no-explicit-any -- JSON of any shape.
async function grpcStatus(saker: Saker): Promise<any> {
  const { outputs } = JSON.parse(await asked(saker, "/status"));
  return outputs.find(({ name }: { name: string }) => name === "grpc");
}

test("a stuck client is told of, and neither detection nor another client waits", async (place) => {
  const grpc = new GrpcPlace(place);
  const config = grpc.configure(
    `bind_address: "${grpc.socket}"`,
    "outputs_queue: {capacity: 1000}",
    "webserver: {prometheus_metrics_enabled: true}",
    "metrics: {enabled: true}",
  );
  const saker = await Saker.start([place.marker], { args: ["-c", config] });
  try {
    const common = { generated: await generated(place.path), address: grpc.socket };
    await using stuck = new GrpcClient({ ...common, call: "names" });
    await using reader = new GrpcClient({ ...common, call: "names" });
    await ready(stuck);
    await ready(reader);
    await stuck.stop();
    // What a stuck one's buffers take is known to nobody: until it misses some.
    let opened = 0;
    for (let missed = 0; missed === 0; opened += 500) {
      await grpc.open(opened, 500);
      await grpc.read(reader, opened + 499);
      missed = (await grpcStatus(saker)).dropped;
      assert(opened < 100_000, "the stuck client misses nothing");
    }
    assertEquals(grpc.numbers(reader), Array.from({ length: opened }, (_, at) => at));
    const status = await grpcStatus(saker);
    assertEquals(status.state, "slow");
    assertIncludes(status.reason, "a client reads too slowly");
    assertEquals(status.clients.open, 2);
    assertEquals(status.dropped_by_priority, { Warning: status.dropped });
    assertEquals(status.written + status.waiting + status.dropped >= 2 * opened, true);
    const metrics = await asked(saker, "/metrics");
    assert(/saker_output_clients\{output="grpc"\} 2\n/.test(metrics), metrics);
    assert(
      /saker_output_dropped_by_priority_total\{output="grpc",priority="Warning"\} [1-9]/
        .test(metrics),
    );
    assertEquals((await saker.health())!.body.status, "degraded");
    await eventually("the log to tell it", () => {
      return /grpc.bind_address \S+ takes alerts more slowly/.test(saker.told) || undefined;
    });
    // Its end waits for a stuck client no longer than for other outputs.
    assertEquals((await saker.stop()).code, 0);
    assertEquals((await reader.ended()).at(-1), "UNAVAILABLE");
  } finally {
    await saker.stop();
  }
});

test("clients stay over a reload, unless it is about them", async (place) => {
  const grpc = new GrpcPlace(place);
  const address = `bind_address: "${grpc.socket}"`;
  const config = grpc.configure(address);
  await using saker = await Saker.start([place.marker], { args: ["-c", config] });
  const common = { generated: await generated(place.path), address: grpc.socket };
  await using client = new GrpcClient({ ...common, call: "names" });
  await ready(client);
  await grpc.open(0, 1);
  await grpc.read(client, 0);
  const reload = async (generation: number) => {
    Deno.kill(saker.pid, "SIGHUP");
    await eventually("the reload", async () => {
      const { reload } = JSON.parse(await asked(saker, "/status"));
      return reload.generation === generation || undefined;
    });
  };
  grpc.configure(address, "json_include_tags_property: false");
  await reload(2);
  await grpc.open(1, 1);
  await grpc.read(client, 1);
  assertEquals((await grpcStatus(saker)).clients.open, 1);

  // Another address: over TCP, with certificates.
  const files = await certificates(place.path);
  const port = freePort();
  grpc.configure(
    `bind_address: "127.0.0.1:${port}", private_key: ${files}/server.key, ` +
      `cert_chain: ${files}/server.pem, root_certs: ${files}/ca.pem`,
  );
  await reload(3);
  assertEquals((await client.ended()).at(-1), "UNAVAILABLE");
  await eventually("the other address", () => {
    return saker.told.includes(`served at 127.0.0.1:${port}`) || undefined;
  });
  const other = { ...common, address: `localhost:${port}`, certificates: files };
  await using next = new GrpcClient({ ...other, call: "names" });
  await ready(next);
  await grpc.open(2, 1);
  await grpc.read(next, 2);

  // Files that cannot be read: the old ones stay, with their clients.
  grpc.configure(
    `bind_address: "127.0.0.1:${port}", private_key: ${files}/none, ` +
      `cert_chain: ${files}/server.pem, root_certs: ${files}/ca.pem`,
  );
  await reload(4);
  await eventually("the refusal", () => {
    return /outputs stay as they were: grpc.private_key: Cannot read/.test(saker.told) || undefined;
  });
  await grpc.open(3, 1);
  await grpc.read(next, 3);
});

test("a port that another program has is told and waited for", async (place) => {
  const grpc = new GrpcPlace(place);
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  const config = grpc.configure(
    `bind_address: "${address}", private_key: "", cert_chain: "", root_certs: ""`,
    "webserver: {alerts_for: anyone}",
  );
  const saker = Saker.launch([place.marker], { args: ["-c", config] });
  try {
    const told = await eventually("its health to tell", async () => {
      const { body } = await saker.health() ?? {};
      return body?.status === "failing" ? body.reason : undefined;
    });
    assertIncludes(told!, "another program listens there");
    assertIncludes(saker.told, `Cannot listen on grpc.bind_address ${address}: another program`);
    await eventually("saker to watch", () => saker.told.includes("is watching") || undefined);
    await grpc.open(0, 1);
    await saker.alert("Absent", place.file("absent-0"));
    taken.close();
    await eventually("the port", () => {
      return saker.told.includes(`served at ${address}`) || undefined;
    });
    // What came meanwhile has waited.
    await using client = new GrpcClient({
      generated: await generated(place.path),
      address,
      call: "names",
    });
    await ready(client);
    await grpc.read(client, 0);
    assertEquals((await saker.health())!.status, 200);
  } finally {
    await saker.stop();
  }
});
