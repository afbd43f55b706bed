// A host that sends to NATS, for tests: the built saker, or where there is none this checkout's,
// with a configuration of its own, without a driver. What it says is held; it ends with the test.
import { existsSync } from "node:fs";
import { SAKER } from "./live/saker.ts";
import { spawnMain } from "./main_process.ts";
import { eventually, freePort } from "./outputs/place.ts";

export interface HostHealth {
  readonly status: string;
  readonly reason?: string;
  readonly outputs: readonly { readonly name: string; readonly state: string }[];
}

export class NatsHost implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "saker-host-" });
  readonly #port = freePort();
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  told = "";

  /** `nats` is what its configuration says of the output. */
  constructor(hostname: string, nats: string) {
    this.write(["one"]);
    this.configure(nats);
    const args = [
      ...["-r", `${this.#directory}/rules.yaml`, "-c", `${this.#directory}/falco.yaml`],
      ...["--listen", `127.0.0.1:${this.#port}`],
    ];
    const env = { FALCO_HOSTNAME: hostname, NO_COLOR: "1" };
    this.#child = !existsSync(SAKER) ? spawnMain(args, { env }) : new Deno.Command(SAKER, {
      ...{ args, env, stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
    const read = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.told += text;
    };
    this.#read = Promise.all([read(this.#child.stdout), read(this.#child.stderr)]);
  }

  /** Rules of these names. */
  write(names: readonly string[]): void {
    const rules = names.map((name) =>
      `- {rule: ${name}, desc: d, condition: evt.type = open, output: o, priority: NOTICE}\n`
    );
    Deno.writeTextFileSync(`${this.#directory}/rules.yaml`, rules.join(""));
  }

  configure(nats: string): void {
    Deno.writeTextFileSync(
      `${this.#directory}/falco.yaml`,
      "engine: {kind: nodriver}\nwatch_config_files: false\n" +
        `nats_output: {enabled: true, ${nats}}\n`,
    );
  }

  /** Its health once it is as wanted. */
  async health(what: string, isWanted: (health: HostHealth) => boolean): Promise<HostHealth> {
    let last: HostHealth | undefined;
    return await eventually(what, async () => {
      try {
        const answer = await fetch(`http://127.0.0.1:${this.#port}/healthz`);
        last = await answer.json();
        return isWanted(last!) ? last : undefined;
      } catch {
        // It does not listen yet.
        return undefined;
      }
    }).catch((error: Error) => {
      throw new Error(`${error.message}, found ${JSON.stringify(last)}: ${this.told}`);
    });
  }

  /** Waits until it has said something that matches, and gives the line. */
  async says(pattern: RegExp): Promise<string> {
    const look = () => this.told.split("\n").find((line) => pattern.test(line));
    return await eventually(`${pattern}`, look).catch((error: Error) => {
      throw new Error(`${error.message}: ${this.told}`);
    });
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}
