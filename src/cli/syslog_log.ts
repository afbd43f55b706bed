// Saker's own messages to the host's syslog (`log_syslog`), as syslog(3) writes them: lines come in
// and wait for nobody; what its socket does not take is dropped, counted and told once.
import { syslogOutput } from "../alerts/outputs/syslog.ts";
import type { Output } from "../alerts/outputs/output.ts";
import { reasonOf } from "../files/reason.ts";

export interface SyslogLogOptions {
  readonly path: string;
  readonly pid: number;
  /** Told the first time that the socket takes nothing. */
  readonly onFailure: (line: string) => void;
}

const WAITING_MAX = 1_000;
const TIMEOUT_MS = 2_000;
/** `user`, as programs have it that say nothing else. */
const FACILITY = 1;

export class SyslogLog {
  readonly #options: SyslogLogOptions;
  readonly #output: Output;
  #waiting: { readonly severity: number; readonly text: string }[] = [];
  #writing: Promise<void> | undefined;
  #isTold = false;
  /** Lines that did not arrive. */
  lost = 0;

  constructor(options: SyslogLogOptions) {
    this.#options = options;
    this.#output = syslogOutput({
      address: { kind: "local", path: options.path },
      names: { facility: FACILITY, ident: "saker", pid: options.pid },
      tls: { caCerts: [] },
      timeoutMs: TIMEOUT_MS,
      now: () => new Date(),
    });
  }

  /** Never throws. */
  write(severity: number, text: string): void {
    if (this.#waiting.length >= WAITING_MAX) return void this.lost++;
    this.#waiting.push({ severity, text });
    this.#writing ??= this.#drain();
  }

  /** Settles when all that was told has been sent or given up. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  close(): void {
    this.#output.close();
  }

  /** Never rejects. */
  async #drain(): Promise<void> {
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { severity, text } = next;
      try {
        const time = BigInt(Date.now()) * 1_000_000n;
        await this.#output.write([{ text, priority: severity, time, hostname: "" }]);
      } catch (error) {
        this.lost++;
        this.#tell(error as Error);
      }
    }
    this.#writing = undefined;
  }

  #tell(error: Error): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const reason = reasonOf(error.cause instanceof Error ? error.cause : error);
    this.#options.onFailure(`Notice: log_syslog: ${this.#options.path}: ${reason}`);
  }
}
