// One event of a plugin, as its fields see it: the data, and what is made of them when it is asked.
import { TimedEvent } from "./author_api.ts";
import { nanosecondsOf } from "./encode.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class GivenEvent {
  readonly time: bigint;
  readonly source: string;
  #bytes: Uint8Array | undefined;
  #text: string | undefined;
  #json: unknown;
  #isRead: boolean;

  constructor(source: string, time: bigint, data: unknown, now: () => bigint) {
    this.source = source;
    const isTimed = data instanceof TimedEvent;
    const given = isTimed ? data.data : data;
    this.time = isTimed ? nanosecondsOf(data.time) : time >= 0n ? time : now();
    this.#isRead = false;
    if (typeof given === "string") this.#text = given;
    else if (given instanceof Uint8Array) this.#bytes = given;
    else if (typeof given === "object" && given !== null) {
      this.#text = JSON.stringify(given);
      // As JSON has it, or the plugin changed it behind its back.
      if (typeof this.#text !== "string") throw new TypeError("an event that is no JSON");
    } else throw new TypeError(`expected a text, bytes or an object as an event, found ${given}`);
  }

  get bytes(): Uint8Array {
    return this.#bytes ??= encoder.encode(this.#text);
  }

  get text(): string {
    return this.#text ??= decoder.decode(this.#bytes);
  }

  /** A system call as it is shown. */
  get call(): unknown {
    return this.source === "syscall" ? this.json : undefined;
  }

  get json(): unknown {
    if (!this.#isRead) {
      this.#isRead = true;
      try {
        this.#json = JSON.parse(this.text);
      } catch {
        this.#json = undefined;
      }
    }
    return this.#json;
  }
}
