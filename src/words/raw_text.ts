// Texts that may hold bytes that are no UTF-8. Names of files and processes are bytes, and so are
// what `\xHH` in a condition says; what they do not make up as UTF-8 is kept as one lone surrogate
// a byte, U+DC80 to U+DCFF, so that a text stays one string, equal bytes are equal strings, and the
// bytes can be had again. What is shown has U+FFFD in their place.

const encoder = new TextEncoder();
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of bytes, without loss. */
export function rawText(bytes: Uint8Array): string {
  const text = lenient.decode(bytes);
  // U+FFFD may stand there itself, so that is not yet an answer.
  return text.includes("\ufffd") ? lossless(bytes) : text;
}

/** A text as it is shown: U+FFFD for what is no UTF-8. */
export function shownText(text: string): string {
  return text.isWellFormed() ? text : lenient.decode(bytesOf(text));
}

/** Whether a text holds whole characters alone: then it is in another where its bytes are. */
export function isOfCharacters(text: string): boolean {
  return text.isWellFormed();
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const char of text) {
    const unit = char.codePointAt(0)!;
    if (unit >= 0xdc80 && unit <= 0xdcff) bytes.push(unit - 0xdc00);
    else bytes.push(...encoder.encode(char));
  }
  return Uint8Array.from(bytes);
}

/** How many bytes a text has. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += unitsAt(text, at)) bytes += bytesAt(text, at);
  return bytes;
}

/** The place of the character that begins at so many bytes. */
export function characterAt(text: string, bytes: number): number {
  let at = 0;
  for (let left = bytes; left > 0 && at < text.length; at += unitsAt(text, at)) {
    left -= bytesAt(text, at);
  }
  return at;
}

function unitsAt(text: string, at: number): number {
  const isPair = (text.charCodeAt(at) & 0xfc00) === 0xd800 &&
    (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
  return isPair ? 2 : 1;
}

function bytesAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  if (unit >= 0xdc80 && unit <= 0xdcff) return 1;
  return unitsAt(text, at) === 2 ? 4 : 3;
}

/** Text of a file: bytes that are no UTF-8 are kept, a byte order mark is not. */
export function textOf(bytes: Uint8Array): string {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const content = bytes.subarray(start);
  return rawText(content);
}

function lossless(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(
      ...bytes.subarray(at, at + CHUNK).values().map((byte) => byte < 0x80 ? byte : 0xdc00 + byte),
    );
  }
  return decodeLossless(text);
}

/** Arguments of one call. */
const CHUNK = 4096;

/** Puts bytes that are valid UTF-8 together; the others stay as they are. */
export function decodeLossless(text: string): string {
  return text.replace(/[\udc80-\udcff]+/gu, (run) => {
    let result = "";
    for (let at = 0; at < run.length;) {
      const length = sequenceLength(run.charCodeAt(at) - 0xdc00);
      const bytes = bytesOf(run.slice(at, at + length));
      try {
        result += length > 1 ? fatal.decode(bytes) : run[at];
        at += length;
      } catch {
        result += run[at++];
      }
    }
    return result;
  });
}

function sequenceLength(byte: number): number {
  if (byte >= 0xf0 && byte < 0xf8) return 4;
  if (byte >= 0xe0) return byte < 0xf0 ? 3 : 1;
  return byte >= 0xc2 ? 2 : 1;
}
