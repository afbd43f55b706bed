// Numbers by rule, by CPU and by program of the probe, in shared memory: the engine writes them,
// whoever was told of the memory reads them while the engine is busy. What a row is about is told
// once, with each new set of rules.

/** A rule in force. */
export interface RuleRow {
  readonly name: string;
  /** Index into PRIORITY_NAMES. */
  readonly priority: number;
  readonly source: string;
  readonly tags: readonly string[];
}

/** As it crosses between the threads. */
export interface TalliesTold {
  readonly rules: readonly RuleRow[];
  readonly programs: readonly string[];
  readonly cpus: number;
  readonly buffer: SharedArrayBuffer;
}

export class Tallies {
  readonly rules: readonly RuleRow[];
  readonly programs: readonly string[];
  readonly cpus: number;
  readonly buffer: SharedArrayBuffer;
  /** By rule: alerts, and nanoseconds that its condition and its output took (sampled). */
  readonly matches: Float64Array;
  readonly conditionNs: Float64Array;
  readonly outputNs: Float64Array;
  /** By rule: time of the last event that it matched, ms since the epoch; 0: none so far. */
  readonly lastMs: Float64Array;
  /** By CPU: events that were written, and that were lost of each lane. */
  readonly cpuEvents: Float64Array;
  readonly cpuLostCritical: Float64Array;
  readonly cpuLostBulk: Float64Array;
  /** By program of the probe. */
  readonly runs: Float64Array;
  readonly runNs: Float64Array;

  /** Over memory that another thread made, or new memory. */
  constructor({ rules, programs, cpus, buffer }: Omit<TalliesTold, "buffer"> & {
    readonly buffer?: SharedArrayBuffer;
  }) {
    this.rules = rules;
    this.programs = programs;
    this.cpus = cpus;
    const sizes = [rules, rules, rules, rules].map(({ length }) => length)
      .concat(cpus, cpus, cpus, programs.length, programs.length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const shared = buffer ?? new SharedArrayBuffer(total * 8);
    this.buffer = shared;
    let at = 0;
    const parts = sizes.map((size) => new Float64Array(shared, (at += size) * 8 - size * 8, size));
    this.matches = parts[0]!;
    this.conditionNs = parts[1]!;
    this.outputNs = parts[2]!;
    this.lastMs = parts[3]!;
    this.cpuEvents = parts[4]!;
    this.cpuLostCritical = parts[5]!;
    this.cpuLostBulk = parts[6]!;
    this.runs = parts[7]!;
    this.runNs = parts[8]!;
  }

  told(): TalliesTold {
    return {
      rules: this.rules,
      programs: this.programs,
      cpus: this.cpus,
      buffer: this.buffer,
    };
  }
}
