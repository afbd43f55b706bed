// The live source: the addon's driver behind the contract of all sources. Blocks come out as the
// kernel's rings held them; the snapshot is taken after the recording began, so nothing is missed
// between the two.
import type { Driver } from "../../bindings-rs/index.d.ts";
import type {
  EventSource,
  ProcessExcess,
  ProgramRuns,
  SequenceGap,
  SourceStats,
} from "./source.ts";

export interface LiveOptions {
  /** The driver's, as `engine.kind` has it. */
  readonly name: string;
  readonly driver: Driver;
  /** Reads the machine as it is now, as .scap blocks. */
  readonly takeSnapshot: () => Uint8Array;
  /** Where the host's files are; empty: as this process sees them. */
  readonly hostRoot: string;
  /** Called once the driver has ended by itself, with the exit code of what it followed. */
  readonly onEnded?: (code: number) => void;
  /** Called whenever the numbers are asked for, which is once a second. */
  readonly perSecond?: () => void;
}

export class LiveSource implements EventSource {
  readonly name: string;
  readonly source = "syscall";
  readonly readsAll = true;
  readonly #driver: Driver;
  readonly #takeSnapshot: () => Uint8Array;
  readonly #perSecond: (() => void) | undefined;
  readonly #hostRoot: string;
  readonly #onEnded: ((code: number) => void) | undefined;
  #programsWanted = 0;

  constructor({ name, driver, takeSnapshot, hostRoot, onEnded, perSecond }: LiveOptions) {
    this.#onEnded = onEnded;
    this.name = name;
    this.#driver = driver;
    this.#hostRoot = hostRoot;
    this.#perSecond = perSecond;
    this.#takeSnapshot = takeSnapshot;
  }

  read(buffer: Uint8Array): number {
    const bytes = this.#driver.drain(buffer);
    if (bytes > 0 || this.#onEnded === undefined) return bytes;
    const code = this.#driver.ended();
    if (code === null) return 0;
    this.#onEnded(code);
    return -1;
  }

  wait(timeoutMs: number, bells: Uint32Array): void {
    this.#driver.wait(timeoutMs, bells);
  }

  /** The end of what is followed rings none. */
  get looksAtBells(): boolean {
    return this.#onEnded === undefined;
  }

  stats(): SourceStats {
    this.#perSecond?.();
    const stats = this.#driver.stats();
    this.#programsWanted = stats.programs;
    return {
      events: Number(stats.events),
      lost: [Number(stats.lostCritical), Number(stats.lostBulk)],
      excess: Number(stats.excess),
      skipped: Number(stats.skipped),
      truncated: Number(stats.truncated),
      named: Number(stats.named),
      unresolved: Number(stats.unresolved),
      filesNamed: Number(stats.filesNamed),
      filesRefused: Number(stats.filesRefused),
      programs: stats.attached,
    };
  }

  takeExcess(): readonly ProcessExcess[] {
    return this.#driver.takeExcess().map((one) => ({ ...one, lost: Number(one.lost) }));
  }

  /** Programs that should be attached, as of the last `stats`. */
  get programsWanted(): number {
    return this.#programsWanted;
  }

  snapshot(): Uint8Array {
    return this.#takeSnapshot();
  }

  setInterest(codes: ReadonlySet<number>): void {
    this.#driver.setInterest(Uint16Array.from(codes));
  }

  setSieve(table: Uint8Array, keepsOpens: boolean): void {
    this.#driver.setSieve(table, keepsOpens);
  }

  nameFiles(names: readonly string[]): void {
    const encoder = new TextEncoder();
    this.#driver.nameFiles(names.map((name) => encoder.encode(name)), this.#hostRoot || "/");
  }

  lookAtRoots(): void {
    this.#driver.lookAtRoots();
  }

  sifted(counts: Float64Array): void {
    for (const { code, events } of this.#driver.sifted()) counts[code] = Number(events);
  }

  lostByCode(): ReadonlyMap<number, number> {
    return new Map(this.#driver.lost().map(({ code, events }) => [code, Number(events)]));
  }

  takeGaps(): readonly SequenceGap[] {
    return this.#driver.takeGaps().map((gap) => ({ ...gap, lost: Number(gap.lost) }));
  }

  cpus(): Float64Array {
    return this.#driver.cpus();
  }

  runs(): readonly ProgramRuns[] {
    return this.#driver.runs()
      .map(({ name, runs, ns }) => ({ name, runs: Number(runs), ns: Number(ns) }));
  }

  close(): void {
    this.#driver.close();
  }
}
