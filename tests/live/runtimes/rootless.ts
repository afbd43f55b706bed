// A real Podman of a user without rights, for tests: below a user namespace that newuidmap fills,
// with the files that are root's alone (the cache of what was unpacked) under names that he may
// read.
import { assert } from "../expect.ts";
import { type Ran, run } from "../trigger.ts";
import { Daemon } from "./daemon.ts";
import { IMAGE, makeRootDirectory, packImage } from "./image.ts";
import { configure, isListening } from "./podman.ts";
import { CannotRun, demand, environment, LIBRARIES, TOOLS, unpacked } from "./unpacked.ts";

/** nobody, whom every machine has. */
const UID = 65534;
/** Where he finds what was unpacked. */
const OPEN = "/run/tools";

/** In the daemon's own mount namespace: his tools, his ids, his directory, and then he himself. */
const PREPARED = `set -e
mkdir -p ${OPEN} /run/user/${UID}
mount --bind ${TOOLS} ${OPEN}
printf 'nobody:200000:65536\\n' > /run/subid
mount --bind /run/subid /etc/subuid
mount --bind /run/subid /etc/subgid
chown ${UID}:${UID} /run/user/${UID}
PATH=$PATH:/usr/sbin:/sbin ldconfig -C /run/libraries ${
  opened(LIBRARIES).replaceAll(":", " ")
} 2>/dev/null
mount --bind /run/libraries /etc/ld.so.cache
exec "$@"`;

function opened(text: string): string {
  return text.replaceAll(TOOLS, OPEN);
}

export class Rootless implements AsyncDisposable {
  readonly socket: string;
  readonly #daemon: Daemon;
  readonly #env: Readonly<Record<string, string>>;
  readonly #work: string;

  private constructor(daemon: Daemon, work: string, env: Readonly<Record<string, string>>) {
    this.#daemon = daemon;
    this.socket = socketIn(work);
    this.#env = env;
    this.#work = work;
  }

  /** Starts his service with all that it has in `directory`, and loads the image. */
  static async start(directory: string): Promise<Rootless> {
    demand("podman");
    unpacked("newuidmap");
    const work = `${directory}/user`;
    await Deno.mkdir(`${work}/first/.config/containers`, { recursive: true });
    const socket = socketIn(work);
    const settings = { ...environment(`${work}/first`), ...await configure(work) };
    const env = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, opened(value)]),
    );
    Object.assign(env, { XDG_RUNTIME_DIR: `/run/user/${UID}`, USER: "nobody" });
    await makeRootDirectory(`${work}/box`);
    const image = await packImage(`${work}/box`, work);
    for (const name of ["containers.conf", "first/runc", "first/crun"]) {
      await open(`${work}/${name}`);
    }
    await run("chown", ["-R", `${UID}:${UID}`, work]);
    const daemon = await Daemon.start({
      command: [
        ...["/bin/sh", "-c", PREPARED, "prepared"],
        ...himself(`${OPEN}/podman/usr/bin/podman`, "system", "service", "--time=0"),
        `unix://${socket}`,
      ],
      env,
      log: `${directory}/user.log`,
      answers: () => isListening(socket),
      cgroups: [],
    }).catch(async (error) => {
      await endPause(work);
      throw error;
    });
    const rootless = new Rootless(daemon, work, env);
    try {
      await rootless.must("load", "--input", image);
      const { code, stderr } = await rootless.cli("run", "--rm", "--network=none", IMAGE, "true");
      if (code !== 0) throw new CannotRun(`podman of a user runs nothing: ${stderr.trim()}`);
    } catch (error) {
      await rootless[Symbol.asyncDispose]();
      throw error;
    }
    return rootless;
  }

  /** Runs his `podman …`. */
  cli(...args: readonly string[]): Promise<Ran> {
    const command = himself(`${OPEN}/podman/usr/bin/podman`, ...args);
    return this.#daemon.inside(["/bin/sh", "-c", 'cd / && exec "$@"', "cd", ...command], this.#env);
  }

  /** Runs his `podman …`, which must succeed; what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert(code === 0, `podman ${args[0]}: ${stderr}`);
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cli("rm", "--force", "--all", "--time=0");
    await endPause(this.#work);
    await this.#daemon[Symbol.asyncDispose]();
  }
}

function socketIn(work: string): string {
  return `${work}/podman.sock`;
}

/** What holds the user's namespaces between two of his commands, and outlives all of them. */
async function endPause(work: string): Promise<void> {
  const pid = Number(await Deno.readTextFile(`${work}/tmp/pause.pid`).catch(() => ""));
  if (pid > 1) Deno.kill(pid, "SIGKILL");
}

function himself(...command: readonly string[]): readonly string[] {
  return ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", ...command];
}

/** A file that names what was unpacked, where there is one. */
async function open(path: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, opened(await Deno.readTextFile(path)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
