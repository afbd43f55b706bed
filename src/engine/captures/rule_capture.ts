// `capture:` of rules: an alert starts a capture, which ends after the time that the rules ask for
// or at the bound of its size, as in Falco. Ours: it begins some seconds before the alert.
import { BlockCopy } from "../../events/scap/block_copy.ts";
import { CaptureOutput } from "../../events/scap/output.ts";
import { CaptureWriter } from "../../events/scap/writer.ts";
import type { CompiledRule } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import { type CaptureDisk, type CaptureFile, HOW } from "./capture_disk.ts";
import { EventRing } from "./event_ring.ts";
import type { CaptureRulesStart } from "../contract/messages.ts";
import type { Tap, TapHost } from "./tap.ts";

const MIB = 1 << 20;
const MS_NS = 1_000_000n;
/** What a capture holds is handed to the disk at the latest so long after. */
const SECURE_MS = 1_000;
/** Behind a gap, a section is begun so often at the most: the tables may be large. */
const ANEW_MS = 1_000;
/** Failures are told this often at the most; all are counted. */
const TELL_MS = 10_000;
/** `Informational`. */
const PRIORITY = 6;

export interface RuleCaptureParts {
  readonly options: CaptureRulesStart;
  readonly context: Context;
  readonly machine: MachineHost;
  readonly counters: Counters;
  readonly host: TapHost;
  /** A line for the person who runs saker. */
  readonly notice: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** A replay: nothing may depend on how fast it runs. */
  readonly isReplay: boolean;
  readonly disk: CaptureDisk;
}

