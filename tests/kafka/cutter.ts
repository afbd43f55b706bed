// Stands before a broker and cuts connections where it hurts most: the broker has taken records,
// and the answer that says so is not passed on.

const PRODUCE = 0;

export class Cutter implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  /** Where connections go; set when the broker is there. */
  target = 0;
  /** Every so many of the broker's answers to records are cut off; 0: none. */
  every = 0;
  answers = 0;
  cuts = 0;

  /** Throws where the host has no such address. */
  constructor(hostname = "127.0.0.1") {
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.#join(client).catch(() => {});
  }

  async #join(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    let broker: Deno.Conn;
    try {
      broker = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    } catch {
      if (this.#open.delete(client)) client.close();
      return;
    }
    this.#open.add(broker);
    const close = () => {
      for (const one of [client, broker]) {
        if (this.#open.delete(one)) one.close();
      }
    };
    /** Requests of records that have no answer yet, by their numbers. */
    const records = new Set<number>();
    const asked = async () => {
      for await (const frame of framesOf(client)) {
        if (frame.getInt16(4) === PRODUCE) records.add(frame.getInt32(8));
        await writeAll(broker, frame);
      }
    };
    const answered = async () => {
      for await (const frame of framesOf(broker)) {
        const isRecords = records.delete(frame.getInt32(4));
        if (isRecords && this.every > 0 && ++this.answers % this.every === 0) {
          this.cuts++;
          return;
        }
        await writeAll(client, frame);
      }
    };
    await Promise.race([asked().catch(() => {}), answered().catch(() => {})]);
    close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const one of this.#open) one.close();
    this.#open.clear();
    await this.#accepting.catch(() => {});
  }
}

/** Frames of Kafka's protocol: four bytes that say how long, then so many. */
async function* framesOf(conn: Deno.Conn): AsyncGenerator<DataView> {
  let held = new Uint8Array(0);
  const chunk = new Uint8Array(64 << 10);
  for (;;) {
    while (held.length >= 4) {
      const length = 4 + new DataView(held.buffer, held.byteOffset).getInt32(0);
      if (held.length < length) break;
      yield new DataView(held.slice(0, length).buffer);
      held = held.slice(length);
    }
    const read = await conn.read(chunk);
    if (read === null) return;
    const grown = new Uint8Array(held.length + read);
    grown.set(held);
    grown.set(chunk.subarray(0, read), held.length);
    held = grown;
  }
}

async function writeAll(conn: Deno.Conn, frame: DataView): Promise<void> {
  const bytes = new Uint8Array(frame.buffer);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
