// What the library throws → words for a person, without addresses and secrets.
import { errors } from "@nats-io/nats-core";

/** Anything that went wrong with NATS; `cause` is what the library threw. */
export class NatsError extends Error {
  override readonly name = "NatsError";

  constructor(cause: unknown) {
    super(natsReason(cause), { cause });
  }
}

/** Nobody listens to what was asked: no stream, no JetStream, or no leader yet. */
export function isNoResponders(error: unknown): boolean {
  return error instanceof errors.NoRespondersError ||
    (error instanceof Error && error.cause !== undefined && isNoResponders(error.cause));
}

/** The server has said nothing to it. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof errors.TimeoutError ||
    (error instanceof Error && error.cause !== undefined && isUnanswered(error.cause));
}

/** What TLS and the library say by texts alone. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /^invalid peer certificate: UnknownIssuer$/,
    "no trusted authority has the server's certificate",
  ],
  [/^invalid peer certificate: (.*)$/, "the server's certificate does not hold: "],
  [/^received fatal alert: (.*)$/, "the server refuses TLS with us, or our certificate: "],
  [/^nkeys: (.*)$/, "our credentials are broken: "],
];

/** One line. */
export function natsReason(error: unknown): string {
  if (error instanceof NatsError) return error.message;
  // What a request ended by.
  if (error instanceof errors.RequestError && error.cause instanceof Error) {
    return natsReason(error.cause);
  }
  if (error instanceof errors.UserAuthenticationExpiredError) return "our credentials have expired";
  if (error instanceof errors.AuthorizationError) return "the server refuses our credentials";
  if (error instanceof errors.PermissionViolationError) {
    return `our account may not ${error.operation === "publish" ? "publish to" : "subscribe to"} ` +
      `${error.subject}`;
  }
  if (error instanceof errors.NoRespondersError) return "nobody answers there";
  if (error instanceof errors.TimeoutError) return "no answer in time";
  if (error instanceof errors.ClosedConnectionError) return "the connection is closed";
  if (error instanceof errors.RequestError) return "the connection is closed";
  const { message, code } = (error ?? {}) as { message?: string; code?: unknown };
  if (code === "ECONNREFUSED") return "connection refused";
  const line = (message ?? String(error)).split("\n")[0]!;
  for (const [pattern, words] of WORDS) {
    const found = pattern.exec(line);
    if (found !== null) return `${words}${found[1] ?? ""}`;
  }
  return line;
}
