// What each key of the configuration is for, in the words that `saker config` prints above it. A
// key of the schema without words does not compile. Units, bounds and choices are not said here:
// they come from the schema.
import type { Config } from "./schema.ts";

/** One text for a value; for a group its keys, and its own text under "". */
export type Words<T> = IsGroup<T> extends true ?
    & { readonly [Key in keyof T]-?: Words<Exclude<T[Key], undefined>> }
    & { readonly ""?: string }
  : string;

type IsGroup<T> = T extends readonly unknown[] | string | number | boolean ? false
  : T extends object ? (string extends keyof T ? false : true)
  : false;

export const DESCRIBED: Words<Config> = {
  config_files: "Files and directories read after this one, in order: a path, or {path: P, " +
    "strategy: append | override | add-only}. Strategies are about whole keys: append makes " +
    "sequences longer and replaces all else.",
  watch_config_files: "Read rules and configuration anew when their files change; SIGHUP does " +
    "so in any case.",
  rules_files: "Rules files and directories, in order. Without it the built-in rules hold.",
  rules_file: "Old name of rules_files.",
  rules: "Switches rules on and off, in order, such as {disable: {rule: 'Write *'}} and " +
    "{enable: {tag: network}}.",
  engine: {
    "": "Where events come from.",
    kind: "modern_ebpf watches this host by the probe (ebpf is another name of it), kmod by the " +
      "kernel module, ptrace follows processes without any right; replay reads a capture, " +
      "nodriver sees nothing.",
    paths: "Which paths an event is judged under where the caller's and the kernel's differ.",
    lineage:
      "Ancestors that proc.aname, proc.pname and their kin show: kernel tells who the parent " +
      "is now, birth who made the process.",
    sieve: "Pass over events that neither a rule nor a table can use.",
    kernel_sieve: "Do so in the kernel, before an event is written.",
    snaplen: {
      "": "More of what sockets send and receive than falco_libs.snaplen.",
      ports: "Keep up to 16,000 bytes where either end has this port, or one of FIRST-LAST.",
      dynamic: "Keep up to 2,000 bytes of DNS, statsd, HTTP, MySQL, PostgreSQL and MongoDB.",
    },
    drop_privileges_after: "Seconds after the start at which capabilities that a watch needs no " +
      "more are given up; 0: never.",
    container_wait: "Alerts of a new container wait so long (ms) for what its runtime tells of it.",
    nice: "Priority of the thread that reads events, on one processor of all; 0 leaves it alone.",
    kmod: {
      "": "For engine.kind kmod.",
      buf_size_preset: "Room of each CPU, 1, 2, 4 … 512 MB, of which its rings are three quarters.",
      drop_failed_exit: "Do not record calls that failed.",
    },
    modern_ebpf: {
      cpus_for_each_buffer: "One ring of the preset's size for so many CPUs; 0: one for all.",
      buf_size_preset: "Size of a ring: 1, 2, 4 … 512 MB.",
      drop_failed_exit: "Do not record calls that failed.",
      disable_iterators: "Unused: saker reads /proc at the start.",
    },
    replay: { capture_file: "The capture (.scap) of engine.kind replay." },
  },
  capture: {
    "": "Captures that alerts start.",
    enabled: "Write a capture when a rule fires.",
    path_prefix: "Begin of the files' names: PREFIX_TIME_NUMBER.scap.",
    mode: "rules: those that say `capture: true`; all_rules: any.",
    default_duration: "Milliseconds behind the alert, where the rule does not say.",
    max_file_size_mb: "Bound of one file; 0: none.",
    max_duration: "Alerts prolong a capture up to so many milliseconds; 0: without end.",
    max_total_mb: "Bound of all that a run writes; 0: none.",
    before_duration: "Milliseconds before the alert that a capture begins with.",
    before_max_mb: "Memory for what was before the alert.",
  },
  load_plugins: "Names of the plugins to load, in order; without it all of `plugins`.",
  plugins:
    "Plugins, such as {name: N, library_path: P, init_config: C, open_params: O}. The work " +
    "of container, k8saudit, json and k8smeta is part of saker (docs/plugins.md), " +
    "unless {builtin: false}. {in_process: true} runs one in saker's own process, false a " +
    "module in one of its own; {memory_mb: N} bounds the process that it has else, " +
    "{processes: true} lets that start others.",
  plugins_hostinfo: "Give plugins what is known of the host.",
  time_format_iso_8601: "Times of alerts as ISO 8601 in UTC, not as the local time of day.",
  buffer_format_base64: "Show bytes of buffers in base64.",
  priority: "Rules of less importance are not loaded.",
  json_output: "Alerts as JSON. Where no file says so, standard output has JSON unless it is a " +
    "terminal.",
  json_include_output_property: "JSON alerts have `output`.",
  json_include_message_property: "JSON alerts have `message`: output without time and priority.",
  json_include_output_fields_property: "JSON alerts have `output_fields`.",
  json_include_tags_property: "JSON alerts have `tags`.",
  buffered_outputs: "Alerts to standard output, file and program wait up to a second for others.",
  rule_matching: "first: of the rules that match an event the first one fires; all: each of them.",
  outputs_queue: { capacity: "Alerts that wait for an output at the most; 0: 16384." },
  append_output: "Added to the output of rules, such as {match: {source: S, tags: [T], rule: R}, " +
    "extra_output: 'x=%evt.type', extra_fields: [evt.hostname], suggested_output: true}.",
  static_fields: "Fields of your own, `static.NAME`, with their value.",
  stdout_output: { enabled: "Alerts on standard output." },
  syslog_output: {
    enabled: "Alerts to syslog.",
    address: "Where to: the host's socket, or udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT.",
    facility: "Syslog's word for what kind of program it is.",
    ident: "The name of the program in each message.",
    ca_cert: "With tls://, file of authorities that are trusted besides the well-known ones.",
    client_cert: "With tls://, a certificate of ours.",
    client_key: "Its key.",
  },
  file_output: {
    enabled: "Alerts to a file.",
    keep_alive: "Keep the file open; SIGUSR1 opens it anew.",
    filename: "The file.",
    rotate_max_mb: "Begin the file anew at this size, in MB; 0: never.",
    rotate_max_age: "Begin it anew at this age, such as 1d; nothing: never.",
    rotate_keep: "Old files that are kept: FILE.1 is the latest.",
  },
  program_output: {
    enabled: "Alerts to a program's standard input.",
    keep_alive: "Keep the program running; otherwise it is started for each alert.",
    program: "The command, for the shell.",
  },
  http_output: {
    enabled: "Alerts to a web server, each as the body of a POST.",
    url: "Where to.",
    user_agent: "Who asks.",
    insecure: "Do not verify the server's certificate.",
    ca_cert: "File of the authority that is trusted; before ca_bundle and ca_path.",
    ca_bundle: "File of several authorities; before ca_path.",
    ca_path: "Directory of authorities.",
    mtls: "Show a certificate of ours.",
    client_cert: "That certificate.",
    client_key: "Its key.",
    echo: "Show the server's answers.",
    compress_uploads: "Compress what is sent.",
    keep_alive: "Keep the connection.",
    max_consecutive_timeouts: "Requests that are repeated at once after a time-out; then there " +
      "is a pause.",
    headers: "Headers of each request, such as {X-Host: web1}.",
    bearer_token_file: "File with a token for the Authorization header; read anew when the " +
      "server refuses it.",
    timeout: "Milliseconds for a request; 0: output_timeout.",
  },
  grpc: {
    "": "Alerts for clients of Falco's gRPC interface.",
    enabled: "Serve clients; the alerts are those of grpc_output.",
    bind_address:
      "Where: unix:///PATH, a socket for saker's user alone, or ADDRESS:PORT, over TLS " +
      "with certificates of both sides. Without any (all three keys empty) only on loopback, " +
      "and with webserver.alerts_for: anyone.",
    threadiness: "Unused: one thread serves all clients.",
    private_key: "Key of the server (PEM).",
    cert_chain: "Its certificate, and those up to the authority (PEM).",
    root_certs: "Authorities whose clients are served (PEM).",
  },
  grpc_output: { enabled: "Alerts to the clients of the gRPC server." },
  otlp_output: {
    "": "Alerts as OpenTelemetry logs.",
    enabled: "Alerts to a collector, or whoever else takes OTLP.",
    protocol: "The protocol's way.",
    endpoint: "Where to: http://HOST:PORT or https://HOST:PORT; for HTTP a path may follow, to " +
      "which /v1/logs is added unless it ends so. Nothing: the collector of this host, by port " +
      "4318, or 4317 for grpc.",
    headers: "Headers (of gRPC: metadata) of each request, such as {X-Scope-OrgID: one};",
    header_files: "those whose values are secrets, each with the file that holds it.",
    bearer_token_file:
      "File with a token for the Authorization header. Files of secrets are read " +
      "anew when the server refuses them.",
    compression: "Of requests.",
    ca_cert: "With https://, file of authorities that are trusted besides the well-known ones.",
    client_cert: "With https://, a certificate of ours.",
    client_key: "Its key.",
    timeout: "Milliseconds for a request; 0: output_timeout, but 5000 at least.",
    resource: "Resource attributes besides those that saker knows (docs/outputs.md), such as " +
      "{deployment.environment.name: production}; of the same name these hold.",
  },
  nats_output: {
    "": "Alerts of many hosts in one stream of NATS JetStream.",
    enabled: "Alerts to the stream.",
    url: "Servers, one or a list: nats://HOST:PORT, tls://HOST:PORT. One is used.",
    creds_file: "Credentials: a file with a JWT and its seed (.creds),",
    nkey_file: "or one with the seed of an nkey,",
    user: "or a user",
    password_file: "with a file that holds the password,",
    token_file: "or a file with a token. All are read anew at each connection.",
    ca_cert: "With TLS, file of authorities that are trusted besides the well-known ones.",
    client_cert: "A certificate of ours, where the server asks for one.",
    client_key: "Its key.",
    stream: "The stream.",
    subject: "Alerts go to this, a dot and the host's name.",
    timeout: "Milliseconds for a connection or an answer; 0: output_timeout.",
    hosts_bucket: "The bucket of keys in which each host tells of itself,",
    presence_every: "again after so long; nothing: never.",
    max_age: "The stream is made with this where it is not there: how long it keeps alerts; " +
      "nothing: for ever,",
    max_bytes: "how many bytes of them, 0: no bound (then a server may refuse to make it),",
    replicas: "on how many servers,",
    duplicate_window: "and for how long it knows an alert's id, so that doubles are dropped.",
  },
  kafka_output: {
    "": "Alerts of many hosts in one topic of Kafka.",
    enabled: "Alerts to the topic.",
    brokers: "Brokers, one or a list: HOST:PORT. They tell of the others.",
    topic: "The topic. Alerts of a host are in one partition of it, in order.",
    tls: "Connections are over TLS.",
    ca_cert: "File of the authorities that are trusted besides the well-known ones.",
    client_cert: "A certificate of ours, where the brokers ask for one.",
    client_key: "Its key.",
    sasl_mechanism: "How we say who we are: none, plain, scram-sha-256, scram-sha-512.",
    user: "Who we are,",
    password_file: "and a file with the password, read anew at each connection.",
    gzip: "Alerts are sent, and kept there, compressed.",
    timeout: "Milliseconds for a connection or an answer; 0: output_timeout.",
    make_topic: "The topic is made where it is not there,",
    partitions: "with so many partitions, 0: as the brokers do by themselves,",
    replicas: "on so many brokers, 0: as they do by themselves,",
    max_age: "and keeps alerts so long; nothing: as the brokers do by themselves.",
  },
  spool: {
    "": "What an output cannot deliver waits on disk, and is sent in order when it can again.",
    enabled: "Whether there is one, for each output but standard output and gRPC.",
    directory: "Where; a directory of its own, which only saker's user can read.",
    max_mb: "For each output.",
  },
  rollout: {
    "": "Signed rules and configuration from elsewhere, for some hosts first (docs/rollout.md).",
    source: "Where the bundle of rules is: a URL, or nats://HOST:PORT; empty: there is none.",
    config_source: "As source, of a bundle of configuration, which may set a few keys alone.",
    public_keys: "Files of the keys of which one must have signed it.",
    name: "Take bundles of this name alone; empty: of any.",
    every: "How often the source is asked.",
    directory: "Where the bundle in force is kept, and which was the newest.",
    labels: "What this host is, such as env=prod: bundles may be for some of the hosts.",
    bucket: "At a nats-server: the bucket that has the bundles under the keys rules and config.",
    creds_file: "For NATS: a file of a user's JWT and seed.",
    nkey_file: "For NATS: a file of a user's seed.",
    user: "For NATS: with password_file.",
    password_file: "For NATS: with user.",
    token_file: "A file of the token that the source is asked with (HTTP: as a bearer token).",
    ca_cert: "An authority (PEM) that is trusted besides the well-known ones.",
    client_cert: "For NATS: the certificate (PEM) that is shown.",
    client_key: "For NATS: its key.",
  },
  grouping: {
    "":
      "Repeats of an alert go to the outputs as one: the first at once, at the end of the window " +
      "the last with `count`, `first` and `last`.",
    enabled: "Whether they do.",
    window: "How long repeats are gathered.",
    fields: "Alerts of a rule are repeats where these fields of their outputs are equal, such as " +
      "[fd.name, user.name]; without any, all of a rule.",
    max_groups: "Groups that are known at once; alerts beyond go out by themselves.",
  },
  webserver: {
    "": "Answers health checks and more.",
    enabled: "Whether there is one.",
    threadiness: "Unused: one thread answers all requests.",
    listen_port: "Its port.",
    listen_address: "Its address; beyond 127.0.0.1 others are told, without a token, of health " +
      "and versions alone.",
    k8s_healthz_endpoint: "Path of the health check.",
    prometheus_metrics_enabled: "Answer /metrics, where metrics.enabled is set.",
    allowed_hosts: "Names besides the loopback ones under which it may be asked.",
    token_file: "A file with the token that who asks for more than health and versions must show.",
    token: "That token itself; a file is the better place.",
    dossiers: "Keep what was known at the moment of an alert (its process by birth, why its rule " +
      "fired), for /alerts/ID.",
    alerts_for:
      "Who of this host may read /alerts without a token: root (and the user that saker " +
      "runs as), or anyone.",
    insecure: "Answer everything to other hosts although there is no token.",
    ssl_enabled: "Use TLS.",
    ssl_certificate: "Certificate and key in one PEM file.",
  },
  log_stderr: "Write saker's own messages to standard error.",
  log_syslog: "Write them to syslog.",
  log_level: "Less important ones are not told.",
  log_format: "text: the message; json: an object a line, with time, level and message.",
  libs_logger: {
    "": "For Falco's libraries; saker is one program.",
    enabled: "Unused: saker's messages go by log_level.",
    severity: "Unused.",
  },
  output_timeout: "Milliseconds after which an output that takes nothing is told of, and that " +
    "outputs have at the end to write what waits.",
  syscall_event_timeouts: {
    max_consecutives: "Unused: saker waits for events without time-outs.",
  },
  syscall_event_drops: {
    "": "What is done when events are lost.",
    threshold: "Share of a second's events that may be lost in silence.",
    actions: "Any of ignore, log, alert and exit.",
    rate: "Actions a second.",
    max_burst: "Actions in a row, whatever the rate.",
    simulate_drops: "Act as if an event were lost every second, to test the actions.",
  },
  metrics: {
    "": "Numbers of saker's own.",
    enabled: "Whether they are kept.",
    interval: "How often they are told: 1h, 30m10s …",
    output_rule: "As an alert.",
    output_file: "As lines of JSON in this file.",
    rules_counters_enabled: "Matches of each rule.",
    resource_utilization_enabled: "Processor time and memory.",
    state_counters_enabled: "Threads and descriptors in the tables.",
    kernel_event_counters_enabled: "Events and losses.",
    kernel_event_counters_per_cpu_enabled: "Those of each CPU.",
    libbpf_stats_enabled: "Runs and time of the probe's programs.",
    plugins_metrics_enabled: "Numbers of plugins.",
    kernel_iter_event_counters_enabled: "Numbers of BPF iterators.",
    jemalloc_stats_enabled: "Numbers of Falco's allocator.",
    convert_memory_to_mb: "Memory in MB.",
    include_empty_values: "Tell zeros too.",
  },
  base_syscalls: {
    custom_set: "Calls that are recorded whatever the rules; !NAME: never.",
    repair: "Record, of what no rule names, only what the tables cannot do without.",
    all: "Record every call.",
  },
  falco_libs: {
    thread_table_size: "Threads that are kept track of.",
    thread_table_auto_purging_interval_s: "Unused: ended threads are found otherwise.",
    thread_table_auto_purging_thread_timeout_s: "Unused.",
    snaplen: "Bytes kept of the data of reads and writes; 0: 80.",
  },
};
