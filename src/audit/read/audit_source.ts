// Audit events as an event source: documents of JSON come in, .scap blocks of plugin events go out,
// each with one event's JSON as its data. What is no audit event is counted and told.
import {
  PLUGIN_DATA_AT,
  PLUGIN_EVENT_AT,
  pluginBlockBytes,
  PluginFrames,
} from "../../events/plugin_block.ts";
import type { EventSource, SourceStats } from "../../events/source.ts";
import { bytesOf } from "../../words/raw_text.ts";
import type { Event } from "../../events/event.ts";
import type { Documents } from "../decode/documents.ts";
import type { JsonTape } from "../decode/json_tape.ts";
import { AuditDocuments, type FoundEvent } from "../decode/audit_documents.ts";
import { compact } from "../decode/json_value.ts";
import type { AuditChunk, AuditInput } from "./audit_input.ts";

/** Id of Falco's own plugin for these events. */
const PLUGIN_ID = 1;
const NEWLINE = 10;
const RETURN = 13;
/** Documents of a chunk are read together, to so many bytes, and their events handed over so. */
const TOGETHER_BYTES = 1 << 16;

export interface AuditSourceOptions {
  /** Bytes of one event's JSON without blanks; larger ones are left out and counted. */
  readonly eventBytesMax: number;
  /** Told of what is no audit event, not for each of them. */
  readonly onMalformed: (reason: string) => void;
}

export class AuditSource implements EventSource, Documents {
  readonly name = "k8saudit";
  readonly source = "k8s_audit";
  readonly isPiecemeal = true;
  readonly #input: AuditInput;
  readonly #options: AuditSourceOptions;
  /** Those that were read together last. */
  readonly #documents = new AuditDocuments();
  readonly #frames = new PluginFrames();
  #chunk: AuditChunk | undefined;
  /** Where the next document of the chunk begins. */
  #at = 0;
  /** Where in the buffer the events of the documents stand, from `#first` of them on. */
  #first = 0;
  readonly #offsets: number[] = [];
  /** Place of the event that was asked for last: the next one is mostly the next. */
  #found = 0;
  #filledBuffer: Uint8Array | undefined;
  /** Events of the documents that were handed over. */
  #given = 0;
  #chunkEvents = 0;
  #chunkMalformed = 0;
  #chunkReason: string | undefined;
  #events = 0;
  #malformed = 0;
  #ended = false;

  constructor(input: AuditInput, options: AuditSourceOptions) {
    this.#input = input;
    this.#options = options;
  }

  /** Documents and events that are none, since the start. */
  get malformed(): number {
    return this.#malformed;
  }

