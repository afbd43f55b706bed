// The events of one plugin that captures hold, as an event source: everything else in them is
// passed over.
import { BlockWalk, Step } from "../events/blocks.ts";
import { Event } from "../events/event.ts";
import { CaptureSource, type Progress } from "../events/scap/capture.ts";
import { type EventSource, NEW_SNAPSHOT, type SourceStats } from "../events/source.ts";
import { codeOf } from "../events/table.ts";
import type { PluginInfo } from "./contract.ts";

/** What a plugin gives, and what plugins send into its source. */
const THEIRS: readonly number[] = [codeOf("PLUGINEVENT_E"), codeOf("ASYNCEVENT_E")];
/** Parameter of both: of which plugin's source. */
const ID = 0;
/** Of a block, before its body and behind it. */
const FRAME_START = 8;
const FRAME_END = 4;

export class CapturedSource implements EventSource {
  readonly name: string;
  readonly source: string;
  readonly #id: number;
  readonly #capture: CaptureSource;
  readonly #walk = new BlockWalk(new Event());
  #events = 0;

  constructor(files: readonly string[], { name, source, id }: PluginInfo) {
    this.name = name;
    this.source = source;
    this.#id = id;
    this.#capture = new CaptureSource(files);
  }

  read(buffer: Uint8Array): number {
    for (;;) {
      const bytes = this.#capture.read(buffer);
      // The tables of the machine are nobody's here.
      if (bytes === NEW_SNAPSHOT) this.#capture.snapshot();
      else if (bytes <= 0) return bytes;
      else {
        const kept = this.#keep(buffer, bytes);
        if (kept > 0) return kept;
      }
    }
  }

  /** Moves the plugin's blocks to the front; returns their bytes. */
  #keep(buffer: Uint8Array, bytes: number): number {
    const walk = this.#walk;
    let kept = 0;
    walk.begin(buffer, bytes);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step !== Step.Event || !THEIRS.includes(walk.event.code)) continue;
      if (!walk.event.has(ID) || walk.event.uint32(ID) !== this.#id) continue;
      const [from, to] = [walk.start - FRAME_START, walk.end + FRAME_END];
      buffer.copyWithin(kept, from, to);
      kept += to - from;
      this.#events++;
    }
    return kept;
  }

  wait(timeoutMs: number): void {
    this.#capture.wait(timeoutMs);
  }

  stats(): SourceStats {
    return { events: this.#events, lost: [0, 0], truncated: 0, programs: 0 };
  }

  progress(): Progress {
    return this.#capture.progress();
  }

  snapshot(): Uint8Array {
    return new Uint8Array();
  }

  setInterest(): void {}

  close(): void {
    this.#capture.close();
  }
}
