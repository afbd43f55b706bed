// Captures as the engine writes them: pieces go to a thread of the addon, which alone opens,
// writes and closes files, so that a mount that hangs never holds up the engine. Live, what the
// bound has no room for is refused; a replay waits for room.
import { getSystemErrorName } from "node:util";
import type { CaptureDisk as Disk, DiskHow } from "../../../bindings-rs/index.d.ts";
import { type CaptureSink, CaptureWriteError } from "../../events/scap/output.ts";
import { bytesOf, shownText } from "../../words/raw_text.ts";
import { visibleLine } from "../../words/visible.ts";
import type { Addon } from "../host/addon.ts";
import { Counter, type Counters } from "../contract/counters.ts";

/** What may wait to be written: a second's flood live; a replay waits and needs no more. */
const LIVE_BYTES = 64 << 20;
const REPLAY_BYTES = 8 << 20;
/** Descriptors held back for captures that alerts start. */
const RESERVE = 4;
/** The first answer is waited for so long, so that a path that cannot be is told at once. */
const OPEN_MS = 3_000;
/** At the end of a watch, which a signal may have asked for, and of a replay. */
const FINISH_STOPPED_MS = 3_000;
const FINISH_STOPPED_REPLAY_MS = 1_000;
/** At any other end it goes on as long as the disk moves so often. */
const STUCK_MS = 10_000;
/** The engine's heart beats this often while it waits. */
const SLICE_MS = 100;
const TELL_MS = 1_000;
const MIB = 1 << 20;

/** As index.d.ts of the addon has it. */
export const HOW = { new: 0, look: 1, given: 2, standardOutput: 3 } as const;

/** Linux's ENOTBLK, which the runtime has no name for. */
const NOT_BLOCK = 15;

export interface CaptureDiskParts {
  readonly addon: Pick<Addon, "CaptureDisk">;
  readonly counters: Counters;
  /** A line for the person who runs saker. */
  readonly notice: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** A replay: nothing may depend on how fast it runs. */
  readonly isReplay: boolean;
  /** For tests. */
  readonly bytesMax?: number;
}

/** A file that could not be opened or written on; the pieces before are in it. */
export interface CaptureFailure {
  readonly file: number;
  readonly error: CaptureWriteError;
}

export interface CaptureFile extends CaptureSink {
  readonly file: number;
  /** As it is shown. */
  readonly name: string;
}

export class CaptureDisk {
  readonly #parts: CaptureDiskParts;
  readonly #disk: Disk;
  readonly #bytesMax: number;
  /** Names of files that may still fail. */
  readonly #names = new Map<number, string>();
  #toldMs = -Infinity;
  #isStuck = false;

  constructor(parts: CaptureDiskParts) {
    this.#parts = parts;
    this.#bytesMax = parts.bytesMax ?? (parts.isReplay ? REPLAY_BYTES : LIVE_BYTES);
    this.#disk = parts.addon.CaptureDisk.make({ bytesMax: this.#bytesMax, reserve: RESERVE });
  }

  /** `-` is standard output. Whether it could be opened shows in `failures`. */
  open(path: string, how: DiskHow): CaptureFile {
    const disk = this.#disk;
    const isOut = path === "-";
    const name = isOut ? "standard output" : visibleLine(shownText(path));
    const file = disk.open(bytesOf(path), isOut ? HOW.standardOutput : how);
    this.#names.set(file, name);
    return {
      file,
      name,
      take: (bytes, length) => this.#take(file, bytes, length),
      close: () => disk.close(file),
    };
  }

  remove(path: string): void {
    this.#disk.remove(bytesOf(path));
  }

  /** Whether there is room to begin something. */
  get hasRoom(): boolean {
    return this.#disk.state().waitingBytes < this.#bytesMax / 2;
  }

  /** Files that failed since the last call. */
  failures(): CaptureFailure[] {
    const { failures, requests } = this.#disk.state();
    // What is closed and done can fail no more.
    if (failures === 0 && requests === 0) this.#forget();
    if (failures === 0) return [];
    return this.#disk.takeFailures().map(({ file, errno }) => {
      const code = errno === NOT_BLOCK ? "ENOTBLK" : getSystemErrorName(-errno);
      const error = new CaptureWriteError(this.#names.get(file) ?? "?", { code });
      return { file, error };
    });
  }

  /** Waits until all that was asked for is done; live, not for long. */
  settle(): void {
    const { counters, isReplay } = this.#parts;
    const limitMs = isReplay ? Infinity : OPEN_MS;
    for (let ms = 0; ms < limitMs && !this.#disk.wait(SLICE_MS); ms += SLICE_MS) {
      this.#beat();
      if (counters.stopping) return;
    }
  }

  /** Waits at the end, within limits; what of the captures is missing then, if anything. */
  finish(): CaptureWriteError | undefined {
    const { counters, isReplay } = this.#parts;
    const stoppedMs = isReplay ? FINISH_STOPPED_REPLAY_MS : FINISH_STOPPED_MS;
    let waitedMs = 0;
    while (!this.#disk.wait(SLICE_MS)) {
      this.#beat();
      waitedMs += SLICE_MS;
      const isOver = counters.stopping && waitedMs >= stoppedMs;
      if (!isOver && this.#disk.state().stuckMs < STUCK_MS) continue;
      const { waitingBytes } = this.#disk.state();
      const megabytes = (waitingBytes / MIB).toFixed(1);
      const name = [...this.#names.values()].at(-1) ?? "?";
      return new CaptureWriteError(
        name,
        new Error(`its file system does not take the last ${megabytes} MB within the time`),
      );
    }
    return undefined;
  }

  /** Brings the shared numbers up to date, and tells once that the disk stands still. */
  tell(): void {
    const { counters, notice, clock } = this.#parts;
    const nowMs = clock();
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    const { waitingBytes, stuckMs } = this.#disk.state();
    counters.set(Counter.CaptureWaitingBytes, waitingBytes);
    counters.set(Counter.CaptureStuckMs, stuckMs);
    const wasStuck = this.#isStuck;
    this.#isStuck = stuckMs >= STUCK_MS;
    if (wasStuck || !this.#isStuck) return;
    notice(
      `Warning: captures: their file system has not answered for ${STUCK_MS / 1_000} s; ` +
        `what comes waits in memory, up to ${this.#bytesMax / MIB} MB`,
    );
  }

  #take(file: number, bytes: Uint8Array, length: number): boolean {
    const { counters, isReplay } = this.#parts;
    if (!isReplay) return this.#disk.write(file, bytes, length, 0);
    while (!this.#disk.write(file, bytes, length, SLICE_MS)) {
      this.#beat();
      if (counters.stopping) return false;
    }
    return true;
  }

  /** Who waits for the disk is not stuck. */
  #beat(): void {
    this.#parts.counters.set(Counter.HeartbeatMs, Date.now());
  }

  /** Files are asked for in order: of those done, only the last may be open still. */
  #forget(): void {
    const last = Math.max(...this.#names.keys());
    for (const file of this.#names.keys()) if (file !== last) this.#names.delete(file);
  }
}
