// Config → the output to NATS: where the servers are, who we are there, the stream. Files of
// credentials are looked at here, so that one that cannot be read is an error at the start, and
// read anew at each connection.
import { natsOutput } from "../../alerts/outputs/nats.ts";
import type { Output } from "../../alerts/outputs/output.ts";
import { parseNatsUrl } from "../../config/address.ts";
import { parseInterval } from "../../config/interval.ts";
import type { Config } from "../../config/schema.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { Beat } from "../../nats/beat.ts";
import { NatsDoor } from "../../nats/door.ts";
import type { StreamOptions } from "../../nats/stream.ts";
import type { NatsCredentials, NatsOptions } from "../../nats/options.ts";

const FILE_BYTES_MAX = 4 << 20;
/** Where neither `timeout` nor `output_timeout` is given. */
const TIMEOUT_MS = 10_000;
/** A server may be slow, and a connection over TLS takes its time. */
const TIMEOUT_LEAST_MS = 5_000;

/** How a server is reached: what the keys of several parts of the configuration say. */
export type NatsAccess = Pick<
  Config["nats_output"],
  | "url"
  | "creds_file"
  | "nkey_file"
  | "user"
  | "password_file"
  | "token_file"
  | "ca_cert"
  | "client_cert"
  | "client_key"
>;

/** `key` is the part of the configuration, for errors; throws where that cannot be used. */
export function natsOptionsOf(
  key: string,
  access: NatsAccess,
  { name, timeoutMs }: { readonly name: string; readonly timeoutMs: number },
): NatsOptions {
  const servers = access.url.map((url) => parseNatsUrl(url)!);
  if (servers.length === 0) throw new Error(`${key}.url: expected at least one address`);
  if (servers.some(({ isTls }) => isTls !== servers[0]!.isTls)) {
    throw new Error(`${key}.url: expected all of nats:// or all of tls://`);
  }
  const read = (one: keyof typeof INSIDE) =>
    access[one] === "" ? undefined : readAs(key, one, access[one]);
  const [ca, cert, clientKey] = [read("ca_cert"), read("client_cert"), read("client_key")];
  if ((cert === undefined) !== (clientKey === undefined)) {
    throw new Error(`${key}.client_cert and client_key: expected both or none`);
  }
  return {
    servers,
    name,
    credentials: credentialsOf(key, access),
    tls: { caCerts: ca === undefined ? [] : [ca], cert, key: clientKey },
    timeoutMs,
  };
}

const WAYS = ["creds_file", "nkey_file", "password_file", "token_file"] as const;

/** What each file has to hold, so that a wrong one is told before a server refuses it. */
const INSIDE = {
  ca_cert: [/-----BEGIN CERTIFICATE-----/, "certificates (PEM)"],
  client_cert: [/-----BEGIN CERTIFICATE-----/, "a certificate (PEM)"],
  client_key: [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key (PEM)"],
  creds_file: [
    /BEGIN NATS USER JWT-+\s+\S+[^]+BEGIN USER NKEY SEED-+\s+SU[A-Z2-7]{56}\s/,
    "a JWT and its seed, as nsc writes them",
  ],
  nkey_file: [/^\s*SU[A-Z2-7]{56}\s*$/, "the seed of a user's nkey (SU…)"],
  password_file: [/\S/, "a password"],
  token_file: [/\S/, "a token"],
} as const;

function readAs(key: string, one: keyof typeof INSIDE, path: string): string {
  const text = readKeyFile(`${key}.${one}`, path, FILE_BYTES_MAX);
  const [pattern, wanted] = INSIDE[one];
  if (!pattern.test(text)) throw new Error(`${key}.${one} ${path}: expected ${wanted}`);
  return text;
}

function credentialsOf(key: string, access: NatsAccess): NatsCredentials {
  const given = WAYS.filter((one) => access[one] !== "");
  if (given.length > 1) {
    throw new Error(`${key}: expected one of ${WAYS.join(", ")}, found ${given.join(" and ")}`);
  }
  const way = given[0];
  if ((access.user !== "") !== (way === "password_file")) {
    throw new Error(`${key}: expected user and password_file together`);
  }
  if (way === undefined) return { kind: "none" };
  const read = () => readAs(key, way, access[way]);
  read();
  switch (way) {
    case "creds_file":
      return { kind: "creds", read };
    case "nkey_file":
      return { kind: "nkey", read };
    case "token_file":
      return { kind: "token", read };
    case "password_file":
      return { kind: "user", user: access.user, read };
  }
}

/** What this host tells of itself in the bucket of hosts. */
export interface HostTeller {
  readonly key: string;
  text(): string | undefined;
  onTrouble(reason: string): void;
  onWritten(): void;
  /** The one that is asked for from now on. */
  take(beat: Beat, everyMs: number): void;
  /** Whether what is told when an output ends is the last word. */
  readonly isLast: boolean;
}

/** What is written to; each call reads the files anew, and throws where one is wrong. */
export function natsStreamOf(nats: Config["nats_output"], timeoutMs: number): StreamOptions {
  return {
    connect: natsOptionsOf("nats_output", nats, { name: "saker", timeoutMs }),
    stream: nats.stream,
    subject: nats.subject,
    made: {
      maxAgeMs: parseInterval(nats.max_age) ?? 0,
      maxBytes: nats.max_bytes,
      replicas: nats.replicas,
      duplicateWindowMs: parseInterval(nats.duplicate_window) ?? 0,
    },
  };
}

export interface NatsUse {
  /** Absent in a run that is no watch. */
  readonly teller?: HostTeller | undefined;
  /** Nothing is made there. */
  readonly dry?: boolean | undefined;
}

export function natsOf(config: Config, { teller, dry = false }: NatsUse): Output {
  const nats = config.nats_output;
  const timeoutMs = nats.timeout ||
    Math.max(config.output_timeout || TIMEOUT_MS, TIMEOUT_LEAST_MS);
  const options = () => {
    const { made, ...rest } = natsStreamOf(nats, timeoutMs);
    return dry ? rest : { ...rest, made };
  };
  // What cannot be used is an error now.
  options();
  const door = new NatsDoor(options);
  const everyMs = parseInterval(nats.presence_every);
  if (teller === undefined || everyMs === undefined) {
    return natsOutput({ door, subject: nats.subject, timeoutMs });
  }
  const { key, text, onTrouble, onWritten } = teller;
  const beat = new Beat({
    door,
    bucket: nats.hosts_bucket,
    ...{ key, text, onTrouble, onWritten, everyMs, timeoutMs, random: Math.random },
  });
  teller.take(beat, everyMs);
  return natsOutput({
    door,
    subject: nats.subject,
    timeoutMs,
    onClosing: () => beat.end({ isLast: teller.isLast }),
  });
}
