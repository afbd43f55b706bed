// Configuration from elsewhere (docs/rollout.md): a signed text comes in, the values of the few
// keys that may come that way go out. The list is closed: what is not in it is refused, also where
// a later saker knows it. Nothing in it runs a program, loads or names a file, opens a connection
// or a port, says where alerts go or how a host is reached, or has to do with the roll-out itself:
// who has stolen the key that signs can make saker quiet, which rules can as well, and no more.
import { type ConfigMap, type ConfigValue, parseLayer } from "./layer.ts";
import { ConfigError } from "./problem.ts";

/** All of them are taken by a reload. */
export const FROM_AFAR: readonly string[] = [
  "rules",
  "priority",
  "rule_matching",
  "append_output",
  "static_fields",
  ...["json_output", "json_include_output_property", "json_include_message_property"],
  ...["json_include_output_fields_property", "json_include_tags_property"],
  ...["time_format_iso_8601", "buffer_format_base64"],
  ...["grouping.enabled", "grouping.window", "grouping.fields"],
  "log_level",
  ...["syscall_event_drops.threshold", "syscall_event_drops.rate"],
  "syscall_event_drops.max_burst",
  ...["base_syscalls.custom_set", "base_syscalls.repair", "base_syscalls.all"],
  ...["metrics.enabled", "metrics.interval", "metrics.output_rule"],
  ...["metrics.rules_counters_enabled", "metrics.resource_utilization_enabled"],
  ...["metrics.state_counters_enabled", "metrics.kernel_event_counters_enabled"],
  ...["metrics.plugins_metrics_enabled", "metrics.convert_memory_to_mb"],
  "metrics.include_empty_values",
];

export interface AfarText {
  /** For messages: which bundle it is from. */
  readonly name: string;
  readonly text: string;
}

export interface AfarValue {
  readonly path: readonly string[];
  readonly value: ConfigValue;
  /** `NAME:LINE`. */
  readonly where: string;
}

/** Throws a ConfigError with the first thing that is not as it must be. */
export function readAfar({ name, text }: AfarText): AfarValue[] {
  const { value, remarks, lineOf } = parseLayer(name, text, (variable) => {
    throw new ConfigError(name, "", `variables of hosts are not read here: \${${variable}}`);
  });
  const [remark] = remarks;
  if (remark !== undefined) throw new ConfigError(`${name}:${remark.line}`, "", remark.message);
  const found: AfarValue[] = [];
  const walk = (map: ConfigMap, above: readonly string[]): void => {
    for (const [key, inner] of Object.entries(map)) {
      const path = [...above, key];
      const where = `${name}:${lineOf(path) ?? 1}`;
      const isIn = (one: string) =>
        JSON.stringify(one.split(".").slice(0, path.length)) ===
          JSON.stringify(path);
      const below = FROM_AFAR.filter(isIn);
      if (below.length === 0) {
        throw new ConfigError(where, path.join("."), "the key is never taken from elsewhere");
      }
      if (below.some((one) => one.split(".").length === path.length)) {
        found.push({ path, value: inner, where });
      } else if (typeof inner === "object" && !Array.isArray(inner)) walk(inner, path);
      else throw new ConfigError(where, path.join("."), "expected a map");
    }
  };
  walk(value, []);
  return found;
}

/** Sets the values in the tree, each in place of what the host's files say there. */
export function applyAfar(tree: ConfigMap, values: readonly AfarValue[]): void {
  for (const { path, value } of values) {
    let holder = tree;
    for (const step of path.slice(0, -1)) {
      const inner = holder[step];
      const isMap = typeof inner === "object" && !Array.isArray(inner);
      holder = holder[step] = isMap ? inner : {};
    }
    holder[path.at(-1)!] = value;
  }
}
