// The way to NATS for those who may not need it: a link that is made when it is first wanted and
// after it broke, by one who asks, never by itself. Only then the library is loaded.
import type { NatsStream, StreamOptions } from "./stream.ts";

export class NatsDoor {
  readonly #options: () => StreamOptions;
  #opening: Promise<NatsStream> | undefined;
  #isClosed = false;

  /** `options` are asked for at each connection; what they throw is why there is none. */
  constructor(options: () => StreamOptions) {
    this.#options = options;
  }

  /** The link that there is, or a new one; rejects in words. */
  open(): Promise<NatsStream> {
    if (this.#isClosed) return Promise.reject(new Error("it is being closed"));
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<NatsStream> {
    try {
      const { NatsStream } = await import("./stream.ts");
      const stream = await NatsStream.open(this.#options());
      if (this.#isClosed) {
        await stream.close();
        throw new Error("it is being closed");
      }
      const gone = () => {
        this.#opening = undefined;
      };
      stream.closed().then(gone, gone);
      return stream;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /** Who asks next gets a new link. */
  drop(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.then((stream) => stream.close()).catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.drop();
  }
}
