// A real Podman for tests, as root: every file of its in a directory of the test's, with conmon
// and crun (runc where crun refuses the machine's cgroups), an image of busybox, and its API's
// service on a socket.
import { existsSync } from "node:fs";
import { assert } from "../expect.ts";
import type { Ran } from "../trigger.ts";
import { Daemon } from "./daemon.ts";
import { IMAGE, makeRootDirectory, packImage } from "./image.ts";
import { placeOciRuntime } from "./rights.ts";
import { CannotRun, demand, environment, unpacked } from "./unpacked.ts";

/** Limits that no machine refuses. */
const LIMITS = '["nofile=1024:1024", "nproc=1024:1024"]';

export class Podman implements AsyncDisposable {
  readonly socket: string;
  readonly #daemon: Daemon;
  readonly #env: Record<string, string>;

  private constructor(daemon: Daemon, socket: string, env: Record<string, string>) {
    this.#daemon = daemon;
    this.socket = socket;
    this.#env = env;
  }

  /** Starts its service with all that it has in `directory`, and loads the image. */
  static async start(directory: string): Promise<Podman> {
    demand("podman");
    const work = `${directory}/podman`;
    await Deno.mkdir(`${work}/first/.config/containers`, { recursive: true });
    const socket = `${work}/podman.sock`;
    const env = { ...environment(`${work}/first`), ...await configure(work) };
    const service = await Daemon.start({
      command: [unpacked("podman"), "system", "service", "--time=0", `unix://${socket}`],
      env,
      log: `${work}/log`,
      answers: () => isListening(socket),
      cgroups: ["libpod_parent"],
    });
    const podman = new Podman(service, socket, env);
    try {
      const root = `${work}/box`;
      await makeRootDirectory(root);
      await podman.must("load", "--input", await packImage(root, work));
      const { code, stderr } = await podman.cli("run", "--rm", "--network=none", IMAGE, "true");
      if (code !== 0) throw new CannotRun(`podman runs no container: ${stderr.trim()}`);
    } catch (error) {
      await podman[Symbol.asyncDispose]();
      throw error;
    }
    return podman;
  }

  /** Runs `podman …` where its service runs. */
  cli(...args: readonly string[]): Promise<Ran> {
    return this.#daemon.inside([unpacked("podman"), ...args], this.#env);
  }

  /** Runs `podman …`, which must succeed; what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert(code === 0, `podman ${args[0]}: ${stderr}`);
    return stdout.trim();
  }

  /** The daemon. */
  get daemon(): Daemon {
    return this.#daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cli("rm", "--force", "--all", "--time=0");
    await this.#daemon[Symbol.asyncDispose]();
  }
}

/** Writes its configuration; returns the variables that name it. */
export async function configure(work: string): Promise<Record<string, string>> {
  // "cgroups in hybrid mode not supported", says crun.
  const oci = existsSync("/sys/fs/cgroup/unified") ? "runc" : "crun";
  const policy = JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] });
  await Deno.writeTextFile(`${work}/first/.config/containers/policy.json`, policy);
  await Deno.writeTextFile(
    `${work}/containers.conf`,
    `[containers]
default_ulimits = ${LIMITS}
[engine]
conmon_path = ["${unpacked("conmon")}"]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "${oci}"
tmp_dir = "${work}/tmp"
[engine.runtimes]
${oci} = ["${placeOciRuntime(oci, `${work}/first`)}"]
[network]
network_config_dir = "${work}/net"
`,
  );
  await Deno.writeTextFile(
    `${work}/storage.conf`,
    `[storage]
driver = "vfs"
graphroot = "${work}/root"
runroot = "${work}/run"
`,
  );
  return {
    CONTAINERS_CONF: `${work}/containers.conf`,
    CONTAINERS_STORAGE_CONF: `${work}/storage.conf`,
  };
}

export async function isListening(socket: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path: socket })).close();
    return true;
  } catch {
    return false;
  }
}
