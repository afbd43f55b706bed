// How much of the first file of a spool is delivered: two places of a small file, written in turn,
// each with its checksum, so that a crash within a write leaves the one before.
//
//     u32 CRC-32 of what follows | u32 turn | f64 number of the file | f64 offset in it
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

const PLACE_BYTES = 24;
const PLACES = 2;

export class Position {
  readonly #file: number;
  #turn = 0;
  segment: number | undefined;
  offset = 0;

  constructor(path: string) {
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    this.#file = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    const bytes = new Uint8Array(PLACES * PLACE_BYTES);
    readSync(this.#file, bytes, 0, bytes.length, 0);
    for (let place = 0; place < PLACES; place++) {
      const one = bytes.subarray(place * PLACE_BYTES, (place + 1) * PLACE_BYTES);
      const view = new DataView(one.buffer, one.byteOffset);
      const turn = view.getUint32(4, true);
      if (view.getUint32(0, true) !== crc32(one.subarray(4)) || turn <= this.#turn) continue;
      this.#turn = turn;
      this.segment = view.getFloat64(8, true);
      this.offset = view.getFloat64(16, true);
    }
  }

  set(segment: number, offset: number): void {
    this.segment = segment;
    this.offset = offset;
    const bytes = new Uint8Array(PLACE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, ++this.#turn, true);
    view.setFloat64(8, segment, true);
    view.setFloat64(16, offset, true);
    view.setUint32(0, crc32(bytes.subarray(4)), true);
    writeSync(this.#file, bytes, 0, PLACE_BYTES, (this.#turn % PLACES) * PLACE_BYTES);
  }

  close(): void {
    closeSync(this.#file);
  }
}
