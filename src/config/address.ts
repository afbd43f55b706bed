// Addresses to listen on: literal IPv4 and IPv6, and `ADDR:PORT` as `--listen` takes it; and those
// of syslog receivers, of the gRPC server, of NATS and of Kafka.
import ipaddr from "ipaddr.js";

export interface Listen {
  readonly address: string;
  readonly port: number;
}

/** Whether the text is a literal IPv4 (four parts) or IPv6 address. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/**
 * Reads `127.0.0.1:8765`, `[::1]:8765`, `localhost:8765` or `:8765` (this host only); undefined for
 * all else.
 */
export function parseListen(text: string): Listen | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const named = parts[2] === "" || parts[2]?.toLowerCase() === "localhost";
  const address = parts[1] ?? (named ? "127.0.0.1" : parts[2]!);
  const port = Number(parts[3]);
  return isAddress(address) && port <= 65_535 ? { address, port } : undefined;
}

export type GrpcAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp" } & Listen;

/** Bytes of a socket's path that the kernel takes. */
const SOCKET_PATH_MAX = 107;

/** Reads `unix:///run/falco/falco.sock`, or an address as `parseListen` does; undefined for all
 * else. */
export function parseGrpcAddress(text: string): GrpcAddress | undefined {
  const path = /^unix:(?:\/\/)?(\/[^/](?:[^]*[^/])?)$/.exec(text)?.[1];
  if (path === undefined) {
    const listen = parseListen(text);
    return listen === undefined ? undefined : { kind: "tcp", ...listen };
  }
  const fits = new TextEncoder().encode(path).length <= SOCKET_PATH_MAX && !path.includes("\0");
  return fits ? { kind: "unix", path } : undefined;
}

export type SyslogAddress =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "udp" | "tcp" | "tls"; readonly hostname: string; readonly port: number };

/** The registered ports. */
const SYSLOG_PORTS = { udp: 514, tcp: 514, tls: 6514 } as const;

/** Reads `/dev/log`, `udp://host:514`, `tcp://[::1]:514`, `tls://host`; undefined for all else. */
export function parseSyslogAddress(text: string): SyslogAddress | undefined {
  if (text.startsWith("/")) return { kind: "local", path: text };
  const parts = /^(udp|tcp|tls):\/\/(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?\/?$/.exec(
    text,
  );
  if (parts === null) return undefined;
  const kind = parts[1] as "udp" | "tcp" | "tls";
  const port = Number(parts[4] ?? SYSLOG_PORTS[kind]);
  return port > 0 && port <= 65_535 ? { kind, hostname: parts[2] ?? parts[3]!, port } : undefined;
}

export interface NatsAddress {
  readonly isTls: boolean;
  readonly hostname: string;
  readonly port: number;
}

const NATS_PORT = 4222;

/** Reads `nats://HOST[:PORT]` or `tls://HOST[:PORT]`; undefined for all else. */
export function parseNatsUrl(text: string): NatsAddress | undefined {
  const [, scheme, rest = ""] = /^(nats|tls):\/\/(.*?)\/?$/.exec(text) ?? [];
  const address = parseHostPort(rest, NATS_PORT);
  return address === undefined ? undefined : { isTls: scheme === "tls", ...address };
}

export interface KafkaAddress {
  readonly hostname: string;
  readonly port: number;
}

const KAFKA_PORT = 9092;

/** Reads `HOST` or `HOST:PORT`; undefined for all else. */
export function parseBroker(text: string): KafkaAddress | undefined {
  return parseHostPort(text, KAFKA_PORT);
}

/** A name, an IPv4 address or an IPv6 one in brackets, with a port or without. */
function parseHostPort(text: string, usual: number): KafkaAddress | undefined {
  const [, host, port = String(usual)] =
    /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { hostname: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
