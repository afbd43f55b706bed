// A server for clients that show a certificate: the addon takes their connections and lets those in
// that show one of the given authorities, to a socket that nobody else can reach.
import type { TlsDoor } from "../../engine/host/addon.ts";
import { loadAddon } from "../../engine/host/addon.ts";
import { privateDirectory, removeLeft } from "../../files/private_directory.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { type Answerer, serve, type Server } from "../../server/serve.ts";

export interface ClientDoorOptions {
  /** A literal address. */
  readonly address: string;
  readonly port: number;
  /** Certificate and key of the server. */
  readonly pem: string;
  /** Authorities of the clients. */
  readonly clientCa: string;
}

const PEM_BYTES_MAX = 1 << 20;
/** Short, since a socket's path has 107 bytes at the most, and in memory where that is there. */
const PARENTS = ["/run", "/dev/shm", "/tmp"];

/** Throws with one clear line where the address cannot be had, or a certificate is of no use. */
export function serveClients(app: Answerer, options: ClientDoorOptions): Server {
  const { address, port } = options;
  const directory = socketDirectory();
  const socketPath = `${directory}/${SOCKET}`;
  let server: Server | undefined;
  let door: TlsDoor | undefined;
  const removeAll = () => {
    try {
      Deno.removeSync(directory, { recursive: true });
    } catch {
      // Somebody has cleaned up.
    }
  };
  try {
    server = serve(app, { address: socketPath, port: undefined });
    door = loadAddon().TlsDoor.make({
      address,
      port,
      privateKey: pemOf("sslCertificate", options.pem),
      certChain: pemOf("sslCertificate", options.pem),
      rootCerts: pemOf("clientCa", options.clientCa),
      socketPath,
    });
  } catch (error) {
    server?.close();
    removeAll();
    const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
    throw new Error(`Cannot listen on ${where}: ${(error as Error).message}`, { cause: error });
  }
  const [behind, opened] = [server, door];
  return {
    address,
    port: opened.port(),
    stats(): ReturnType<Server["stats"]> {
      const { refused, turnedAway, failed } = opened.state();
      const stats = behind.stats();
      return { ...stats, cutOff: stats.cutOff + refused + turnedAway + failed };
    },
    async close(): Promise<void> {
      opened.close();
      await behind.close();
      removeAll();
    },
  };
}

function pemOf(key: string, path: string): { readonly name: string; readonly text: string } {
  const name = `plugins[].init_config.${key}`;
  return { name: `${name}: ${path}`, text: readKeyFile(name, path, PEM_BYTES_MAX) };
}

/** Its name holds the process whose it is. */
const PREFIX = "saker-audit-";
const SOCKET = "audit.sock";

/** Readable for this user alone from the moment that it is there. */
function socketDirectory(): string {
  for (const dir of PARENTS) {
    try {
      removeLeft(dir, { prefix: PREFIX, file: SOCKET, isLeft: isGone });
      return privateDirectory(dir, `${PREFIX}${Deno.pid}-`);
    } catch {
      // The next one.
    }
  }
  throw new Error(`there is no directory to keep a socket in: ${PARENTS.join(", ")}`);
}

/** Whether the process that a directory's name holds has ended. */
function isGone(name: string): boolean {
  const pid = /^\d+(?=-)/.exec(name.slice(PREFIX.length))?.[0];
  if (pid === undefined || pid === String(Deno.pid)) return false;
  try {
    Deno.statSync(`/proc/${pid}`);
    return false;
  } catch {
    return true;
  }
}
