// `engine.kind: nodriver`, which needs no root: saker runs without an event until it is told to
// end, answers over HTTP, and reads everything anew, as Falco's own end-to-end tests ask.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { spawnMain } from "./main_process.ts";
import { eventually, freePort } from "./patience.ts";

const RULE = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n";

/** A running saker without a driver, with rules and a configuration in a directory of its own. */
class Watch implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync();
  readonly config = `${this.directory}/falco.yaml`;
  readonly rules = `${this.directory}/rules.yaml`;
  readonly port = freePort();
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #drained: Promise<void>;
  told = "";

  constructor(config: string, args: string[] = [], env: Record<string, string> = {}) {
    Deno.writeTextFileSync(this.config, config);
    Deno.writeTextFileSync(this.rules, RULE);
    this.#child = spawnMain([
      ...["-c", this.config, "-r", this.rules, "-o", "engine.kind=nodriver"],
      ...["--listen", `127.0.0.1:${this.port}`, ...args],
    ], { env });
    // A reader that goes ends it.
    this.#drained = this.#child.stdout.pipeTo(new WritableStream());
    this.#reading = this.#read();
  }

  /** Waits until something was told so many times. */
  async hears(words: string, times = 1): Promise<void> {
    const isTold = () => this.told.split(words).length > times || undefined;
    await eventually(`"${words}"`, isTold).catch((error: Error) => {
      throw new Error(`${error.message}: ${this.told}`);
    });
  }

  async ask(path: string, method = "GET"): Promise<{ status: number; body: Shown }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { method });
    return { status: response.status, body: await response.json() };
  }

  /** Waits until it answers with its rules. */
  async ready(): Promise<void> {
    await eventually("its rules", async () => {
      const rules = await this.ask("/healthz").then(({ body }) => body["rules"], () => undefined);
      return rules === 1 || undefined;
    });
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await Promise.all([this.#reading, this.#drained]);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
    await Deno.remove(this.directory, { recursive: true });
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.told += text;
    }
  }
}

type Shown = Record<string, unknown>;

Deno.test("without a driver saker runs, answers, and ends after -M or a signal", async () => {
  await using watch = new Watch("json_output: true\n");
  await watch.hears("sees nothing (engine.kind: nodriver)");
  match(watch.told, /will be opened with no driver, no event will be produced/);
  const { status, body } = await watch.ask("/healthz");
  deepStrictEqual([status, body["status"], body["driver"]], [200, "ok", "nodriver"]);
  watch.signal("SIGTERM");
  strictEqual(await watch.ended(), 0);
  match(watch.told, /SIGINT received, exiting\.\.\./);
  await using timed = new Watch("json_output: true\n", ["-M", "1"]);
  strictEqual(await timed.ended(), 0);
});

Deno.test("a configuration file that is written to is read anew, what is bad refused", async () => {
  await using watch = new Watch("watch_config_files: true\nlog_level: notice\n");
  await watch.hears("no event will be produced");
  await watch.ready();
  await Deno.writeTextFile(watch.config, "log_level: info\nwebserver: {threadiness: 3}\n");
  // Levels are those of before until the new ones are in force.
  await watch.hears("Reloaded: 1 rules. Generation 2");
  await watch.hears("Notice: ");
  match(watch.told, /falco\.yaml:2: webserver\.threadiness: one thread answers all requests/);
  await Deno.writeTextFile(watch.config, "log_level: info\nrule_matching: x\n");
  await watch.hears("SIGHUP received, restarting...");
  await watch.hears("The new rules are refused, the old ones stay.");
  match(watch.told, /Unknown rule matching strategy "x"--must be one of first, all/);
  const { body } = await watch.ask("/healthz");
  strictEqual(body["status"], "degraded");
  await Deno.writeTextFile(watch.config, "log_level: info\nengine: {nice: 5}\n");
  await watch.hears("Generation 3");
  match(watch.told, /Warning: engine\.nice: the change takes a restart/);
});

Deno.test("a reload that is asked for over HTTP says what came of it", async () => {
  await using watch = new Watch("watch_config_files: false\n");
  await watch.hears("sees nothing");
  await Deno.writeTextFile(watch.rules, RULE + RULE.replace("rule: R", "rule: S"));
  const taken = await watch.ask("/reload", "POST");
  ok(taken.status === 200 || taken.status === 202, String(taken.status));
  await watch.hears("Reloaded: 2 rules. Generation 2");
  await Deno.writeTextFile(watch.rules, "- rule: [");
  const refused = await watch.ask("/reload", "POST");
  ok(refused.status === 422 || refused.status === 202, String(refused.status));
  await watch.hears("The new rules are refused");
  strictEqual((await watch.ask("/reload")).status, 405);
});

Deno.test("a service manager is told of start, reload and end", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/notify`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  const heard = async () => new TextDecoder().decode((await socket.receive())[0]);
  {
    await using watch = new Watch("json_output: true\n", [], { NOTIFY_SOCKET: path });
    match(await heard(), /^READY=1\nMAINPID=\d+\nSTATUS=Watches with 1 rules$/);
    watch.signal("SIGHUP");
    match(await heard(), /^RELOADING=1\n/);
    match(await heard(), /^READY=1\nSTATUS=Watches with 1 rules$/);
    watch.signal("SIGTERM");
    strictEqual(await heard(), "STOPPING=1");
    strictEqual(await watch.ended(), 0);
  }
  socket.close();
  await Deno.remove(directory, { recursive: true });
});
