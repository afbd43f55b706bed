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
  readonly #name = `saker${Deno.pid}`;
  readonly #holder: Deno.ChildProcess;
  #isLaid = false;

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
      const here = readlinkSync("/proc/self/ns/net");
      const { pid } = wire.#holder;
      await eventually("the network", () => {
        return readlinkSync(`/proc/${pid}/ns/net`) === here ? undefined : true;
      });
      const name = wire.#name;
      run("ip", ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", `${pid}`]);
      wire.#isLaid = true;
      const ours = `${wire.address.replace(/\d+$/, (at) => `${+at - 1}`)}/30`;
      run("ip", ["addr", "add", ours, "dev", name]);
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
    // With the network alone it would go some time after the network's last process.
    if (this.#isLaid) run("ip", ["link", "delete", this.#name]);
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
