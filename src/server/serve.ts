// The web server's socket: an app comes in, it listens until it is closed. Every connection has one
// request and a few seconds; there are few at a time, and where there are too many the one that has
// waited longest gives way. So nobody who may connect can use up descriptors or memory, or keep
// others out; the runtime's own server has no such bounds. An answer that is a stream counts no
// more among them: how many of those there may be is the app's to bound. A client whose body was
// taken keeps its connection, as API servers do: of those there are few as well.
import type { Hono } from "hono";
import { type Peer, serveConnection } from "./connection.ts";

export interface ServeOptions {
  /** A path where there is no port. */
  readonly address: string;
  readonly port: number | undefined;
  /** What to do where the address cannot be had. */
  readonly hint?: string;
  /** PEM texts; plain HTTP without them. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Connections at a time, and how long one may take. */
  readonly connectionsMax?: number;
  readonly connectionMs?: number;
  /** None is pushed out before it had so long to ask. */
  readonly graceMs?: number;
}

export interface ServerStats {
  readonly open: number;
  /** Connections that are sent a stream, which are not among `open`. */
  readonly streams: number;
  /** Connections whose body is read and judged, which are not among `open` either. */
  readonly bodies: number;
  /** Connections of such clients that wait for their next request, likewise. */
  readonly kept: number;
  readonly accepted: number;
  /** Closed before their answer, since they took too long or others waited. */
  readonly cutOff: number;
  readonly acceptErrors: number;
}

export interface Server {
  /** Where it listens; the port that the system chose where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  stats(): ServerStats;
  close(): Promise<void>;
}

/** What an app is told of a request besides the request itself. */
export type Bindings = Peer;

/** What answers: an app, or what stands for the present one. */
export type Answerer = Pick<Hono<{ Bindings: Bindings }>, "fetch">;

/** Answers that are being written have this long when the server closes. */
const CLOSE_MS = 200;
const CONNECTIONS_MAX = 64;
const CONNECTION_MS = 5_000;
/** Requests with a body at a time, and how long one may take: to come, to be judged, to be told. */
const BODIES_MAX = 32;
const BODY_CONNECTION_MS = 60_000;
/** Connections that wait for another such request at a time, and how long: longer than Go's client
 * does, so that it is the client who closes them. */
const KEPT_MAX = 32;
const KEPT_MS = 120_000;
/** After so many in one go others have their turn: alerts are written by this thread too. */
const ACCEPTED_AT_ONCE = 64;
const PAUSE_MS = 10;
/** A connection is not pushed out before it had so long to ask: a burst of clients is served, as an
 * API server's that waits for its webhook within each request. */
const GRACE_MS = 300;
/** Where accepting fails it is tried again after this long, and longer each time. */
const AGAIN_MS = 100;
const AGAIN_MS_MAX = 5_000;

/** Listens; throws with one clear line where the address cannot be had. */
export function serve(app: Answerer, options: ServeOptions): Server {
  return new Acceptor(app, options, listen(options));
}

type Conn = Deno.TcpConn | Deno.TlsConn | Deno.UnixConn;

const CHOOSE = "choose another with --listen or webserver.listen_port";

function listen({ address, port, tls, hint = CHOOSE }: ServeOptions): Deno.Listener<Conn> {
  if (port === undefined) return Deno.listen({ transport: "unix", path: address });
  const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  try {
    const options = { hostname: address, port };
    return tls === undefined
      ? Deno.listen(options) as Deno.Listener<Conn>
      : Deno.listenTls({ ...options, cert: tls.certificate, key: tls.key });
  } catch (error) {
    throw new Error(
      `Cannot listen on ${where}: ${listenReason(error)}; ${hint}`,
      { cause: error },
    );
  }
}

function listenReason(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "another program listens there";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this host does not have the address";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission";
  return (error as Error).message;
}

class Acceptor implements Server {
  readonly address: string;
  readonly port: number;
  readonly #app: Answerer;
  readonly #listener: Deno.Listener<Conn>;
  readonly #connectionsMax: number;
  readonly #connectionMs: number;
  readonly #graceMs: number;
  /** In the order in which they came, each with its time limit and its end. */
  readonly #open = new Map<Conn, { timer: number; ended: Promise<void>; sinceMs: number }>();
  readonly #streams = new Map<Conn, Promise<void>>();
  readonly #bodies = new Map<Conn, { timer: number; ended: Promise<void> }>();
  readonly #kept = new Map<Conn, { timer: number; ended: Promise<void> }>();
  readonly #accepting: Promise<void>;
  #accepted = 0;
  #cutOff = 0;
  #acceptErrors = 0;
  #closed = false;

  constructor(
    app: Answerer,
    options: ServeOptions,
    listener: Deno.Listener<Conn>,
  ) {
    const { connectionsMax = CONNECTIONS_MAX, connectionMs = CONNECTION_MS } = options;
    this.#graceMs = options.graceMs ?? GRACE_MS;
    this.#app = app;
    this.#listener = listener;
    this.#connectionsMax = connectionsMax;
    this.#connectionMs = connectionMs;
    const { addr } = listener;
    // Of TLS the runtime tells no transport.
    this.address = "hostname" in addr ? addr.hostname : options.address;
    this.port = "port" in addr ? addr.port : 0;
    this.#accepting = this.#accept();
  }

