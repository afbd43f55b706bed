// The keys of the output to Kafka.
import { parseBroker } from "./address.ts";
import { parseInterval } from "./interval.ts";
import { map } from "./shape.ts";
import { bool, checkedText, choice, integer, sequence, text } from "./values.ts";

export const kafkaOutput = map({
  enabled: bool(false),
  brokers: sequence(
    checkedText("127.0.0.1:9092", (value) => parseBroker(value) !== undefined, "HOST or HOST:PORT"),
  )
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
