// The keys of the output to Kafka.
import { parseInterval } from "./interval.ts";
import { map } from "./shape.ts";
import { bool, checkedText, choice, integer, sequence, text } from "./values.ts";

/** The room of Kafka reads it the same way; here it is only known what may stand there. */
function isBroker(value: string): boolean {
  const found = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(value);
  return found !== null && (found[1] === undefined || (+found[1] >= 1 && +found[1] <= 65_535));
}

export const kafkaOutput = map({
  enabled: bool(false),
  brokers: sequence(checkedText("127.0.0.1:9092", isBroker, "HOST or HOST:PORT"))
    .default(["127.0.0.1:9092"]),
  topic: checkedText(
    "saker.alerts",
    (value) => /^[A-Za-z0-9._-]{1,249}$/.test(value) && !/^\.{1,2}$/.test(value),
    "a topic of A-Z a-z 0-9 . _ -",
  ),
  tls: bool(false),
  ca_cert: text(""),
  client_cert: text(""),
  client_key: text(""),
  sasl_mechanism: choice("none", [
    ...["none", "plain", "scram-sha-256", "scram-sha-512"] as const,
  ], { foldCase: true }),
  user: text(""),
  password_file: text(""),
  gzip: bool(false),
  timeout: integer(0, { min: 0, max: 600_000 }),
  // What the topic is made with where it is not there.
  make_topic: bool(true),
  partitions: integer(0, { min: 0, max: 10_000 }),
  replicas: integer(0, { min: 0, max: 100 }),
  max_age: checkedText(
    "7d",
    (value) => value === "" || parseInterval(value) !== undefined,
    "a duration such as 7d or 12h",
  ),
});
