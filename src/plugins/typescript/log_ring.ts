// Lines that a plugin says, through the channel: a ring of lines, written by the plugin's side and
// read by the other. What there is no room for is counted.
import { type Channel, LOG_LINE_BYTES, LOG_LINES, Word } from "./channel.ts";

const HEAD_BYTES = 3;
const TEXT_BYTES = LOG_LINE_BYTES - HEAD_BYTES;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface LogLine {
  readonly isWarning: boolean;
  readonly text: string;
}

export function putLine(channel: Channel, isWarning: boolean, line: string): void {
  const written = channel.get(Word.LogWritten);
  if (written - channel.get(Word.LogRead) >= LOG_LINES) return channel.add(Word.LogDropped);
  const bytes = encoder.encode(line.slice(0, LOG_LINE_BYTES)).subarray(0, TEXT_BYTES);
  const at = (written % LOG_LINES) * LOG_LINE_BYTES;
  channel.log[at] = isWarning ? 1 : 0;
  channel.log[at + 1] = bytes.length & 0xff;
  channel.log[at + 2] = bytes.length >> 8;
  channel.log.set(bytes, at + HEAD_BYTES);
  channel.set(Word.LogWritten, written + 1);
}

/** All that was written since, and how many lines there was no room for. */
export function takeLines(channel: Channel): { lines: readonly LogLine[]; dropped: number } {
  const written = channel.get(Word.LogWritten);
  const from = channel.get(Word.LogRead);
  const count = Math.min(Math.max(written - from, 0), LOG_LINES);
  const lines = Array.from({ length: count }, (_, line): LogLine => {
    const at = ((from + line) % LOG_LINES) * LOG_LINE_BYTES;
    const bytes = Math.min(channel.log[at + 1]! | channel.log[at + 2]! << 8, TEXT_BYTES);
    const text = decoder.decode(channel.log.slice(at + HEAD_BYTES, at + HEAD_BYTES + bytes));
    return { isWarning: channel.log[at] === 1, text };
  });
  channel.set(Word.LogRead, written);
  return { lines, dropped: Atomics.exchange(channel.words, Word.LogDropped, 0) };
}