export class RuleCapture implements Tap {
  readonly #parts: RuleCaptureParts;
  #options: CaptureRulesStart;
  readonly #blocks = new BlockCopy();
  readonly #ring: EventRing | undefined;
  #writer: CaptureWriter | undefined;
  #file: CaptureFile | undefined;
  /** Event time, ns, at which the capture ends: the latest that a matching rule asked for. */
  #deadline = 0n;
  /** Event time, ns, beyond which nothing prolongs it. */
  #latest = 0n;
  /** Bytes of the captures that ended. */
  #totalBytes = 0;
  #securedMs = 0;
  #anewMs = -Infinity;
  /** Events that captures which ended lack. */
  #lost = 0;
  #toldMs = -Infinity;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(parts: RuleCaptureParts) {
    this.#parts = parts;
    this.#options = parts.options;
    const { beforeMs, beforeBytes } = parts.options;
    if (beforeMs === 0) return;
    this.#ring = new EventRing({
      keepNs: BigInt(beforeMs) * MS_NS,
      bytesMax: beforeBytes,
      dump: (time) => this.#dump(time),
      clock: parts.isReplay ? () => 0 : () => performance.now(),
    });
  }

  /** Others from the next event on; what is held for captures to begin with stays as it is. */
  setOptions(options: CaptureRulesStart): void {
    this.#options = options;
  }

  begin(bytes: Uint8Array, length: number): void {
    this.#bytes = bytes;
    this.#checkDisk();
    const blocks = this.#blocks;
    blocks.begin(bytes, length);
    const endsGap = this.#writer?.hasGap === true && this.#mayBeginAnew();
    const keeps = this.#ring !== undefined && this.#writer === undefined;
    if (!(endsGap || keeps) || !blocks.next()) return;
    if (endsGap) this.#writer!.begin(this.#dump(blocks.time));
    else this.#ring!.begin(blocks.time, length);
    blocks.begin(bytes, length);
  }

  matched(rule: CompiledRule): void {
    const { mode, durationMs, maxDurationMs } = this.#options;
    const { event } = this.#parts.context;
    // What is before this event may end the capture that runs.
    if (this.#writer !== undefined) this.#copyTo(event.offset);
    const time = event.time();
    const deadline = time + BigInt(rule.captureDurationMs || durationMs) * MS_NS;
    const starts = this.#writer === undefined && (mode === "all_rules" || rule.capture);
    if (starts) this.#latest = time + BigInt(maxDurationMs) * MS_NS;
    // Whoever triggers a rule again and again would have it go on for ever.
    const bounded = maxDurationMs > 0 && deadline > this.#latest ? this.#latest : deadline;
    if (bounded > this.#deadline) this.#deadline = bounded;
    if (starts) this.#start(time);
  }

  file(): string | undefined {
    return this.#file?.name;
  }

  end(length: number): boolean {
    if (this.#writer !== undefined) {
      this.#blocks.limit(length);
      this.#copyTo(length);
      this.#secure();
    } else this.#ring?.add(this.#bytes, length);
    this.#count();
    return false;
  }

  section(): void {
    this.#stop();
    this.#ring?.clear();
  }

  idle(): void {
    this.#checkDisk();
    if (this.#writer !== undefined) this.#secure();
    this.#count();
  }

  close(): void {
    this.#stop();
    const late = this.#parts.disk.finish();
    this.#count();
    this.#checkDisk();
    if (late === undefined) return;
    this.#parts.counters.add(Counter.CapturesFailed, 1);
    this.#parts.notice(`Warning: ${late.message}`);
  }

  /** The tables before the first event of a batch. */
  #dump(time: bigint): Uint8Array {
    const { machine } = this.#parts;
    machine.settle();
    return machine.dump(time);
  }

  #start(time: bigint): void {
    const options = this.#options;
    const { machine, counters } = this.#parts;
    const { event } = this.#parts.context;
    const { maxTotalMib } = options;
    if (maxTotalMib > 0 && this.#totalBytes >= maxTotalMib * MIB) {
      this.#deadline = 0n;
      this.#fail(`Warning: No more captures: they have capture.max_total_mb (${maxTotalMib} MB)`);
      return;
    }
    const path = `${options.pathPrefix}_${padded(time)}_${padded(event.num)}.scap`;
    const file = this.#open(path);
    if (file === undefined) return;
    const writer = new CaptureWriter(new CaptureOutput({ compression: 1, sink: file }));
    this.#file = file;
    this.#writer = writer;
    this.#securedMs = this.#parts.clock();
    counters.add(Counter.CapturesStarted, 1);
    const held = this.#ring?.held();
    if (held !== undefined) {
      writer.begin(held.state);
      for (const piece of held.pieces) this.#writeHeld(writer, piece);
      this.#ring!.clear();
      return;
    }
    // As in Falco: the tables as they are after this event, then this event.
    writer.begin(machine.dump(time));
    while (this.#blocks.next() && this.#blocks.event < event.offset);
    this.#write(writer);
  }

  /** A new file of that name; undefined where that is known to be in vain. */
  #open(path: string): CaptureFile | undefined {
    const { disk, isReplay } = this.#parts;
    if (!isReplay && !disk.hasRoom) {
      this.#fail(`Warning: Cannot write capture "${path}": those before it are not written yet`);
      return undefined;
    }
    const file = disk.open(path, HOW.new);
    if (!isReplay) return file;
    disk.settle();
    return this.#checkDisk(file.file) ? undefined : file;
  }

  #writeHeld(writer: CaptureWriter, bytes: Uint8Array): void {
    const blocks = new BlockCopy();
    blocks.begin(bytes, bytes.length);
    while (blocks.next()) writer.write(blocks.view, blocks.start, blocks.end);
  }

  /** Writes the batch up to the event at `offset`, without it; stops where the capture ends. */
  #copyTo(offset: number): void {
    const writer = this.#writer!;
    const blocks = this.#blocks;
    while (this.#writer !== undefined && blocks.end < offset && blocks.next()) {
      // The event that matched comes next time, when its deadline is known.
      if (blocks.event >= offset) return blocks.back();
      this.#write(writer);
    }
  }

  #write(writer: CaptureWriter): void {
    const blocks = this.#blocks;
    writer.write(blocks.view, blocks.start, blocks.end);
    if (blocks.time >= this.#deadline) return this.#stop();
    const { maxFileMib } = this.#options;
    if (maxFileMib === 0 || writer.output.written < maxFileMib * MIB) return;
    this.#stop();
    const rule = "Falco internal: capture size limit reached";
    this.#parts.host.alert({
      rule,
      message: `${rule}. Configured limit: ${maxFileMib} MB.`,
      outputFields: [
        ["max_file_size_mb", maxFileMib],
        ["written_bytes", writer.output.written],
      ],
      priority: PRIORITY,
    });
  }

  #stop(): void {
    const [writer, file] = [this.#writer, this.#file];
    this.#writer = this.#file = undefined;
    this.#deadline = 0n;
    if (writer === undefined || file === undefined) return;
    writer.close();
    this.#totalBytes += writer.output.written;
    const { lost } = writer;
    if (lost === 0) return;
    this.#lost += lost;
    this.#tell(`Warning: Capture "${file.name}" lacks ${lost} events: its disk did not keep up`);
  }

  #secure(): void {
    const writer = this.#writer;
    const nowMs = this.#parts.clock();
    // Only where time is real, so that a replay writes the same bytes twice.
    if (writer === undefined || this.#parts.isReplay) return;
    if (nowMs - this.#securedMs < SECURE_MS) return;
    this.#securedMs = nowMs;
    writer.secure();
  }

  /** Where there is room again, the tables as they are now make what follows right. */
  #mayBeginAnew(): boolean {
    const { disk, clock } = this.#parts;
    const nowMs = clock();
    if (!disk.hasRoom || nowMs - this.#anewMs < ANEW_MS) return false;
    this.#anewMs = nowMs;
    return true;
  }

  /** A capture that cannot be written ends; the watching goes on. Whether `asked` failed. */
  #checkDisk(asked?: number): boolean {
    let hasFailed = false;
    for (const { file, error } of this.#parts.disk.failures()) {
      this.#fail(`Warning: ${error.message}`);
      if (file === asked) hasFailed = true;
      if (file === this.#file?.file) this.#stop();
    }
    return hasFailed;
  }

  #fail(line: string): void {
    this.#parts.counters.add(Counter.CapturesFailed, 1);
    this.#tell(line);
  }

  /** Alerts may come in masses, and each of them would fail in the same way. */
  #tell(line: string): void {
    const nowMs = this.#parts.clock();
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    this.#parts.notice(line);
  }

  #count(): void {
    const { counters, disk } = this.#parts;
    counters.set(Counter.CaptureEventsLost, this.#lost + (this.#writer?.lost ?? 0));
    counters.set(Counter.CaptureGap, this.#writer?.hasGap === true ? 1 : 0);
    disk.tell();
    if (this.#ring === undefined) return;
    counters.set(Counter.CaptureRingBytes, this.#ring.bytes);
    counters.set(Counter.CaptureRingOverflows, this.#ring.overflows);
  }
}

function padded(value: bigint | number): string {
  return String(value).padStart(20, "0");
}
