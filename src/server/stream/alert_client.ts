// One client that follows the alerts: what it is to be told comes in, a stream of server-sent
// events goes out. What waits for it is bounded; what finds no room is counted, and told to it at
// the place where it is missing.

/** What may wait for one client: more than the ring holds, so that all of it can be sent again. */
export interface ClientLimits {
  readonly events: number;
  /** Characters of all that waits. */
  readonly chars: number;
}

export const CLIENT_LIMITS: ClientLimits = { events: 2048, chars: 6 << 20 };

/** Events that are written in one go. */
const BATCH_CHARS = 64 << 10;

export class AlertClient {
  /** Alerts that it did not get. */
  dropped = 0;
  readonly #limits: ClientLimits;
  readonly #onGone: () => void;
  #waiting: string[] = [];
  #chars = 0;
  /** Alerts that found no room since one did; told before the next that does. */
  #missing = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(onGone: () => void, limits: ClientLimits = CLIENT_LIMITS) {
    this.#onGone = onGone;
    this.#limits = limits;
  }

  /** Takes an alert's event; never waits. */
  offer(event: string): void {
    if (this.#isFull(event)) {
      this.#missing++;
      this.dropped++;
      return;
    }
    if (this.#missing > 0) this.#tellMissing();
    this.tell(event);
  }

  /** Takes what is no alert, beyond the bound if need be: such events are few and short. */
  tell(event: string): void {
    if (this.#ended) return;
    this.#waiting.push(event);
    this.#chars += event.length;
    this.#wake?.();
  }

  /** A sign of life, where nothing else is under way. */
  beat(): void {
    if (this.#waiting.length > 0) return;
    if (this.#missing > 0) this.#tellMissing();
    else this.tell(": \n\n");
  }

  /** Ends the stream. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#wake?.();
    this.#onGone();
  }

  /** What the client is sent; to be asked for once. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        while (this.#waiting.length === 0 && !this.#ended) {
          await new Promise<void>((resolve) => this.#wake = resolve);
          this.#wake = undefined;
        }
        if (this.#ended) controller.close();
        else controller.enqueue(encoder.encode(this.#take()));
      },
      cancel: () => this.end(),
      // Nothing is taken before there is a reader for it.
    }, { highWaterMark: 0 });
  }

  #take(): string {
    let count = 0;
    let chars = 0;
    while (count < this.#waiting.length && chars < BATCH_CHARS) {
      chars += this.#waiting[count++]!.length;
    }
    this.#chars -= chars;
    return this.#waiting.splice(0, count).join("");
  }

  #isFull(event: string): boolean {
    const { events, chars } = this.#limits;
    return this.#waiting.length >= events || this.#chars + event.length > chars;
  }

  #tellMissing(): void {
    this.tell(namedEvent("gap", { missed: this.#missing, reason: "you read too slowly" }));
    this.#missing = 0;
  }
}

const encoder = new TextEncoder();

/** An event that is no alert. */
export function namedEvent(name: string, data: Readonly<Record<string, unknown>>): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
