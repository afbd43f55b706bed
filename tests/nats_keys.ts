// What a nats-server knows its clients by, made for tests: nkeys, an operator's chain of JWTs with
// accounts and users, and certificates of an authority of our own.
import { nkeys } from "@nats-io/nats-core";

const { createAccount, createOperator, createUser } = nkeys;

type Pair = ReturnType<typeof createUser>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const seedOf = (pair: Pair): string => decoder.decode(pair.getSeed());

export { createUser };

const base64 = (bytes: Uint8Array) => bytes.toBase64({ alphabet: "base64url", omitPadding: true });

interface Claims {
  readonly name: string;
  readonly subject: Pair;
  readonly issuer: Pair;
  readonly nats: Record<string, unknown>;
  /** Seconds since the epoch. */
  readonly expires?: number;
}

function jwt({ name, subject, issuer, nats, expires }: Claims): string {
  const part = (value: unknown) => base64(encoder.encode(JSON.stringify(value)));
  const head = part({ typ: "JWT", alg: "ed25519-nkey" });
  const body = part({
    jti: crypto.randomUUID(),
    iat: Math.floor(Date.now() / 1000) - 10,
    ...(expires === undefined ? {} : { exp: expires }),
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { version: 2, ...nats },
  });
  return `${head}.${body}.${base64(issuer.sign(encoder.encode(`${head}.${body}`)))}`;
}

const ANY = { subs: -1, data: -1, payload: -1 };
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** A server's configuration with one account that has JetStream, and credentials in it. */
export function operatorOf() {
  const [operator, system, account] = [createOperator(), createAccount(), createAccount()];
  const accountJwt = (name: string, subject: Pair, more: object) =>
    jwt({
      name,
      subject,
      issuer: operator,
      nats: {
        type: "account",
        limits: {
          ...{ ...ANY, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
          ...more,
        },
        default_permissions: { pub: {}, sub: {} },
      },
    });
  const root = jwt({
    name: "O",
    subject: operator,
    issuer: operator,
    nats: { type: "operator", system_account: system.getPublicKey() },
  });
  return {
    config: [
      `operator: ${root}`,
      `system_account: ${system.getPublicKey()}`,
      "resolver: MEMORY",
      "resolver_preload: {",
      `${system.getPublicKey()}: ${accountJwt("SYS", system, {})}`,
      `${account.getPublicKey()}: ${accountJwt("A", account, JETSTREAM)}`,
      "}",
    ].join("\n"),
    /** A .creds file of a user of the account, or of another one that the server does not know. */
    creds({ expires, issuer = account }: { expires?: number; issuer?: Pair } = {}): string {
      const user = createUser();
      const token = jwt({
        name: "u",
        subject: user,
        issuer,
        nats: { type: "user", ...ANY, pub: {}, sub: {} },
        ...(expires === undefined ? {} : { expires }),
      });
      return `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n` +
        `-----BEGIN USER NKEY SEED-----\n${seedOf(user)}\n------END USER NKEY SEED------\n`;
    },
    stranger: createAccount,
  };
}
