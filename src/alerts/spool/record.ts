// Messages as records of a spool file: length, checksum, then the message. What a crash left half
// written does not have the checksum that it says.
//
//     u32 length of what follows the checksum | u32 CRC-32 of it
//     u8 version | u8 priority | u64 time in ns | u16 length of hostname | hostname | text
import { crc32 } from "node:zlib";
import type { Message } from "../format/message.ts";

export interface Decoded {
  readonly messages: readonly Message[];
  /** Bytes of each record. */
  readonly sizes: readonly number[];
  /** Where the first record begins that is not whole, or broken. */
  readonly end: number;
}

const HEAD_BYTES = 8;
const FIXED_BYTES = 12;
const VERSION = 1;
/** No alert is that long: more is a broken length. */
export const RECORD_BYTES_MAX = 16 << 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function encodeRecord(message: Message): Uint8Array {
  const host = encoder.encode(message.hostname).subarray(0, 255);
  const text = encoder.encode(message.text);
  const body = FIXED_BYTES + host.length + text.length;
  const bytes = new Uint8Array(HEAD_BYTES + body);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body, true);
  view.setUint8(HEAD_BYTES, VERSION);
  view.setUint8(HEAD_BYTES + 1, message.priority);
  view.setBigUint64(HEAD_BYTES + 2, BigInt.asUintN(64, message.time), true);
  view.setUint16(HEAD_BYTES + 10, host.length, true);
  bytes.set(host, HEAD_BYTES + FIXED_BYTES);
  bytes.set(text, HEAD_BYTES + FIXED_BYTES + host.length);
  view.setUint32(4, crc32(bytes.subarray(HEAD_BYTES)), true);
  return bytes;
}

/** Whole records from the beginning of the bytes, so many at the most. */
export function decodeRecords(bytes: Uint8Array, countMax: number): Decoded {
  const messages: Message[] = [];
  const sizes: number[] = [];
  let end = 0;
  while (messages.length < countMax) {
    const size = recordSize(bytes.subarray(end));
    if (size === undefined || end + size > bytes.length) break;
    const message = decodeOne(bytes.subarray(end, end + size));
    if (message === undefined) break;
    messages.push(message);
    sizes.push(size);
    end += size;
  }
  return { messages, sizes, end };
}

/** Bytes of the record that begins here; undefined where its head is not there or broken. */
export function recordSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const length = viewOf(bytes).getUint32(0, true);
  return length < FIXED_BYTES || length > RECORD_BYTES_MAX ? undefined : HEAD_BYTES + length;
}

function decodeOne(record: Uint8Array): Message | undefined {
  const view = viewOf(record);
  const body = record.subarray(HEAD_BYTES);
  const hostLength = view.getUint16(HEAD_BYTES + 10, true);
  const priority = view.getUint8(HEAD_BYTES + 1);
  if (view.getUint32(4, true) !== crc32(body) || view.getUint8(HEAD_BYTES) !== VERSION) {
    return undefined;
  }
  if (FIXED_BYTES + hostLength > body.length || priority > 7) return undefined;
  return {
    priority,
    time: view.getBigUint64(HEAD_BYTES + 2, true),
    hostname: decoder.decode(body.subarray(FIXED_BYTES, FIXED_BYTES + hostLength)),
    text: decoder.decode(body.subarray(FIXED_BYTES + hostLength)),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
