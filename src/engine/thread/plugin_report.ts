// What a thread's plugins did in the last second, told to the main thread: their lines for the log,
// their numbers and metrics. Lines of one plugin are told now and then only; all are counted.
import type { Hands } from "../../plugins/field_sets.ts";
import type { PluginNotice, PluginPort } from "../../plugins/contract.ts";
import type { PluginEvents } from "../../plugins/plugin_events.ts";
import type { PluginHand } from "../../plugins/plugin_hand.ts";
import type { PluginWork } from "../../plugins/plugin_work.ts";
import type { Post } from "./run_parts.ts";

/** Lines of a plugin that are told in a minute. */
const LINES_MAX = 10;
const MINUTE_MS = 60_000;
/** A call that has blocked for so long is told. */
const BLOCKED_MS = 10_000;

export class PluginReport {
  readonly #source: string;
  readonly #hands: Hands;
  readonly #events: PluginEvents | undefined;
  readonly #post: Post;
  readonly #clock: () => number;
  readonly #told = new Map<string, { untilMs: number; lines: number; isBlocked: boolean }>();

  constructor(
    source: string,
    { hands, events }: { hands: Hands; events: PluginEvents | undefined },
    post: Post,
    clock: () => number = Date.now,
  ) {
    this.#source = source;
    this.#hands = hands;
    this.#events = events;
    this.#post = post;
    this.#clock = clock;
  }

  /** To be called about once a second. */
  look(): void {
    if (this.#hands.size === 0) return;
    const plugins = [...this.#hands].map(([name, hand]) => {
      const { port } = hand;
      const numbers = port.numbers();
      this.#tellLines(name, port, numbers.blockedMs);
      return {
        name,
        source: this.#source,
        numbers,
        work: this.#workOf(hand),
        metrics: port.metrics(),
      };
    });
    this.#post({ kind: "plugins", plugins });
  }

  #workOf({ port, work: { questions, asked } }: PluginHand): PluginWork {
    const { parsed = 0, sent = 0 } = this.#events?.workOf(port) ?? {};
    return { questions, asked, parsed, sent };
  }

  #tellLines(name: string, port: PluginPort, blockedMs: number): void {
    const nowMs = this.#clock();
    let told = this.#told.get(name);
    if (told === undefined || nowMs >= told.untilMs) {
      const left = told === undefined ? 0 : Math.max(0, told.lines - LINES_MAX);
      if (left > 0) this.#tell(name, { level: "warning", line: `${left} more lines of it` });
      told = { untilMs: nowMs + MINUTE_MS, lines: 0, isBlocked: told?.isBlocked ?? false };
      this.#told.set(name, told);
    }
    const isBlocked = blockedMs >= BLOCKED_MS;
    if (isBlocked && !told.isBlocked) {
      const seconds = Math.round(blockedMs / 1000);
      const line = `it has given no answer to next_batch for ${seconds} s; it is waited for`;
      this.#tell(name, { level: "warning", line });
    }
    told.isBlocked = isBlocked;
    for (const notice of port.takeNotices()) {
      if (told.lines++ < LINES_MAX) this.#tell(name, notice);
    }
  }

  #tell(name: string, { level, line }: PluginNotice): void {
    const prefix = level === "info" ? "" : "Warning: ";
    this.#post({ kind: "notice", line: `${prefix}plugin ${name}: ${line}`, level });
  }
}
