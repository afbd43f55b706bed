// Alerts as OpenTelemetry logs against a real collector (rotel), and against a strict receiver
// where the collector does not do what a server may: what is in a record, every alert once and in
// order, who is refused, and what a server says no to.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { certificates } from "./outputs/grpc.ts";
import {
  type Answer,
  type Attribute,
  Collector,
  eachProtocol,
  noOtel,
  openedBy,
  otlp,
  OtlpReceiver,
  type Protocol,
  PROTOCOLS,
  type ReceiverOptions,
  recordsOf,
} from "./outputs/otlp.ts";
import { eventually, freePort, inOrder, OutputsPlace } from "./outputs/place.ts";

const reason = noOtel();
const test = (name: string, fn: (place: OutputsPlace) => Promise<void>) =>
  Deno.test({
    name: `otlp: ${name}${reason === undefined ? "" : ` (${reason})`}`,
    ignore: reason !== undefined,
    async fn() {
      using place = new OutputsPlace();
      await fn(place);
    },
  });

/** The same by each protocol. */
const each = (name: string, fn: (place: OutputsPlace, protocol: Protocol) => Promise<void>) =>
  eachProtocol(`otlp: ${name}`, reason, fn);

const TYPES: Readonly<Record<Protocol, string>> = {
  "http/protobuf": "application/x-protobuf",
  "http/json": "application/json",
  "grpc": "grpc",
};

const WIDE = "Zürich 日本 🚨".repeat(5);
const LONG = "ü".repeat(20_000);

/** A busy machine takes its time. */
const PATIENT = "output_timeout=120000";
/** For what will not come. */
const IN_VAIN = "output_timeout=4000";

const kindOf = (protocol: Protocol): ReceiverOptions["kind"] =>
  protocol === "grpc" ? "grpc" : "http";

const plainly = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value]));

