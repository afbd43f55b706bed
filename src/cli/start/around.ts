// The events around an alert, where somebody asks for them: a thread of its own reads them from the
// capture that the alert started, or was in.
import type { Around, AroundAsked } from "../../engine/contract/around.ts";
import type { EngineStart } from "../../engine/contract/messages.ts";
import type { AroundStart } from "./around_worker.ts";
import { machineOfCapture } from "./engine_start.ts";
import { answerOf, OneAtATime } from "./one_at_a_time.ts";

/** It takes no longer than this. */
const READING_MS = 30_000;
/** A capture that is still being written has more a moment later. */
const KEPT_MS = 5_000;

export class Surrounding {
  readonly #answers = new OneAtATime<Around>(KEPT_MS);
  readonly #options: Omit<AroundStart, "asked">;

  constructor({ machine, rules }: Pick<EngineStart, "machine" | "rules">) {
    this.#options = { machine: machineOfCapture(machine), base64: rules.base64 };
  }

  /** Never rejects. */
  async ask(asked: AroundAsked): Promise<Around | "pending"> {
    const key = `${asked.time} ${asked.pid} ${asked.file}`;
    return await this.#answers.ask(key, () => read({ ...this.#options, asked }));
  }
}

function read(start: AroundStart): Promise<Around> {
  const url = new URL("./around_worker.ts", import.meta.url);
  return answerOf<Around>(new Worker(url, { type: "module" }), start, READING_MS);
}
