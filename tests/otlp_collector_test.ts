// Alerts as OpenTelemetry logs against the OpenTelemetry collector itself, where somebody has built
// one (SAKER_TEST_COLLECTOR; docs/outputs.md): what it makes of a record, whom it lets in, and what
// becomes of alerts that it does not take now, or never.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { certificates } from "./outputs/grpc.ts";
import { type CollectorOptions, noCollector, OtelCollector } from "./outputs/otel_collector.ts";
import { type Attribute, eachProtocol, openedBy, otlp, type Protocol } from "./outputs/otlp.ts";
import { eventually, inOrder, OutputsPlace } from "./outputs/place.ts";

const reason = noCollector();
const each = (name: string, fn: (place: OutputsPlace, protocol: Protocol) => Promise<void>) =>
  eachProtocol(`otlp collector: ${name}`, reason, fn);

function plain(collector: OtelCollector, protocol: Protocol, more = ""): string {
  return otlp(protocol, `http://127.0.0.1:${collector.portOf(protocol)}`, more);
}

const PATIENT = "output_timeout=120000";
const MANY = 10_000;
const ROOM = "outputs_queue.capacity=16000";
const BATCH = { processors: { batch: {} } };

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value]));

/** What it has when it has ended. */
async function numbersIn(collector: OtelCollector): Promise<number[]> {
  await collector.end();
  return openedBy(collector.records);
}

/** Each is there; what was taken and not answered any more is there again. */
function everyOne(numbers: readonly number[]): void {
  inOrder([...new Set(numbers)], 0, MANY);
}

each("it has each value of an alert by its type", async (place, protocol) => {
  for (const compression of ["gzip", "none"]) {
    await using collector = await OtelCollector.start(place.directory, {
      ...BATCH,
      exporters: { debug: { verbosity: "detailed" } },
    });
    const more = `, compression: ${compression}, resource: {deployment.environment.name: lab}`;
    const { code, error } = await place.replayed(place.capture(0, 3), [
      plain(collector, protocol, more),
      PATIENT,
      "append_output=[{extra_fields: [evt.num, rule: x, fd.sport, static.wide]}]",
      "static_fields={wide: Zürich 日本 🚨}",
    ]);
    strictEqual(code, 0, error);
    strictEqual(error.includes("otlp"), false, error);
    inOrder(await numbersIn(collector), 0, 3);
    const { resource, scope, record } = collector.taken[0]!;
    const of = valuesOf(resource);
    deepStrictEqual(of["service.name"], { string_value: "saker" });
    deepStrictEqual(of["deployment.environment.name"], { string_value: "lab" });
    strictEqual(scope["name"], "saker");
    strictEqual(scope["version"], of["service.version"]!["string_value"] as string);
    strictEqual(record.severity_number as unknown, 10);
    strictEqual(record.severity_text, "Notice");
    strictEqual(record.event_name, "saker.alert");
    match(record.body.string_value, /: Notice Opened \/opened\/0 by \d+$/);
    const told = valuesOf(record.attributes);
    deepStrictEqual(told["evt.time"], { int_value: record.time_unix_nano });
    deepStrictEqual(told["rule"], { string_value: "Opened" });
    deepStrictEqual(told["output_fields.rule"], { string_value: "x" });
    deepStrictEqual(told["static.wide"], { string_value: "Zürich 日本 🚨" });
    deepStrictEqual(told["degraded"], { bool_value: false });
    deepStrictEqual(told["tags"], { array_value: {} });
    deepStrictEqual(told["seq"], { int_value: "1" });
    const host = of["host.name"]!["string_value"] as string;
    ok((told["log.record.uid"]!["string_value"] as string).startsWith(`${host}.`));
    match(collector.log, /SeverityNumber: Info2\(10\)/);
    match(collector.log, /EventName: saker\.alert/);
    match(collector.log, /-> fd\.name: Str\(\/opened\/0\)/);
  }
});

each("it has every alert once and in order, over its restart", async (place, protocol) => {
  await using collector = await OtelCollector.start(place.directory, BATCH);
  const options = [plain(collector, protocol), place.spool()];
  const patient = [...options, PATIENT];
  strictEqual((await place.replayed(place.capture(0, 1000), patient)).code, 0);
  await collector.end();
  const away = await place.replayed(place.capture(1000, 2000), options);
  match(away.error, /Cannot write alerts to otlp_output\.endpoint http:\S+: .*refused/i);
  await collector.again(BATCH);
  const { code, error } = await place.replayed(place.capture(2000, 3000), patient);
  strictEqual(code, 0, error);
  inOrder(await numbersIn(collector), 0, 3000);
});

each("it ends and begins again in the middle of a run", async (place, protocol) => {
  await using collector = await OtelCollector.start(place.directory, BATCH);
  const output = place.replayed(place.capture(0, MANY), [
    plain(collector, protocol),
    PATIENT,
    ROOM,
  ]);
  for (let round = 0; round < 3; round++) {
    const before = collector.taken.length;
    const more = () => collector.taken.length > before || before >= MANY || undefined;
    await eventually("alerts", more);
    await collector.end();
    await collector.again(BATCH);
  }
  const { code, error } = await output;
  strictEqual(code, 0, error);
  match(error, /takes alerts again/);
  everyOne(await numbersIn(collector));
  const ids = collector.records.map(({ attributes }) =>
    valuesOf(attributes)["log.record.uid"]!["string_value"]
  );
  strictEqual(new Set(ids).size, MANY);
});

