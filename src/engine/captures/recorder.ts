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
import type { Filter } from "./compile_filter.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import type { RecordStart } from "../contract/messages.ts";
import type { Tap } from "./tap.ts";

/** What was recorded is on the disk at the latest so long after. */
const SECURE_MS = 1_000;
const SECOND_NS = 1_000_000_000n;

/** Codes whose events the tables need: the filter only makes them silent. */
const STATE_CODES = new Set(stateCodes());
const KEPT = Uint8Array.from(EVENTS, ({ code }) => STATE_CODES.has(code) ? 1 : 0);

export interface RecorderParts {
  readonly options: RecordStart;
  readonly machine: MachineHost;
  readonly counters: Counters;
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
  /** Events and bytes of the files before the present one. */
  #eventsBefore = 0;
  #bytesBefore = 0;

  /** Opens the first file; throws CaptureWriteError where that cannot be. */
  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#filtered = parts.options.filter !== undefined;
    this.#left = parts.options.events ?? Infinity;
    this.#securedMs = parts.clock();
    this.#writer = this.#open();
  }

  /**
   * The rules of a run that records under a filter: they tell the recorder what the filter takes,
   * and match what `rules` match.
   */
  rules(filter: Filter, rules: RuleSet): RuleSet {
    const taken = this.#taken;
    const wanted = filter.wanted.map((bit, code) => bit | rules.wanted[code]!);
    return {
      rules: rules.rules,
      wanted,
      seen: filter.seen | rules.seen,
      eventNames: filter.eventNames.union(rules.eventNames),
      match(context: Context, out: Int32Array): number {
        const { code, offset } = context.event;
        if (filter.wanted[code] === 1 && filter.takes(context)) taken.push(offset);
        return rules.wanted[code] === 1 ? rules.match(context, out) : 0;
      },
    };
  }

  begin(bytes: Uint8Array, length: number): void {
    const blocks = this.#blocks;
    blocks.begin(bytes, length);
    this.#taken.length = 0;
    if (!blocks.next()) return;
    const { time } = blocks;
    if (this.#isFull(time)) this.#rotate();
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
    this.#secure();
    this.#count();
    return this.#left <= 0;
  }

  section(): void {
    this.#sectionDue = true;
  }

  idle(): void {
    this.#secure();
    this.#count();
  }

  close(): void {
    const writer = this.#writer;
    // Without an event the state is all there is.
    if (this.#sectionDue) this.#beginSection(BigInt(this.#parts.clock()) * 1_000_000n);
    writer.close();
    this.#count();
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
    this.#writer = this.#open();
    this.#sectionDue = true;
    this.#fileTime = undefined;
    while (filesKept !== undefined && this.#files.length > filesKept) {
      try {
        Deno.removeSync(this.#files.shift()!);
      } catch {
        // Somebody took it away already.
      }
    }
  }

  #open(): CaptureWriter {
    const { path, compression, fileBytes, fileSeconds } = this.#parts.options;
    const isRow = fileBytes !== undefined || fileSeconds !== undefined;
    const name = isRow ? numbered(path, ++this.#fileNumber) : path;
    this.#files.push(name);
    return new CaptureWriter(new CaptureOutput({ path: name, compression, mustBeNew: false }));
  }

  #beginSection(time: bigint): void {
    const { machine } = this.#parts;
    machine.settle();
    this.#writer.begin(machine.dump(time));
    this.#writer.secure();
    this.#sectionDue = false;
  }

  #secure(): void {
    const nowMs = this.#parts.clock();
    if (nowMs - this.#securedMs < SECURE_MS) return;
    this.#securedMs = nowMs;
    this.#writer.secure();
  }

  #count(): void {
    const { counters } = this.#parts;
    counters.set(Counter.RecordedEvents, this.#eventsBefore + this.#writer.events);
    counters.set(Counter.RecordedBytes, this.#bytesBefore + this.#writer.output.written);
  }
}

/** `trace.scap` → `trace_00001.scap`. */
export function numbered(path: string, number: number): string {
  const slash = path.lastIndexOf("/");
  const dot = path.lastIndexOf(".");
  const at = dot > slash + 1 ? dot : path.length;
  return `${path.slice(0, at)}_${String(number).padStart(5, "0")}${path.slice(at)}`;
}
