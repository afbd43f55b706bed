// A network of its own with wires to this host's, each of which can be cut: for tests of what is on
// their other end. All of it goes with the process that holds the network, and that with the test.
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

/** Networks of four addresses that tests share; a process has those behind its number. */
const NETWORKS = 16_000;

/** At this end. */
const nameOf = (wire: number) => `saker${Deno.pid}.${wire}`;

export class Wire implements AsyncDisposable {
  /** Of the other end of each wire. */
  readonly addresses: readonly string[];
  readonly #holder: Deno.ChildProcess;
  #laid = 0;

  private constructor(wires: number) {
    this.addresses = Array.from({ length: wires }, (_, at) => {
      // Far from each other: the next process's number is another test's.
      const number = (Deno.pid + at * NETWORKS / 4) % NETWORKS;
      return `169.254.${1 + (number >> 6)}.${(number % 64) * 4 + 2}`;
    });
    this.#holder = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  static async lay(wires = 1): Promise<Wire> {
    const wire = new Wire(wires);
    try {
      const here = readlinkSync("/proc/self/ns/net");
      const { pid } = wire.#holder;
      await eventually("the network", () => {
        return readlinkSync(`/proc/${pid}/ns/net`) === here ? undefined : true;
      });
      wire.#inside("link", "set", "lo", "up");
      for (const [at, address] of wire.addresses.entries()) {
        const [name, peer] = [nameOf(at), `eth${at}`];
        run("ip", ["link", "add", name, "type", "veth", "peer", "name", peer, "netns", `${pid}`]);
        wire.#laid++;
        const ours = `${address.replace(/\d+$/, (last) => `${+last - 1}`)}/30`;
        run("ip", ["addr", "add", ours, "dev", name]);
        run("ip", ["link", "set", name, "up"]);
        wire.#inside("addr", "add", `${address}/30`, "dev", peer);
        wire.mend(at);
      }
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

  cut(wire: number): void {
    this.#inside("link", "set", `eth${wire}`, "down");
  }

  mend(wire: number): void {
    this.#inside("link", "set", `eth${wire}`, "up");
  }

  #inside(...args: readonly string[]): void {
    const [command, ...rest] = this.through;
    run(command!, [...rest, "ip", ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With the network alone it would go some time after the network's last process.
    for (; this.#laid > 0; this.#laid--) run("ip", ["link", "delete", nameOf(this.#laid - 1)]);
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
