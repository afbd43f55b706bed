// Where a nats-server is and who we are there → a connection. The library stands behind this door:
// whoever imports this file imports it, so that is done where NATS is asked for and not before.
import {
  type Authenticator,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/nats-core";
import { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import type { NatsAddress, NatsOptions } from "./options.ts";
import { NatsError } from "./reason.ts";
import { useOwnTransport } from "./transport.ts";

/** A server that does not answer so many pings has gone. */
const PINGS_MAX = 2;

/**
 * Connects to the first server that can be had, in an order by chance. Rejects with NatsError, in
 * words for a person. Without `reconnect` a connection that breaks is over: `closed()` settles.
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const { servers, tls, timeoutMs, pingMs = 10_000, reconnect = false } = options;
  useOwnTransport();
  try {
    const connection = await NatsConnectionImpl.connect({
      servers: servers.map(textOf),
      name: options.name,
      authenticator: authenticatorOf(options),
      timeout: timeoutMs,
      pingInterval: pingMs,
      maxPingOut: PINGS_MAX,
      reconnect,
      ...(reconnect ? { maxReconnectAttempts: -1, waitOnFirstConnect: false } : {}),
      // Nobody else says where alerts go.
      ignoreClusterUpdates: true,
      noAsyncTraces: true,
      // deno-lint-ignore no-explicit-any -- Our transport reads this, the library does not.
      tls: { ...tls, required: servers.some(({ isTls }) => isTls) } as any,
    });
    // It may break before anybody looks.
    connection.closed().catch(() => {});
    return connection;
  } catch (error) {
    throw new NatsError(error);
  }
}

function textOf({ hostname, port }: NatsAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Files are read at each connection: what has been exchanged is used. */
function authenticatorOf({ credentials }: NatsOptions): Authenticator[] {
  switch (credentials.kind) {
    case "none":
      return [];
    case "creds":
      return [credsAuthenticator(new TextEncoder().encode(credentials.read()))];
    case "nkey":
      return [nkeyAuthenticator(new TextEncoder().encode(credentials.read().trim()))];
    case "user":
      return [usernamePasswordAuthenticator(credentials.user, credentials.read().trim())];
    case "token":
      return [tokenAuthenticator(credentials.read().trim())];
  }
}