each("a record has all that an alert has, each value by its type", async (place, protocol) => {
  await using receiver = await OtlpReceiver.start({ kind: kindOf(protocol), token: "s3cret" });
  Deno.writeTextFileSync(place.file("token"), "s3cret\n");
  Deno.writeTextFileSync(place.file("key"), "k3y\n");
  const more = `, bearer_token_file: ${place.file("token")}, headers: {X-Scope: one}, ` +
    `header_files: {X-Key: ${place.file("key")}}, resource: {deployment.environment.name: lab}`;
  const { code, error } = await place.replayed(place.capture(0, 3), [
    otlp(protocol, `http://127.0.0.1:${receiver.port}`, more),
    PATIENT,
    "append_output=[{extra_fields: [evt.num, rule: x, fd.sport, static.wide, static.long]}]",
    `static_fields={wide: ${WIDE}, long: ${LONG}}`,
  ]);
  strictEqual(code, 0, error);
  strictEqual(error.includes("s3cret") || error.includes("k3y"), false);
  const { kind, headers, request } = receiver.received[0]!;
  strictEqual(kind, TYPES[protocol]);
  const sent = new Map(Object.entries(headers).map(([name, one]) => [name.toLowerCase(), one]));
  strictEqual(sent.get("x-scope"), "one");
  strictEqual(sent.get("x-key"), "k3y");
  match(sent.get("user-agent")!, /^saker\//);
  if (protocol !== "grpc") strictEqual(sent.get("content-encoding"), "gzip");

  const { resource, scope_logs } = request.resource_logs[0]!;
  const { scope, log_records } = scope_logs[0]!;
  const first = log_records[0]!;
  const of = plainly(resource.attributes);
  deepStrictEqual(of["service.name"], { string_value: "saker" });
  deepStrictEqual(of["deployment.environment.name"], { string_value: "lab" });
  ok(of["service.version"] !== undefined && of["host.name"] !== undefined);
  // Nobody knows of a capture whether it is of this host.
  strictEqual(of["host.id"], undefined);
  deepStrictEqual(Object.keys(scope).sort(), ["name", "version"]);
  strictEqual(first.severity_number, "SEVERITY_NUMBER_INFO2");
  strictEqual(first.severity_text, "Notice");
  strictEqual(first.event_name, "saker.alert");
  match(first.body.string_value, /: Notice Opened \/opened\/0 by \d+$/);
  ok(BigInt(first.observed_time_unix_nano) > 0n);
  const told = plainly(first.attributes);
  strictEqual(told["evt.time"]!["int_value"], first.time_unix_nano);
  deepStrictEqual(told["rule"], { string_value: "Opened" });
  deepStrictEqual(told["output_fields.rule"], { string_value: "x" });
  deepStrictEqual(told["static.wide"], { string_value: WIDE });
  deepStrictEqual(told["static.long"], { string_value: LONG });
  deepStrictEqual(told["source"], { string_value: "syscall" });
  deepStrictEqual(told["tags"], { array_value: {} });
  deepStrictEqual(told["degraded"], { bool_value: false });
  deepStrictEqual(told["seq"], { int_value: "1" });
  deepStrictEqual(told["fd.name"], { string_value: "/opened/0" });
  ok(/^\d+$/.test(told["thread.tid"]!["int_value"] as string));
  // What the event does not have is not told.
  strictEqual(told["fd.sport"], undefined);
  const id = told["id"]!["string_value"];
  const uids = receiver.records.map(({ attributes }) => {
    return plainly(attributes)["log.record.uid"]!["string_value"] as string;
  });
  ok(uids[0]!.startsWith(`${of["host.name"]!["string_value"]}.${id}.`), uids[0]);
  strictEqual(new Set(uids).size, 3);
  deepStrictEqual(openedBy(receiver.records), [0, 1, 2]);
});

each("a collector has every alert once, over its restart", async (place, protocol) => {
  await using receiver = await OtlpReceiver.start({ kind: "http" });
  await using collector = await Collector.start(receiver);
  const port = protocol === "grpc" ? collector.grpcPort : collector.httpPort;
  const options = [otlp(protocol, `http://127.0.0.1:${port}`), place.spool()];
  const patient = [...options, PATIENT];
  strictEqual((await place.replayed(place.capture(0, 1000), patient)).code, 0);
  await collector.end();
  const away = await place.replayed(place.capture(1000, 2000), options);
  strictEqual(away.code, 0, away.error);
  match(away.error, /Cannot write alerts to otlp_output\.endpoint http:\S+: .*refused/i);
  await collector.again();
  const { code, error } = await place.replayed(place.capture(2000, 3000), patient);
  strictEqual(code, 0, error);
  await eventually("the alerts", () => receiver.records.length >= 3000 || undefined);
  // It hands on several requests at a time.
  for (const request of receiver.received) {
    const numbers = openedBy(recordsOf(request));
    inOrder(numbers, numbers[0]!, numbers[0]! + numbers.length);
  }
  inOrder(openedBy(receiver.records).sort((one, other) => one - other), 0, 3000);
});

each("over TLS, with certificates of both sides", async (place, protocol) => {
  const at = await certificates(place.directory);
  await using receiver = await OtlpReceiver.start({ kind: kindOf(protocol), certificates: at });
  const endpoint = `https://localhost:${receiver.port}`;
  const ours = `, client_cert: ${at}/client.pem, client_key: ${at}/client.key`;
  const capture = place.capture(0, 300);
  const run = async (more: string, time: string) =>
    (await place.replayed(capture, [otlp(protocol, endpoint, more), time])).error;
  // No alert goes to a server that nobody vouches for, nor to one that does not know us.
  const trusted = `, ca_cert: ${at}/ca.pem`;
  const refused = await Promise.all([ours, trusted].map((more) => run(more, IN_VAIN)));
  match(refused[0]!, /Cannot write alerts to otlp_output\.endpoint \S+: .*UnknownIssuer/);
  match(refused[1]!, /Cannot write alerts to otlp_output\.endpoint/);
  strictEqual(receiver.received.length, 0);
  strictEqual((await run(trusted + ours, PATIENT)).includes("otlp_output"), false);
  inOrder(openedBy(receiver.records), 0, 300);
});

each("a token that is not taken any more is read anew", async (place, protocol) => {
  await using receiver = await OtlpReceiver.start({ kind: kindOf(protocol), token: "new" });
  Deno.writeTextFileSync(place.file("token"), "old");
  const more = `, bearer_token_file: ${place.file("token")}`;
  const options = [otlp(protocol, `http://127.0.0.1:${receiver.port}`, more)];
  const replay = place.replay(place.capture(0, 300), [...options, PATIENT]);
  let told = "";
  const reading = (async () => {
    for await (const text of replay.stderr.pipeThrough(new TextDecoderStream())) {
      told += text;
      if (told.includes("who are you?")) Deno.writeTextFileSync(place.file("token"), "new");
    }
  })();
  await replay.stdout.cancel();
  const { code } = await replay.status;
  await reading;
  strictEqual(code, 0, told);
  match(told, /the server answers (401|UNAUTHENTICATED): who are you\?/);
  match(told, /takes alerts again/);
  strictEqual(/\bold\b/.test(told), false);
  inOrder(openedBy(receiver.records), 0, 300);
});

each("what a server cannot take now is sent again, in order", async (place, protocol) => {
  const statuses = protocol === "grpc"
    ? ["UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "DATA_LOSS"]
    : [429, 502, 503, 504];
  const patient = protocol === "grpc" ? "RESOURCE_EXHAUSTED" : 503;
  await using receiver = await OtlpReceiver.start({
    kind: kindOf(protocol),
    answers: [
      ...statuses.flatMap((status): Answer[] => [{ status }, {}]),
      { status: patient, after: 1, why: "too much" },
    ],
  });
  const { code, error } = await place.replayed(place.capture(0, 1200), [
    otlp(protocol, `http://127.0.0.1:${receiver.port}`),
    PATIENT,
  ]);
  strictEqual(code, 0, error);
  strictEqual(receiver.received.length, 10);
  strictEqual(error.match(/takes alerts again, after 1 attempts/g)?.length, 5, error);
  inOrder(openedBy(receiver.records), 0, 1200);
});

each("the one that a server refuses is lost alone", async (place, protocol) => {
  // All of 256 is refused, of the halves always the first, until it is alone.
  const no: Answer = { status: protocol === "grpc" ? "INVALID_ARGUMENT" : 400, why: "bad" };
  await using receiver = await OtlpReceiver.start({
    kind: kindOf(protocol),
    answers: Array.from({ length: 9 }, () => no),
  });
  const { error } = await place.replayed(place.capture(0, 256), [
    otlp(protocol, `http://127.0.0.1:${receiver.port}`),
    PATIENT,
  ]);
  match(error, /refuses alerts: the server answers (400|INVALID_ARGUMENT): bad; those are lost/);
  inOrder(openedBy(receiver.records), 1, 256);
});

each("those that are taken in part are counted and told", async (place, protocol) => {
  await using receiver = await OtlpReceiver.start({
    kind: kindOf(protocol),
    answers: [{ rejected: 3, why: "three are too old" }],
  });
  const { code, error } = await place.replayed(place.capture(0, 100), [
    otlp(protocol, `http://127.0.0.1:${receiver.port}`),
    PATIENT,
  ]);
  strictEqual(code, 0);
  match(error, /refuses alerts: the server rejects 3 of 100: three are too old; those are lost/);
  // Nothing of it is sent again.
  inOrder(openedBy(receiver.records), 0, 100);
});

test("a kept connection that the server ends is followed by another at once", async (place) => {
  for (const protocol of ["http/protobuf", "http/json"] as const) {
    await using receiver = await OtlpReceiver.start({
      kind: "http",
      answers: [{}, { status: "cut" }, {}, { status: "cut" }],
    });
    const { code, error } = await place.replayed(place.capture(0, 1024), [
      otlp(protocol, `http://127.0.0.1:${receiver.port}`),
      PATIENT,
    ]);
    strictEqual(code, 0, error);
    strictEqual(error.includes("otlp_output"), false, error);
    strictEqual(receiver.received.length, 6);
    inOrder(openedBy(receiver.records), 0, 1024);
  }
});

test("a port that is no server of the protocol is told, and alerts wait", async (place) => {
  const capture = place.capture(0, 10);
  const ways = [
    [() => undefined, /no answer within 300 ms/],
    [(conn: Deno.Conn) => conn.close(), /Cannot write/],
    [(conn: Deno.Conn) => conn.write(new TextEncoder().encode("SSH-2.0-x\r\n")), /Cannot write/],
  ] as const;
  await Promise.all(PROTOCOLS.flatMap((protocol) =>
    ways.map(async ([behave, expected]) => {
      const open: Deno.Conn[] = [];
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const accepting = (async () => {
        for await (const conn of listener) {
          open.push(conn);
          await conn.read(new Uint8Array(64)).catch(() => {});
          await Promise.resolve(behave(conn)).catch(() => {});
        }
      })();
      const { code, error } = await place.replayed(capture, [
        otlp(protocol, `http://127.0.0.1:${listener.addr.port}`, ", timeout: 300"),
        IN_VAIN,
      ]);
      listener.close();
      for (const conn of open) tryToClose(conn);
      await accepting.catch(() => {});
      strictEqual(code, 0, error);
      match(error, /Cannot write alerts to otlp_output\.endpoint/);
      match(error, expected);
      strictEqual(/\n\s+at /.test(error), false, error);
    })
  ));
});

function tryToClose(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}

test("what cannot be used is an error at the start, without a value", async (place) => {
  const port = freePort();
  const cases: [string, RegExp][] = [
    [otlp("grpc", `http://127.0.0.1:${port}/x`), /otlp_output\.endpoint: expected no path/],
    [otlp("http/json", "ftp://h"), /otlp_output\.endpoint: expected http:/],
    [otlp("http/json", "http://u:hidden@h"), /otlp_output\.endpoint: expected no user/],
    [otlp("http/json", "http://h/?key=hidden"), /otlp_output\.endpoint: expected no user/],
    [otlp("grpc", "", ", ca_cert: /none"), /otlp_output\.ca_cert: Cannot read \/none/],
    [otlp("grpc", "", ", header_files: {a: /none}"), /header_files\.a: Cannot read \/none/],
    [otlp("grpc", "", `, headers: {a: "hid\tden\u00e9"}`), /headers\.a: expected a value of/],
    [otlp("grpc", "", ", headers: {grpc-timeout: hidden}"), /headers: expected a name of/],
  ];
  for (const [option, expected] of cases) {
    const { code, error } = await place.replayed(place.capture(0, 1), [option]);
    strictEqual(code, 1, option);
    match(error, expected);
    strictEqual(error.includes("hid"), false, error);
  }
});
