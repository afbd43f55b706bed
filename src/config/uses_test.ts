// Every key of the configuration has a reader that is there and reads it, or is told to have none.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { problemLine } from "./problem.ts";
import { readConfig } from "./read_config.ts";
import { schema } from "./schema.ts";
import { type Use, USES } from "./uses.ts";

function told(...options: string[]): string[] {
  const { problems } = readConfig({ file: undefined, options, environment: () => undefined });
  return problems.map(problemLine);
}

/** Keys with what stands for them, groups taken apart. */
function* keysOf(uses: unknown, path: string[] = []): Generator<[string[], Use<unknown>]> {
  if (typeof (uses as Use<unknown>).told === "function") return yield [path, uses as Use<unknown>];
  for (const [key, inner] of Object.entries(uses as object)) yield* keysOf(inner, [...path, key]);
}

Deno.test("the reader of each key is there and names the key", () => {
  for (const [path, { reader }] of keysOf(USES)) {
    if (reader === undefined) continue;
    const text = Deno.readTextFileSync(new URL(`../${reader}`, import.meta.url));
    ok(new RegExp(`\\b${path.at(-1)}\\b`).test(text), `${reader} does not read ${path.join(".")}`);
  }
});

Deno.test("each key of the schema has its entry, and each entry its key", () => {
  const optional = { rules_files: [], rules_file: [], load_plugins: [] };
  const check = (uses: object, values: object, path: string): void => {
    if ("told" in uses) return;
    deepStrictEqual(Object.keys(uses).sort(), Object.keys(values).sort(), path);
    for (const [key, inner] of Object.entries(uses)) {
      if (!("told" in inner)) {
        check(inner, (values as Record<string, object>)[key]!, `${path}.${key}`);
      }
    }
  };
  check(USES, { ...schema.initial(), ...optional }, "");
});

Deno.test("a value that nobody heeds is told with its key and the reason", () => {
  const keys: Record<string, string> = {
    "disable_iterators": "true",
    "libs_logger.severity": "debug",
    "metrics.jemalloc_stats_enabled": "true",
    "plugins_hostinfo": "false",
    "syscall_event_timeouts.max_consecutives": "5",
    "falco_libs.thread_table_auto_purging_interval_s": "60",
    "falco_libs.thread_table_auto_purging_thread_timeout_s": "60",
    "webserver.threadiness": "4",
    "grpc.threadiness": "4",
    "grpc_output.enabled": "true",
  };
  for (const [key, value] of Object.entries(keys)) {
    const full = key === "disable_iterators" ? `engine.modern_ebpf.${key}` : key;
    const lines = told(`${full}=${value}`);
    strictEqual(lines.length, 1, full);
    ok(lines[0]!.includes(`: ${full}: `), lines[0]);
  }
});

Deno.test("a snaplen beyond what the probe keeps is told, not cut in silence", () => {
  deepStrictEqual(told("falco_libs.snaplen=16000"), []);
  ok(/snaplen: the probe keeps at most 16000 bytes/.test(told("falco_libs.snaplen=16001")[0]!));
});

Deno.test("values that ask for nothing are silent, as in the file that Falco ships", () => {
  deepStrictEqual(
    told(
      "buffered_outputs=false",
      "engine.modern_ebpf.disable_iterators=false",
      "falco_libs.thread_table_auto_purging_interval_s=300",
      "libs_logger.enabled=false",
      "log_syslog=false",
      "metrics.enabled=false",
      "metrics.interval=15m",
      "http_output.url=http://localhost",
      "engine.kmod.buf_size_preset=5",
      "webserver.prometheus_metrics_enabled=false",
    ),
    [],
  );
});
