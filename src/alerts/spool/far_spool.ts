// Spools as the main thread has them: another thread does the work (spool_worker.ts). A request is
// posted and forgotten; where no answer comes for long, the disk hangs or another saker has the
// spool, and the queues do without.
import type { Message } from "../format/message.ts";
import { atMost } from "../delivery/pause.ts";
import type { Spool, SpoolStats } from "./spool.ts";
import type { SpoolAnswer, SpoolRequest } from "./spool_worker.ts";

export interface SpoolThreadOptions {
  readonly directory: string;
  /** For each output. */
  readonly bytesMax: number;
  readonly clock: () => number;
  /** Tells once of an output whose spool does not work, and of records that were cut off. */
  readonly onTrouble: (output: string, reason: string) => void;
}

/** Without an answer for so long, nothing is expected of the disk. */
const STUCK_MS = 5_000;

type Request = SpoolRequest extends infer R ? R extends SpoolRequest ? Omit<R, "id" | "output">
  : never
  : never;

export class SpoolThread {
  readonly #options: SpoolThreadOptions;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { askedMs: number; settle: (answer: SpoolAnswer) => void }>();
  #lastId = 0;
  #open = 0;
  #failure: string | undefined;

  constructor(options: SpoolThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL("./spool_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<SpoolAnswer>) => {
      this.#waiting.get(data.id)?.settle(data);
      this.#waiting.delete(data.id);
    };
    this.#worker.onmessageerror = () => this.#fail("its thread sent what cannot be read");
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`its thread failed: ${event.message}`);
    };
  }

  /** The spool of an output, which has a name that is good for a file. */
  spoolOf(output: string): Spool {
    this.#open++;
    return new FarSpool({
      ask: (request) => this.#ask({ ...request, id: ++this.#lastId, output }),
      isStuck: () => this.#isStuck(),
      trouble: (reason) => this.#options.onTrouble(output, reason),
      closed: () => {
        if (--this.#open === 0) this.#worker.terminate();
      },
      directory: this.#options.directory,
      bytesMax: this.#options.bytesMax,
    });
  }

  #ask(request: SpoolRequest): Promise<SpoolAnswer> {
    if (this.#failure !== undefined) return Promise.resolve(nothing(request.id, this.#failure));
    return new Promise((settle) => {
      this.#waiting.set(request.id, { askedMs: this.#options.clock(), settle });
      this.#worker.postMessage(request);
    });
  }

  #isStuck(): boolean {
    const [first] = this.#waiting.values();
    return first !== undefined && this.#options.clock() - first.askedMs > STUCK_MS;
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    for (const [id, { settle }] of this.#waiting) settle(nothing(id, reason));
    this.#waiting.clear();
  }
}

function nothing(id: number, reason: string): SpoolAnswer {
  return { id, kept: 0, messages: [], alerts: 0, bytes: 0, cut: 0, reason };
}

interface FarSpoolOptions {
  readonly ask: (request: Request) => Promise<SpoolAnswer>;
  readonly isStuck: () => boolean;
  readonly trouble: (reason: string) => void;
  readonly closed: () => void;
  readonly directory: string;
  readonly bytesMax: number;
}

class FarSpool implements Spool {
  readonly #options: FarSpoolOptions;
  readonly #opened: Promise<void>;
  #last: SpoolAnswer = nothing(0, "");
  #reason: string | undefined;
  #spooled = 0;
  #refused = 0;

  constructor(options: FarSpoolOptions) {
    this.#options = options;
    const { directory, bytesMax } = options;
    const opened = this.#ask({ kind: "open", directory, bytesMax }).then(({ cut }) => {
      if (cut > 0) options.trouble(`${cut} records were broken and are cut off`);
    });
    this.#opened = atMost(STUCK_MS, opened).then(() => {
      if (options.isStuck()) this.#trouble(NO_ANSWER);
    });
  }

  get pending(): number {
    return this.#last.alerts;
  }

  get isStuck(): boolean {
    return this.#options.isStuck();
  }

  ready(): Promise<void> {
    return this.#opened;
  }

  async append(messages: readonly Message[]): Promise<number> {
    if (messages.length === 0) return 0;
    return this.#kept(messages, await this.#ask({ kind: "append", messages }));
  }

  async hold(messages: readonly Message[]): Promise<number> {
    return this.#kept(messages, await this.#ask({ kind: "hold", messages }));
  }

  async read(): Promise<readonly Message[]> {
    let messages: readonly Message[] = [];
    const answered = this.#ask({ kind: "read" }).then((answer) => messages = answer.messages);
    await atMost(STUCK_MS, answered);
    return messages;
  }

  done(count: number): void {
    this.#ask({ kind: "done", count });
  }

  stats(): SpoolStats {
    const { alerts, bytes, cut } = this.#last;
    const reason = this.isStuck ? NO_ANSWER : this.#reason;
    return {
      alerts,
      bytes,
      spooled: this.#spooled,
      refused: this.#refused,
      cut,
      ...(reason === undefined ? {} : { reason }),
    };
  }

  async close(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, this.#ask({ kind: "close" }));
    this.#options.closed();
  }

  /** Never rejects. */
  async #ask(request: Request): Promise<SpoolAnswer> {
    const answer = await this.#options.ask(request);
    this.#last = answer;
    if (answer.reason === undefined) this.#reason = undefined;
    else this.#trouble(answer.reason);
    return answer;
  }

  #trouble(reason: string): void {
    if (this.#reason === undefined) this.#options.trouble(reason);
    this.#reason = reason;
  }

  #kept(messages: readonly Message[], { kept }: SpoolAnswer): number {
    this.#spooled += kept;
    if (kept < messages.length) this.#refused++;
    return kept;
  }
}

const NO_ANSWER = "its disk does not answer, or another saker has it";
