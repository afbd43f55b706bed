// One event of a plugin, as its fields see it: the data, and what is made of them when it is asked.
import { TimedEvent } from "./author_api.ts";
import { nanosecondsOf } from "./encode.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Values that a field gave, or why it did not. */
export type Answer = readonly unknown[] | Failure;

export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export class GivenEvent {
  readonly source: string;
  /** The data as they were given; an object is JSON by now. */
  readonly given: string | Uint8Array;
  /** Nanoseconds, or milliseconds of an event that was given without a time. */
  readonly #time: bigint | number;
  #bytes: Uint8Array | undefined;
  #text: string | undefined;
  #json: unknown;
  #isRead = false;
  /** What fields gave (usual.ts), until the event is gone. */
  answers: (Answer | undefined)[] | undefined;

  /** `time`: nanoseconds; below 0: what the data say, or else `now`, in milliseconds. */
  constructor(source: string, time: bigint, data: unknown, now: () => number) {
    this.source = source;
    const isTimed = data instanceof TimedEvent;
    const given = isTimed ? data.data : data;
    this.#time = isTimed ? nanosecondsOf(data.time) : time >= 0n ? time : now();
    if (typeof given === "string" || given instanceof Uint8Array) this.given = given;
    else if (typeof given === "object" && given !== null) {
      // As JSON has it, or the plugin changed it behind its back.
      const text = JSON.stringify(given);
      if (typeof text !== "string") throw new TypeError("an event that is no JSON");
      this.given = text;
    } else throw new TypeError(`expected a text, bytes or an object as an event, found ${given}`);
  }

  /** As it stands in the batch. */
  get stamp(): bigint | number {
    return this.#time;
  }

  get time(): bigint {
    const time = this.#time;
    return typeof time === "bigint" ? time : BigInt(time) * 1_000_000n;
  }

  get bytes(): Uint8Array {
    const { given } = this;
    return this.#bytes ??= typeof given === "string" ? encoder.encode(given) : given;
  }

  get text(): string {
    const { given } = this;
    return this.#text ??= typeof given === "string" ? given : decoder.decode(given);
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

  /** Gives up what can be made again: events wait in masses until they are judged. */
  forget(): void {
    this.#bytes = this.#json = undefined;
    this.#isRead = false;
    if (typeof this.given !== "string") this.#text = undefined;
  }
}
