// Exceptions for an alert, where somebody asks for them: a thread of its own works them out from
// the rules in force.
import type { RulesStart } from "../../engine/contract/messages.ts";
import { answerOf, OneAtATime } from "./one_at_a_time.ts";
import type { ProposingAnswer, ProposingStart } from "./proposing_worker.ts";

/** It takes no longer than this. */
const PROPOSING_MS = 60_000;

/** `pending`: it is still being worked out. */
export type Proposed = ProposingAnswer | "pending";

export interface ProposingOptions {
  /** The files that alerts name are those that this process sees. */
  readonly seesFiles: boolean;
}

export class Proposing {
  readonly #options: ProposingOptions;
  readonly #answers = new OneAtATime<ProposingAnswer>();
  #rules: RulesStart | undefined;

  constructor(options: ProposingOptions) {
    this.#options = options;
  }

  /** These are in force from now on. */
  take(rules: RulesStart): void {
    this.#rules = rules;
    this.#answers.forget();
  }

  /** `key` names what is asked: who asks the same again is not answered anew. Never rejects. */
  async ask(key: string, lines: readonly string[]): Promise<Proposed> {
    const rules = this.#rules;
    if (rules === undefined) return { error: "there are no rules yet" };
    return await this.#answers.ask(key, () => proposed({ ...this.#options, rules, lines }));
  }
}

function proposed(start: ProposingStart): Promise<ProposingAnswer> {
  const url = new URL("./proposing_worker.ts", import.meta.url);
  return answerOf<ProposingAnswer>(new Worker(url, { type: "module" }), start, PROPOSING_MS);
}
