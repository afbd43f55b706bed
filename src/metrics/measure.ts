// One number of Falco's metrics, and the names and units that Falco gives it: in a snapshot, where
// memory may be in megabytes, and to Prometheus, where all is in bytes, seconds and ratios. Facts:
// metrics_v2.h and metrics_collector.cpp of falcosecurity/libs, falco_metrics.cpp and
// stats_writer.cpp of falcosecurity/falco, 2026-07.

/** What a switch `metrics.*_enabled` is about. */
export type Group = "resource" | "state" | "kernel" | "cpu" | "programs" | "iterators" | "plugins";

export type Unit =
  | "count"
  | "percent"
  | "kibibytes"
  | "bytes"
  | "nanoseconds"
  | "total_nanoseconds";

export interface Measure {
  /** Falco's, with the suffix of its unit (`_kb`, `_perc` …). */
  readonly name: string;
  readonly group: Group;
  readonly unit: Unit;
  readonly kind: "counter" | "gauge";
  readonly value: number;
  /** The program of the probe, or the CPU, that it is about. */
  readonly of?: string;
}

const MIB = 1_048_576;

const PREFIXES: Readonly<Partial<Record<Group, string>>> = {
  resource: "falco.",
  state: "falco.",
  plugins: "plugins.",
};

/** The key of `output_fields`, and its value. */
export function snapshotField(measure: Measure, inMegabytes: boolean): [string, number] {
  const { name, group, unit, value, of } = measure;
  const prefix = PREFIXES[group] ?? "scap.";
  const whole = group === "programs" ? `${of}.${name}` : group === "cpu" ? `${name}_${of}` : name;
  if (!inMegabytes || (unit !== "kibibytes" && unit !== "bytes")) return [prefix + whole, value];
  const bytes = unit === "kibibytes" ? value * 1024 : value;
  return [prefix + whole.replace(/_(kb|bytes)$/, "_mb"), oneDecimal(bytes / MIB)];
}

/** Falco rounds rates, shares and megabytes so. */
export function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}

const SUFFIX = /_(kb|bytes|mb|perc|percentage|ratio|ns|ts|sec|total)(?=_|$)/g;

const UNIT_NAMES: Readonly<Record<Unit, string>> = {
  count: "total",
  percent: "ratio",
  kibibytes: "bytes",
  bytes: "bytes",
  nanoseconds: "nanoseconds",
  total_nanoseconds: "nanoseconds_total",
};

const SUBSYSTEMS: Readonly<Partial<Record<Group, string>>> = {
  resource: "falco",
  plugins: "plugins",
};

/** The name of its series. */
export function seriesName({ name, group, unit, of }: Measure): string {
  const subsystem = SUBSYSTEMS[group] ?? "scap";
  const program = group === "programs" ? `${of}_` : "";
  const plain = name.replace(SUFFIX, "");
  return `falcosecurity_${subsystem}_${program}${plain}_${UNIT_NAMES[unit]}`
    .replace(/[^a-zA-Z0-9_:]/g, "_").replace(/_+/g, "_");
}

export function seriesValue({ unit, value }: Measure): number {
  if (unit === "percent") return value / 100;
  return unit === "kibibytes" ? value * 1024 : value;
}

/** A rule's or a file's name within the name of a field. */
export function sanitized(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/_+/g, "_").replace(/_$/, "");
}
