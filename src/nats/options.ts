// What a connection to a nats-server is made with: addresses, credentials, certificates.

export interface NatsAddress {
  readonly isTls: boolean;
  readonly hostname: string;
  readonly port: number;
}

/** `read` gives what the file holds now; it throws in words where it cannot. */
export type NatsCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "creds" | "nkey" | "token"; readonly read: () => string }
  | { readonly kind: "user"; readonly user: string; readonly read: () => string };

export interface NatsOptions {
  /** One or more; where one is over TLS, all are. */
  readonly servers: readonly NatsAddress[];
  /** What the server's lists show of this connection. */
  readonly name: string;
  readonly credentials: NatsCredentials;
  readonly tls: {
    /** PEM; trusted besides the well-known authorities. */
    readonly caCerts: readonly string[];
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
  /** Of a connection attempt, milliseconds. */
  readonly timeoutMs: number;
  /** A server that has been silent for so long is asked whether it is there. */
  readonly pingMs?: number;
  /** The library connects again and again, for ever; for readers, never for an output. */
  readonly reconnect?: boolean;
}
