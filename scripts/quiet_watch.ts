// A saker that watches while actions run. In: a directory of rules, or none for the built-in
// ones. Out: the alerts of the processes below a given one.
import { type Alert, eventually, freePort, lines, SAKER } from "../tests/live/saker.ts";

/** Longest wait for saker to see. */
const START_MS = 60_000;

/** Told by every set of rules: a search for a key, by a name that nothing else has. */
const LAST = `id_rsa-${crypto.randomUUID().slice(0, 13)}`;

/** Every alert carries the ids of its process's ancestors. */
const CONFIG = `json_output: true
append_output:
  - match: {source: syscall}
    extra_fields: [proc.ancestry]
`;

export class Watch {
  readonly name: string;
  readonly #child: Deno.ChildProcess;
  readonly #config: string;
  readonly #alerts: Alert[] = [];
  readonly #read: Promise<void>;
  #last = false;

  private constructor(name: string, child: Deno.ChildProcess, config: string) {
    this.name = name;
    this.#config = config;
    this.#child = child;
    this.#read = this.#collect();
  }

  static async start(rules: string | undefined): Promise<Watch> {
    const port = freePort();
    const config = Deno.makeTempFileSync({ suffix: ".yaml" });
    Deno.writeTextFileSync(config, CONFIG);
    const child = new Deno.Command(SAKER, {
      args: [
        ...["-c", config, "--listen", `127.0.0.1:${port}`],
        ...(rules === undefined ? [] : rulesIn(rules)),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const watch = new Watch(rules ?? "built in", child, config);
    await eventually("saker to see", async () => {
      try {
        const { ok, body } = await fetch(`http://127.0.0.1:${port}/healthz`);
        await body?.cancel();
        return ok ? true : undefined;
      } catch {
        return undefined;
      }
    }, START_MS);
    return watch;
  }

  /** Until the alerts of all that has happened are here. */
  async settled(): Promise<void> {
    const find = new Deno.Command("find", { args: ["/dev/null", "-name", LAST], stdout: "null" });
    await find.output();
    await eventually("the last alert", () => this.#last ? true : undefined, START_MS);
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#read;
    await Deno.remove(this.#config);
  }

  alertsBelow(pid: number): Alert[] {
    return this.#alerts.filter(({ output_fields }) => {
      const ancestry = output_fields["proc.ancestry"];
      return Array.isArray(ancestry)
        ? ancestry.some((one) => `${one}`.endsWith(`(${pid})`))
        : `${ancestry}`.includes(`(${pid})`);
    });
  }

  /** What was told of an action, in a cell of a table. */
  told(pid: number): string {
    const counts = new Map<string, number>();
    for (const { rule, priority } of this.alertsBelow(pid)) {
      const key = `${rule} (${priority})`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    if (counts.size === 0) return "none";
    return [...counts].map(([key, count]) => `${count} × ${key}`).join("; ");
  }

  sum(rows: readonly { readonly pid: number }[]): string {
    const all = rows.flatMap(({ pid }) => this.alertsBelow(pid));
    const loud = all.filter(({ priority }) => !/^(Informational|Notice|Debug)$/i.test(priority));
    return `${this.name}: ${all.length} alerts, ${loud.length} of them warnings or graver`;
  }

  async #collect(): Promise<void> {
    for await (const line of lines(this.#child.stdout)) {
      if (!line.startsWith("{")) continue;
      const alert = JSON.parse(line) as Alert;
      if (line.includes(LAST)) this.#last = true;
      this.#alerts.push(alert);
    }
  }
}

function rulesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("_test.yaml"))
    .sort()
    .flatMap((name) => ["-r", `${directory}/${name}`]);
}
