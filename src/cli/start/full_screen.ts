// The whole terminal for one command: lines come in and are drawn in place, keys go out. The
// terminal is as it was whenever the command does not have it: at its end, after a failure, and
// while it is stopped (ctrl-Z).
import { keysOf } from "../../screen/keys.ts";
import { type Line, lineText } from "../../screen/line.ts";
import { type Terminal, terminalSize } from "../terminal.ts";

export interface ScreenEvents {
  /** Such as `q`, `up`, `page down`. */
  readonly onKey: (key: string) => void;
  /** Its size changed, or it was away. */
  readonly onRedraw: () => void;
  /** It is to end. */
  readonly onEnd: () => void;
}

/** Its own screen, no cursor, nothing goes on in the next line by itself. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/** What is between is shown at once, where a terminal can. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
const SIZE = { columns: 80, rows: 24 };

export class FullScreen {
  readonly #terminal: Terminal;
  readonly #events: ScreenEvents;
  readonly #signals: readonly (readonly [Deno.Signal, () => void])[];
  readonly #onUnload = () => this.#leave();
  readonly #hasKeys = Deno.stdin.isTerminal();
  #isOn = false;
  #isOver = false;

  constructor(terminal: Terminal, events: ScreenEvents) {
    this.#terminal = terminal;
    this.#events = events;
    const end = () => events.onEnd();
    this.#signals = [
      ["SIGINT", end],
      ["SIGTERM", end],
      ["SIGHUP", end],
      ["SIGQUIT", end],
      ["SIGWINCH", () => events.onRedraw()],
      ["SIGTSTP", () => this.#suspend()],
      ["SIGCONT", () => this.#resume()],
    ];
  }

  begin(): void {
    for (const [signal, handler] of this.#signals) Deno.addSignalListener(signal, handler);
    // Whatever ends the process otherwise.
    globalThis.addEventListener("unload", this.#onUnload);
    this.#enter();
    if (this.#hasKeys) void this.#readKeys();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return terminalSize() ?? SIZE;
  }

  draw(lines: readonly Line[]): void {
    if (!this.#isOn) return;
    const { columns, rows } = this.size;
    const { colour } = this.#terminal;
    const text = lines.map((line, at) =>
      // Cleared before: behind a line of full width the cursor still stands on its last column.
      `\x1b[${at + 1};1H\x1b[K${lineText(line, columns, colour)}`
    ).join("");
    const below = `\x1b[${lines.length + 1};1H\x1b[J`;
    this.#terminal.paint(`${BEGIN}${text}${lines.length < rows ? below : ""}${END}`);
  }

  end(): void {
    this.#isOver = true;
    for (const [signal, handler] of this.#signals) Deno.removeSignalListener(signal, handler);
    globalThis.removeEventListener("unload", this.#onUnload);
    this.#leave();
  }

  #enter(): void {
    if (this.#isOn || this.#isOver) return;
    this.#isOn = true;
    if (this.#hasKeys) Deno.stdin.setRaw(true, { cbreak: true });
    this.#terminal.paint(ENTER);
  }

  /** Never throws: the terminal may have gone. */
  #leave(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    try {
      this.#terminal.paint(LEAVE);
    } catch {
      // Nobody looks at it any more.
    }
    try {
      if (this.#hasKeys) Deno.stdin.setRaw(false);
    } catch {
      // As above.
    }
  }

  #suspend(): void {
    this.#leave();
    // The signal itself would come back here.
    Deno.kill(Deno.pid, "SIGSTOP");
  }

  #resume(): void {
    // Whoever stopped it otherwise had the terminal meanwhile.
    this.#isOn = false;
    this.#enter();
    this.#events.onRedraw();
  }

  /** Never rejects: without keys it goes on. */
  async #readKeys(): Promise<void> {
    const buffer = new Uint8Array(256);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const length = await Deno.stdin.read(buffer);
        if (length === null) return;
        for (const key of keysOf(decoder.decode(buffer.subarray(0, length)))) {
          this.#events.onKey(key);
        }
      }
    } catch {
      // The terminal has gone, which a signal tells too.
    }
  }
}
