// Pods made through a CRI socket, as the kubelet makes them: with Debian's grpc for Python, which
// scripts/setup has unpacked.
import { assert } from "../expect.ts";
import { lines } from "../saker.ts";
import { PYTHON_WITH_GRPC } from "../../outputs/grpc.ts";

export interface PodOptions {
  readonly pod: {
    readonly name: string;
    readonly uid: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Parent of its containers' cgroups. */
    readonly cgroup?: string;
  };
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly command: readonly string[];
    /** Host's path → path in the container; read only. */
    readonly mounts?: Readonly<Record<string, string>>;
    readonly privileged?: boolean;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
}

export interface Pod {
  readonly sandbox: string;
  readonly containers: readonly string[];
}

/** Makes pods, and removes them at the end. */
export class CriClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  readonly #stderr: Promise<string>;

  constructor(socket: string) {
    const { program, env } = PYTHON_WITH_GRPC;
    this.#child = new Deno.Command(program, {
      args: [new URL("cri_client.py", import.meta.url).pathname, socket],
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = lines(this.#child.stdout);
    this.#stderr = new Response(this.#child.stderr).text();
  }

  async run(options: PodOptions): Promise<Pod> {
    return await this.#ask(options) as Pod;
  }

  /** Runs a program in a container to its end, as the kubelet does for a probe. */
  async exec(container: string, command: readonly string[]): Promise<void> {
    await this.#ask({ container, exec: command });
  }

  async #ask(what: unknown): Promise<unknown> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(what)}\n`));
    const { value, done } = await this.#lines.next();
    assert(!done, `no answer: ${done ? await this.#stderr : ""}`);
    return JSON.parse(value as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    await this.#stderr;
    await this.#lines.return(undefined);
  }
}
