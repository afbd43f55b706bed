// Names of files that the configuration has read, and of the spool's directory: the runtime opens
// none that is no UTF-8. A Config comes in; the first key with such a name, and what is wrong with
// it, go out.
import type { Config } from "./schema.ts";

const OTLP_FILES = ["bearer_token_file", "ca_cert", "client_cert", "client_key"] as const;
const NATS_FILES = [
  ...["creds_file", "nkey_file", "password_file", "token_file"] as const,
  ...["ca_cert", "client_cert", "client_key"] as const,
];
const KAFKA_FILES = ["ca_cert", "client_cert", "client_key", "password_file"] as const;

export interface UnreadableName {
  readonly path: readonly string[];
  readonly message: string;
}

export function unreadableName(config: Config): UnreadableName | undefined {
  const { http_output: http, syslog_output: syslog, otlp_output: otlp } = config;
  const { nats_output: nats } = config;
  const { grpc, webserver, spool, rollout } = config;
  const { kafka_output: kafka } = config;
  const names: readonly (readonly [path: readonly string[], name: string])[] = [
    ...(config.rules_files ?? []).map((name) => [["rules_files"], name] as const),
    ...(config.rules_file ?? []).map((name) => [["rules_file"], name] as const),
    [["http_output", "ca_cert"], http.ca_cert],
    [["http_output", "ca_bundle"], http.ca_bundle],
    [["http_output", "ca_path"], http.ca_path],
    [["http_output", "client_cert"], http.client_cert],
    [["http_output", "client_key"], http.client_key],
    [["http_output", "bearer_token_file"], http.bearer_token_file],
    [["syslog_output", "ca_cert"], syslog.ca_cert],
    [["syslog_output", "client_cert"], syslog.client_cert],
    [["syslog_output", "client_key"], syslog.client_key],
    ...OTLP_FILES.map((key) => [["otlp_output", key], otlp[key]] as const),
    ...Object.entries(otlp.header_files)
      .map(([name, file]) => [["otlp_output", "header_files", name], file] as const),
    ...NATS_FILES.map((key) => [["nats_output", key], nats[key]] as const),
    ...KAFKA_FILES.map((key) => [["kafka_output", key], kafka[key]] as const),
    [["grpc", "private_key"], grpc.private_key],
    [["grpc", "cert_chain"], grpc.cert_chain],
    [["grpc", "root_certs"], grpc.root_certs],
    [["webserver", "ssl_certificate"], webserver.ssl_certificate],
    [["webserver", "token_file"], webserver.token_file],
    [["spool", "directory"], spool.directory],
    ...rollout.public_keys.map((name) => [["rollout", "public_keys"], name] as const),
    [["rollout", "directory"], rollout.directory],
    [["rollout", "ca_cert"], rollout.ca_cert],
    [["rollout", "token_file"], rollout.token_file],
    [["rollout", "creds_file"], rollout.creds_file],
    [["rollout", "nkey_file"], rollout.nkey_file],
    [["rollout", "password_file"], rollout.password_file],
    [["rollout", "client_cert"], rollout.client_cert],
    [["rollout", "client_key"], rollout.client_key],
  ];
  const found = names.find(([, name]) => !name.isWellFormed());
  return found && { path: found[0], message: notReadable(found[1]) };
}

export function notReadable(name: string): string {
  return `expected a name in UTF-8, found ${name}`;
}
