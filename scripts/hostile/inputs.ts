// Hostile inputs of saker: captures, rules, configuration. A seed comes in; files in a directory,
// and the arguments that have them read, go out, as many as are wanted. Each file has a name of its
// own, since several are read at once.
import { writeCapture } from "../../tests/capture_file.ts";
import { type CaptureShape, sectionHeader, SHAPES } from "./capture_shapes.ts";
import type { Chance } from "./chance.ts";

export interface Input {
  readonly kind: "captures" | "rules" | "configuration" | "paths";
  readonly what: string;
  readonly args: readonly string[];
}

/** Texts that people, and those who mean harm, put where a name or a number belongs. */
const ODD = [
  "",
  "~",
  "null",
  "\u202eabc",
  "\x1b[2J",
  "a".repeat(100_000),
  "[".repeat(5_000),
  "{".repeat(500),
  "&a [*a, *a]",
  "9".repeat(400),
  "-1",
  "0x7fffffffffffffff",
  "1e999",
  "../../../../etc/shadow",
  "/dev/zero",
  "/dev/tty",
  "/proc/self/mem",
  "%s%n%proc.name",
  "\ud800",
  "!!binary aGk=",
  "<<: *x",
];

export async function* hostileInputs(
  directory: string,
  chance: Chance,
  rounds: number,
): AsyncGenerator<Input> {
  const capture = plainCapture(directory);
  const rules = ruleTexts();
  for (let round = 0; round < rounds; round++) {
    const scap = `${directory}/damaged${round}.scap`;
    Deno.writeFileSync(scap, chance.damaged(capture));
    yield { kind: "captures", what: `damaged capture ${round}`, args: ["replay", scap] };

    const damaged = `${directory}/damaged${round}.yaml`;
    const text = new TextEncoder().encode(chance.of(rules));
    Deno.writeFileSync(damaged, chance.damaged(text));
    yield { kind: "rules", what: `damaged rules ${round}`, args: ["-V", damaged] };
    const odd = `${directory}/odd${round}.yaml`;
    Deno.writeTextFileSync(odd, oddRules(chance));
    yield { kind: "rules", what: `odd rules ${round}`, args: ["-V", odd] };

    const config = `${directory}/falco${round}.yaml`;
    Deno.writeTextFileSync(config, oddConfig(chance));
    const args = ["-c", config, "--dry-run"];
    yield { kind: "configuration", what: `odd configuration ${round}`, args };
    const option = `${chance.of(KEYS)}=${chance.of(ODD).replaceAll("\0", "")}`;
    const optionArgs = ["-o", option, "--dry-run"];
    yield { kind: "configuration", what: `odd option ${round}`, args: optionArgs };
  }
  for (const path of ["/dev/zero", "/dev/tty", "/", "/proc/self/mem", "/nowhere/x"]) {
    for (const flag of ["-V", "-c", "-r", "--replay"]) {
      const args = flag === "--replay" ? ["replay", path] : [flag, path, "--dry-run"];
      yield { kind: "paths", what: `${flag} ${path}`, args };
    }
  }
}

export async function* shapedCaptures(directory: string, share: number): AsyncGenerator<Input> {
  for (const [at, shape] of SHAPES.entries()) {
    const path = `${directory}/shape${at}.scap`;
    await writeShape(shape, path, share);
    yield { kind: "captures", what: `capture of ${shape.name}`, args: ["replay", path] };
  }
}

async function writeShape(shape: CaptureShape, path: string, share: number): Promise<void> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const pieces = function* () {
    yield sectionHeader();
    let left = Math.ceil(BYTES_MAX * share);
    for (const piece of shape.pieces()) {
      yield piece;
      left -= piece.length;
      if (left <= 0) return;
    }
  };
  await ReadableStream.from(pieces()).pipeThrough(
    new CompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>,
  ).pipeTo(file.writable);
}

/** More than any shape has. */
const BYTES_MAX = 1 << 30;

function plainCapture(directory: string): Uint8Array {
  const file = `${directory}/plain.scap`;
  writeCapture(
    file,
    Array.from({ length: 50 }, (_, at) => ({ path: `/etc/shadow${at}`, tid: 100 + at % 7 })),
  );
  return Deno.readFileSync(file);
}

function ruleTexts(): string[] {
  const directory = new URL("../../rules/", import.meta.url);
  return [...Deno.readDirSync(directory)]
    .filter(({ name }) => name.endsWith(".yaml"))
    .map(({ name }) => Deno.readTextFileSync(new URL(name, directory)));
}

const RULE_KEYS = ["rule", "macro", "list", "desc", "condition", "output", "priority", "items"];

function oddRules(chance: Chance): string {
  const item = () =>
    Array.from(
      { length: 1 + chance.below(6) },
      (_, at) => `${at === 0 ? "- " : "  "}${chance.of(RULE_KEYS)}: ${chance.of(ODD)}`,
    ).join("\n");
  return Array.from({ length: 1 + chance.below(4) }, item).join("\n");
}

const KEYS = [
  "rules_files",
  "rules_file",
  "config_files",
  "engine.kind",
  "engine.modern_ebpf.buf_size_preset",
  "plugins",
  "load_plugins",
  "priority",
  "json_output",
  "outputs_queue.capacity",
  "append_output",
  "static_fields",
  "file_output.filename",
  "file_output",
  "http_output",
  "otlp_output",
  "otlp_output.endpoint",
  "kafka_output",
  "kafka_output.brokers",
  "nats_output",
  "nats_output.url",
  "webserver.listen_port",
  "webserver.listen_address",
  "webserver.k8s_healthz_endpoint",
  "syscall_event_drops.threshold",
  "syscall_event_drops.actions",
  "metrics.interval",
  "base_syscalls.custom_set[3]",
  "falco_libs.thread_table_size",
  "capture.path_prefix",
  "__proto__.x",
  "constructor",
];

function oddConfig(chance: Chance): string {
  return Array.from({ length: 1 + chance.below(5) }, () => {
    const key = chance.of(KEYS).split(/[.[]/)[0];
    return `${key}: ${chance.of(ODD)}`;
  }).join("\n");
}
