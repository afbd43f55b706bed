// Who reads each key of the configuration, and what those keys are that nobody reads yet: from
// this the warnings come. A key of the schema without an entry here does not compile, nor does an
// entry without a key; uses_test.ts holds the named files against what they really read.
import type { Config } from "./schema.ts";

/** What is told of a value that was given: why it does not do what it says. */
type Told<T> = (value: T, config: Config, initial: T) => string | undefined;

/**
 * `honoured`: as in Falco, or a key of saker's own; `honoured better`: it does what it says, and
 * more; `not yet`: a later version will; `ignored`: saker has no use for it.
 */
export type Fate = "honoured" | "honoured better" | "not yet" | "ignored";

export interface Use<T> {
  /** The file below src/ that reads it; undefined: nobody. */
  readonly reader: string | undefined;
  readonly fate: Fate;
  /** What is better, or why nobody reads it. */
  readonly why?: string;
  readonly told: Told<T>;
}

/** Of a key, or of all keys of a group. */
type WholeUse<T> = Use<T> & { readonly whole: true };

/** An entry for each key; a group that nobody reads may have one for all its keys. */
export type Uses<T> = IsGroup<T> extends true ?
    | WholeUse<T>
    | { readonly [Key in keyof T]-?: Uses<Exclude<T[Key], undefined>> }
  : Use<T>;

/** A map of known keys: neither a sequence nor a map of the user's own keys. */
type IsGroup<T> = T extends readonly unknown[] | string | number | boolean ? false
  : T extends object ? (string extends keyof T ? false : true)
  : false;

/** `told`: what of its values is not done all the same. */
function readBy<T>(reader: string, told: Told<T> = () => undefined): Use<T> {
  return { reader, fate: "honoured", told };
}

function allReadBy<Key extends string>(reader: string, ...keys: Key[]): Record<Key, Use<unknown>> {
  return Object.fromEntries(keys.map((key) => [key, readBy(reader)])) as Record<Key, Use<unknown>>;
}

function betterBy<T>(reader: string, why: string): Use<T> {
  return { reader, fate: "honoured better", why, told: () => undefined };
}

type Asks<T> = (value: T, config: Config, initial: T) => boolean;

/**
 * Saker has no use for it and never will: told with the reason where a value asks for something,
 * which is any other value than the one that holds without a file.
 */
function ignored<T>(why: string, asks: Asks<T> = isOther): WholeUse<T> {
  return unread("ignored", why, asks);
}

function unread<T>(fate: Fate, why: string, asks: Asks<T>): WholeUse<T> {
  const told: Told<T> = (...values) => asks(...values) ? why : undefined;
  return { whole: true, reader: undefined, fate, why, told };
}

function isOther<T>(value: T, _config: Config, initial: T): boolean {
  return value !== initial;
}

/** Bytes of a call's data that the probe keeps at the most. */
export const SNAPLEN_MAX = 16_000;

const PURGING = "saker ends idle threads by asking /proc, in a time of its own";

const START = "cli/start/engine_start.ts";
const CONTAINERS = "cli/start/containers_start.ts";
const OUTPUTS = "cli/start/make_outputs.ts";
const CHANNELS = "cli/start/channels.ts";
const OTLP = "cli/start/otlp.ts";
const NATS = "cli/start/nats.ts";
const KAFKA = "cli/start/kafka.ts";
const GRPC = "cli/start/grpc.ts";
const WATCH = "cli/commands/watch.ts";
const WEB = "cli/start/web.ts";
const WEB_SETTINGS = "cli/start/web_settings.ts";
const METRICS = "cli/start/metrics.ts";
const ROLLOUT = "cli/start/rollout.ts";
const INCLUDES = "config/read_config.ts";
const PLUGINS = "config/plugin_entry.ts";
const DEFAULT_COMMAND = "cli/commands/default_command.ts";

