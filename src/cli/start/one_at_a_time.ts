// Answers that somebody at the page waits for and that threads work out, one at a time, so that
// neither the engine nor the main thread is held up.

/** Whoever asks waits so long, less than a connection may last; who asks again finds it done. */
const PATIENCE_MS = 3_000;

export class OneAtATime<Answer> {
  /** An answer is given again for so long. */
  readonly #keptMs: number;
  #last: { readonly key: string; readonly answer: Promise<Answer>; doneMs: number } | undefined;
  #isBusy = false;

  constructor(keptMs = Infinity) {
    this.#keptMs = keptMs;
  }

  forget(): void {
    this.#last = undefined;
  }

  /** `key` names what is asked: who asks the same again is not answered anew. `answer` never
   * rejects. `pending`: it is still being worked out, or another is. */
  async ask(key: string, work: () => Promise<Answer>): Promise<Answer | "pending"> {
    const last = this.#last;
    if (last?.key !== key || performance.now() > last.doneMs + this.#keptMs) {
      if (this.#isBusy) return "pending";
      this.#begin(key, work);
    }
    return await inPatience(this.#last!.answer);
  }

  #begin(key: string, work: () => Promise<Answer>): void {
    this.#isBusy = true;
    const asked = { key, answer: work(), doneMs: Infinity };
    this.#last = asked;
    asked.answer.finally(() => {
      this.#isBusy = false;
      asked.doneMs = performance.now();
    });
  }
}

/** The answer, or `pending` where it takes longer than whoever asks waits. */
export async function inPatience<Answer>(asked: Promise<Answer>): Promise<Answer | "pending"> {
  const { promise, resolve } = Promise.withResolvers<"pending">();
  const timer = setTimeout(() => resolve("pending"), PATIENCE_MS);
  const answer = await Promise.race([asked, promise]);
  clearTimeout(timer);
  return answer;
}

/** What a thread answers to `start` within `limitMs`, and why there is nothing where it does not.
 * The thread ends with it. Never rejects. */
export function answerOf<Answer>(
  worker: Worker,
  start: unknown,
  limitMs: number,
): Promise<Answer | { readonly error: string }> {
  const { promise, resolve } = Promise.withResolvers<Answer | { readonly error: string }>();
  const timer = setTimeout(() => {
    resolve({ error: `it takes more than ${limitMs / 1000} s` });
  }, limitMs);
  worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
  worker.onmessageerror = () => resolve({ error: "the thread gave no answer" });
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
