// Alerts as OpenTelemetry logs of a saker that runs on while its receiver ends and begins again,
// and while a reload sends them elsewhere. Its alerts are its own numbers: it needs no root.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { spawnMain } from "./main_process.ts";
import { type LogRecord, noOtel, OtlpReceiver } from "./outputs/otlp.ts";
import { eventually, freePort } from "./outputs/place.ts";

const RULE = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n";
const reason = noOtel();

class Watch implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "saker-otlp-" });
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  told = "";

  constructor(protocol: string, port: number) {
    Deno.writeTextFileSync(this.#file("rules.yaml"), RULE);
    this.#write(protocol, port);
    this.#child = spawnMain(["-c", this.#file("saker.yaml"), "-r", this.#file("rules.yaml")]);
    const listen = async () => {
      for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
        this.told += text;
      }
    };
    this.#read = Promise.all([listen(), this.#child.stdout.pipeTo(new WritableStream())]);
  }

  #file(name: string): string {
    return `${this.#directory}/${name}`;
  }

  #write(protocol: string, port: number): void {
    Deno.writeTextFileSync(
      this.#file("saker.yaml"),
      `engine: {kind: nodriver}
watch_config_files: false
webserver: {enabled: false}
stdout_output: {enabled: false}
json_output: true
metrics: {enabled: true, interval: 100ms, output_rule: true}
file_output: {enabled: true, filename: ${this.#file("alerts")}}
otlp_output:
  enabled: true
  protocol: ${protocol}
  endpoint: "http://127.0.0.1:${port}"
  timeout: 60000
`,
    );
  }

  reload(protocol: string, port: number): void {
    this.#write(protocol, port);
    this.#child.kill("SIGHUP");
  }

  /** Ends it; the ids of its alerts, in order. */
  async ended(): Promise<string[]> {
    this.#child.kill("SIGTERM");
    const { code } = await this.#child.status;
    await this.#read;
    strictEqual(code, 0, this.told);
    const lines = Deno.readTextFileSync(this.#file("alerts")).trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line).id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#read;
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

function machineId(): string | undefined {
  try {
    return /^[0-9a-f]{32}$/m.exec(Deno.readTextFileSync("/etc/machine-id"))?.[0];
  } catch {
    return undefined;
  }
}

const SOME = 5;

async function some(receiver: OtlpReceiver, watch: Watch): Promise<void> {
  await eventually(`alerts; ${watch.told}`, () => receiver.records.length >= SOME || undefined);
}

function idsOf(records: readonly LogRecord[]): string[] {
  return records.map(({ attributes }) =>
    attributes.find(({ key }) => key === "id")!.value["string_value"] as string
  );
}

for (
  const [kind, protocol, next] of [
    ["grpc", "grpc", "http/json"],
    ["http", "http/protobuf", "grpc"],
  ] as const
) {
  Deno.test({
    name:
      `otlp: ${protocol}: alerts go on over a restart of the receiver, and to another by a reload`,
    ignore: reason !== undefined,
    async fn() {
      await using before = await OtlpReceiver.start({ kind, port: freePort() });
      await using watch = new Watch(protocol, before.port);
      await some(before, watch);
      const { resource } = before.received[0]!.request.resource_logs[0]!;
      const hostId = resource.attributes.find(({ key }) => key === "host.id");
      const expected = machineId();
      if (expected !== undefined) strictEqual(hostId?.value["string_value"], expected);
      await before.end();
      await eventually("a failure", () => /Cannot write alerts to otlp/.exec(watch.told));
      await using after = await OtlpReceiver.start({ kind, port: before.port });
      await some(after, watch);
      await using other = await OtlpReceiver.start({ kind: next === "grpc" ? "grpc" : "http" });
      watch.reload(next, other.port);
      await some(other, watch);
      const ids = await watch.ended();
      const [one, two, three] = [before, after, other].map(({ records }) => idsOf(records));
      // What was on its way when the receiver ended may come twice: its id tells.
      const again = two!.findIndex((id) => !one!.includes(id));
      deepStrictEqual(two!.slice(0, again), again === 0 ? [] : one!.slice(-again));
      deepStrictEqual([...one!, ...two!.slice(again), ...three!], ids);
      ok(/takes alerts again/.test(watch.told), watch.told);
    },
  });
}
