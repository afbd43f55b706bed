// A gRPC client of another language for tests: Debian's grpc for Python, which scripts/setup has
// unpacked, with messages that its protoc makes of ./protocol. And certificates of both sides.
import { ok } from "node:assert";
import { lines } from "../live/saker.ts";
import { standStill } from "../patience.ts";

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
const ROOT = `${cache}/tools/grpc`;
const HERE = new URL(".", import.meta.url).pathname;
/** The one that Debian's modules are made for. */
const PYTHON = "/usr/bin/python3";
const ENVIRONMENT = {
  LD_LIBRARY_PATH: `${ROOT}/usr/lib/x86_64-linux-gnu`,
  PYTHONPATH: `${ROOT}/usr/lib/python3/dist-packages`,
  PYTHONDONTWRITEBYTECODE: "1",
};

/** A Python that has grpc, where it can be had at all. */
export const PYTHON_WITH_GRPC = { program: PYTHON, env: ENVIRONMENT };

/** Why it cannot be had; undefined where it can. */
export function noGrpcClient(): string | undefined {
  try {
    const { success } = new Deno.Command(PYTHON, {
      args: ["-c", "import grpc, google.protobuf"],
      env: ENVIRONMENT,
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success ? undefined : "Python's grpc does not run here";
  } catch {
    return "there is no Python";
  }
}

/** Makes the messages of the protocol, for clients; returns the directory. */
export async function generated(directory: string): Promise<string> {
  const into = `${directory}/generated`;
  await Deno.mkdir(into);
  const names = ["schema", "outputs", "version"].map((name) => `${name}.proto`);
  const { success, stderr } = await new Deno.Command(`${ROOT}/usr/bin/protoc`, {
    args: [
      ...["-I", `${HERE}/protocol`, "-I", `${ROOT}/usr/include`, `--python_out=${into}`],
      ...names,
    ],
    env: ENVIRONMENT,
    stdout: "null",
    stderr: "piped",
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return into;
}

export type Call = "version" | "get" | "sub" | "names" | "cut" | "many";

export interface ClientOptions {
  readonly generated: string;
  readonly address: string;
  /** A directory of them; without it the channel has no TLS. */
  readonly certificates?: string;
  readonly call: Call;
  readonly number?: number;
}

export class GrpcClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;
  readonly #stderr: Promise<string>;
  /** What it has written so far. */
  readonly lines: string[] = [];

  constructor({ generated, address, certificates = "-", call, number = 0 }: ClientOptions) {
    this.#child = new Deno.Command(PYTHON, {
      args: [`${HERE}/grpc_client.py`, generated, address, certificates, call, `${number}`],
      env: ENVIRONMENT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#read = this.#collect();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /** It takes nothing any more: not even its connection is read. */
  async stop(): Promise<void> {
    await standStill(this.#child.pid);
  }

  /** All that it wrote, once it has ended. */
  async ended(): Promise<string[]> {
    await this.#read;
    await this.#child.status;
    return this.lines;
  }

  /** What it wrote to standard error, once it has ended. */
  async error(): Promise<string> {
    await this.#child.status;
    return await this.#stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
    await this.#stderr;
  }

  async #collect(): Promise<void> {
    for await (const line of lines(this.#child.stdout)) this.lines.push(line);
  }
}

/** An authority, and certificates of a server (`localhost`) and a client that it has signed; and
 * `strange/`, a client's that signed itself. Returns the directory. */
export async function certificates(directory: string): Promise<string> {
  const at = `${directory}/certificates`;
  await Deno.mkdir(`${at}/strange`, { recursive: true });
  const script = `
    set -e
    cd "$1"
    key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority
    openssl req -x509 $key -keyout strange/client.key -out strange/client.pem -subj /CN=client
    cp ca.pem strange/ca.pem
    for name in server client; do
      openssl req $key -keyout $name.key -out $name.csr -subj /CN=$name
      printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' >$name.ext
      openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \\
        -extfile $name.ext -out $name.pem
    done`;
  const { success, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", script, "certificates", at],
    stdout: "null",
    stderr: "piped",
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return at;
}
