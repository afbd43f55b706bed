// Alerts to a program's standard input, one line each. The command goes to a shell, as Falco's
// popen(3) does; no part of an alert ever gets there. Kept running, or started for each alert.
import type { Message } from "../format/message.ts";
import { CLOSING_MS, type Output, PartlyWritten } from "./output.ts";

export interface ProgramOptions {
  readonly command: string;
  readonly keepAlive: boolean;
}

/** A program that is kept running and ends so soon has not taken its first alert. */
const SETTLE_MS = 100;
/** What a shell ends with where it cannot start the program. */
const NOT_STARTED = [126, 127];

const encoder = new TextEncoder();

export function programOutput({ command, keepAlive }: ProgramOptions): Output {
  return keepAlive ? keptProgram(command) : programForEach(command);
}

class Running {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly ended: Promise<number>;
  /** Undefined while it runs. */
  code: number | undefined;

  constructor(command: string) {
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", command],
      stdin: "piped",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    // It is told of where somebody writes.
    this.#stdin.closed.catch(() => {});
    this.ended = this.#child.status.then(({ code }) => this.code = code);
  }

  async write({ text }: Message): Promise<void> {
    await this.#stdin.write(encoder.encode(`${text}\n`));
  }

  /** Ends its input without waiting for it to be read. */
  async cut(): Promise<void> {
    await this.#stdin.abort().catch(() => {});
  }

  /** Ends its input; a program that has gone has nothing to end. */
  async close(): Promise<void> {
    await this.#stdin.close().catch(() => {});
  }
}

function keptProgram(command: string): Output {
  let running: Running | undefined;
  let isWriting = false;
  let isClosing = false;
  let timer: number | undefined;
  const release = () => {
    // Never rejects.
    running?.close();
    running = undefined;
  };
  const ended = (code: number) => new Error(`the program has ended with ${code}`);
  return {
    name: "program",
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      let written = 0;
      isWriting = true;
      try {
        if (running?.code !== undefined) throw ended(running.code);
        if (running === undefined) {
          running = new Running(command);
          await running.write(messages[0]!);
          await settled(running);
          if (running.code !== undefined) throw ended(running.code);
          written++;
        }
        const program = running;
        for (const message of messages.slice(written)) {
          if (isClosing) throw new Error("it is being closed");
          await program.write(message);
          written++;
          onMoved?.();
        }
      } catch (error) {
        release();
        throw new PartlyWritten(written, error);
      } finally {
        isWriting = false;
        clearTimeout(timer);
      }
    },
    reopen: release,
    close(): void {
      isClosing = true;
      if (!isWriting) return release();
      // It has time to read what it is given now; the rest is told by the write under way.
      const program = running;
      timer = setTimeout(() => program?.cut(), CLOSING_MS);
    },
  };
}

async function settled({ ended }: Running): Promise<void> {
  let timer: number | undefined;
  const soon = new Promise<void>((resolve) => timer = setTimeout(resolve, SETTLE_MS));
  await Promise.race([ended, soon]);
  clearTimeout(timer);
}

/** What the program makes of the alert is its own matter, also where it ends with an error. */
function programForEach(command: string): Output {
  let isClosing = false;
  return {
    name: "program",
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      let written = 0;
      try {
        for (const message of messages) {
          const program = new Running(command);
          // One that does not read its input has what it wants.
          await program.write(message).catch(() => {});
          await program.close();
          const code = await program.ended;
          if (NOT_STARTED.includes(code)) throw new Error("the shell cannot start the program");
          written++;
          onMoved?.();
          if (isClosing && written < messages.length) throw new Error("it is being closed");
        }
      } catch (error) {
        throw new PartlyWritten(written, error);
      }
    },
    reopen(): void {},
    close(): void {
      isClosing = true;
    },
  };
}
