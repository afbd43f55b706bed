// What is told of the rules in force, when somebody asks: a thread of its own reads them once for
// each set, and what it found is kept until others are in force.
import type { RulesStart } from "../../engine/contract/messages.ts";
import type { ToldRules } from "../../server/told/rules.ts";
import type { TellingAnswer } from "./rules_telling_worker.ts";

/** Reading takes no longer than this. */
const TELLING_MS = 60_000;
/** Whoever asks waits so long; the reading goes on for the next who does. */
const PATIENCE_MS = 3_000;
/** What nobody asked for since then goes: ten thousand rules are 20 MB. */
const KEPT_MS = 300_000;

export class RulesTelling {
  #start: RulesStart | undefined;
  #told: Promise<TellingAnswer> | undefined;
  #forgetting: number | undefined;

  /** These are in force from now on. */
  take(start: RulesStart): void {
    this.#start = start;
    this.#told = undefined;
  }

  /** What is known of them, or why it is not. Never rejects. */
  async ask(): Promise<ToldRules | { readonly error: string }> {
    if (this.#start === undefined) return { error: "there are no rules yet" };
    const told = this.#told ??= tell(this.#start);
    const { promise, resolve } = Promise.withResolvers<TellingAnswer>();
    const timer = setTimeout(
      () => resolve({ error: "they are still being read: ask again" }),
      PATIENCE_MS,
    );
    const answer = await Promise.race([told, promise]);
    clearTimeout(timer);
    // What failed is tried again; it never rejects.
    told.then((one) => "error" in one && this.#forget(told));
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.#forget(told), KEPT_MS);
    Deno.unrefTimer(this.#forgetting);
    return answer;
  }

  #forget(told: Promise<TellingAnswer>): void {
    if (this.#told === told) this.#told = undefined;
  }
}

/** Never rejects. */
function tell(start: RulesStart): Promise<TellingAnswer> {
  const url = new URL("./rules_telling_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const { promise, resolve } = Promise.withResolvers<TellingAnswer>();
  const timer = setTimeout(() => {
    resolve({ error: `reading them takes more than ${TELLING_MS / 1000} s` });
  }, TELLING_MS);
  worker.onmessage = ({ data }: MessageEvent<TellingAnswer>) => resolve(data);
  worker.onmessageerror = () => resolve({ error: "the thread that reads them gave no answer" });
  worker.onerror = (event) => {
    event.preventDefault();
    resolve({ error: event.message });
  };
  worker.postMessage(start);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.terminate();
  });
}
