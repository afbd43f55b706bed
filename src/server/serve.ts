// The web server's socket: an app comes in, it listens until it is closed.
import type { Hono } from "hono";

export interface ServeOptions {
  readonly address: string;
  readonly port: number;
  /** PEM texts; plain HTTP without them. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export interface Server {
  /** Where it listens; the port that the system chose where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Answers that are being written have this long when the server closes. */
const CLOSE_MS = 200;

/** Listens; throws with one clear line where the address cannot be had. */
export function serve(app: Hono, { address, port, tls }: ServeOptions): Server {
  const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const closing = new AbortController();
  try {
    const server = Deno.serve({
      signal: closing.signal,
      hostname: address,
      port,
      onListen: () => {},
      ...(tls === undefined ? {} : { cert: tls.certificate, key: tls.key }),
    }, app.fetch);
    const { hostname, port: listening } = server.addr as Deno.NetAddr;
    return {
      address: hostname,
      port: listening,
      async close(): Promise<void> {
        // Connections that clients keep open, or send half a request on, are not waited for.
        closing.abort();
        let timer: number | undefined;
        const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
        await Promise.race([server.finished, timeout]);
        clearTimeout(timer);
      },
    };
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? "another program listens there"
      : error instanceof Deno.errors.AddrNotAvailable
      ? "this host does not have the address"
      : (error as Error).message;
    throw new Error(
      `Cannot listen on ${where}: ${reason}; choose another with --listen or webserver.listen_port`,
      { cause: error },
    );
  }
}
