// Exceptions for an alert, where somebody asks for them: a thread of its own works them out from
// the rules in force, one at a time, so that neither the engine nor the main thread is held up.
import type { RulesStart } from "../../engine/contract/messages.ts";
import type { ProposingAnswer, ProposingStart } from "./proposing_worker.ts";

/** It takes no longer than this. */
const PROPOSING_MS = 60_000;
/** Whoever asks waits so long, less than a connection may last; who asks again finds it done. */
const PATIENCE_MS = 3_000;

/** `pending`: it is still being worked out. */
export type Proposed = ProposingAnswer | "pending";

export interface ProposingOptions {
  /** The files that alerts name are those that this process sees. */
  readonly seesFiles: boolean;
}

export class Proposing {
  readonly #options: ProposingOptions;
  #rules: RulesStart | undefined;
  #last: { readonly key: string; readonly answer: Promise<ProposingAnswer> } | undefined;
  #isBusy = false;

  constructor(options: ProposingOptions) {
    this.#options = options;
  }

  /** These are in force from now on. */
  take(rules: RulesStart): void {
    this.#rules = rules;
    this.#last = undefined;
  }

  /** `key` names what is asked: who asks the same again is not answered anew. Never rejects. */
  async ask(key: string, lines: readonly string[]): Promise<Proposed> {
    if (this.#rules === undefined) return { error: "there are no rules yet" };
    if (this.#last?.key !== key) {
      if (this.#isBusy) return "pending";
      this.#isBusy = true;
      const answer = proposed({ ...this.#options, rules: this.#rules, lines });
      this.#last = { key, answer };
      answer.finally(() => this.#isBusy = false);
    }
    const { promise, resolve } = Promise.withResolvers<"pending">();
    const timer = setTimeout(() => resolve("pending"), PATIENCE_MS);
    const answer = await Promise.race([this.#last.answer, promise]);
    clearTimeout(timer);
    return answer;
  }
}

/** Never rejects. */
function proposed(start: ProposingStart): Promise<ProposingAnswer> {
  const url = new URL("./proposing_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const { promise, resolve } = Promise.withResolvers<ProposingAnswer>();
  const timer = setTimeout(() => {
    resolve({ error: `it takes more than ${PROPOSING_MS / 1000} s` });
  }, PROPOSING_MS);
  worker.onmessage = ({ data }: MessageEvent<ProposingAnswer>) => resolve(data);
  worker.onmessageerror = () => resolve({ error: "the thread that proposes gave no answer" });
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
