// Alerts of every kind to a receiver that decodes them as strictly as Falcosidekick does: texts
// with control characters and bytes that are no UTF-8, fields without a value, large numbers,
// lists; losses, metrics, reloads that were refused. SAKER_TEST_ALERTS=100000 is the long run;
// with SAKER_TEST_GO=1, Go's own decoder takes them too.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { FieldSet } from "../src/fields/field_set.ts";
import { writeCapture } from "./capture_file.ts";
import { eventually } from "./outputs/place.ts";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;
const ALERTS = Number(Deno.env.get("SAKER_TEST_ALERTS") ?? "1500");

const TAKERS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "a strict decoder", command: ["python3", "-I", fileOf("sidekick.py")] },
  ...Deno.env.get("SAKER_TEST_GO") === "1"
    ? [{ name: "Go's decoder", command: ["go", "run", fileOf("sidekick.go")] }]
    : [],
];

function fileOf(name: string): string {
  return new URL(`outputs/${name}`, import.meta.url).pathname;
}

interface Told {
  readonly taken: number;
  readonly complaints: readonly string[];
  readonly rules: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
}

/** A receiver that runs as a process of its own. */
class Taker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #told = "";
  url = "";

  private constructor([program, ...args]: readonly string[]) {
    this.#child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(command: readonly string[]): Promise<Taker> {
    const taker = new Taker(command);
    taker.url = `http://127.0.0.1:${Number(await taker.#line())}/`;
    return taker;
  }

  async told(): Promise<Told> {
    await this.#child.stdin.close();
    return JSON.parse(await this.#line());
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#told.indexOf("\n");
      if (end >= 0) {
        const line = this.#told.slice(0, end);
        this.#told = this.#told.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#lines.read();
      ok(!done, "the receiver has ended");
      this.#told += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It ends with its input, which `told` may have closed already.
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
    await this.#lines.cancel();
  }
}

/** Every field that there is, with an argument where it takes one. */
function everyField(): string[] {
  return new FieldSet().fields.flatMap(({ name, argument, bind }) => {
    if (argument === null) return [name];
    const dot = argument.afterDot === undefined ? undefined : `${name}.fd`;
    const bracket = ["0", "x"].find((given) => !("error" in bind(given)));
    const indexed = bracket === undefined ? [] : [`${name}[${bracket}]`];
    return [...argument.required ? [] : [name], ...dot === undefined ? indexed : [dot]];
  });
}

const NAMES: readonly string[] = [
  "/plain/name",
  "/control/\t\n\r\u0001\u001b[31m\u007f",
  // Bytes that are no UTF-8, as texts of ours hold them.
  "/broken/\udcff\udcc3\udce2\udc82",
  "/marks/\u202e\u2028\ufeff\u009b",
  "/quotes/\"\\/'{}[]%fd.name",
  "/wide/\u{1f986}\u00e9\u4e2d",
  `/long/${"x".repeat(2000)}`,
];

function rulesText(): string {
  const lists = "evt.type in (open, openat)";
  const shown = everyField().map((name) => `${name}=%${name}`).join(" ");
  return `
- rule: All fields
  desc: Each field that there is.
  condition: ${lists} and fd.name startswith /
  output: "${shown}"
  priority: NOTICE
  tags: [host, "with space", 'quote"', é]
- rule: "Few \\"fields\\"\\t"
  desc: No fields but the time, and no tags.
  condition: ${lists}
  output: Nothing of it is shown
  priority: EMERGENCY
`;
}

function options(url: string, more: readonly string[]): string[] {
  return [
    "json_output=true",
    "stdout_output.enabled=false",
    `http_output={enabled: true, url: ${url}}`,
  ]
    .concat(more).flatMap((option) => ["-o", option]);
}

const DROPS = "{actions: [alert], rate: 10, max_burst: 100, simulate_drops: true}";
const METRICS = "{enabled: true, output_rule: true, interval: 1000ms, include_empty_values: true}";

for (const { name, command } of TAKERS) {
  Deno.test(`${name} takes alerts of every kind without a complaint`, async () => {
    const directory = Deno.makeTempDirSync();
    try {
      await using taker = await Taker.start(command);
      writeCapture(
        `${directory}/c.scap`,
        Array.from({ length: ALERTS }, (_, at) => ({
          path: NAMES[at % NAMES.length]!,
          // Each loss is simulated in a second of its own.
          second: 1_700_000_000 + Math.floor(at * 30 / ALERTS),
          tid: at % 3 === 0 ? 2 ** 60 : 100 + at % 50,
        })),
      );
      Deno.writeTextFileSync(`${directory}/rules.yaml`, rulesText());
      const { code, stderr } = await saker([
        ...[
          "-r",
          `${directory}/rules.yaml`,
          ...options(taker.url, [
            "rule_matching=all",
            "engine.kind=replay",
            `engine.replay.capture_file=${directory}/c.scap`,
            `syscall_event_drops=${DROPS}`,
            `metrics=${METRICS}`,
            "json_include_message_property=true",
          ]),
        ],
      ]).output();
      const error = new TextDecoder().decode(stderr);
      strictEqual(code, 0, error);
      const { taken, complaints, rules, kinds } = await taker.told();
      deepStrictEqual(complaints, []);
      deepStrictEqual([rules["All fields"], rules['Few "fields"\t']], [ALERTS, ALERTS]);
      ok(rules["Falco internal: syscall event drop"]! > 5, JSON.stringify(rules));
      ok(rules["Falco internal: metrics snapshot"]! > 0, JSON.stringify(rules));
      strictEqual(Object.values(rules).reduce((sum, count) => sum + count), taken);
      const wanted = name === "Go's decoder"
        ? ["<nil>", "string", "json.Number", "bool"]
        : ["null", "large", "whole", "list", "boolean", "control", "no UTF-8", "text"];
      deepStrictEqual(wanted.filter((kind) => !(kind in kinds)), [], JSON.stringify(kinds));
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });

  Deno.test(`${name} takes what saker tells of itself without a complaint`, async () => {
    const directory = Deno.makeTempDirSync();
    // Who has the port keeps saker from it, which is told as an alert.
    using held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    try {
      await using taker = await Taker.start(command);
      const rules = `${directory}/rules.yaml`;
      Deno.writeTextFileSync(rules, rulesText());
      const child = saker([
        ...[
          "-r",
          rules,
          ...options(taker.url, [
            "engine.kind=nodriver",
            "watch_config_files=false",
            `webserver.listen_port=${held.addr.port}`,
          ]),
        ],
      ]);
      let told = "";
      const reading = (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) told += text;
      })();
      await eventually("a watch", () => told.includes("ready in") || undefined);
      Deno.writeTextFileSync(rules, "- rule: Broken\n");
      child.kill("SIGHUP");
      await eventually("the refusal", () => told.includes("are refused") || undefined);
      child.kill("SIGTERM");
      await child.stdout.cancel();
      await child.status;
      await reading;
      const { complaints, rules: byRule } = await taker.told();
      deepStrictEqual(complaints, []);
      deepStrictEqual(Object.keys(byRule).sort(), [
        "Falco internal: hot restart failure",
        "saker internal: no web server",
      ]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

function saker(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
