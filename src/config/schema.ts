// Every key that falco.yaml and saker.yaml may hold, with what it takes and what it is without a
// file. The names are Falco's; saker's own keys are marked. Facts: Falco's falco.yaml of 0.44.
import { natsOutput } from "./nats_keys.ts";
import { parseInterval } from "./interval.ts";
import { kafkaOutput } from "./kafka_keys.ts";
import { otlpOutput } from "./otlp_keys.ts";
import { isAddress, parseGrpcAddress, parseSyslogAddress } from "./address.ts";
import { rolloutKeys } from "./rollout_keys.ts";
import { PRIORITY_WORDS } from "../words/priorities.ts";
import { anything, type Held, type JsonSchema, map, textOr, texts, word } from "./shape.ts";
import { bool, checkedText, choice, decimal, integer, sequence, text } from "./values.ts";

const ANY = Number.MAX_SAFE_INTEGER;

/** Levels of `log_level`, most severe first. */
export const SEVERITIES = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
];

/** Ring sizes go by presets 1 to 10: 1, 2, 4 … 512 MB. */
const bufferPreset = integer(4, { min: 1, max: 10, fatal: true });

const ruleSelection = map({ rule: text(""), tag: text("") });

const extraField = textOr(texts, "expected a field or name: format");

/** A duration, or nothing for never. */
const age = checkedText(
  "",
  (value) => value === "" || parseInterval(value) !== undefined,
  "a duration such as 1d or 12h",
);

const PORTS = "a port, or a first and a last one such as 8000-8010";

/** A range of ports as the configuration has it. */
export function portsOf(text: string): [from: number, to: number] | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= 1 && from <= to && to <= 65_535 ? [from, to] : undefined;
}

/** Syslog's, in the order of their numbers. */
export const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"],
  ...["authpriv", "ftp", "ntp", "security", "console", "solaris-cron"],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

