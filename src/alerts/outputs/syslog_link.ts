// The way to a syslog receiver: the host's own socket, datagrams, or a stream, with TLS where it
// is wanted. A link sends frames one after the other; it fails, and the next one is opened anew.
import { codeOf } from "../../files/reason.ts";

export type SyslogAddress =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "udp" | "tcp" | "tls"; readonly hostname: string; readonly port: number };

export interface SyslogTls {
  /** PEM; what the runtime trusts anyway is trusted as well. */
  readonly caCerts: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface SyslogLink {
  /** Frames of a stream follow each other without a mark of their own. */
  readonly isStream: boolean;
  /** Settles when the bytes have left this process. */
  send(frame: Uint8Array): Promise<void>;
  close(): void;
}

/** What ends a frame on the stream of a local socket, as syslog(3) does. */
const NUL = new Uint8Array(1);

export async function openSyslogLink(to: SyslogAddress, tls: SyslogTls): Promise<SyslogLink> {
  if (to.kind === "local") return await openLocal(to.path);
  if (to.kind === "udp") {
    const { hostname, port } = to;
    const local = hostname.includes(":") ? "::" : "0.0.0.0";
    const socket = Deno.listenDatagram({ transport: "udp", hostname: local, port: 0 });
    return datagrams(socket, { transport: "udp", hostname, port });
  }
  if (to.kind === "tcp") return streamed(await Deno.connect(to), false);
  const { caCerts, cert, key } = tls;
  const conn = await Deno.connectTls({
    hostname: to.hostname,
    port: to.port,
    caCerts: [...caCerts],
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  });
  try {
    await conn.handshake();
  } catch (error) {
    conn.close();
    throw error;
  }
  return streamed(conn, false);
}

/** Datagrams where the socket takes them, which is the rule; else a stream, as syslog(3) tries. */
async function openLocal(path: string): Promise<SyslogLink> {
  Deno.statSync(path);
  try {
    return streamed(await Deno.connect({ transport: "unix", path }), true);
  } catch (error) {
    if (!isOfDatagrams(error)) throw error;
  }
  // An empty path: the kernel gives the socket a name that no file has.
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: "" });
  return datagrams(socket, { transport: "unixpacket", path });
}

function isOfDatagrams(error: unknown): boolean {
  return codeOf(error) === "EPROTOTYPE" || /os error 91\b/.test((error as Error).message);
}

function datagrams(socket: Deno.DatagramConn, to: Deno.Addr): SyslogLink {
  return {
    isStream: false,
    async send(frame: Uint8Array): Promise<void> {
      await socket.send(frame, to);
    },
    close: () => socket.close(),
  };
}

/** A receiver says nothing; that its end is closed is seen by reading, before more is written. */
function streamed(conn: Deno.Conn, isLocal: boolean): SyslogLink {
  let ended: Error | undefined;
  const watch = async () => {
    const scratch = new Uint8Array(256);
    try {
      while (await conn.read(scratch) !== null);
      ended = new Error("the receiver has closed the connection");
    } catch (error) {
      ended = error as Error;
    }
  };
  // Never rejects.
  watch();
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  };
  return {
    isStream: !isLocal,
    async send(frame: Uint8Array): Promise<void> {
      if (ended !== undefined) throw ended;
      await write(frame);
      if (isLocal) await write(NUL);
    },
    close: () => conn.close(),
  };
}