/** Who we are at a nats-server, wherever it is configured. */
const NATS_ACCESS = allReadBy(
  NATS,
  ...["creds_file", "nkey_file", "user", "password_file", "token_file"] as const,
  ...["ca_cert", "client_cert", "client_key"] as const,
);

export const USES: Uses<Config> = {
  config_files: readBy(INCLUDES),
  watch_config_files: betterBy(
    WATCH,
    "new rules and configuration are exchanged between two events: nothing is missed, state stays",
  ),
  rules_files: readBy(START),
  rules_file: readBy(START),
  rules: readBy(START),
  engine: {
    kind: readBy(WATCH),
    paths: readBy(START),
    lineage: readBy(START),
    sieve: readBy(START),
    kernel_sieve: readBy(START),
    snaplen: { ports: readBy(START), dynamic: readBy(START) },
    nice: readBy(START),
    drop_privileges_after: readBy("cli/start/privileges.ts"),
    container_wait: readBy(CONTAINERS),
    kmod: { buf_size_preset: readBy(START), drop_failed_exit: readBy(START) },
    modern_ebpf: {
      cpus_for_each_buffer: readBy(START),
      buf_size_preset: readBy(START),
      drop_failed_exit: readBy(START),
      disable_iterators: ignored("it changes nothing: saker reads /proc and has no BPF iterators"),
    },
    replay: { capture_file: readBy(DEFAULT_COMMAND) },
  },
  capture: {
    enabled: readBy(START),
    path_prefix: readBy(START),
    mode: readBy(START),
    default_duration: readBy(START),
    max_duration: readBy(START),
    max_total_mb: readBy(START),
    max_file_size_mb: readBy(START),
    before_duration: readBy(START),
    before_max_mb: readBy(START),
  },
  load_plugins: readBy(PLUGINS),
  plugins: readBy(PLUGINS),
  plugins_hostinfo: ignored("it changes nothing: what saker knows of the host needs no plugin"),
  time_format_iso_8601: readBy(OUTPUTS),
  buffer_format_base64: readBy(START),
  priority: readBy(START),
  json_output: readBy(OUTPUTS),
  json_include_output_property: readBy(OUTPUTS),
  json_include_message_property: readBy(OUTPUTS),
  json_include_output_fields_property: readBy(OUTPUTS),
  json_include_tags_property: readBy(OUTPUTS),
  buffered_outputs: readBy(OUTPUTS),
  rule_matching: readBy(START),
  outputs_queue: {
    capacity: betterBy(
      OUTPUTS,
      "each output has a queue of its own, and its least important alerts give way; 0: 16384",
    ),
  },
  append_output: readBy(START),
  static_fields: readBy(START),
  stdout_output: { enabled: readBy(OUTPUTS) },
  syslog_output: {
    enabled: readBy(OUTPUTS),
    address: readBy(CHANNELS),
    facility: readBy(CHANNELS),
    ident: readBy(CHANNELS),
    ca_cert: readBy(CHANNELS),
    client_cert: readBy(CHANNELS),
    client_key: readBy(CHANNELS),
  },
  file_output: {
    enabled: readBy(OUTPUTS),
    keep_alive: readBy(CHANNELS),
    filename: readBy(CHANNELS),
    rotate_max_mb: readBy(CHANNELS),
    rotate_max_age: readBy(CHANNELS),
    rotate_keep: readBy(CHANNELS),
  },
  program_output: {
    enabled: readBy(OUTPUTS),
    keep_alive: readBy(CHANNELS),
    program: readBy(CHANNELS),
  },
  http_output: {
    enabled: readBy(OUTPUTS),
    url: readBy(CHANNELS),
    user_agent: readBy(CHANNELS),
    insecure: readBy(CHANNELS),
    ca_cert: betterBy(CHANNELS, "trusted besides the authorities that are trusted anyway"),
    ca_bundle: betterBy(CHANNELS, "trusted besides the authorities that are trusted anyway"),
    ca_path: readBy(CHANNELS),
    mtls: readBy(CHANNELS),
    client_cert: readBy(CHANNELS),
    client_key: readBy(CHANNELS),
    echo: readBy(CHANNELS),
    compress_uploads: betterBy(CHANNELS, "alerts are sent compressed, with gzip"),
    keep_alive: ignored("connections are used again in any case", () => false),
    max_consecutive_timeouts: betterBy(CHANNELS, "then there is a pause, and no alert is lost"),
    headers: readBy(CHANNELS),
    bearer_token_file: readBy(CHANNELS),
    timeout: readBy(CHANNELS),
  },
  grpc: {
    enabled: readBy(GRPC),
    bind_address: readBy(GRPC),
    threadiness: ignored("one thread answers all clients"),
    private_key: readBy(GRPC),
    cert_chain: readBy(GRPC),
    root_certs: readBy(GRPC),
  },
  grpc_output: {
    enabled: readBy(
      OUTPUTS,
      (enabled, { grpc }) =>
        enabled && !grpc.enabled
          ? "there is no server for clients: grpc.enabled is off"
          : undefined,
    ),
  },
  otlp_output: {
    enabled: readBy(OUTPUTS),
    protocol: readBy(OTLP),
    endpoint: readBy(OTLP),
    headers: readBy(OTLP),
    header_files: readBy(OTLP),
    bearer_token_file: readBy(OTLP),
    compression: readBy(OTLP),
    ca_cert: readBy(OTLP),
    client_cert: readBy(OTLP),
    client_key: readBy(OTLP),
    timeout: readBy(OTLP),
    resource: readBy(OTLP),
  },
  nats_output: {
    enabled: readBy(OUTPUTS),
    url: readBy(NATS),
    ...NATS_ACCESS,
    stream: readBy(NATS),
    subject: readBy(NATS),
    timeout: readBy(NATS),
    hosts_bucket: readBy(NATS),
    presence_every: readBy(NATS),
    max_age: readBy(NATS),
    max_bytes: readBy(NATS),
    replicas: readBy(NATS),
    duplicate_window: readBy(NATS),
  },
  kafka_output: {
    enabled: readBy(OUTPUTS),
    brokers: readBy(KAFKA),
    topic: readBy(KAFKA),
    tls: readBy(KAFKA),
    ca_cert: readBy(KAFKA),
    client_cert: readBy(KAFKA),
    client_key: readBy(KAFKA),
    sasl_mechanism: readBy(KAFKA),
    user: readBy(KAFKA),
    password_file: readBy(KAFKA),
    gzip: readBy(KAFKA),
    timeout: readBy(KAFKA),
    make_topic: readBy(KAFKA),
    partitions: readBy(KAFKA),
    replicas: readBy(KAFKA),
    max_age: readBy(KAFKA),
  },
  spool: {
    enabled: readBy(OUTPUTS),
    directory: readBy(OUTPUTS),
    max_mb: readBy(OUTPUTS),
  },
  rollout: {
    ...NATS_ACCESS,
    ...allReadBy(ROLLOUT, "source", "config_source", "public_keys", "name", "every"),
    ...allReadBy(ROLLOUT, "directory", "labels", "bucket"),
  },
  grouping: {
    enabled: readBy(OUTPUTS),
    window: readBy(OUTPUTS),
    fields: readBy(OUTPUTS),
    max_groups: readBy(OUTPUTS),
  },
  webserver: {
    enabled: readBy(WEB_SETTINGS),
    threadiness: ignored("one thread answers all requests"),
    listen_port: readBy(WEB_SETTINGS),
    listen_address: readBy(WEB_SETTINGS),
    k8s_healthz_endpoint: readBy(WEB),
    prometheus_metrics_enabled: readBy(METRICS),
    allowed_hosts: readBy(WEB),
    token_file: readBy(WEB_SETTINGS),
    token: readBy(WEB_SETTINGS),
    alerts_for: readBy(WEB),
    dossiers: readBy("cli/start/engine_start.ts"),
    insecure: readBy(WEB),
    ssl_enabled: readBy(WEB_SETTINGS),
    ssl_certificate: readBy(WEB_SETTINGS),
  },
  log_stderr: readBy("cli/log.ts"),
  log_syslog: readBy("cli/log.ts"),
  log_level: readBy("cli/log.ts"),
  log_format: readBy("cli/log.ts"),
  libs_logger: {
    enabled: ignored("saker is one program: what it logs goes by log_level", () => false),
    severity: ignored("saker is one program: what it logs goes by log_level"),
  },
  output_timeout: readBy("cli/start/session.ts"),
  syscall_event_timeouts: {
    max_consecutives: ignored("saker waits for events without time-outs; /healthz tells silence"),
  },
  syscall_event_drops: {
    threshold: readBy(START),
    actions: readBy(START),
    rate: readBy(START),
    max_burst: readBy(START),
    simulate_drops: readBy(START),
  },
  metrics: {
    enabled: readBy(METRICS),
    interval: readBy(METRICS),
    output_rule: readBy(METRICS),
    output_file: readBy(METRICS),
    rules_counters_enabled: readBy(METRICS),
    resource_utilization_enabled: readBy(METRICS),
    state_counters_enabled: readBy(METRICS),
    kernel_event_counters_enabled: readBy(METRICS),
    kernel_event_counters_per_cpu_enabled: readBy(METRICS),
    libbpf_stats_enabled: readBy(METRICS),
    plugins_metrics_enabled: readBy(METRICS),
    kernel_iter_event_counters_enabled: readBy(METRICS),
    jemalloc_stats_enabled: ignored("saker has another allocator, which tells no such numbers"),
    convert_memory_to_mb: readBy(METRICS),
    include_empty_values: readBy(METRICS),
  },
  base_syscalls: { custom_set: readBy(START), repair: readBy(START), all: readBy(START) },
  falco_libs: {
    thread_table_size: readBy(START),
    thread_table_auto_purging_interval_s: ignored(PURGING),
    thread_table_auto_purging_thread_timeout_s: ignored(PURGING),
    snaplen: readBy(
      START,
      (bytes) =>
        bytes > SNAPLEN_MAX
          ? `the probe keeps at most ${SNAPLEN_MAX} bytes of a call: ${SNAPLEN_MAX} are kept`
          : undefined,
    ),
  },
};

