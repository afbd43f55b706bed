// Constants that are no valid UTF-8. `\xHH` in a quoted string gives a byte; what such bytes and
// the text around them do not make up as UTF-8 is kept as one lone surrogate a byte, U+DC80 to
// U+DCFF, so that a constant stays one string and can still be turned into its bytes.

const encoder = new TextEncoder();
const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a constant. */
export function bytesOf(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/u.test(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const char of text) {
    const unit = char.codePointAt(0)!;
    if (unit >= 0xdc80 && unit <= 0xdcff) bytes.push(unit - 0xdc00);
    else bytes.push(...encoder.encode(char));
  }
  return Uint8Array.from(bytes);
}

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

/** A constant as texts of events are: what is no UTF-8 is U+FFFD. */
export function printable(text: string): string {
  return text.replace(/[\udc80-\udcff]/gu, "\ufffd");
}

function sequenceLength(byte: number): number {
  if (byte >= 0xf0 && byte < 0xf8) return 4;
  if (byte >= 0xe0) return byte < 0xf0 ? 3 : 1;
  return byte >= 0xc2 ? 2 : 1;
}
