// Config → the output to Kafka: brokers, certificates, who we are there, the topic. Files are
// looked at here, so that one that cannot be read is an error at the start; the password's is read
// anew at each connection.
import { kafkaOutput } from "../../alerts/outputs/kafka.ts";
import type { Output } from "../../alerts/outputs/output.ts";
import { parseBroker } from "../../config/address.ts";
import { parseInterval } from "../../config/interval.ts";
import type { Config } from "../../config/schema.ts";
import { readKeyFile } from "../../files/read_text.ts";
import type { KafkaCredentials, KafkaOptions } from "../../kafka/options.ts";

const FILE_BYTES_MAX = 4 << 20;
/** Where neither `timeout` nor `output_timeout` is given. */
const TIMEOUT_MS = 10_000;
/** A broker waits for others, and a connection over TLS takes its time. */
const TIMEOUT_LEAST_MS = 5_000;

const KEY = "kafka_output";

/** Throws where the configuration cannot be used. */
export function kafkaOf(config: Config): Output {
  // What cannot be used is an error now.
  optionsOf(config);
  return kafkaOutput(() => optionsOf(config));
}

function optionsOf(config: Config): KafkaOptions {
  const kafka = config.kafka_output;
  const { brokers, topic, make_topic, partitions, replicas, max_age, gzip, timeout } = kafka;
  if (brokers.length === 0) throw new Error(`${KEY}.brokers: expected at least one HOST:PORT`);
  return {
    brokers: brokers.map((broker) => parseBroker(broker)!),
    topic,
    made: make_topic ? { partitions, replicas, maxAgeMs: parseInterval(max_age) ?? 0 } : undefined,
    tls: tlsOf(kafka),
    credentials: credentialsOf(kafka),
    gzip,
    timeoutMs: timeout || Math.max(config.output_timeout || TIMEOUT_MS, TIMEOUT_LEAST_MS),
  };
}

function tlsOf(kafka: Config["kafka_output"]): KafkaOptions["tls"] {
  const read = (one: "ca_cert" | "client_cert" | "client_key") =>
    kafka[one] === "" ? undefined : readKeyFile(`${KEY}.${one}`, kafka[one], FILE_BYTES_MAX);
  const [ca, cert, key] = [read("ca_cert"), read("client_cert"), read("client_key")];
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error(`${KEY}.client_cert and client_key: expected both or none`);
  }
  if (kafka.tls) return { caCerts: ca === undefined ? [] : [ca], cert, key };
  if (ca === undefined && cert === undefined) return undefined;
  throw new Error(`${KEY}: expected tls: true, since there are certificates`);
}

function credentialsOf(kafka: Config["kafka_output"]): KafkaCredentials | undefined {
  const { sasl_mechanism, user, password_file } = kafka;
  if (sasl_mechanism === "none") {
    if (user === "" && password_file === "") return undefined;
    throw new Error(`${KEY}: expected a sasl_mechanism, since there is a user or password_file`);
  }
  if (user === "" || password_file === "") {
    throw new Error(`${KEY}: expected user and password_file with sasl_mechanism`);
  }
  const read = () => readKeyFile(`${KEY}.password_file`, password_file, FILE_BYTES_MAX);
  read();
  return { mechanism: sasl_mechanism, user, read };
}
