// OTLP's messages in protobuf: a request goes out as bytes, what a server answers comes in. Field
// numbers are those of opentelemetry-proto 1.x (logs/v1, common/v1, collector/logs/v1) and of
// google/rpc (Status, RetryInfo).
import {
  EVENT_NAME,
  type OtlpAttributes,
  type OtlpRequest,
  type OtlpValue,
} from "./otlp_record.ts";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Characters up to which a text is written here: the runtime's encoder costs more to call. */
const SHORT = 256;

/** Grows as it is written. */
class Writer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(64 << 10);
  #size = 0;

  /** What was written; valid until more is. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size);
  }

  #room(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + count));
    larger.set(this.bytes);
    this.#bytes = larger;
  }

  #varint(value: number | bigint): void {
    this.#room(10);
    if (typeof value === "number" && value >= 0 && value < 0x8000_0000) {
      let small = value;
      for (; small > 0x7f; small >>>= 7) this.#bytes[this.#size++] = (small & 0x7f) | 0x80;
      this.#bytes[this.#size++] = small;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#size++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#size++] = Number(rest);
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  integer(field: number, value: number | bigint): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  fixed(field: number, value: BigUint64Array<ArrayBuffer> | Float64Array<ArrayBuffer>): void {
    this.#tag(field, FIXED64);
    this.#room(8);
    // The hosts that saker runs on have the protocol's order of bytes.
    this.#bytes.set(new Uint8Array(value.buffer), this.#size);
    this.#size += 8;
  }

  text(field: number, value: string): void {
    this.#tag(field, BYTES);
    const begin = this.#size;
    this.#varint(value.length);
    if (value.length < SHORT && this.#ascii(value)) return;
    // Lone surrogates become U+FFFD: the protocol's texts are UTF-8.
    const bytes = encoder.encode(value);
    this.#size = begin;
    this.#varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** Whether it is nothing else, and was written. */
  #ascii(value: string): boolean {
    this.#room(value.length);
    const [bytes, begin] = [this.#bytes, this.#size];
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      if (code > 0x7f) return false;
      bytes[begin + at] = code;
    }
    this.#size += value.length;
    return true;
  }

  /** A message within this one: its length stands before it and is known behind it. */
  message(field: number, write: () => void): void {
    this.#tag(field, BYTES);
    const begin = this.#size;
    write();
    const end = this.#size;
    const length = end - begin;
    this.#varint(length);
    const head = this.#size - end;
    // One byte for most: those of attributes.
    const first = this.#bytes[end]!;
    const others = head === 1 ? undefined : this.#bytes.slice(end, this.#size);
    this.#bytes.copyWithin(begin + head, begin, end);
    if (others === undefined) this.#bytes[begin] = first;
    else this.#bytes.set(others, begin);
  }
}

/** An ExportLogsServiceRequest. */
export function encodeRequest({ runs, version, observed }: OtlpRequest): Uint8Array<ArrayBuffer> {
  const to = new Writer();
  for (const { resource, records } of runs) {
    to.message(1, () => {
      to.message(1, () => writeAttributes(to, 1, resource));
      to.message(2, () => {
        to.message(1, () => {
          to.text(1, "saker");
          to.text(2, version);
        });
        for (const record of records) {
          to.message(2, () => {
            to.fixed(1, new BigUint64Array([record.time]));
            to.integer(2, record.severityNumber);
            to.text(3, record.severityText);
            to.message(5, () => to.text(1, record.body));
            writeAttributes(to, 6, record.attributes);
            to.fixed(11, new BigUint64Array([observed]));
            to.text(12, EVENT_NAME);
          });
        }
      });
    });
  }
  return to.bytes;
}

function writeAttributes(to: Writer, field: number, attributes: OtlpAttributes): void {
  for (const [name, value] of attributes) {
    to.message(field, () => {
      to.text(1, name);
      to.message(2, () => writeValue(to, value));
    });
  }
}

/** An AnyValue. */
function writeValue(to: Writer, value: OtlpValue): void {
  switch (typeof value) {
    case "string":
      return to.text(1, value);
    case "boolean":
      return to.integer(2, value ? 1 : 0);
    case "bigint":
      return to.integer(3, value);
    case "number":
      return to.fixed(4, new Float64Array([value]));
    default:
      return to.message(5, () => {
        for (const one of value) to.message(1, () => writeValue(to, one));
      });
  }
}

export interface PartialSuccess {
  readonly rejected: number;
  readonly why: string;
}

/** Of an ExportLogsServiceResponse; what is none counts as an empty one, which is success. */
export function decodePartialSuccess(bytes: Uint8Array): PartialSuccess {
  let [rejected, why] = [0, ""];
  for (const [field, value] of fieldsOf(messageIn(bytes, 1))) {
    if (field === 1 && typeof value === "bigint") rejected = Number(BigInt.asIntN(64, value));
    if (field === 2 && typeof value === "object") why = decoder.decode(value);
  }
  return { rejected, why };
}

export interface Status {
  readonly message: string;
  /** Of its RetryInfo. */
  readonly retryMs?: number;
}

const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

/** Of a google.rpc.Status: what a server says beside its number. */
export function decodeStatus(bytes: Uint8Array): Status {
  let message = "";
  let retryMs: number | undefined;
  for (const [field, value] of fieldsOf(bytes)) {
    if (typeof value !== "object") continue;
    if (field === 2) message = decoder.decode(value);
    if (field === 3 && decoder.decode(messageIn(value, 1)) === RETRY_INFO) {
      retryMs = durationMs(messageIn(messageIn(value, 2), 1));
    }
  }
  return { message, ...(retryMs === undefined ? {} : { retryMs }) };
}

function durationMs(bytes: Uint8Array): number {
  let ms = 0;
  for (const [field, value] of fieldsOf(bytes)) {
    if (typeof value !== "bigint") continue;
    const number = Number(BigInt.asIntN(64, value));
    if (field === 1) ms += number * 1000;
    if (field === 2) ms += number / 1e6;
  }
  return Math.max(0, ms);
}

/** The last field of that number that holds bytes. */
function messageIn(bytes: Uint8Array, wanted: number): Uint8Array {
  let found = new Uint8Array();
  for (const [field, value] of fieldsOf(bytes)) {
    if (field === wanted && typeof value === "object") found = value as Uint8Array<ArrayBuffer>;
  }
  return found;
}

/** Fields with their values, as far as the bytes are a message: a server may answer anything. */
function* fieldsOf(bytes: Uint8Array): Generator<[field: number, value: bigint | Uint8Array]> {
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined) return;
    const [field, wire] = [Number(tag >> 3n), Number(tag & 7n)];
    const value = wire === VARINT || wire === BYTES ? varint() : undefined;
    if (wire === VARINT && value !== undefined) yield [field, value];
    else if (wire === BYTES && value !== undefined && value <= bytes.length - at) {
      const end = at + Number(value);
      yield [field, bytes.subarray(at, end)];
      at = end;
    } else if (wire === FIXED64) at += 8;
    else if (wire === FIXED32) at += 4;
    else return;
  }
}
