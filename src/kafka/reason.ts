// What the library throws → words for a person, without addresses and secrets.

/** Anything that went wrong with Kafka; `cause` is what the library threw. */
export class KafkaError extends Error {
  override readonly name = "KafkaError";
  /** Kafka's name of what a broker answered. */
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super(kafkaReason(cause), { cause });
    this.code = codeOf(cause);
  }
}

interface Thrown {
  readonly name?: string;
  readonly message?: string;
  readonly type?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly originalError?: unknown;
  readonly errors?: readonly unknown[];
}

export const CLOSED = "the broker closes the connection";

/** What brokers answer, by Kafka's names. */
const ANSWERS: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: "there is no such topic, or our account may not know of it",
  TOPIC_AUTHORIZATION_FAILED: "our account may not write to this topic",
  CLUSTER_AUTHORIZATION_FAILED: "our account may not do this in the cluster",
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "our account may not do this in the cluster",
  LEADER_NOT_AVAILABLE: "a partition of the topic has no leader just now",
  NOT_LEADER_FOR_PARTITION: "a partition of the topic has another leader now",
  NOT_ENOUGH_REPLICAS: "fewer brokers have the partition than the topic demands",
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: "fewer brokers have the partition than the topic demands",
  REQUEST_TIMED_OUT: "the other brokers did not answer in time",
  KAFKA_STORAGE_ERROR: "the broker cannot write to its disk",
  INVALID_REPLICATION_FACTOR: "there are fewer brokers than replicas are wanted",
  POLICY_VIOLATION: "a rule of the cluster forbids it",
  MESSAGE_TOO_LARGE: "the topic takes no message of this size",
  RECORD_LIST_TOO_LARGE: "the topic takes no message of this size",
  UNSUPPORTED_VERSION: "the broker is too old or too new for us",
};

/** Causes, the innermost last; bounded, since what is thrown may be anything. */
function chainOf(error: unknown): Thrown[] {
  const chain: Thrown[] = [];
  let at = error as Thrown | undefined;
  while (typeof at === "object" && at !== null && chain.length < 8 && !chain.includes(at)) {
    chain.push(at);
    at = (at.errors?.[0] ?? at.originalError ?? at.cause) as Thrown | undefined;
  }
  return chain;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof KafkaError) return error.code;
  const found = chainOf(error).find(({ type }) => typeof type === "string" && type !== "");
  return found?.type as string | undefined;
}

/** One line. */
export function kafkaReason(error: unknown): string {
  const chain = chainOf(error);
  const own = chain.find((one) => one instanceof KafkaError || one.name === "PlainReason");
  if (own !== undefined) return own.message!;
  const code = codeOf(error);
  if (code !== undefined) return ANSWERS[code] ?? `the broker answers ${code}`;
  const text = chain.map(({ message = "" }) => message).join("\n");
  const named = (name: string) => chain.some((one) => one.name === name);
  if (/mechanism is not supported|does not support .*mechanism/i.test(text)) {
    return "the broker does not offer this sasl_mechanism";
  }
  if (named("KafkaJSSASLAuthenticationError")) return "the broker refuses our credentials";
  if (named("KafkaJSRequestTimeoutError") || /timeout/i.test(text)) return "no answer in time";
  if (/ECONNREFUSED|connection refused/i.test(text)) return "connection refused";
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo|failed to lookup/i.test(text)) {
    return "the broker's name is not known";
  }
  if (/EHOSTUNREACH|ENETUNREACH|no route|unreachable/i.test(text)) return "it cannot be reached";
  const certificate = certificateReason(text);
  if (certificate !== undefined) return certificate;
  if (/Closed connection|ECONNRESET|EPIPE|reset by peer|broken pipe|dropped/i.test(text)) {
    return CLOSED;
  }
  const last = chain.at(-1)?.message ?? String(error);
  return last.split("\n")[0]!;
}

function certificateReason(text: string): string | undefined {
  const alert = /received fatal alert: (\w+)/i.exec(text);
  if (alert !== null) {
    return /certificate/i.test(alert[1]!)
      ? "the broker refuses our certificate, or wants one (client_cert, client_key)"
      : `the broker ends the TLS connection: ${alert[1]}`;
  }
  if (/wrong version|InvalidContentType|corrupt message/i.test(text)) {
    return "the broker does not speak TLS there";
  }
  if (/certificate|UnknownIssuer|self.signed|altnames|NotValidForName/i.test(text)) {
    return "the broker's certificate is not trusted: its authority is unknown, it names another, " +
      "or its time is over";
  }
  return undefined;
}

/** A reason that is in our words already. */
export class PlainReason extends Error {
  override readonly name = "PlainReason";
}
