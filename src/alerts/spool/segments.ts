// The spool of one output on disk: a private directory of files of records, read from the front and
// written at the end. A file that is delivered is removed; how much of the first one is, stands in
// `position`. Every call waits for the disk: its thread is for that (spool_worker.ts).
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { Message } from "../format/message.ts";
import { Position } from "./position.ts";
import { decodeRecords, encodeRecord, recordSize } from "./record.ts";

interface Segment {
  readonly number: number;
  bytes: number;
}

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

const SEGMENT_BYTES_MAX = 1 << 20;
/** Messages are put in front as well, so numbers go both ways. */
const FIRST_NUMBER = 4_000_000_000_000_000;
const READ_BYTES = 256 << 10;
export const READ_MAX = 256;
const NAME = /^(\d{16})\.seg$/;

export class Segments {
  readonly #directory: string;
  readonly #bytesMax: number;
  readonly #segmentBytesMax: number;
  readonly #position: Position;
  readonly #segments: Segment[];
  /** Delivered bytes of the first segment. */
  #offset = 0;
  #tail: number | undefined;
  /** Sizes of the records that were last read or held, as far as they are not done. */
  #given: number[] = [];
  #alerts = 0;
  #cut = 0;

  /** The directory is there and private. Looks at all that the last run left. */
  constructor(directory: string, bytesMax: number) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
    this.#segmentBytesMax = Math.min(SEGMENT_BYTES_MAX, Math.ceil(bytesMax / 8));
    this.#position = new Position(`${directory}/position`);
    this.#segments = [...Deno.readDirSync(directory)]
      .map(({ name }) => NAME.exec(name)?.[1])
      .filter((number) => number !== undefined)
      .map((number) => ({ number: Number(number), bytes: 0 }))
      .sort((one, other) => one.number - other.number);
    const { segment, offset } = this.#position;
    if (this.#segments[0]?.number === segment) this.#offset = offset;
    try {
      for (const one of this.#segments) this.#look(one);
    } catch (error) {
      this.#position.close();
      throw error;
    }
    this.#removeDelivered();
  }

  get alerts(): number {
    return this.#alerts;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, one) => sum + one.bytes, 0);
  }

  get cut(): number {
    return this.#cut;
  }

  /** Puts messages at the end, as far as there is room; says how many. Throws where none. */
  append(messages: readonly Message[]): number {
    let room = this.#bytesMax - this.bytes;
    const records: Uint8Array[] = [];
    for (const message of messages) {
      const record = encodeRecord(message);
      if (record.length > room) break;
      room -= record.length;
      records.push(record);
    }
    let kept = 0;
    try {
      while (kept < records.length) {
        let bytes = this.#segments.at(-1)?.bytes ?? 0;
        if (this.#tail === undefined || bytes >= this.#segmentBytesMax) bytes = this.#newTail();
        let end = kept;
        while (end < records.length && bytes < this.#segmentBytesMax) {
          bytes += records[end++]!.length;
        }
        this.#write(this.#tail!, this.#segments.at(-1)!, records.slice(kept, end));
        kept = end;
      }
    } catch (error) {
      if (kept === 0) throw error;
    }
    return kept;
  }

  /** Puts messages in front: all of them or none. */
  hold(messages: readonly Message[]): number {
    this.#given = [];
    const records = messages.map(encodeRecord);
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    // What is delivered of the first file is known of that one only.
    if (this.#offset > 0 || this.bytes + bytes > this.#bytesMax) return 0;
    const segment = { number: (this.#segments[0]?.number ?? FIRST_NUMBER) - 1, bytes: 0 };
    const file = this.#create(segment);
    try {
      this.#write(file, segment, records);
    } catch (error) {
      unlinkSync(this.#path(segment));
      throw error;
    } finally {
      closeSync(file);
    }
    this.#segments.unshift(segment);
    this.#given = records.map((record) => record.length);
    return messages.length;
  }

  /** The first messages, which stay until they are done. */
  read(): readonly Message[] {
    this.#given = [];
    const first = this.#segments[0];
    if (first === undefined || this.#alerts === 0) return [];
    const file = openSync(this.#path(first), O_RDONLY | O_NOFOLLOW);
    try {
      let bytes = readAt(file, this.#offset, READ_BYTES);
      const size = recordSize(bytes) ?? 0;
      if (size > bytes.length) bytes = readAt(file, this.#offset, size);
      const { messages, sizes } = decodeRecords(bytes, READ_MAX);
      this.#given = [...sizes];
      if (messages.length === 0) this.#giveUp(first);
      return messages;
    } finally {
      closeSync(file);
    }
  }

  /** So many of those that were last read or held are not wanted any more. */
  done(count: number): void {
    const done = this.#given.splice(0, count);
    if (done.length === 0) return;
    this.#alerts -= done.length;
    this.#offset += done.reduce((sum, size) => sum + size, 0);
    this.#removeDelivered();
    const first = this.#segments[0];
    if (first !== undefined) this.#position.set(first.number, this.#offset);
  }

  close(): void {
    this.#closeTail();
    this.#position.close();
  }

  /** Counts the records of a file; cuts off what is broken. */
  #look(segment: Segment): void {
    const file = openSync(this.#path(segment), O_RDWR | O_NOFOLLOW);
    try {
      const { size } = fstatSync(file);
      const from = segment === this.#segments[0] ? Math.min(this.#offset, size) : 0;
      const { messages, end } = decodeRecords(readAt(file, from, size - from), Infinity);
      segment.bytes = from + end;
      this.#alerts += messages.length;
      if (segment.bytes === size) return;
      this.#cut++;
      ftruncateSync(file, segment.bytes);
    } finally {
      closeSync(file);
    }
  }

  /** What was whole when it was written cannot be read: the rest of the file is lost. */
  #giveUp(segment: Segment): void {
    this.#cut++;
    this.#offset = segment.bytes;
    this.#removeDelivered();
    this.#alerts = 0;
    for (const one of this.#segments) this.#look(one);
  }

  #removeDelivered(): void {
    while (this.#segments.length > 0 && this.#offset >= this.#segments[0]!.bytes) {
      const [first] = this.#segments.splice(0, 1);
      if (this.#segments.length === 0) this.#closeTail();
      this.#offset = 0;
      unlinkSync(this.#path(first!));
    }
  }

  #newTail(): number {
    this.#closeTail();
    const last = this.#segments.at(-1)?.number ?? FIRST_NUMBER;
    const segment = { number: last + 1, bytes: 0 };
    this.#tail = this.#create(segment);
    this.#segments.push(segment);
    return 0;
  }

  #create(segment: Segment): number {
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW;
    return openSync(this.#path(segment), flags, 0o600);
  }

  /** All of it or, where the disk is full, nothing. */
  #write(file: number, segment: Segment, records: readonly Uint8Array[]): void {
    const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
    let at = 0;
    for (const record of records) {
      bytes.set(record, at);
      at += record.length;
    }
    try {
      for (let from = 0; from < bytes.length;) from += writeSync(file, bytes, from);
      fdatasyncSync(file);
    } catch (error) {
      ftruncateSync(file, segment.bytes);
      throw error;
    }
    segment.bytes += bytes.length;
    this.#alerts += records.length;
  }

  #closeTail(): void {
    if (this.#tail !== undefined) closeSync(this.#tail);
    this.#tail = undefined;
  }

  #path({ number }: Segment): string {
    return `${this.#directory}/${String(number).padStart(16, "0")}.seg`;
  }
}

function readAt(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const read = readSync(file, bytes, at, length - at, offset + at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