each("over TLS, with certificates of both sides and a token", async (place, protocol) => {
  const at = await certificates(place.directory);
  Deno.writeTextFileSync(place.file("token"), "s3cret\n");
  await using collector = await OtelCollector.start(place.directory, {
    both: {
      tls: {
        cert_file: `${at}/server.pem`,
        key_file: `${at}/server.key`,
        client_ca_file: `${at}/ca.pem`,
      },
      auth: { authenticator: "bearertokenauth" },
    },
    extensions: { bearertokenauth: { filename: place.file("token") } },
  });
  const endpoint = `https://localhost:${collector.portOf(protocol)}`;
  const trusted = `, ca_cert: ${at}/ca.pem`;
  const ours = `, client_cert: ${at}/client.pem, client_key: ${at}/client.key`;
  const strange = `, client_cert: ${at}/strange/client.pem, client_key: ${at}/strange/client.key`;
  const token = `, bearer_token_file: ${place.file("token")}`;
  const capture = place.capture(0, 300);
  const run = async (more: string, time: string) =>
    (await place.replayed(capture, [otlp(protocol, endpoint, more), time])).error;
  const cases: [string, RegExp][] = [
    [ours + token, /UnknownIssuer/],
    // Whether its alert or the end of the connection is seen first is chance.
    [trusted + token, /./],
    [trusted + strange + token, /./],
    [trusted + ours, /the server answers (401|UNAUTHENTICATED)/],
  ];
  const errors = await Promise.all(cases.map(([more]) => run(more, "output_timeout=4000")));
  for (const [number, [, expected]] of cases.entries()) {
    match(errors[number]!, /Cannot write alerts to otlp_output\.endpoint/);
    match(errors[number]!, expected);
    strictEqual(errors[number]!.includes("s3cret"), false);
  }
  const well = await run(trusted + ours + token, PATIENT);
  strictEqual(well.includes("otlp_output"), false, well);
  inOrder(await numbersIn(collector), 0, 300);
});

/** It refuses alerts, is told as failing, and then takes them. */
async function refused(
  place: OutputsPlace,
  protocol: Protocol,
  refusing: CollectorOptions,
  expected: RegExp,
): Promise<void> {
  await using collector = await OtelCollector.start(place.directory, refusing);
  if (refusing.processors !== undefined) {
    await eventually("its limit", () => /emory usage is above/.exec(collector.log));
  }
  const replay = place.replay(place.capture(0, 1000), [plain(collector, protocol), PATIENT]);
  let told = "";
  const reading = (async () => {
    for await (const text of replay.stderr.pipeThrough(new TextDecoderStream())) told += text;
  })();
  await replay.stdout.cancel();
  await eventually("a refusal", () => /otlp_output\.endpoint/.exec(told));
  await collector.end();
  await collector.again();
  const { code } = await replay.status;
  await reading;
  strictEqual(code, 0, told);
  match(told, expected);
  match(told, /takes alerts again/);
  // What stands in front of an exporter that has no room may have been written by another.
  inOrder([...new Set(await numbersIn(collector))], 0, 1000);
}

each("what its memory limiter refuses waits", (place, protocol) =>
  refused(
    place,
    protocol,
    { processors: { memory_limiter: { check_interval: "100ms", limit_mib: 1 } } },
    /the server answers (503|UNAVAILABLE): data refused due to high memory usage/,
  ));

each("what its exporter has no room for waits", (place, protocol) =>
  refused(
    place,
    protocol,
    { exporters: { "file/full": { path: "/dev/full" } } },
    /the server answers (503|UNAVAILABLE): write \/dev\/full: no space left on device/,
  ));

const SMALL: CollectorOptions = {
  grpc: { max_recv_msg_size_mib: 1 },
  http: { max_request_body_size: 1 << 20 },
};

each("what is too large for it goes in parts", async (place, protocol) => {
  await using collector = await OtelCollector.start(place.directory, SMALL);
  // Characters are counted here, and bytes there.
  const { code, error } = await place.replayed(place.capture(0, 600), [
    plain(collector, protocol),
    PATIENT,
    "append_output=[{extra_fields: [static.a]}]",
    `static_fields={a: ${"日".repeat(4_000)}}`,
  ]);
  strictEqual(code, 0, error);
  strictEqual(error.includes("otlp"), false, error);
  inOrder(await numbersIn(collector), 0, 600);
});

each("what is too large alone is lost, and told", async (place, protocol) => {
  await using collector = await OtelCollector.start(place.directory, SMALL);
  const long = Array.from({ length: 10 }, (_, at) => `long${at}: "%static.a"`).join(", ");
  const { code, error } = await place.replayed(place.capture(0, 2), [
    plain(collector, protocol),
    PATIENT,
    `append_output=[{extra_fields: [${long}]}]`,
    `static_fields={a: ${"日".repeat(40_000)}}`,
  ]);
  strictEqual(code, 0, error);
  match(error, /refuses alerts: the server answers (4\d\d|RESOURCE_EXHAUSTED)\b.*those are lost/);
  match(error, /Alerts that an output could not take: 2/);
  const next = await place.replayed(place.capture(2, 4), [plain(collector, protocol), PATIENT]);
  strictEqual(next.error.includes("otlp"), false, next.error);
  inOrder(await numbersIn(collector), 2, 4);
});

each("a connection that it ends for its age is followed by another", async (place, protocol) => {
  await using collector = await OtelCollector.start(place.directory, {
    grpc: {
      keepalive: {
        server_parameters: { max_connection_age: "200ms", max_connection_age_grace: "100ms" },
      },
    },
    http: { idle_timeout: "1ms" },
  });
  const { code, error } = await place.replayed(place.capture(0, MANY), [
    plain(collector, protocol),
    PATIENT,
    ROOM,
  ]);
  strictEqual(code, 0, error);
  everyOne(await numbersIn(collector));
});