/** Of these, and what is below them, what holds at the start holds until the end. */
const RESTART: readonly string[] = [
  "engine",
  // What is recorded besides, and what is held for a capture to begin with.
  "capture.enabled",
  "capture.before_duration",
  "capture.before_max_mb",
  "load_plugins",
  "plugins",
  "plugins_hostinfo",
  "metrics.libbpf_stats_enabled",
  "falco_libs",
  "rollout",
];

/** What a reload takes without touching the outputs; all that is left is about outputs. */
const UNDER_WAY: readonly (keyof Config)[] = [
  "config_files",
  "watch_config_files",
  "rules_files",
  "rules_file",
  "rules",
  "buffer_format_base64",
  "priority",
  "rule_matching",
  "append_output",
  "static_fields",
  "log_stderr",
  "log_syslog",
  "log_level",
  "log_format",
  "libs_logger",
  "syscall_event_timeouts",
  "syscall_event_drops",
  "base_syscalls",
  "capture",
  "webserver",
  "metrics",
];

export function needsRestart(path: readonly string[]): boolean {
  const dotted = path.join(".");
  return RESTART.some((key) => dotted === key || dotted.startsWith(`${key}.`));
}

/** Whether a change of the key makes the outputs anew. */
export function isOutputKey(key: keyof Config): boolean {
  return !RESTART.includes(key) && !UNDER_WAY.includes(key);
}
