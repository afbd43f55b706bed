// What other sides of outputs do to them, as servers of TCP that are told how to behave: in comes
// what is wrong and from which alert on, out come the numbers of what they took.
import { opened } from "./place.ts";

/** Longer than a run waits for an output (`output_timeout` of the tests). */
const SLOW_MS = 1_000;

export type Trouble = "well" | "refuses" | "has expired" | "cuts" | "is stuck" | "is slow";

/** A server that answers each alert well until it has so many, and then does as it is told. */
export class TroubledServer implements AsyncDisposable {
  readonly taken: number[] = [];
  readonly port: number;
  /** What an alert must carry where its token has expired. */
  token = "";
  #trouble: Trouble;
  readonly #from: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  constructor(trouble: Trouble, from: number) {
    this.#trouble = trouble;
    this.#from = from;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#accepting = this.#accept();
  }

  /** It is well from now on; whoever it left waiting is cut off. */
  recover(): void {
    this.#trouble = "well";
    this.#cutAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#cutAll();
    await this.#accepting;
  }

  #cutAll(): void {
    for (const conn of this.#open) close(conn);
    this.#open.clear();
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        this.#open.add(conn);
        this.#serve(conn).catch(() => {}).finally(() => {
          this.#open.delete(conn);
          close(conn);
        });
      }
    } catch {
      // It is closed.
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 << 10);
    let text = "";
    for (;;) {
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1]);
      const whole = end + 4 + length;
      if (end < 0 || text.length < whole) {
        // An alert of these tests is ASCII: its characters are its bytes.
        const read = await conn.read(buffer);
        if (read === null) return;
        text += decoder.decode(buffer.subarray(0, read), { stream: true });
        if (this.#isTroubled("cuts") && text.length > 20) return;
        continue;
      }
      const status = await this.#answer(text.slice(0, end), text.slice(end + 4, whole));
      text = text.slice(whole);
      const head = `HTTP/1.1 ${status} So\r\ncontent-length: 0\r\n\r\n`;
      await conn.write(new TextEncoder().encode(head));
    }
  }

  async #answer(head: string, body: string): Promise<number> {
    if (this.#isTroubled("refuses")) return 500;
    if (this.#isTroubled("has expired") && !head.includes(`Bearer ${this.token}`)) return 401;
    if (this.#isTroubled("is stuck")) await new Promise<never>(() => {});
    if (this.#isTroubled("is slow")) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    this.taken.push(opened(body));
    return 200;
  }

  #isTroubled(trouble: Trouble): boolean {
    return this.#trouble === trouble && this.taken.length >= this.#from;
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