  stats(): ServerStats {
    return {
      open: this.#open.size,
      streams: this.#streams.size,
      bodies: this.#bodies.size,
      kept: this.#kept.size,
      accepted: this.#accepted,
      cutOff: this.#cutOff,
      acceptErrors: this.#acceptErrors,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    closeQuietly(this.#listener);
    const waiting = [...this.#open, ...this.#bodies, ...this.#kept].map(([, one]) => one);
    const ends = [...waiting.map(({ ended }) => ended), ...this.#streams.values()];
    for (const conn of [...this.#streams.keys(), ...this.#kept.keys()]) closeQuietly(conn);
    const cutAll = () => {
      for (const conn of [...this.#open.keys(), ...this.#bodies.keys()]) this.#cut(conn);
    };
    const timer = setTimeout(cutAll, CLOSE_MS);
    await Promise.all(ends);
    clearTimeout(timer);
    await this.#accepting;
  }

  /** Never rejects. */
  async #accept(): Promise<void> {
    let againMs = AGAIN_MS;
    for (let inOneGo = 1; !this.#closed; inOneGo++) {
      try {
        const conn = await this.#listener.accept();
        if (this.#open.size >= this.#connectionsMax) await this.#untilRoom();
        this.#take(conn);
        againMs = AGAIN_MS;
        if (inOneGo % ACCEPTED_AT_ONCE === 0) await pause(PAUSE_MS);
      } catch {
        if (this.#closed) return;
        this.#acceptErrors++;
        await pause(againMs);
        againMs = Math.min(2 * againMs, AGAIN_MS_MAX);
      }
    }
  }

  /** Until a place is free, or the oldest has had its time to ask. */
  async #untilRoom(): Promise<void> {
    while (this.#open.size >= this.#connectionsMax && !this.#closed) {
      const { sinceMs } = this.#open.values().next().value!;
      const leftMs = sinceMs + this.#graceMs - performance.now();
      if (leftMs <= 0) return;
      await pause(Math.min(leftMs, PAUSE_MS));
    }
  }

  #take(conn: Conn): void {
    if (this.#closed) return closeQuietly(conn);
    this.#accepted++;
    this.#enter(conn, this.#serve(conn));
  }

  /** It has a few seconds to ask. */
  #enter(conn: Conn, ended: Promise<void>): void {
    if (this.#open.size >= this.#connectionsMax) this.#cut(this.#open.keys().next().value!);
    const timer = setTimeout(() => this.#cut(conn), this.#connectionMs);
    this.#open.set(conn, { timer, ended, sinceMs: performance.now() });
  }

  /** Never rejects. */
  async #serve(conn: Conn): Promise<void> {
    try {
      await serveConnection(
        conn,
        (request, peer) => this.#app.fetch(request, peer),
        {
          onStream: () => this.#becomeStream(conn),
          onBody: () => this.#takeBody(conn),
          onKept: () => this.#keep(conn),
          onAgain: () => this.#beginAgain(conn),
        },
      );
    } catch {
      // The client went, spoke no TLS, or was cut off: nobody is there to be told.
    }
    this.#forget(conn);
    this.#streams.delete(conn);
    closeQuietly(conn);
  }

  /** Whoever may give a body is not pushed out by others who only connect. */
  #takeBody(conn: Conn): boolean {
    const known = this.#open.get(conn);
    if (known === undefined) throw new Error("it was cut off");
    if (this.#bodies.size >= BODIES_MAX) return false;
    this.#forget(conn);
    const timer = setTimeout(() => this.#cut(conn), BODY_CONNECTION_MS);
    this.#bodies.set(conn, { timer, ended: known.ended });
    return true;
  }

  /** It may ask once more; the one that has waited longest for that gives way. */
  #keep(conn: Conn): boolean {
    const known = this.#bodies.get(conn);
    if (known === undefined || this.#closed) return false;
    const oldest = this.#kept.keys().next().value;
    if (oldest !== undefined && this.#kept.size >= KEPT_MAX) this.#letGo(oldest);
    this.#forget(conn);
    const timer = setTimeout(() => this.#letGo(conn), KEPT_MS);
    this.#kept.set(conn, { timer, ended: known.ended });
    return true;
  }

  /** The first bytes of a request are there; of a connection's first one that is known. */
  #beginAgain(conn: Conn): void {
    const known = this.#kept.get(conn);
    if (known === undefined) return;
    this.#forget(conn);
    this.#enter(conn, known.ended);
  }

  /** Nobody waits for an answer there. */
  #letGo(conn: Conn): void {
    this.#forget(conn);
    closeQuietly(conn);
  }

  /** It may stay from now on. */
  #becomeStream(conn: Conn): void {
    const known = this.#open.get(conn);
    if (known === undefined) throw new Error("it was cut off");
    this.#forget(conn);
    this.#streams.set(conn, known.ended);
    if (this.#closed) closeQuietly(conn);
  }

  #cut(conn: Conn): void {
    this.#cutOff++;
    this.#forget(conn);
    closeQuietly(conn);
  }

  #forget(conn: Conn): void {
    for (const known of [this.#open, this.#bodies, this.#kept]) {
      clearTimeout(known.get(conn)?.timer);
      known.delete(conn);
    }
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It is closed already.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
