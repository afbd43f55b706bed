// The way to a nats-server: the library's transport over the runtime's sockets. Options come in
// with each connection, bytes go both ways. Why none of the library's own: that for Node asks for
// the runtime's modules by require, which a bundle for the executable does not have ("Dynamic
// require of node:net is not supported"), begins TLS some turns after the server's first line,
// which Deno 2.6 answers by an end of the connection, and lets an error of a socket to which nobody
// listens end the process; that for Deno knows no certificates of clients (Deno.startTls has none).
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { setTransportFactory } from "@nats-io/nats-core/internal";
import type { ConnectionOptions } from "@nats-io/nats-core";

export interface NatsTls {
  /** No word goes over a connection without TLS. */
  readonly required: boolean;
  /** PEM; trusted besides what the runtime trusts anyway. */
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
  /** Something came after the first line, or within TLS. */
  #heard = false;
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
    const secured = await firstLine(socket, ({ bytes, info }) => {
      // It is the library that reads what the server has said of itself.
      this.#chunks.push(bytes);
      if (info.tls_required !== true && !tls.required) return undefined;
      if (info.tls_required !== true && info.tls_available !== true) {
        throw new Error("the server offers no TLS");
      }
      const secured = secure(socket, server, tls);
      this.#take(secured);
      return { secured };
    });
    if (secured !== undefined) {
      await settled(secured.secured, "secureConnect");
      this.#encrypted = true;
    }
    if (this.#done) throw new Error("it is being closed");
    this.#connected = true;
    this.#socket!.on("data", (chunk: Uint8Array) => {
      this.#heard = true;
      this.#chunks.push(chunk);
      this.#wake?.();
    });
  }

  /** From here on an error of the socket ends this connection, and nothing else. */
  #take(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", (error: Error) => this.closeError ??= this.#inWords(error));
    socket.on("close", () => this.#end());
    socket.on("end", () => this.#end());
  }

  /**
   * A server that does not take our certificate says so when TLS is made for us already (TLS 1.3),
   * and closes: what we write meanwhile may fail (EBADF, EPIPE, UNKNOWN) before its word is read.
   */
  #inWords(error: Error): Error {
    if (!/^write [A-Z]+$|\bECONNRESET\b/.test(error.message)) return error;
    const isUnheard = this.#encrypted && !this.#heard;
    const why = isUnheard ? ": it may refuse our certificate, or want one" : "";
    return new Error(`the server has closed the connection${why}`, { cause: error });
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

/**
 * What `use` makes of the server's first line, as it came and read. It is called while the bytes
 * are handed over: a socket of this runtime (Deno 2.6) that is made one of TLS any later has begun
 * to read by itself, and ends.
 */
function firstLine<T>(
  socket: Socket,
  use: (line: { readonly bytes: Uint8Array; readonly info: Info }) => T,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let bytes = new Uint8Array(0);
  const over = listen(socket, {
    data(chunk: Uint8Array): void {
      bytes = new Uint8Array([...bytes, ...chunk]);
      const text = new TextDecoder().decode(bytes);
      const line = /^INFO\s+(\{.*\})\s*\r\n/s.exec(text);
      const isNone = bytes.length > INFO_BYTES_MAX || !"INFO ".startsWith(text.slice(0, 5));
      if (line === null && !isNone) return;
      over();
      try {
        if (line === null) throw new Error("what answers there is no nats-server");
        resolve(use({ bytes, info: JSON.parse(line[1]!) }));
      } catch (error) {
        reject(error);
      }
    },
    ...ends((error) => (over(), reject(error))),
  });
  return promise;
}

function secure(socket: Socket, { hostname, tlsName }: Server, tls: NatsTls): TLSSocket {
  const name = tlsName || hostname;
  return connectTls({
    socket,
    // An address is held against the certificate too, and is no name to be sent.
    ...(isIP(name) === 0 ? { servername: name } : { host: name }),
    rejectUnauthorized: true,
    ...(tls.caCerts.length === 0 ? {} : { ca: [...tls.caCerts] }),
    ...(tls.cert === undefined || tls.key === undefined ? {} : { cert: tls.cert, key: tls.key }),
  });
}

/** The next event of that name; rejects where the socket ends before it. */
function settled(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = listen(socket, {
      [event]: () => (over(), resolve()),
      ...ends((error) => (over(), reject(error))),
    });
  });
}

// deno-lint-ignore no-explicit-any -- As the runtime types it.
type Listeners = Readonly<Record<string, (value: any) => void>>;

/** Returns what takes them away again. */
function listen(socket: Socket, listeners: Listeners): () => void {
  const all = Object.entries(listeners);
  for (const [name, listener] of all) socket.on(name, listener);
  return () => {
    for (const [name, listener] of all) socket.off(name, listener);
  };
}

function ends(over: (error: Error) => void): Listeners {
  const closed = () => over(new Error("the server has closed the connection"));
  return { error: over, end: closed, close: closed };
}

/** To be called before the library connects; again does no harm. */
export function useOwnTransport(): void {
  // deno-lint-ignore no-explicit-any -- Its `connect` takes more than the library's types say.
  setTransportFactory({ factory: () => new Transport() as any });
}