  read(buffer: Uint8Array): number {
    this.#frames.bind(buffer);
    for (;;) {
      const filled = this.#putEvents(buffer);
      // What was handed over is judged before the next documents are read.
      if (filled > 0) return filled;
      if (this.#nextDocuments()) continue;
      this.#tellJudged();
      if (!this.#takeChunk()) return this.#ended ? -1 : 0;
    }
  }

  /** The event's JSON, which was read already: as long as the buffer holds its documents. */
  find(event: Event): JsonTape | undefined {
    if (event.bytes !== this.#filledBuffer) return undefined;
    const place = this.#offsets[this.#found + 1] === event.offset
      ? this.#found + 1
      : this.#offsets.indexOf(event.offset);
    if (place < 0) return undefined;
    this.#found = place;
    const { tape, events } = this.#documents;
    const { entry, spaced } = events[this.#first + place]!;
    tape.root = entry;
    tape.spaced = spaced;
    return tape;
  }

  /** Writes as many events of the documents as there is room for. */
  #putEvents(buffer: Uint8Array): number {
    const { events } = this.#documents;
    let filled = 0;
    this.#offsets.length = 0;
    this.#found = -1;
    this.#filledBuffer = buffer;
    for (; this.#given < events.length; this.#given++) {
      const size = this.#put(events[this.#given]!, buffer, filled);
      if (size === 0 && filled > 0) break;
      if (filled === 0) this.#first = this.#given;
      if (size <= 0) {
        this.#tellLarge(buffer);
        // Offsets and events go side by side.
        if (filled > 0) this.#offsets.push(-1);
        continue;
      }
      this.#offsets.push(filled + PLUGIN_EVENT_AT);
      filled += size;
    }
    return filled;
  }

  #takeChunk(): boolean {
    const taken = this.#ended ? "ended" : this.#input.take();
    if (taken === undefined) return false;
    if (taken === "ended") {
      this.#ended = true;
      return false;
    }
    this.#chunk = taken;
    this.#at = 0;
    if (taken.refused !== undefined) this.#tellMalformed(1, taken.refused);
    return true;
  }

  wait(timeoutMs: number): void {
    this.#input.wait(timeoutMs);
  }

  stats(): SourceStats {
    return { events: this.#events, lost: [0, 0], truncated: 0, programs: 0 };
  }

  progress(): { readonly read: number; readonly total: number } | undefined {
    return this.#input.progress?.();
  }

  snapshot(): Uint8Array {
    return new Uint8Array();
  }

  setInterest(): void {}

  close(): void {
    this.#input.close();
  }

  /** Reads the chunk's next documents; whether there were any. */
  #nextDocuments(): boolean {
    this.#given = 0;
    this.#documents.events.length = 0;
    const chunk = this.#chunk;
    if (chunk === undefined || this.#at >= chunk.bytes.length) return false;
    this.#documents.begin(chunk.bytes);
    const end = Math.min(chunk.bytes.length, this.#at + TOGETHER_BYTES);
    do this.#nextDocument(this.#chunk!); while (this.#at < end && this.#chunk === chunk);
    return true;
  }

  #nextDocument(chunk: AuditChunk): void {
    const { bytes } = chunk;
    const from = this.#at;
    if (chunk.isLines) {
      // Empty lines are none.
      const at = bytes[from] === RETURN ? from + 1 : from;
      if (at === bytes.length || bytes[at] === NEWLINE) {
        this.#at = at + 1;
        return;
      }
      this.#at = this.#documents.readLine(from, bytes.length);
    } else {
      this.#documents.read(from, bytes.length);
      this.#at = bytes.length;
    }
    const { malformed, reason, tape } = this.#documents;
    if (malformed === 0) return;
    if (!chunk.isLines && tape.error !== "" && this.#areLines(bytes)) {
      this.#chunk = { bytes, isLines: true };
      this.#at = 0;
      return;
    }
    this.#tellMalformed(malformed, reason!);
  }

  /** Whether what is no document begins with a line that is one. */
  #areLines(bytes: Uint8Array): boolean {
    const newline = bytes.indexOf(NEWLINE);
    return newline > 0 && this.#documents.tape.append(0, newline) >= 0;
  }

  /** Writes the event's block; returns its bytes, 0 where there is no room, -1 where there never
   * is. */
  #put(event: FoundEvent, buffer: Uint8Array, at: number): number {
    const data = at + PLUGIN_DATA_AT;
    const room = Math.min(buffer.length - at - pluginBlockBytes(0), this.#options.eventBytesMax);
    const isCut = room < this.#options.eventBytesMax;
    const length = room < 0 ? -1 : this.#putData(event, buffer, data, data + room);
    if (length < 0) return isCut ? 0 : -1;
    const { seconds, nanoseconds } = event;
    this.#frames.write(at, length, PLUGIN_ID, seconds, nanoseconds);
    this.#events++;
    this.#chunkEvents++;
    return pluginBlockBytes(length);
  }

  /** Writes the event's JSON; returns its bytes, -1 where it does not fit. */
  #putData(
    { entry, spaced }: FoundEvent,
    buffer: Uint8Array,
    from: number,
    to: number,
  ): number {
    const { tape } = this.#documents;
    const { starts, ends } = tape;
    tape.spaced = spaced;
    const json = spaced
      ? bytesOf(compact(tape, entry))
      : tape.bytes.subarray(starts[entry], ends[entry]);
    if (json.length > to - from) return -1;
    buffer.set(json, from);
    return json.length;
  }

  #tellLarge(buffer: Uint8Array): void {
    const most = Math.min(this.#options.eventBytesMax, buffer.length);
    this.#tellMalformed(1, `an event has more than ${most} bytes`);
  }

  #tellMalformed(count: number, reason: string): void {
    this.#malformed += count;
    this.#chunkMalformed += count;
    this.#chunkReason ??= reason;
    this.#options.onMalformed(reason);
  }

  #tellJudged(): void {
    if (this.#chunk === undefined) return;
    this.#chunk = undefined;
    this.#input.judged({
      events: this.#chunkEvents,
      malformed: this.#chunkMalformed,
      reason: this.#chunkReason,
    });
    this.#chunkEvents = this.#chunkMalformed = 0;
    this.#chunkReason = undefined;
  }
}
