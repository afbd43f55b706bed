// A real containerd for tests, with runc and its CRI: every file of its in a directory of the
// test's, an image of busybox in ctr's namespace and in CRI's, and the latter as CRI's sandbox.
import { assert } from "../expect.ts";
import { type Ran, run } from "../trigger.ts";
import { Daemon } from "./daemon.ts";
import { IMAGE, makeRootDirectory, packImage } from "./image.ts";
import { placeOciRuntime } from "./rights.ts";
import { CannotRun, demand, environment, unpacked } from "./unpacked.ts";

/** ctr's own namespace, and that of CRI. */
const NAMESPACES = ["default", "k8s.io"];

export class Containerd implements AsyncDisposable {
  readonly socket: string;
  /** A directory that can be a container's root (`ctr run --rootfs`). */
  readonly root: string;
  readonly #daemon: Daemon;
  readonly #env: Record<string, string>;

  private constructor(daemon: Daemon, work: string, env: Record<string, string>) {
    this.#daemon = daemon;
    this.socket = `${work}/containerd.sock`;
    this.root = `${work}/box`;
    this.#env = env;
  }

  /** Starts it with all that it has in `directory`, and loads the image. */
  static async start(directory: string): Promise<Containerd> {
    demand("containerd");
    const work = `${directory}/containerd`;
    await Deno.mkdir(`${work}/first`, { recursive: true });
    placeOciRuntime("runc", `${work}/first`);
    const env = environment(`${work}/first`);
    await Deno.writeTextFile(`${work}/config.toml`, configuration(work));
    const daemon = await Daemon.start({
      command: [unpacked("containerd"), "--config", `${work}/config.toml`],
      env,
      log: `${work}/log`,
      answers: async () => (await ctr(`${work}/containerd.sock`, ["version"], env)).code === 0,
      cgroups: [...NAMESPACES, "saker.test"],
    });
    const containerd = new Containerd(daemon, work, env);
    try {
      await makeRootDirectory(containerd.root);
      // CRI's containers and the sandbox below them are of the same image.
      const config = { Cmd: ["sleep", "3600"] };
      const archive = await packImage(containerd.root, work, { config });
      for (const namespace of NAMESPACES) {
        await containerd.must(...["-n", namespace, "images", "import"], archive);
      }
      const { code, stderr } = await containerd.cli(
        "run",
        "--rm",
        "--rootfs",
        containerd.root,
        "saker-first",
        "/bin/true",
      );
      if (code !== 0) throw new CannotRun(`containerd runs no container: ${stderr.trim()}`);
    } catch (error) {
      await containerd[Symbol.asyncDispose]();
      throw error;
    }
    return containerd;
  }

  /** Runs `ctr …`, as runc's shim finds it, in the daemon's mount namespace. */
  cli(...args: readonly string[]): Promise<Ran> {
    return this.#daemon.inside([unpacked("ctr"), "-a", this.socket, ...args], this.#env);
  }

  /** Runs `ctr …`, which must succeed; what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert(code === 0, `ctr ${args.slice(0, 2).join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  /** The daemon. */
  get daemon(): Daemon {
    return this.#daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const namespace of NAMESPACES) {
      const task = (...args: string[]) => this.cli("-n", namespace, "tasks", ...args);
      const ids = (await task("ls", "-q")).stdout.trim().split("\n");
      for (const id of ids.filter((one) => one !== "")) await task("rm", "--force", id);
    }
    await this.#daemon[Symbol.asyncDispose]();
  }
}

function configuration(work: string): string {
  return `version = 2
root = "${work}/root"
state = "${work}/state"
[grpc]
address = "${work}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${work}/cni"
conf_dir = "${work}/net"
`;
}

function ctr(
  socket: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const setting = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return run("env", [...setting, unpacked("ctr"), "-a", socket, ...args]);
}
