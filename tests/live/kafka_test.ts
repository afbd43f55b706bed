// The built binary writes to a real Kafka: the client library is in it whole, with TLS, SASL and
// compression, and says nothing of its own.
import { strictEqual } from "node:assert";
import { authority } from "../kafka/authority.ts";
import { KafkaServer, noKafka } from "../kafka_fixture.ts";
import { inOrder, opened, OutputsPlace } from "../outputs/place.ts";
import { SAKER } from "./saker.ts";

const reason = noKafka();

Deno.test({
  name: `kafka: the built binary's alerts arrive${reason === undefined ? "" : ` (${reason})`}`,
  ignore: reason !== undefined,
  async fn() {
    using place = new OutputsPlace();
    await authority(place.directory, ["localhost"]);
    const [store, password] = [place.file("store.pem"), place.file("password")];
    const texts = ["localhost.key", "localhost.crt"].map((name) =>
      Deno.readTextFileSync(place.file(name))
    );
    Deno.writeTextFileSync(store, texts.join(""));
    Deno.writeTextFileSync(password, "open sesame\n");
    await using server = await KafkaServer.start({
      users: { alice: "open sesame" },
      tls: { store },
    });
    const kafka = `kafka_output={enabled: true, brokers: "${server.address}", topic: t, ` +
      `partitions: 1, tls: true, ca_cert: ${place.file("ca")}, gzip: true, ` +
      `sasl_mechanism: scram-sha-512, user: alice, password_file: ${password}}`;
    const options = [kafka, "output_timeout=60000", "stdout_output.enabled=false"];
    const { code, stdout, stderr } = await new Deno.Command(SAKER, {
      args: [
        ...["-r", place.file("rules.yaml"), ...options.flatMap((option) => ["-o", option])],
        ...["replay", place.capture(0, 500)],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    strictEqual(code, 0, decoder.decode(stderr));
    strictEqual(decoder.decode(stdout), "");
    strictEqual(/kafka|warning/i.exec(decoder.decode(stderr)), null, decoder.decode(stderr));
    inOrder((await server.records("t")).map(({ value }) => opened(value)), 0, 500);
  },
});
