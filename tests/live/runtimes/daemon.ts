// A runtime's daemon for tests: in a mount namespace of its own, with an empty /run laid over the
// host's, so that nothing that it leaves there outlives it. What it started is known by that
// namespace and by its cgroups, and is ended by process id.
import { eventually } from "../saker.ts";
import { linkOf, type Ran, run } from "../trigger.ts";
import { CannotRun, LIBRARIES } from "./unpacked.ts";

const CGROUPS = "/sys/fs/cgroup";

export interface DaemonOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where what it says goes. */
  readonly log: string;
  /** Whether it answers. */
  readonly answers: () => Promise<boolean>;
  /** Cgroups that it makes at the top and nobody removes. */
  readonly cgroups: readonly string[];
}

/**
 * Runs a program in a mount namespace of its own whose /run is empty, and where the unpacked
 * libraries are known: a monitor starts programs of its runtime with no environment to speak of.
 */
function apart(command: readonly string[], cache: string): readonly string[] {
  const inside = `PATH=$PATH:/usr/sbin:/sbin
ldconfig -C '${cache}' ${LIBRARIES.replaceAll(":", " ")} 2>/dev/null &&
  mount --bind '${cache}' /etc/ld.so.cache && mount -t tmpfs -o mode=755 none /run && exec "$@"`;
  return [
    ...["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", inside, "apart"],
    ...command,
  ];
}

export class Daemon implements AsyncDisposable {
  #child: Deno.ChildProcess;
  readonly #options: DaemonOptions;
  readonly #foreign: readonly string[];
  #namespace = "";
  /** Keeps the mount namespace while the daemon is down. */
  #holder: Deno.ChildProcess | undefined;

  private constructor(options: DaemonOptions) {
    this.#options = options;
    this.#foreign = options.cgroups.filter((name) => cgroupDirectories(name).length > 0);
    this.#child = spawn(apart(logged(options), `${options.log}.libraries`), options.env);
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    try {
      await daemon.#untilItAnswers();
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      const said = (await Deno.readTextFile(options.log).catch(() => "")).trim().split("\n");
      throw new CannotRun(`${(error as Error).message}: ${said.slice(-2).join(" | ")}`);
    }
    daemon.#namespace = linkOf(`/proc/${daemon.pid}/ns/mnt`);
    return daemon;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Runs a program where the daemon runs, in its mount namespace. */
  inside(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
    const setting = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const [program, ...args] = this.#entering(["env", ...setting, ...command]);
    return run(program!, args);
  }

  /** Ends the daemon alone: what it has started runs on. */
  async stop(): Promise<void> {
    this.#holder ??= spawn(this.#entering(["sleep", "600"]), {});
    const { pid } = this.#holder;
    await eventually(
      "a process to hold the namespace",
      () => linkOf(`/proc/${pid}/ns/mnt`) === this.#namespace ? true : undefined,
    );
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }

  /** Starts it once more, where it was. */
  async startAgain(): Promise<void> {
    this.#child = spawn(this.#entering(logged(this.#options)), this.#options.env);
    await this.#untilItAnswers();
  }

  async #untilItAnswers(): Promise<void> {
    const { command, answers } = this.#options;
    const [name] = command.map((part) => part.split("/").at(-1)!);
    let ended: number | undefined;
    this.#child.status.then(({ code }) => ended = code);
    await eventually(`${name} to answer`, async () => {
      if (ended !== undefined) throw new CannotRun(`${name} ended with ${ended}`);
      return await answers() ? true : undefined;
    });
  }

  #entering(command: readonly string[]): readonly string[] {
    const target = this.#holder?.pid ?? this.pid;
    return ["nsenter", "--mount", `--target=${target}`, ...command];
  }

  /** Ends the daemon, whatever of its own still runs, and the cgroups that it left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const namespace = this.#namespace || linkOf(`/proc/${this.pid}/ns/mnt`);
    // A user's Podman goes on in a process of its own, in other namespaces.
    const below = descendants(this.pid);
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    for (const pid of below) kill(pid);
    // Shims and monitors, which outlive their daemon by design; a host's own is in none of ours.
    if (namespace !== "" && namespace !== linkOf("/proc/self/ns/mnt")) await endAll(namespace);
    await this.#holder?.status;
    for (const name of this.#options.cgroups) {
      if (this.#foreign.includes(name)) continue;
      // Containers whose daemon was down when they were to be ended.
      await eventually("the containers to end", () => endIn(name) === 0 ? true : undefined);
      removeCgroups(name);
    }
  }
}

/** The shell's redirection: the daemon writes to the file itself, whoever reads it. */
function logged({ command, log }: DaemonOptions): readonly string[] {
  return ["/bin/sh", "-c", 'exec "$@" >>"$0" 2>&1', log, ...command];
}

function spawn(
  [program, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Deno.ChildProcess {
  return new Deno.Command(program!, {
    args,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Ends all processes of a mount namespace by their ids. */
async function endAll(namespace: string): Promise<void> {
  await eventually("the runtime's processes to end", () => {
    const left = [...Deno.readDirSync("/proc")]
      .map(({ name }) => name)
      .filter((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/ns/mnt`) === namespace);
    for (const pid of left) kill(pid);
    return left.length === 0 ? true : undefined;
  });
}

/** Directories of a cgroup at the top of every hierarchy (v1, v2 and hybrid). */
export function cgroupDirectories(name: string): string[] {
  const tops = [CGROUPS, ...directoriesIn(CGROUPS)];
  return tops.map((top) => `${top}/${name}`).filter((path) => directoriesIn(path, true).length > 0);
}

/** Ends all processes of the cgroups of that name by their ids; how many there were. */
function endIn(name: string): number {
  const pids = cgroupDirectories(name).flatMap(processesBelow);
  for (const pid of pids) kill(pid);
  return pids.length;
}

function processesBelow(path: string): string[] {
  const below = directoriesIn(path).flatMap(processesBelow);
  try {
    const own = Deno.readTextFileSync(`${path}/cgroup.procs`).split("\n");
    return [...below, ...own.filter((pid) => pid !== "" && pid !== "0")];
  } catch {
    // It is gone, or its processes are those of threads.
    return below;
  }
}

function descendants(pid: number | string): string[] {
  // Each thread has the children that it made.
  return directoriesIn(`/proc/${pid}/task`).flatMap((task) => {
    try {
      const children = Deno.readTextFileSync(`${task}/children`).trim().split(" ");
      return children.filter((one) => one !== "").flatMap((one) => [one, ...descendants(one)]);
    } catch {
      return [];
    }
  });
}

function kill(pid: string): void {
  try {
    Deno.kill(Number(pid), "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Removes cgroups of that name at the top of every hierarchy. */
export function removeCgroups(name: string): void {
  for (const top of cgroupDirectories(name)) removeTree(top);
}

/** Removes a cgroup with those below it; one in use stays, as it is not ours alone. */
function removeTree(path: string): void {
  for (const below of directoriesIn(path)) removeTree(below);
  try {
    Deno.removeSync(path);
  } catch {
    // In use.
  }
}

/** Directories below a directory; with `self` the directory too. */
function directoriesIn(path: string, self = false): string[] {
  try {
    const below = [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory);
    return [...self ? [path] : [], ...below.map(({ name }) => `${path}/${name}`)];
  } catch {
    return [];
  }
}
