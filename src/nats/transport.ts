// The way to a nats-server: the library's transport over the runtime's sockets. The library's own
// loads parts of the runtime by a way that a bundle does not have, and lets errors of a socket
// that nobody listens to end the process. Options come in with each connection, bytes go both ways.
import { connect as connectSocket, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { setTransportFactory } from "@nats-io/nats-core/internal";
import type { ConnectionOptions } from "@nats-io/nats-core";

export interface NatsTls {
  /** No word goes over a connection without TLS. */
  readonly required: boolean;
  /** PEM; what the runtime trusts anyway is trusted as well where there is none. */
  readonly caCerts: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

interface Server {
  readonly hostname: string;
  readonly port: number;
  readonly tlsName: string;
}

/** The first line that a server sends is shorter; what is no nats-server may send anything. */
const INFO_BYTES_MAX = 64 << 10;
/** What a server that stopped reading may leave in our memory. */
export const UNSENT_BYTES_MAX = 32 << 20;

class Transport {
  readonly lang = "nats.js";
  readonly version = "3.4.0";
  closeError?: Error;
  #socket: Socket | undefined;
  #encrypted = false;
  #chunks: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #connected = false;
  #done = false;
  readonly #closed = Promise.withResolvers<void | Error>();

  get isClosed(): boolean {
    return this.#done;
  }

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    const tls = options.tls as unknown as NatsTls;
    const socket = connectSocket({ host: server.hostname, port: server.port });
    this.#take(socket);
    socket.setNoDelay(true);
    const { bytes, info } = await infoOf(socket);
    if (this.#done) throw new Error("it is being closed");
    // It is the library that reads what the server has said of itself.
    this.#chunks.push(bytes);
    if (info.tls_required === true || tls.required) {
      if (info.tls_required !== true && info.tls_available !== true) {
        throw new Error("the server offers no TLS");
      }
      const secured = connectTls({
        socket,
        servername: server.tlsName || server.hostname,
        rejectUnauthorized: true,
        ...(tls.caCerts.length === 0 ? {} : { ca: [...tls.caCerts] }),
        ...(tls.cert === undefined || tls.key === undefined
          ? {}
          : { cert: tls.cert, key: tls.key }),
      });
      this.#take(secured);
      await settled(secured, "secureConnect");
      this.#encrypted = true;
    }
    if (this.#done) throw new Error("it is being closed");
    this.#connected = true;
    this.#socket!.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
  }

  /** From here on an error of the socket ends this connection, and nothing else. */
  #take(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", (error: Error) => this.closeError ??= error);
    socket.on("close", () => this.#end());
    socket.on("end", () => this.#end());
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#socket?.destroy();
    this.#wake?.();
    // Where the connection was never made, `connect` has said so.
    if (this.#connected) this.#closed.resolve(this.closeError);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    while (!this.#done) {
      const chunks = this.#chunks;
      this.#chunks = [];
      yield* chunks;
      if (this.#chunks.length > 0 || this.#done) continue;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  isEncrypted(): boolean {
    return this.#encrypted;
  }

  send(frame: Uint8Array): void {
    if (this.#done || this.#socket === undefined) return;
    // The library uses its buffer again.
    this.#socket.write(frame.slice());
    if (this.#socket.writableLength <= UNSENT_BYTES_MAX) return;
    this.closeError ??= new Error("the server reads nothing");
    this.#end();
  }

  close(error?: Error): Promise<void> {
    if (error !== undefined) this.closeError ??= error;
    this.#end();
    return Promise.resolve();
  }

  disconnect(): void {
    this.#end();
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  discard(): void {
    this.#connected = false;
    this.#end();
  }
}

interface Info {
  readonly tls_required?: boolean;
  readonly tls_available?: boolean;
}

/** The server's first line, as it came and read. */
async function infoOf(socket: Socket): Promise<{ bytes: Uint8Array; info: Info }> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const chunk = await settled<Uint8Array>(socket, "data");
    bytes = new Uint8Array([...bytes, ...chunk]);
    const text = new TextDecoder().decode(bytes);
    const line = /^INFO\s+(\{.*\})\s*\r\n/s.exec(text);
    if (line !== null) return { bytes, info: JSON.parse(line[1]!) };
    if (bytes.length > INFO_BYTES_MAX || !"INFO ".startsWith(text.slice(0, 5))) {
      throw new Error("what answers there is no nats-server");
    }
  }
}

/** The next event of that name; rejects where the socket ends before it. */
function settled<T>(socket: Socket, event: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = () => {
      for (const [name, listener] of listeners) socket.off(name, listener);
    };
    // deno-lint-ignore no-explicit-any -- As the runtime types it.
    const listeners: [string, (value: any) => void][] = [
      [event, (value: T) => (over(), resolve(value))],
      ["error", (error: Error) => (over(), reject(error))],
      ["end", () => (over(), reject(new Error("the server has closed the connection")))],
      ["close", () => (over(), reject(new Error("the server has closed the connection")))],
    ];
    for (const [name, listener] of listeners) socket.on(name, listener);
  });
}

/** To be called before the library connects; again does no harm. */
export function useOwnTransport(): void {
  // deno-lint-ignore no-explicit-any -- Its `connect` takes more than the library's types say.
  setTransportFactory({ factory: () => new Transport() as any });
}
