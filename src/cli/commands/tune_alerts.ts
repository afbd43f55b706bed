// Alerts for `saker tune` from where they are: files and pipes of JSON lines, also compressed, and
// captures, whose alerts `ofCapture` makes anew.
import { CaptureInput } from "../../events/scap/input.ts";
import { reasonOf } from "../../files/reason.ts";
import { alertOfLine, type PrintedAlert } from "../../tune/alert.ts";

export interface Gathered {
  readonly alerts: PrintedAlert[];
  /** Lines that are no alerts with fields. */
  readonly strange: number;
  /** Alerts beyond the bound. */
  readonly beyond: number;
}

/** More are a job for a part of them: it says how many were left out. */
export const ALERTS_MAX = 100_000;
const LINE_BYTES_MAX = 1 << 20;
const CHUNK_BYTES = 256 << 10;
const NEWLINE = 10;

/** Reads all of them in order; throws an error of one line where one cannot be read. */
export function gather(
  paths: readonly string[],
  ofCapture: (path: string) => PrintedAlert[],
): Gathered {
  const alerts: PrintedAlert[] = [];
  let strange = 0;
  let beyond = 0;
  const take = (alert: PrintedAlert) => alerts.length < ALERTS_MAX ? alerts.push(alert) : beyond++;
  for (const path of paths) {
    if (path !== "-" && isCapture(path)) {
      for (const alert of ofCapture(path)) take(alert);
      continue;
    }
    let at = 0;
    for (const line of linesOf(path)) {
      at++;
      if (line === "") continue;
      const alert = alertOfLine(line, `${path === "-" ? "standard input" : path}:${at}`);
      if (alert === undefined) strange++;
      else take(alert);
    }
  }
  return { alerts, strange, beyond };
}

/** By its first bytes, compressed or not: those of a section of pcapng. */
export function isCapture(path: string): boolean {
  const first = new Uint8Array(4);
  const input = open(path);
  try {
    let read = 0;
    for (let some = 1; read < 4 && some > 0; read += some) some = input.read(first, read);
    return first[0] === 0x0a && first[1] === 0x0d && first[2] === 0x0d && first[3] === 0x0a;
  } catch {
    // Whoever reads on says what is wrong with it.
    return false;
  } finally {
    input.close();
  }
}

function open(path: string): CaptureInput {
  try {
    return new CaptureInput(path);
  } catch (error) {
    throw new Error(`Cannot read the alerts ${path}: ${reasonOf(error)}`);
  }
}

/** Lines without their ends; one that is too long comes as "?", which is no alert. */
function* linesOf(path: string): Generator<string> {
  const input = open(path);
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let pieces: Uint8Array[] = [];
  let length = 0;
  const line = (): string => {
    const text = length > LINE_BYTES_MAX
      ? "?"
      : pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
    pieces = [];
    length = 0;
    return text.trim();
  };
  try {
    for (;;) {
      const read = readSome(input, chunk, path);
      if (read === 0) break;
      for (let from = 0; from < read;) {
        const at = chunk.indexOf(NEWLINE, from);
        const end = at < 0 || at >= read ? read : at;
        length += end - from;
        if (length <= LINE_BYTES_MAX) pieces.push(chunk.slice(from, end));
        if (end < read) yield line();
        from = end + 1;
      }
    }
    if (length > 0) yield line();
  } finally {
    input.close();
  }
}

function readSome(input: CaptureInput, chunk: Uint8Array, path: string): number {
  try {
    return input.read(chunk, 0);
  } catch (error) {
    throw new Error(`Cannot read the alerts ${path}: ${reasonOf(error)}`);
  }
}
