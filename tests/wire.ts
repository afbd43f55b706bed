// A network of its own with one wire to this host's, which can be cut: for tests of what is on its
// other end. All of it goes with the process that holds the network, and that with the test.
import { readlinkSync } from "node:fs";
import { eventually } from "./outputs/place.ts";

const run = (command: string, args: readonly string[]) => {
  const { success, stderr } = new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
};

export class Wire implements AsyncDisposable {
  /** Of the other end. */
  readonly address: string;
  readonly #holder: Deno.ChildProcess;

  private constructor() {
    const number = Deno.pid % 16_000;
    const of = (host: number) => `169.254.${1 + (number >> 6)}.${(number % 64) * 4 + host}`;
    this.address = of(2);
    this.#holder = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  static async lay(): Promise<Wire> {
    const wire = new Wire();
    try {
      const ours = readlinkSync("/proc/self/ns/net");
      const { pid } = wire.#holder;
      await eventually("the network", () => {
        return readlinkSync(`/proc/${pid}/ns/net`) === ours ? undefined : true;
      });
      const name = `saker${Deno.pid}`;
      run("ip", ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", `${pid}`]);
      run("ip", [
        "addr",
        "add",
        `${wire.address.replace(/\d+$/, (at) => `${+at - 1}`)}/30`,
        "dev",
        name,
      ]);
      run("ip", ["link", "set", name, "up"]);
      wire.#inside("addr", "add", `${wire.address}/30`, "dev", "eth0");
      wire.#inside("link", "set", "lo", "up");
      wire.mend();
      return wire;
    } catch (error) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A command that runs what its further arguments say at the other end. */
  get through(): string[] {
    return ["nsenter", "--net", `--target=${this.#holder.pid}`];
  }

  cut(): void {
    this.#inside("link", "set", "eth0", "down");
  }

  mend(): void {
    this.#inside("link", "set", "eth0", "up");
  }

  #inside(...args: readonly string[]): void {
    const [command, ...rest] = this.through;
    run(command!, [...rest, "ip", ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.status;
  }
}

/** Why there can be none here; undefined where there can. */
export async function noWire(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root";
  try {
    await using _wire = await Wire.lay();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
