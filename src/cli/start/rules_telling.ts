// What is told of the rules in force, when somebody asks: a thread of its own reads them once for
// each set, and what it found is kept until others are in force.
import type { RulesStart } from "../../engine/contract/messages.ts";
import type { ToldRules } from "../../server/told/rules.ts";
import { answerOf, inPatience } from "./one_at_a_time.ts";
import type { TellingAnswer } from "./rules_telling_worker.ts";

/** Reading takes no longer than this. */
const TELLING_MS = 60_000;
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
    const answer = await inPatience(told);
    // What failed is tried again; it never rejects.
    told.then((one) => "error" in one && this.#forget(told));
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.#forget(told), KEPT_MS);
    Deno.unrefTimer(this.#forgetting);
    return answer === "pending" ? { error: "they are still being read: ask again" } : answer;
  }

  #forget(told: Promise<TellingAnswer>): void {
    if (this.#told === told) this.#told = undefined;
  }
}

/** Never rejects. */
function tell(start: RulesStart): Promise<TellingAnswer> {
  const url = new URL("./rules_telling_worker.ts", import.meta.url);
  return answerOf<TellingAnswer>(new Worker(url, { type: "module" }), start, TELLING_MS);
}
