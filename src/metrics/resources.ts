// What saker takes of the machine, and the machine itself: read from /proc when it is asked for.
// What cannot be read is left out, not shown as nothing.
import type { Measure } from "./measure.ts";

export interface ResourceOptions {
  /** Prefix of the host's /proc: HOST_ROOT. */
  readonly hostRoot: string;
  /** FALCO_CGROUP_MEM_PATH: where the memory of saker's container is told. */
  readonly memoryPath?: string | undefined;
}

export interface Resources {
  readonly measures: readonly Measure[];
  /** Nanoseconds since the epoch; undefined where it is not known. */
  readonly bootNs: bigint | undefined;
  /** Bytes that are resident. */
  readonly residentBytes: number | undefined;
}

/** USER_HZ: ticks a second in /proc/self/stat, on every Linux of x86_64. */
const TICKS_PER_SECOND = 100;
const V1_MEMORY = "/sys/fs/cgroup/memory/memory.usage_in_bytes";

export function readResources({ hostRoot, memoryPath }: ResourceOptions): Resources {
  const status = textOf("/proc/self/status");
  const stat = textOf(`${hostRoot}/proc/stat`);
  const rssKb = numberIn(status, /^VmRSS:\s+(\d+)/m);
  const boot = numberIn(stat, /^btime (\d+)/m);
  const found: [string, Measure["unit"], number | undefined][] = [
    ["cpu_usage_perc", "percent", ownCpu(hostRoot)],
    ["memory_rss_kb", "kibibytes", rssKb],
    ["memory_vsz_kb", "kibibytes", numberIn(status, /^VmSize:\s+(\d+)/m)],
    ["memory_pss_kb", "kibibytes", numberIn(textOf("/proc/self/smaps_rollup"), /^Pss:\s+(\d+)/m)],
    ["container_memory_used_bytes", "bytes", containerMemory(memoryPath)],
    ["host_cpu_usage_perc", "percent", hostCpu(stat)],
    ["host_memory_used_kb", "kibibytes", hostMemory(hostRoot)],
    ["host_procs_running", "count", numberIn(stat, /^procs_running (\d+)/m)],
    ["host_open_fds", "count", numberIn(textOf(`${hostRoot}/proc/sys/fs/file-nr`), /^(\d+)/)],
  ];
  return {
    measures: found.flatMap(([name, unit, value]) =>
      value === undefined ? [] : [{ name, unit, value, group: "resource", kind: "gauge" }]
    ),
    bootNs: boot === undefined ? undefined : BigInt(boot) * 1_000_000_000n,
    residentBytes: rssKb === undefined ? undefined : rssKb * 1024,
  };
}

/** CPU time of this process since its start, as a share of one CPU. */
function ownCpu(hostRoot: string): number | undefined {
  // Behind the name, which may hold anything: state is the first, utime the 12th, start the 20th.
  const fields = textOf("/proc/self/stat")?.replace(/^.*\) /s, "").split(" ").map(Number);
  const uptime = numberIn(textOf(`${hostRoot}/proc/uptime`), /^([\d.]+)/);
  if (fields === undefined || uptime === undefined) return undefined;
  const elapsed = uptime - fields[19]! / TICKS_PER_SECOND;
  if (!(elapsed > 0)) return undefined;
  return tenth(100 * (fields[11]! + fields[12]!) / TICKS_PER_SECOND / elapsed);
}

/** Of all CPUs since the machine began. */
function hostCpu(stat: string | undefined): number | undefined {
  const line = stat === undefined ? null : /^cpu +(.*)$/m.exec(stat);
  if (line === null) return undefined;
  const times = line[1]!.split(" ").slice(0, 7).map(Number);
  const sum = times.reduce((total, time) => total + time, 0);
  return sum > 0 ? tenth(100 - 100 * times[3]! / sum) : undefined;
}

function hostMemory(hostRoot: string): number | undefined {
  const text = textOf(`${hostRoot}/proc/meminfo`);
  const of = (name: string) => numberIn(text, new RegExp(`^${name}:\\s+(\\d+)`, "m"));
  const [total, free] = [of("MemTotal"), of("MemFree")];
  if (total === undefined || free === undefined) return undefined;
  return total - free - (of("Buffers") ?? 0) - (of("Cached") ?? 0);
}

/** Falco reads cgroup v1 alone; on v2 it is the process's own group. */
function containerMemory(memoryPath: string | undefined): number | undefined {
  const isSound = memoryPath !== undefined && memoryPath !== "" && !memoryPath.includes("..");
  const told = numberIn(textOf(isSound ? memoryPath : V1_MEMORY), /^(\d+)/);
  if (told !== undefined || isSound) return told;
  const group = /^0::(\/.*)$/m.exec(textOf("/proc/self/cgroup") ?? "");
  if (group === null || group[1]!.includes("..")) return undefined;
  return numberIn(textOf(`/sys/fs/cgroup${group[1]}/memory.current`), /^(\d+)/);
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const found = text === undefined ? null : pattern.exec(text);
  return found === null ? undefined : Number(found[1]);
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
