// Where commands write and what they ask their surroundings: handed to each command, so that
// tests can give them something else. Texts of others go through here, so nothing that is written
// can steer a terminal but what is drawn or painted on purpose.
import { atMost } from "../alerts/delivery/pause.ts";
import { ErrorStream } from "./error_stream.ts";
import { SyslogLog } from "./syslog_log.ts";
import { variable } from "../words/environment.ts";
import { visibleText } from "../words/visible.ts";
import { wrapBy } from "../words/wrap.ts";

export interface Terminal {
  /** Writes to standard output at once; throws PipeClosed where its reader has gone. */
  out(text: string): void;
  /** Writes to standard error; never throws, since nobody could be told. */
  error(text: string): void;
  /** Writes to the host's syslog with a severity from 0 to 7; never waits nor throws. */
  syslog(severity: number, text: string): void;
  /** As `out` and `error`, with the control characters that we put there ourselves. */
  paint(text: string): void;
  draw(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Of standard output, at this moment; undefined where it is no terminal or does not tell. */
  columns(): number | undefined;
  /** The same of standard error. */
  errorColumns(): number | undefined;
  /** Standard output is somebody else's, a traced command's: alerts go to standard error. */
  readonly alertsToError?: boolean;
  /** Colour on standard output: it is a terminal that has colours, and NO_COLOR is not set. */
  readonly colour: boolean;
  environment(name: string): string | undefined;
  /** The name of a file to be written, as it was given; see words/raw_arguments.ts. */
  nameOf(path: string): string;
  /** From now on what goes to standard error waits for no reader. */
  detach(): void;
  /** Settles when standard error has all that was told, or after so long. */
  flushed(timeoutMs: number): Promise<void>;
}

/** Standard output has no reader any more: the command ends quietly. */
export class PipeClosed extends Error {
  override readonly name = "PipeClosed";
}

/** Standard output does not take what is written, such as on a full disk. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
}

/** Takes back what was drawn on the row. */
export const CLEAR_LINE = "\r\x1b[K";

/** Where syslog(3) sends. */
const SYSLOG_SOCKET = "/dev/log";

export function systemTerminal(nameOf?: (path: string) => string): Terminal {
  const stream = new ErrorStream(Deno.stderr);
  const encoder = new TextEncoder();
  const syslog = new SyslogLog({
    path: SYSLOG_SOCKET,
    pid: Deno.pid,
    onFailure: (line) => stream.write(encoder.encode(`${line}\n`)),
  });
  const outIsTerminal = Deno.stdout.isTerminal();
  const errorIsTerminal = Deno.stderr.isTerminal();
  return terminalOver({
    out(bytes: Uint8Array): void {
      try {
        while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw new PipeClosed();
        throw new OutputFailed("Cannot write to standard output", { cause: error });
      }
    },
    error: (bytes) => stream.write(bytes),
    detach: () => stream.detach(),
    syslog: (severity, text) => syslog.write(severity, text),
    async flushed(timeoutMs): Promise<void> {
      await atMost(timeoutMs, syslog.flushed());
      await stream.flushed(timeoutMs);
    },
    outIsTerminal,
    errorIsTerminal,
    columns: () => outIsTerminal ? terminalSize()?.columns : undefined,
    errorColumns: () => errorIsTerminal ? terminalSize()?.columns : undefined,
    environment: variable,
    ...(nameOf === undefined ? {} : { nameOf }),
  });
}

export interface Streams {
  readonly out: (bytes: Uint8Array) => void;
  readonly error: (bytes: Uint8Array) => void;
  readonly outIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  readonly environment: (name: string) => string | undefined;
  readonly nameOf?: (path: string) => string;
  readonly columns?: () => number | undefined;
  readonly errorColumns?: () => number | undefined;
  readonly syslog?: (severity: number, text: string) => void;
  /** For streams that may wait. */
  readonly detach?: () => void;
  readonly flushed?: (timeoutMs: number) => Promise<void>;
}

export function terminalOver(streams: Streams): Terminal {
  const { outIsTerminal, environment } = streams;
  const encoder = new TextEncoder();
  const isDumb = toldOf(environment, "TERM") === "dumb";
  /** A line that changes stands on the terminal of standard error. */
  let isDrawn = false;
  const plain = isDumb || (toldOf(environment, "NO_COLOR") ?? "") !== "";
  return {
    out: (text) => streams.out(encoder.encode(visibleText(text))),
    error(text): void {
      // What was drawn there is drawn anew below the line, not before it.
      const before = isDrawn ? CLEAR_LINE : "";
      isDrawn = false;
      const shown = fitted(visibleText(text), streams.errorColumns?.());
      streams.error(encoder.encode(before + shown));
    },
    syslog: (severity, text) => streams.syslog?.(severity, visibleText(text)),
    paint: (text) => streams.out(encoder.encode(text)),
    draw(text): void {
      isDrawn = text !== CLEAR_LINE;
      streams.error(encoder.encode(text));
    },
    outIsTerminal,
    errorIsTerminal: streams.errorIsTerminal && !isDumb,
    columns: () => streams.columns?.(),
    errorColumns: () => streams.errorColumns?.(),
    colour: outIsTerminal && !plain,
    environment,
    nameOf: (path) => streams.nameOf?.(path) ?? path,
    detach: () => streams.detach?.(),
    flushed: (timeoutMs) => streams.flushed?.(timeoutMs) ?? Promise.resolve(),
  };
}

/** Of the terminal that the process has; undefined where there is none, or it has no size. */
export function terminalSize(): { readonly columns: number; readonly rows: number } | undefined {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

/** A message of one line, broken between words; reports of several lines are laid out already. */
function fitted(text: string, columns: number | undefined): string {
  if (columns === undefined || text.length <= columns || !/^\S.*\n$/.test(text)) return text;
  return `${wrapBy((piece) => piece.length, text, columns, { indent: "  " }).join("\n")}\n`;
}

/** What is no text is set all the same, and names no terminal that we know. */
function toldOf(environment: Streams["environment"], name: string): string | undefined {
  try {
    return environment(name);
  } catch {
    return "?";
  }
}
