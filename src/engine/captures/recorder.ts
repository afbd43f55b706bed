// `saker record`: everything that passes, or what a filter takes, into a capture or a row of them.
// Each file begins with the machine as it is before its first event.
import { BlockCopy } from "../../events/scap/block_copy.ts";
import { CaptureOutput } from "../../events/scap/output.ts";
import { CaptureWriter } from "../../events/scap/writer.ts";
import { EVENTS } from "../../events/table.ts";
import type { CompiledRule, RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import { stateCodes } from "../../state/events/handlers.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { type CaptureDisk, HOW } from "./capture_disk.ts";
import type { Filter } from "./compile_filter.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import type { RecordStart } from "../contract/messages.ts";
import type { Tap } from "./tap.ts";

/** What was recorded is handed to the disk at the latest so long after. */
const SECURE_MS = 1_000;
/** Behind a gap, a section is begun so often at the most: the tables may be large. */
const ANEW_MS = 1_000;
const SECOND_NS = 1_000_000_000n;

/** Codes whose events the tables need: the filter only makes them silent. */
const STATE_CODES = new Set(stateCodes());
const KEPT = Uint8Array.from(EVENTS, ({ code }) => STATE_CODES.has(code) ? 1 : 0);

export interface RecorderParts {
  readonly options: RecordStart;
  readonly machine: MachineHost;
  readonly counters: Counters;
  readonly disk: CaptureDisk;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export class Recorder implements Tap {
  readonly #parts: RecorderParts;
  readonly #blocks = new BlockCopy();
  #writer: CaptureWriter;
  #files: string[] = [];
  #fileNumber = 0;
  /** Time of the present file's first event. */
  #fileTime: bigint | undefined;
  #sectionDue = true;
  #securedMs: number;
  #left: number;
  /** Event offsets of this batch that the filter takes, in order. */
  readonly #taken: number[] = [];
  readonly #filtered: boolean;
  /** Events and bytes of the files before the present one, and events that they lack. */
  #eventsBefore = 0;
  #bytesBefore = 0;
  #lostBefore = 0;
  #anewMs = -Infinity;
  #closed = false;

  /** Opens the first file; throws CaptureWriteError where that cannot be, if it shows in time. */
  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#filtered = parts.options.filter !== undefined;
    this.#left = parts.options.events ?? Infinity;
    this.#securedMs = parts.clock();
    this.#writer = this.#open();
    parts.disk.settle();
    this.#checkDisk();
  }

  /**
   * The rules of a run that records under a filter: they tell the recorder what the filter takes,
   * and match what `rules` match.
   */
  rules(filter: Filter, rules: RuleSet): RuleSet {
    const taken = this.#taken;
    const wanted = filter.wanted.map((bit, code) => bit | rules.wanted[code]!);
    const take = (context: Context) => {
      const { code, offset } = context.event;
      if (filter.wanted[code] === 1 && filter.takes(context)) taken.push(offset);
      return rules.wanted[code] === 1;
    };
    return {
      rules: rules.rules,
      wanted,
      seen: filter.seen | rules.seen,
      eventNames: filter.eventNames.union(rules.eventNames),
      match(context: Context, out: Int32Array): number {
        return take(context) ? rules.match(context, out) : 0;
      },
      hold: (context, isTold) => take(context) ? rules.hold?.(context, isTold) : undefined,
      account: (index) => rules.account?.(index),
    };
  }

  begin(bytes: Uint8Array, length: number): void {
    const blocks = this.#blocks;
    blocks.begin(bytes, length);
    this.#taken.length = 0;
    if (!blocks.next()) return;
    const { time } = blocks;
    if (this.#isFull(time)) this.#rotate();
    if (this.#writer.hasGap) this.#endGap();
    if (this.#sectionDue) this.#beginSection(time);
    this.#fileTime ??= time;
    blocks.begin(bytes, length);
  }

  matched(_rule: CompiledRule): void {}

  end(length: number): boolean {
    const blocks = this.#blocks;
    blocks.limit(length);
    if (this.#filtered) this.#writeTaken();
    else this.#writeAll();
    this.#look();
    return this.#left <= 0;
  }

  section(): void {
    this.#sectionDue = true;
  }

  idle(): void {
    this.#look();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const writer = this.#writer;
    // Without an event the state is all there is.
    if (this.#sectionDue) this.#beginSection(BigInt(this.#parts.clock()) * 1_000_000n);
    writer.close();
    const late = this.#parts.disk.finish();
    this.#count();
    this.#checkDisk();
    if (late !== undefined) throw late;
  }

  #writeAll(): void {
    const blocks = this.#blocks;
    const writer = this.#writer;
    while (this.#left > 0 && blocks.next()) {
      writer.write(blocks.view, blocks.start, blocks.end);
      if (!blocks.stateOnly) this.#left--;
    }
  }

  #writeTaken(): void {
    const blocks = this.#blocks;
    const writer = this.#writer;
    const taken = this.#taken;
    let next = 0;
    while (this.#left > 0 && blocks.next()) {
      if (taken[next] === blocks.event) {
        next++;
        this.#left--;
        writer.write(blocks.view, blocks.start, blocks.end);
      } else if (KEPT[blocks.code] === 1) {
        writer.write(blocks.view, blocks.start, blocks.end, true);
      }
    }
  }

  #isFull(time: bigint): boolean {
    const { fileBytes, fileSeconds } = this.#parts.options;
    if (fileBytes !== undefined && this.#writer.output.written >= fileBytes) return true;
    return fileSeconds !== undefined && this.#fileTime !== undefined &&
      time >= this.#fileTime + BigInt(fileSeconds) * SECOND_NS;
  }

  #rotate(): void {
    const { filesKept } = this.#parts.options;
    this.#writer.close();
    this.#eventsBefore += this.#writer.events;
    this.#bytesBefore += this.#writer.output.written;
    this.#lostBefore += this.#writer.lost;
    this.#writer = this.#open();
    this.#sectionDue = true;
    this.#fileTime = undefined;
    while (filesKept !== undefined && this.#files.length > filesKept) {
      this.#parts.disk.remove(this.#files.shift()!);
    }
  }

  #open(): CaptureWriter {
    const { disk, options: { path, compression, fileBytes, fileSeconds } } = this.#parts;
    const isRow = fileBytes !== undefined || fileSeconds !== undefined;
    const name = isRow ? numbered(path, ++this.#fileNumber) : path;
    this.#files.push(name);
    const sink = disk.open(name, HOW.given);
    return new CaptureWriter(new CaptureOutput({ compression, sink }));
  }

  /** Where there is room again, the tables as they are now make what follows right. */
  #endGap(): void {
    const { disk, clock } = this.#parts;
    const nowMs = clock();
    if (!disk.hasRoom || nowMs - this.#anewMs < ANEW_MS) return;
    this.#anewMs = nowMs;
    this.#sectionDue = true;
  }

  #beginSection(time: bigint): void {
    const { machine } = this.#parts;
    machine.settle();
    this.#writer.begin(machine.dump(time));
    this.#sectionDue = false;
  }

  #look(): void {
    this.#secure();
    this.#count();
    this.#checkDisk();
  }

  #secure(): void {
    const nowMs = this.#parts.clock();
    if (nowMs - this.#securedMs < SECURE_MS) return;
    this.#securedMs = nowMs;
    this.#writer.secure();
  }

  /** What was written is a whole capture, and there is no more of it. */
  #checkDisk(): void {
    const [failure] = this.#parts.disk.failures();
    if (failure !== undefined) throw failure.error;
  }

  #count(): void {
    const { counters, disk } = this.#parts;
    counters.set(Counter.RecordedEvents, this.#eventsBefore + this.#writer.events);
    counters.set(Counter.RecordedBytes, this.#bytesBefore + this.#writer.output.written);
    counters.set(Counter.CaptureEventsLost, this.#lostBefore + this.#writer.lost);
    counters.set(Counter.CaptureGap, this.#writer.hasGap ? 1 : 0);
    disk.tell();
  }
}

/** `trace.scap` → `trace_00001.scap`. */
export function numbered(path: string, number: number): string {
  const slash = path.lastIndexOf("/");
  const dot = path.lastIndexOf(".");
  const at = dot > slash + 1 ? dot : path.length;
  return `${path.slice(0, at)}_${String(number).padStart(5, "0")}${path.slice(at)}`;
}
