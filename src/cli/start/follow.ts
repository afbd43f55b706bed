// Audit logs that are followed, seen from the main thread: pieces of lines come from the thread
// that reads, go to the sink when it has room, and are acknowledged when they are judged.
import type { AuditSink, AuditVerdict } from "../../audit/contract.ts";
import { atMost } from "../../alerts/delivery/pause.ts";
import type { FollowStats } from "../../files/followed.ts";
import type { FileNumbers } from "../../metrics/audit_families.ts";
import type { FollowAnswer, FollowOrder } from "./follow_worker.ts";

export interface FollowSettings {
  readonly path: string;
  readonly lineBytesMax: number;
  readonly positionFile: string;
  readonly sink: AuditSink;
  /** Told of what ends it, once. */
  readonly onFailure: (error: string) => void;
}

/** A thread that has not said a word for so long waits for a file system. */
const SILENT_MS = 10_000;
const AGAIN_MS = 20;
/** At the end it has so long to write where it is. */
const END_MS = 1_000;

const NOTHING: FollowStats = { files: 0, tooLong: 0, shortened: 0, rotated: 0, refused: 0 };

export class Following {
  readonly #settings: FollowSettings;
  readonly #worker: Worker;
  readonly #ended = Promise.withResolvers<void>();
  #stats: FollowStats = NOTHING;
  #problem: string | undefined;
  #reason: string | undefined;
  #heardMs = performance.now();
  #events = 0;
  #malformed = 0;
  #isClosed = false;
  /** Pieces are taken one after the other, in the order of their lines. */
  #taken: Promise<void> = Promise.resolve();

  constructor(settings: FollowSettings) {
    this.#settings = settings;
    const { path, lineBytesMax, positionFile } = settings;
    this.#worker = new Worker(new URL("./follow_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    const failed = (event: Event) => {
      event.preventDefault();
      this.#fail("the thread that reads it has failed");
    };
    this.#worker.onerror = failed;
    this.#worker.onmessageerror = failed;
    this.#order({ kind: "start", path, lineBytesMax, positionFile });
  }

  numbers(): FileNumbers {
    const { files, tooLong, shortened, rotated, refused } = this.#stats;
    return {
      files,
      events: this.#events,
      malformed: this.#malformed,
      too_long: tooLong,
      shortened,
      rotated,
      refused,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  /** Why nothing comes, or not all; undefined where all is well. */
  trouble(): string | undefined {
    const { path } = this.#settings;
    const silentMs = performance.now() - this.#heardMs;
    if (this.#problem !== undefined) return `${path}: ${this.#problem}`;
    if (silentMs < SILENT_MS) return this.#stats.problem;
    const seconds = Math.round(silentMs / 1000);
    return `${path}: its file system has not answered for ${seconds} s`;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#order({ kind: "end" });
    await atMost(END_MS, this.#ended.promise);
    this.#worker.terminate();
  }

  #order(order: FollowOrder): void {
    this.#worker.postMessage(order);
  }

  #hear(answer: FollowAnswer): void {
    this.#heardMs = performance.now();
    if (answer.kind === "stats") {
      this.#stats = answer.stats;
      this.#problem = answer.problem;
      return;
    }
    if (answer.kind === "piece") {
      this.#taken = this.#taken.then(() => this.#offer(answer));
      return;
    }
    if (answer.error !== undefined) this.#fail(answer.error);
    this.#ended.resolve();
  }

  /** Waits until there is room. Never rejects: the sink does not. */
  async #offer(
    { id, bytes, origin }: FollowAnswer & { readonly kind: "piece" },
  ): Promise<void> {
    let offered = this.#settings.sink.offer({ bytes, lines: true, origin });
    while (offered === "busy") {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (this.#isClosed) return;
      offered = this.#settings.sink.offer({ bytes, lines: true, origin });
    }
    // Never rejects: the sink does not.
    offered.then((verdict) => this.#judged(id, origin, verdict));
  }

  #judged(id: number, origin: string, { events, malformed, reason }: AuditVerdict): void {
    this.#events += events;
    this.#malformed += malformed;
    if (malformed > 0) this.#reason = `${origin}: ${reason ?? "no audit event"}`;
    this.#order({ kind: "judged", id });
  }

  #fail(error: string): void {
    this.#problem = error;
    this.#settings.onFailure(error);
    this.#ended.resolve();
  }
}
