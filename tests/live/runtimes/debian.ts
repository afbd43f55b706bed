// A Debian with systemd as its first process, for tests of what is installed on one: a copy of the
// root directory that scripts/setup made, booted by systemd-nspawn in namespaces of its own.
import { eventually } from "../saker.ts";
import { isRoot, type Place, type Ran, run } from "../trigger.ts";
import { CannotRun, LIBRARIES, TOOLS, unpacked } from "./unpacked.ts";

const ROOT = `${TOOLS}/debian/root`;
/** The machine is ended after so long, whatever became of the test. */
const LONGEST_S = 900;
const END_MS = 20_000;

export class Debian implements AsyncDisposable {
  readonly #root: string;
  readonly #child: Deno.ChildProcess;
  #init = 0;

  private constructor(root: string, child: Deno.ChildProcess) {
    this.#root = root;
    this.#child = child;
  }

  /** Boots a fresh one; its files are in the place. */
  static async start(place: Place): Promise<Debian> {
    if (!isRoot()) throw new CannotRun("a machine of its own needs root");
    const nspawn = unpacked("systemd-nspawn");
    const root = place.file("machine");
    const copied = await run("cp", ["-a", "--reflink=auto", ROOT, root]);
    if (copied.code !== 0) throw new CannotRun(`scripts/setup could not make ${ROOT}`);
    const log = place.file("machine.log");
    // An empty /run hides from nspawn that there is, or is not, a systemd outside. Its filter of
    // calls would refuse bpf(2).
    const apart = 'mount -t tmpfs -o mode=755 none /run && exec "$@" >"$0" 2>&1';
    const child = new Deno.Command("timeout", {
      args: [
        ...["-k", "5", `${LONGEST_S}`, "unshare", "--mount", "--propagation", "private"],
        ...["/bin/sh", "-c", apart, log, nspawn, "--register=no", "--keep-unit", "--quiet"],
        ...[`--directory=${root}`, "--machine=saker-debian", "--private-network"],
        ...["--capability=all", "--system-call-filter=@known", "--boot"],
      ],
      env: { LD_LIBRARY_PATH: LIBRARIES },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const debian = new Debian(root, child);
    try {
      await debian.#booted(log);
      return debian;
    } catch (error) {
      await debian[Symbol.asyncDispose]();
      const said = await Deno.readTextFile(log).catch(() => "");
      throw new CannotRun(`${(error as Error).message}: ${said.trim().split("\n").at(-1)}`);
    }
  }

  /** Runs a program in it. */
  run(...command: readonly string[]): Promise<Ran> {
    const path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    return run("nsenter", [
      ...[`--target=${this.#init}`, "--mount", "--uts", "--ipc", "--net", "--pid", "--root"],
      ...["env", "-i", "--chdir=/", path, "HOME=/root", "DEBIAN_FRONTEND=noninteractive"],
      ...command,
    ]);
  }

  /** Runs a program in it, which must succeed; what it printed. */
  async must(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...command);
    if (code !== 0) throw new Error(`${command.join(" ")}: ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** Puts a file into its /root; the path that it has there. */
  async put(file: string): Promise<string> {
    const path = `/root/${file.split("/").at(-1)}`;
    await Deno.copyFile(file, this.#root + path);
    return path;
  }

  /** Every name of its file system with kind, mode and owner; what a boot makes is left out. */
  async names(): Promise<string[]> {
    const without = ["/proc", "/sys", "/run", "/tmp", "/dev", "/root"]
      .flatMap((path) => ["-o", "-path", path]).slice(1);
    const find = ["find", "/", "-xdev", "(", ...without, ")", "-prune", "-o"];
    const all = await this.must(...find, "-printf", "%p %y %m %u %l\\n");
    return all.split("\n").sort();
  }

  async #booted(log: string): Promise<void> {
    let ended = false;
    this.#child.status.then(() => ended = true);
    this.#init = await eventually("the machine's first process", async () => {
      if (ended) throw new CannotRun(`systemd-nspawn ended: ${await Deno.readTextFile(log)}`);
      // timeout, then what it started: nspawn in the place of the shell. Its child is the machine.
      const [nspawn] = children(this.#child.pid);
      return children(nspawn).find((pid) => commandOf(pid) === "systemd");
    });
    await eventually("the machine to be up", async () => {
      const { stdout } = await this.run("systemctl", "is-system-running");
      return /^(running|degraded)/.test(stdout) || undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const late = setTimeout(() => end(this.#init, "SIGKILL"), END_MS);
    // For systemd: halt. All its processes end with it.
    end(this.#init, "SIGRTMIN+4");
    if (this.#init === 0) end(this.#child.pid, "SIGTERM");
    await this.#child.status;
    clearTimeout(late);
  }
}

function end(pid: number, signal: string): void {
  if (pid === 0) return;
  new Deno.Command("kill", { args: ["-s", signal, `${pid}`], stderr: "null" }).outputSync();
}

function children(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const list = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return list.trim().split(" ").filter((one) => one !== "").map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  } catch {
    return "";
  }
}
