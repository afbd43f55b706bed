// The configuration that Falco ships: read without a word that it does not deserve, and each key
// gives what it says. By default a file of our own with the same keys and values; where
// SAKER_TEST_FALCO_YAML names the real one, that too.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { defaultText } from "./default_text.ts";
import { DESCRIBED } from "./described.ts";
import type { ConfigProblem } from "./problem.ts";
import { readConfig } from "./read_config.ts";
import { schema } from "./schema.ts";

const SHIPPED = `
config_files: [/nowhere/config.d]
watch_config_files: true
rules_files: [/nowhere/falco_rules.yaml, /nowhere/rules.d]
engine:
  kind: modern_ebpf
  kmod: {buf_size_preset: 4, drop_failed_exit: false}
  modern_ebpf:
    cpus_for_each_buffer: 2
    buf_size_preset: 4
    drop_failed_exit: false
    disable_iterators: false
  replay: {capture_file: ""}
capture: {enabled: false, path_prefix: /tmp/falco, mode: rules, default_duration: 5000}
load_plugins: []
plugins:
  - name: container
    library_path: libcontainer.so
    init_config: {label_max_len: 100, with_size: false}
  - {name: json, library_path: libjson.so}
plugins_hostinfo: true
time_format_iso_8601: false
buffer_format_base64: false
priority: debug
json_output: false
json_include_output_property: true
json_include_message_property: false
json_include_output_fields_property: true
json_include_tags_property: true
buffered_outputs: false
rule_matching: first
outputs_queue: {capacity: 0}
append_output: [{suggested_output: true}]
stdout_output: {enabled: true}
syslog_output: {enabled: true}
file_output: {enabled: false, keep_alive: false, filename: ./events.txt}
http_output:
  enabled: false
  url: ""
  user_agent: "falcosecurity/falco"
  insecure: false
  ca_cert: ""
  ca_bundle: ""
  ca_path: "/etc/ssl/certs"
  mtls: false
  client_cert: "/etc/ssl/certs/client.crt"
  client_key: "/etc/ssl/certs/client.key"
  echo: false
  compress_uploads: false
  keep_alive: false
  max_consecutive_timeouts: 5
program_output: {enabled: false, keep_alive: false, program: "curl -d @- http://127.0.0.1"}
webserver:
  enabled: true
  threadiness: 0
  listen_port: 8765
  listen_address: 0.0.0.0
  k8s_healthz_endpoint: /healthz
  prometheus_metrics_enabled: false
  ssl_enabled: false
  ssl_certificate: /etc/falco/falco.pem
grpc: {enabled: false, bind_address: "unix:///run/falco/falco.sock", threadiness: 0}
grpc_output: {enabled: false}
log_stderr: true
log_syslog: true
log_level: info
libs_logger: {enabled: true, severity: info}
output_timeout: 2000
syscall_event_timeouts: {max_consecutives: 1000}
syscall_event_drops:
  threshold: .1
  actions: [log, alert]
  rate: .03333
  max_burst: 1
  simulate_drops: false
metrics:
  enabled: false
  interval: 1h
  output_rule: true
  output_file: ""
  rules_counters_enabled: true
  resource_utilization_enabled: true
  state_counters_enabled: true
  kernel_event_counters_enabled: true
  kernel_event_counters_per_cpu_enabled: false
  libbpf_stats_enabled: true
  plugins_metrics_enabled: true
  kernel_iter_event_counters_enabled: true
  jemalloc_stats_enabled: false
  convert_memory_to_mb: true
  include_empty_values: false
base_syscalls: {custom_set: [], repair: false, all: false}
falco_libs:
  thread_table_size: 262144
  thread_table_auto_purging_interval_s: 300
  thread_table_auto_purging_thread_timeout_s: 300
  snaplen: 80
`;

function readText(text: string) {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  try {
    Deno.writeTextFileSync(file, text);
    return readConfig({ file, options: [], environment: () => undefined });
  } finally {
    Deno.removeSync(file);
  }
}

/** Keys whose value differs from what holds without a file. */
function changed(config: unknown, initial: unknown, path: string): string[] {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    return JSON.stringify(config) === JSON.stringify(initial) ? [] : [path];
  }
  return Object.entries(config).flatMap(([key, value]) =>
    changed(value, (initial as Record<string, unknown> | undefined)?.[key], `${path}.${key}`)
  );
}

function isWrong({ severity }: ConfigProblem): boolean {
  return severity !== "notice";
}

Deno.test("the file that Falco ships is read without a warning, and gives what it says", () => {
  const { config, problems, fates } = readText(SHIPPED);
  deepStrictEqual(problems.filter(isWrong), []);
  deepStrictEqual(changed(config, schema.initial(), "").sort(), [
    ".append_output",
    ".config_files",
    ".falco_libs.snaplen",
    ".file_output.filename",
    ".load_plugins",
    ".log_syslog",
    ".metrics.output_rule",
    ".plugins",
    ".program_output.program",
    ".rules_files",
    ".syscall_event_drops.actions",
    ".syslog_output.enabled",
    ".webserver.listen_address",
  ]);
  deepStrictEqual(config.syscall_event_drops.actions, ["log", "alert"]);
  strictEqual(config.syscall_event_drops.threshold, 0.1);
  deepStrictEqual(config.plugins[0]!.init_config, { label_max_len: "100", with_size: "false" });
  // Of each key that is given it can be said what becomes of it.
  const told = new Set(fates.map(({ key }) => key));
  for (const key of ["http_output.echo", "metrics.interval", "engine.kmod.drop_failed_exit"]) {
    ok(told.has(key), key);
  }
});

Deno.test({
  name: "the real file that Falco ships is read without a warning",
  ignore: Deno.env.get("SAKER_TEST_FALCO_YAML") === undefined,
  fn() {
    const file = Deno.env.get("SAKER_TEST_FALCO_YAML")!;
    const { config, problems } = readConfig({ file, options: [], environment: () => undefined });
    deepStrictEqual(problems.filter(isWrong), []);
    deepStrictEqual(config.append_output.map((one) => one.suggested_output), [true]);
    strictEqual(config.engine.kind, "modern_ebpf");
  },
});

Deno.test("what `saker config` prints is read back as what holds without a file", () => {
  const { config, problems } = readText(defaultText());
  deepStrictEqual(problems, []);
  deepStrictEqual(JSON.stringify(config), JSON.stringify(schema.initial()));
});

Deno.test("`saker config` has every key of the schema, each behind words of its own", () => {
  const lines = defaultText().split("\n");
  const check = (words: object, indent: string): void => {
    for (const [key, inner] of Object.entries(words)) {
      if (key === "") continue;
      const at = lines.findIndex((line) =>
        line.startsWith(`${indent}${key}:`) || line.startsWith(`${indent}# ${key}:`)
      );
      ok(at > 0, `there is no ${key}`);
      if (typeof inner === "string") ok(lines[at - 1]!.startsWith(`${indent}# `), key);
      else check(inner, `${indent}  `);
    }
  };
  check(DESCRIBED, "");
});
