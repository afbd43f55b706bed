// Who may write to a Kafka, as whole processes: credentials, certificates and topics that are taken
// and refused, each told in words with the key that says where; and what waits on disk meanwhile.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { authority } from "./kafka/authority.ts";
import { KafkaServer, noKafka } from "./kafka_fixture.ts";
import { freePort, inOrder, opened, OutputsPlace } from "./outputs/place.ts";

/** Waited for alerts that no broker takes: why is told in it, on a busy machine too. */
const IN_VAIN_MS = 5_000;

const reason = noKafka();
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({
    name: `kafka: ${name}${reason === undefined ? "" : ` (${reason})`}`,
    ignore: reason !== undefined,
    fn,
  });

/** The one line that says why alerts cannot be written. */
function refusal(error: string): string {
  ok(!/\bat .*\.(js|ts):\d+|KafkaJS/.test(error), error);
  const found = /Cannot write alerts to kafka_output\.topic [^ :]+: (.*?); they wait/.exec(error);
  ok(found !== null, error);
  return found[1]!;
}

test("by TLS with certificates of both sides, and every mechanism", async () => {
  using place = new OutputsPlace();
  const files = place.file("own");
  Deno.mkdirSync(files);
  await authority(files, ["localhost", "client"]);
  const other = place.file("other");
  Deno.mkdirSync(other);
  await authority(other, ["client"]);
  const store = `${files}/store.pem`;
  const text = (name: string) => Deno.readTextFileSync(`${files}/${name}`);
  Deno.writeTextFileSync(store, `${text("localhost.key")}${text("localhost.crt")}`);
  await using server = await KafkaServer.start({
    users: { alice: "open sesame" },
    tls: { store, authorities: `${files}/ca` },
  });
  const password = place.file("password");
  Deno.writeTextFileSync(password, "open sesame\n");
  const wrong = place.file("wrong");
  Deno.writeTextFileSync(wrong, "open barley\n");

  interface Access {
    readonly mechanism?: string;
    readonly password?: string;
    readonly ca?: string;
    readonly client?: string;
    readonly tls?: boolean;
    readonly waited?: number;
  }
  let count = 0;
  const capture = place.capture(0, 20);
  const replay = (access: Access) => {
    const { mechanism = "plain", tls = true, ca = `${files}/ca` } = access;
    const { client = `${files}/client` } = access;
    const certificates = !tls
      ? ""
      : `, ca_cert: ${ca}${
        client === "" ? "" : `, client_cert: ${client}.crt, client_key: ${client}.key`
      }`;
    return place.replayed(capture, [
      `kafka_output={enabled: true, brokers: "${server.address}", topic: t${count++}, ` +
      `partitions: 1, timeout: 10000, tls: ${tls}${certificates}, sasl_mechanism: ${mechanism}, ` +
      `user: alice, password_file: ${access.password ?? password}}`,
      `output_timeout=${access.waited ?? IN_VAIN_MS}`,
    ]);
  };

  for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"]) {
    const topic = `t${count}`;
    const { code, error } = await replay({ mechanism, waited: 60_000 });
    strictEqual(code, 0, error);
    ok(!error.includes("Warning"), error);
    inOrder((await server.records(topic)).map(({ value }) => opened(value)), 0, 20);
  }
  const refusals: readonly (readonly [Access, RegExp])[] = [
    [{ password: wrong }, /^the broker refuses our credentials$/],
    [{ mechanism: "scram-sha-512", password: wrong }, /^the broker refuses our credentials$/],
    [{ ca: `${other}/ca` }, /certificate is not trusted/],
    [{ client: "" }, /refuses? our certificate, or wants? one/],
    [{ client: `${other}/client` }, /refuses? our certificate/],
    [{ tls: false }, /closes the connection: it may expect TLS/],
  ];
  await Promise.all(refusals.map(async ([access, why]) => {
    const { error } = await replay(access);
    match(refusal(error), why);
    ok(!error.includes("barley"), error);
  }));
});

test("topics that are not there, and what waits on disk for a broker that is away", async () => {
  await using server = await KafkaServer.start();
  using place = new OutputsPlace();
  // What is waited for an answer at the end: a busy machine has busy brokers.
  const options = (more: string, waited = IN_VAIN_MS) => [
    `kafka_output={enabled: true, brokers: "${server.address}", topic: t, ${more}}`,
    `output_timeout=${waited}`,
  ];
  const away = options("make_topic: false");
  const many = options("replicas: 3");
  const capture = place.capture(0, 10);
  const both = [away, many].map(async (one) => refusal((await place.replayed(capture, one)).error));
  deepStrictEqual(await Promise.all(both), [
    "there is no topic t",
    "there is no topic t, and it cannot be made: there are fewer brokers than replicas are wanted",
  ]);
  // Without a number the brokers' own is taken; alerts of one host are in one partition.
  const made = [...options("replicas: 0", 60_000), place.spool()];
  strictEqual((await place.replayed(place.capture(0, 1000), made)).code, 0);
  await server.end();
  const gone = [...options("replicas: 0"), place.spool()];
  const down = (await place.replayed(place.capture(1000, 1600), gone)).error;
  match(refusal(down), /connection refused/);
  await server.again();
  const { code, error, out } = await place.replayed(place.capture(1600, 1700), made);
  strictEqual(code, 0, error);
  strictEqual(out, "");
  const partitions = [];
  for (let at = 0; at < 3; at++) partitions.push(await server.records("t", at));
  const full = partitions.filter((records) => records.length > 0);
  strictEqual(full.length, 1);
  inOrder(full[0]!.map(({ value }) => opened(value)), 0, 1700);
});

test("what a configuration says wrongly is an error at the start", async () => {
  using place = new OutputsPlace();
  const capture = place.capture(0, 1);
  const cases: [keys: string, told: RegExp][] = [
    ["user: alice", /kafka_output: expected a sasl_mechanism/],
    ["sasl_mechanism: plain", /kafka_output: expected user and password_file/],
    [
      "sasl_mechanism: plain, user: a, password_file: /none/p",
      /kafka_output\.password_file: Cannot read \/none\/p: there is no such file/,
    ],
    ["ca_cert: /etc/hostname", /kafka_output: expected tls: true/],
    ["tls: true, client_cert: /etc/hostname", /client_cert and client_key: expected both/],
    ["sasl_mechanism: kerberos", /sasl_mechanism: expected one of none, plain, scram-sha-256/],
    [`brokers: "kafka://x"`, /brokers.*: expected HOST or HOST:PORT/],
    ["topic: a/b", /topic: expected a topic of/],
  ];
  for (const [keys, told] of cases) {
    const option = `kafka_output={enabled: true, brokers: "127.0.0.1:${freePort()}", ${keys}}`;
    const { code, error } = await place.replayed(capture, [option]);
    strictEqual(code, 1, `${keys}: ${error}`);
    match(error, told);
  }
});
