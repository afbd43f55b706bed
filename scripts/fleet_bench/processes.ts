// What processes and directories take: read before and after, told as differences.

export interface Taken {
  readonly cpuSeconds: number;
  /** Resident. */
  readonly megabytes: number;
}

/** Of a process with all its threads. */
export function takenBy(pid: number): Taken {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // Behind the name: state is the first field, user and system time the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    megabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1000,
  };
}

/** Of all files below a directory, as they lie on disk. */
export function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    bytes += isDirectory ? bytesBelow(path) : Deno.statSync(path).size;
  }
  return bytes;
}

/** Until it takes next to no CPU for a second, or a minute is over. */
export async function settled(pid: number): Promise<void> {
  for (const until = performance.now() + 60_000; performance.now() < until;) {
    const { cpuSeconds } = takenBy(pid);
    await pause(1000);
    if (takenBy(pid).cpuSeconds - cpuSeconds <= 0.02) return;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)]!;
}
