// A real Docker for tests: dockerd and its own containerd with all their files in a directory of
// the test's, without bridge and iptables, and an image of busybox.
import { assert } from "../expect.ts";
import { type Ran, run } from "../trigger.ts";
import { Daemon } from "./daemon.ts";
import { IMAGE, makeRootDirectory, packImage } from "./image.ts";
import { placeOciRuntime } from "./rights.ts";
import { CannotRun, demand, environment, unpacked } from "./unpacked.ts";

export class Docker implements AsyncDisposable {
  readonly socket: string;
  readonly #daemon: Daemon;
  readonly #env: Record<string, string>;

  private constructor(daemon: Daemon, socket: string, env: Record<string, string>) {
    this.#daemon = daemon;
    this.socket = socket;
    this.#env = env;
  }

  /** Starts it with all that it has in `directory`, and loads the image. */
  static async start(directory: string): Promise<Docker> {
    demand("docker");
    const work = `${directory}/docker`;
    await Deno.mkdir(`${work}/first`, { recursive: true });
    placeOciRuntime("runc", `${work}/first`);
    const env = environment(`${work}/first`);
    const socket = `${work}/docker.sock`;
    await Deno.writeTextFile(`${work}/daemon.json`, '{ "live-restore": true }');
    const client = [unpacked("docker"), "--host", `unix://${socket}`];
    const daemon = await Daemon.start({
      command: [
        ...[unpacked("dockerd"), "--config-file", `${work}/daemon.json`],
        ...["--data-root", `${work}/root`, "--exec-root", `${work}/exec`],
        ...["--pidfile", `${work}/pid`, "--host", `unix://${socket}`, "--bridge=none"],
        ...["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
        ...["--userland-proxy=false", "--shutdown-timeout=1"],
      ],
      env,
      log: `${work}/log`,
      answers: async () => (await answer(client, ["version"], env)).code === 0,
      cgroups: ["docker"],
    });
    const docker = new Docker(daemon, socket, env);
    try {
      const root = `${work}/box`;
      await makeRootDirectory(root);
      await docker.must("load", "--input", await packImage(root, work));
      const { code, stderr } = await docker.cli("run", "--rm", "--network=none", IMAGE, "true");
      if (code !== 0) throw new CannotRun(`docker runs no container: ${stderr.trim()}`);
    } catch (error) {
      await docker[Symbol.asyncDispose]();
      throw error;
    }
    return docker;
  }

  /** Runs `docker …`. */
  cli(...args: readonly string[]): Promise<Ran> {
    return answer([unpacked("docker"), "--host", `unix://${this.socket}`], args, this.#env);
  }

  /** Runs `docker …`, which must succeed; what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert(code === 0, `docker ${args[0]}: ${stderr}`);
    return stdout.trim();
  }

  /** The daemon. */
  get daemon(): Daemon {
    return this.#daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ids = (await this.cli("ps", "-aq", "--no-trunc")).stdout.trim().split("\n");
    if (ids[0]) await this.cli("rm", "--force", ...ids);
    await this.#daemon[Symbol.asyncDispose]();
  }
}

function answer(
  command: readonly string[],
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const setting = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return run("env", [...setting, ...command, ...args]);
}