export const schema = map({
  config_files: sequence(textOr(map({ path: text(""), strategy: text("append") })))
    .default([]),
  watch_config_files: bool(true),
  rules_files: sequence(word).optional(),
  rules_file: sequence(word).optional(),
  rules: sequence(
    map({ enable: ruleSelection.optional(), disable: ruleSelection.optional() }),
  ).default([]),
  engine: map({
    // `ebpf` is saker's own name of what Falco calls modern_ebpf.
    // ptrace is saker's own.
    kind: choice("modern_ebpf", [
      ...["modern_ebpf", "ebpf", "kmod", "ptrace", "replay", "nodriver"] as const,
    ]),
    // Saker's own: which views an event is judged under, where the caller's path and the one that
    // the kernel acted on differ.
    paths: choice("both", ["both", "kernel", "caller"]),
    // Saker's own: whose ancestors proc.aname, proc.pname and their kin show.
    lineage: choice("kernel", ["kernel", "birth"]),
    // Saker's own: events that neither a rule nor a table can use are passed over early.
    sieve: bool(true),
    // Saker's own: whether that happens in the kernel, before an event is written.
    kernel_sieve: bool(true),
    // Saker's own: more of the data of sockets than falco_libs.snaplen says. Falco's driver has the
    // same, which no key of its configuration reaches.
    snaplen: map({
      ports: checkedText("", (value) => value === "" || portsOf(value) !== undefined, PORTS),
      dynamic: bool(false),
    }),
    // Saker's own: the priority of the thread that reads events, so that a busy machine cannot
    // starve it; 0 leaves it alone.
    nice: integer(-10, { min: -20, max: 19 }),
    // Saker's own: so many seconds after the start, what the watch needs no more is given up.
    drop_privileges_after: integer(20, { min: 0, max: 86_400 }),
    // Saker's own: how long (ms) alerts of a new container wait for what its runtime knows of it.
    container_wait: integer(500, { min: 0, max: 60_000 }),
    kmod: map({ buf_size_preset: bufferPreset, drop_failed_exit: bool(false) }),
    modern_ebpf: map({
      cpus_for_each_buffer: integer(2, { min: 0, max: 65_536 }),
      buf_size_preset: bufferPreset,
      drop_failed_exit: bool(false),
      disable_iterators: bool(false),
    }),
    replay: map({ capture_file: text("") }),
  }),
  capture: map({
    enabled: bool(false),
    path_prefix: text("/tmp/falco"),
    mode: choice("rules", ["rules", "all_rules"]),
    default_duration: integer(5000, { min: 0, max: ANY }),
    // 0: no bound, which is Falco's default.
    max_file_size_mb: integer(256, { min: 0, max: ANY }),
    // Saker's own: alerts prolong a capture up to so many ms; what all of a run may write.
    max_duration: integer(300_000, { min: 0, max: ANY }),
    max_total_mb: integer(4096, { min: 0, max: ANY }),
    // Saker's own: a capture begins so many ms before its alert, as far as they fit into memory.
    before_duration: integer(5000, { min: 0, max: 3_600_000 }),
    before_max_mb: integer(64, { min: 8, max: 4096 }),
  }),
  load_plugins: sequence(word).optional(),
  plugins: sequence(map({
    name: text(""),
    library_path: text(""),
    init_config: anything.optional(),
    open_params: text(""),
    // Saker's own: false asks for the library where saker has a part of its own.
    builtin: bool(true),
    // Saker's own: it runs in saker's process, which modules do where nothing is said; what its own
    // process may have, and whether that may start others.
    in_process: bool(false).optional(),
    memory_mb: integer(1024, { min: 16, max: 1 << 20 }),
    processes: bool(false),
    // Saker's own: what a plugin in TypeScript may have of what it asks for.
    permissions: map({
      net: sequence(word).default([]),
      read: sequence(word).default([]),
      env: sequence(word).default([]),
    }),
  })).default([]),
  plugins_hostinfo: bool(true),
  time_format_iso_8601: bool(false),
  buffer_format_base64: bool(false),
  priority: choice("debug", PRIORITY_WORDS, {
    foldCase: true,
    falco: 'Unknown priority "%s"--must be one of emergency, alert, critical, error, warning, ' +
      "notice, informational, debug",
  }),
  json_output: bool(false),
  json_include_output_property: bool(true),
  json_include_message_property: bool(false),
  json_include_output_fields_property: bool(true),
  json_include_tags_property: bool(true),
  buffered_outputs: bool(false),
  rule_matching: choice("first", ["first", "all"], {
    foldCase: true,
    falco: 'Unknown rule matching strategy "%s"--must be one of first, all',
  }),
  outputs_queue: map({ capacity: integer(0, { min: 0, max: ANY }) }),
  append_output: sequence(map({
    match: map({ source: text(""), tags: sequence(word).default([]), rule: text("") }),
    extra_output: text(""),
    extra_fields: sequence(extraField).default([]),
    suggested_output: bool(false),
  })).default([]),
  static_fields: texts,
  // Falco's default is off, its shipped file's on; a saker without a file shows its alerts.
  stdout_output: map({ enabled: bool(true) }),
  syslog_output: map({
    enabled: bool(false),
    // Saker's own, all that follow: without them, alerts go where Falco's go.
    address: checkedText(
      "/dev/log",
      (value) => parseSyslogAddress(value) !== undefined,
      "a path, or udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT",
    ),
    facility: choice("user", FACILITIES),
    ident: checkedText("saker", (value) => /^[!-~]{1,48}$/.test(value), "a name without blanks"),
    ca_cert: text(""),
    client_cert: text(""),
    client_key: text(""),
  }),
  file_output: map({
    enabled: bool(false),
    keep_alive: bool(false),
    filename: text(""),
    // Saker's own: the file is begun anew at that size or age, and so many old ones are kept.
    rotate_max_mb: integer(0, { min: 0, max: ANY }),
    rotate_max_age: age,
    rotate_keep: integer(5, { min: 1, max: 1000 }),
  }),
  program_output: map({ enabled: bool(false), keep_alive: bool(false), program: text("") }),
  http_output: map({
    enabled: bool(false),
    url: text(""),
    user_agent: text("falcosecurity/falco"),
    insecure: bool(false),
    ca_cert: text(""),
    ca_bundle: text(""),
    ca_path: text("/etc/ssl/certs"),
    mtls: bool(false),
    client_cert: text("/etc/ssl/certs/client.crt"),
    client_key: text("/etc/ssl/certs/client.key"),
    echo: bool(false),
    compress_uploads: bool(false),
    keep_alive: bool(false),
    max_consecutive_timeouts: integer(5, { min: 0, max: 255 }),
    // Saker's own.
    headers: texts,
    bearer_token_file: text(""),
    timeout: integer(0, { min: 0, max: 600_000 }),
  }),
  // Falco's until 0.43.
  grpc: map({
    enabled: bool(false),
    bind_address: checkedText(
      "unix:///run/falco/falco.sock",
      (value) => parseGrpcAddress(value) !== undefined,
      "unix:///PATH (of at most 107 bytes) or ADDRESS:PORT",
    ),
    threadiness: integer(0, { min: 0, max: 65_536 }),
    private_key: text("/etc/falco/certs/server.key"),
    cert_chain: text("/etc/falco/certs/server.crt"),
    root_certs: text("/etc/falco/certs/ca.crt"),
  }),
  grpc_output: map({ enabled: bool(false) }),
  // Saker's own: alerts as OpenTelemetry logs.
  otlp_output: otlpOutput,
  // Saker's own: alerts of many hosts in one stream of NATS JetStream.
  nats_output: natsOutput,
  // Saker's own: alerts of many hosts in one topic of Kafka.
  kafka_output: kafkaOutput,
  // Saker's own: what an output cannot deliver waits on disk.
  spool: map({
    enabled: bool(false),
    directory: text("/var/lib/saker/spool"),
    max_mb: integer(64, { min: 1, max: 1_048_576 }),
  }),
  // Saker's own: signed rules from elsewhere.
  rollout: rolloutKeys,
  // Saker's own: repeats of an alert within a time are told as one.
  grouping: map({
    enabled: bool(false),
    window: checkedText(
      "60s",
      (value) => parseInterval(value) !== undefined,
      "a duration such as 60s",
    ),
    fields: sequence(word).default([]),
    max_groups: integer(10_000, { min: 1, max: 1_000_000 }),
  }),
  webserver: map({
    enabled: bool(true),
    threadiness: integer(0, { min: 0, max: 65_536 }),
    listen_port: integer(8765, { min: 0, max: 65_535 }),
    // Falco listens on 0.0.0.0; saker stays on this host unless told otherwise.
    listen_address: checkedText("127.0.0.1", isAddress, "an IPv4 or IPv6 address"),
    k8s_healthz_endpoint: checkedText(
      "/healthz",
      (value) => /^\/[!-~]*$/.test(value) && !/[*:{}]/.test(value),
      "a path that begins with a slash",
    ),
    prometheus_metrics_enabled: bool(false),
    // Saker's own: names besides the loopback ones under which the server may be asked.
    allowed_hosts: sequence(word).default([]),
    // Saker's own: who shows it as a bearer token may ask for all that the server has; in a file of
    // its own, or here.
    token_file: text(""),
    token: text(""),
    // Saker's own: without a token, who of this host may read the alerts, which hold what
    // programs of all users were started with: root and the user that saker runs as, or anyone.
    alerts_for: choice("root", ["root", "anyone"]),
    // Saker's own: what was known at the moment of an alert is kept, for who looks at it later.
    dossiers: bool(true),
    // Saker's own: without a token, other hosts may ask for everything too.
    insecure: bool(false),
    ssl_enabled: bool(false),
    ssl_certificate: text("/etc/falco/falco.pem"),
  }),
  log_stderr: bool(true),
  log_syslog: bool(false),
  log_level: choice("info", SEVERITIES),
  // Saker's own: json is one object a line, with its time and level.
  log_format: choice("text", ["text", "json"]),
  libs_logger: map({
    enabled: bool(true),
    severity: choice("info", [
      "fatal",
      "critical",
      "error",
      "warning",
      "notice",
      "info",
      "debug",
      "trace",
    ]),
  }),
  output_timeout: integer(2000, { min: 0, max: ANY }),
  syscall_event_timeouts: map({
    max_consecutives: integer(1000, { min: 1, max: ANY, fatal: true }),
  }),
  syscall_event_drops: map({
    threshold: decimal(0.1, {
      min: 0,
      max: 1,
      fatal: true,
      falco: "syscall event drops threshold must be a double in the range [0, 1]",
    }),
    actions: sequence(choice("alert", ["ignore", "log", "alert", "exit"])).default(["alert"]),
    rate: decimal(0.03333, { min: 0, max: ANY }),
    max_burst: decimal(1, { min: 0, max: ANY }),
    simulate_drops: bool(false),
  }),
  metrics: map({
    enabled: bool(false),
    interval: checkedText(
      "1h",
      (value) => parseInterval(value) !== undefined,
      "a duration such as 1h or 30m10s, of 100 ms or more",
    ),
    output_rule: bool(false),
    output_file: text(""),
    rules_counters_enabled: bool(true),
    resource_utilization_enabled: bool(true),
    state_counters_enabled: bool(true),
    kernel_event_counters_enabled: bool(true),
    kernel_event_counters_per_cpu_enabled: bool(false),
    libbpf_stats_enabled: bool(true),
    plugins_metrics_enabled: bool(true),
    kernel_iter_event_counters_enabled: bool(true),
    jemalloc_stats_enabled: bool(false),
    convert_memory_to_mb: bool(true),
    include_empty_values: bool(false),
  }),
  base_syscalls: map({
    custom_set: sequence(word).default([]),
    repair: bool(false),
    all: bool(false),
  }),
  falco_libs: map({
    thread_table_size: integer(262_144, { min: 1, max: 0xffff_ffff }),
    thread_table_auto_purging_interval_s: integer(300, { min: 1, max: ANY }),
    thread_table_auto_purging_thread_timeout_s: integer(300, { min: 1, max: ANY }),
    snaplen: integer(0, { min: 0, max: 65_535 }),
  }),
});

export type Config = Frozen<Held<typeof schema>>;

/** Read-only all the way down. */
export type Frozen<T> = T extends (infer Item)[] ? readonly Frozen<Item>[]
  : T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> }
  : T;

/** The driver that a kind names; undefined where there is none. `ebpf` is another name. */
export function driverOf(
  kind: Config["engine"]["kind"],
): "modern_ebpf" | "kmod" | "ptrace" | undefined {
  if (kind === "replay" || kind === "nodriver") return undefined;
  return kind === "ebpf" ? "modern_ebpf" : kind;
}

/** The JSON schema that `--config-schema` prints. */
export function configJsonSchema(): JsonSchema {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema.json() };
}
