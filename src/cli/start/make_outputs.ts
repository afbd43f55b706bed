// Config → outputs: which ones a run has, and how alerts are written there.
import { Grouping } from "../../alerts/delivery/grouping.ts";
import {
  coloured,
  formatAlert,
  type FormatOptions,
  WHOLE_JSON,
} from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { composeWith, type Message } from "../../alerts/format/message.ts";
import { type OutputPlan, Outputs } from "../../alerts/outputs.ts";
import { composeGrpc, grpcOutput } from "../../alerts/outputs/grpc.ts";
import type { GrpcService } from "../../alerts/outputs/grpc_service.ts";
import { farFileOutput } from "../../alerts/outputs/far_file.ts";
import { withNews } from "../../alerts/outputs/with_news.ts";
import { stdoutOutput } from "../../alerts/outputs/stdout.ts";
import { SpoolThread } from "../../alerts/spool/far_spool.ts";
import type { QueueEvent } from "../../alerts/queue.ts";
import { parseInterval } from "../../config/interval.ts";
import type { Config } from "../../config/schema.ts";
import { fileOf, httpOf, programOf, syslogOf } from "./channels.ts";
import type { GrpcKeeper } from "./grpc.ts";
import { kafkaOf } from "./kafka.ts";
import { otlpEndpoint, otlpOf } from "./otlp.ts";
import type { Log } from "../log.ts";
import { type HostTeller, natsOf } from "./nats.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { Terminal } from "../terminal.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { visibleText } from "../../words/visible.ts";

export interface MakeOptions {
  readonly terminal: Terminal;
  readonly log: Log;
  /** The reader of standard output has gone. */
  readonly onClosed: () => void;
  /** The run has another purpose than alerts. */
  readonly mayBeNone: boolean;
  /** Told of what standard output has just taken. */
  readonly onWritten?: ((messages: readonly Message[]) => void) | undefined;
  /** It waits for its outputs: one that is slow is waited for and not told of. */
  readonly patient: boolean;
  /** Lays a line out for the terminal that is standard output. */
  readonly fit?: ((line: string) => string) | undefined;
  /** Nothing is written: what earlier runs left on disk stays there. */
  readonly dry?: boolean;
  /** Who has the gRPC server; without it there is none. */
  readonly grpc?: GrpcKeeper;
  /** What this host tells of itself; absent where it is not watched. */
  readonly teller?: HostTeller | undefined;
}

/** Alerts that may wait in front of each output unless `outputs_queue.capacity` says how many. */
const CAPACITY = 16_384;
/** With `buffered_outputs`, alerts wait so long for others to be written with. */
const LINGER_MS = 1_000;

export function capacityOf(config: LoadedConfig["config"]): number {
  return config.outputs_queue.capacity || CAPACITY;
}

export function makeOutputs(
  { config, jsonAlerts }: LoadedConfig,
  options: MakeOptions,
): Outputs {
  const { log, onClosed, mayBeNone, patient, dry = false, grpc } = options;
  const capacity = capacityOf(config);
  const tell = (output: string, event: QueueEvent) => {
    if (patient && (event.kind === "stuck" || event.kind.startsWith("drop"))) return;
    const line = told(whereOf(output, config), event);
    if (event.kind === "well") log.info(line);
    else log.warning(line);
  };
  const plans = plansOf(config, formatOf(config, jsonAlerts), options);
  const hasGrpc = config.grpc.enabled && config.grpc_output.enabled;
  if (plans.length === 0 && !hasGrpc && !mayBeNone) {
    throw new Error(
      "No output configured, please make sure at least one output is configured and enabled.",
    );
  }
  // Last, since what is refused before must not end the server that there is.
  if (dry) grpc?.check(config, capacity);
  const service = dry
    ? undefined
    : grpc?.serve(config, capacity, { log, onDrop: (event) => tell("grpc", event) });
  if (service !== undefined && hasGrpc) plans.push(grpcPlan(config, service));
  return new Outputs({
    outputs: config.spool.enabled && !dry ? spooled(plans, config, log) : plans,
    capacity,
    onEvent(output, event) {
      if (event.kind === "closed" && output === "stdout") return onClosed();
      tell(output, event);
    },
    grouping: groupingOf(config, patient),
    ...(config.output_timeout === 0 ? {} : { stuckMs: config.output_timeout }),
    random: Math.random,
    clock: () => performance.now(),
  });
}

export function formatOf(config: Config, json: boolean): FormatOptions {
  return {
    json,
    isoTime: config.time_format_iso_8601,
    outputProperty: config.json_include_output_property,
    messageProperty: config.json_include_message_property,
    outputFieldsProperty: config.json_include_output_fields_property,
    tagsProperty: config.json_include_tags_property,
    colour: false,
  };
}

/** Falco's order: file, stdout, then the others. */
function plansOf(
  config: Config,
  stdout: FormatOptions,
  { terminal, onWritten, fit, patient, teller, dry }: Pick<
    MakeOptions,
    "terminal" | "onWritten" | "fit" | "patient" | "teller" | "dry"
  >,
): OutputPlan[] {
  const format = { ...stdout, json: config.json_output };
  const compose = composeWith((alert) => formatAlert(alert, format));
  const lingerMs = config.buffered_outputs ? LINGER_MS : 0;
  const plans: OutputPlan[] = [];
  if (config.file_output.enabled) {
    plans.push({ output: farFileOutput(fileOf(config)), compose, lingerMs });
  }
  if (config.stdout_output.enabled) {
    const write = (alert: Alert) => {
      if (stdout.json || fit === undefined) return formatAlert(alert, stdout);
      const text = fit(formatAlert(alert, stdout));
      return terminal.colour ? coloured(text, alert.priority) : text;
    };
    plans.push({
      output: withNews(
        stdoutOutput(terminal.alertsToError === true ? Deno.stderr : Deno.stdout),
        onWritten,
      ),
      compose: composeWith(write),
      lingerMs,
      isWaitedFor: true,
    });
  }
  if (config.syslog_output.enabled) plans.push({ output: syslogOf(config), compose });
  if (config.program_output.enabled) {
    plans.push({ output: programOf(config), compose, lingerMs });
  }
  if (config.http_output.enabled) {
    plans.push({ output: httpOf(config, format.json, echoTo(Deno.stdout)), compose });
  }
  // For programs, which want all of it and under the same names from every host.
  const whole = { ...WHOLE_JSON, isoTime: config.time_format_iso_8601 };
  const composeWhole = composeWith((alert) => formatAlert(alert, whole));
  if (config.otlp_output.enabled) {
    // A replay's alerts may be of any host.
    const hostRoot = patient ? undefined : terminal.environment("HOST_ROOT") ?? "";
    plans.push({ output: otlpOf(config, hostRoot), compose: composeWhole });
  }
  if (config.nats_output.enabled) {
    plans.push({ output: natsOf(config, { teller, dry }), compose: composeWhole });
  }
  if (config.kafka_output.enabled) {
    plans.push({ output: kafkaOf(config), compose: composeWhole });
  }
  return plans;
}

function grpcPlan(config: Config, service: GrpcService): OutputPlan {
  const format = formatOf(config, config.json_output);
  return { output: grpcOutput(service, format), compose: composeGrpc(format) };
}

/** Of a replay, by the times of its alerts; live, also when nothing more comes. */
function groupingOf({ grouping }: Config, patient: boolean): Grouping | undefined {
  if (!grouping.enabled) return undefined;
  return new Grouping({
    windowMs: parseInterval(grouping.window)!,
    fields: grouping.fields,
    groupsMax: grouping.max_groups,
    ...(patient ? {} : { now: () => Date.now() }),
  });
}

/** What an output cannot deliver waits on disk, unless its readers are just those of this run. */
function spooled(plans: OutputPlan[], config: Config, log: Log): OutputPlan[] {
  const { directory, max_mb } = config.spool;
  const lasting = (name: string) => name !== "stdout" && name !== "grpc";
  if (!plans.some(({ output }) => lasting(output.name))) return plans;
  const thread = new SpoolThread({
    directory,
    bytesMax: max_mb * 1_000_000,
    clock: () => performance.now(),
    onTrouble(output, reason): void {
      log.warning(`Warning: spool.directory ${directory}: ${output}: ${reason}`);
    },
  });
  return plans.map((plan) =>
    lasting(plan.output.name) ? { ...plan, spool: thread.spoolOf(plan.output.name) } : plan
  );
}

/** Answers of a server that a slow reader of standard output may leave waiting. */
const ECHO_BYTES_MAX = 64 << 10;

/** Shows texts without waiting for who reads them: what is too much is left out. */
function echoTo(stream: Pick<typeof Deno.stdout, "write">): (text: string) => void {
  let waiting = 0;
  let before: Promise<unknown> = Promise.resolve();
  return (text) => {
    const line = new TextEncoder().encode(`${visibleText(text.trimEnd())}\n`);
    if (waiting + line.length > ECHO_BYTES_MAX) return;
    waiting += line.length;
    before = before.then(() => stream.write(line)).catch(() => {}).then(() => {
      waiting -= line.length;
    });
  };
}

/** Where alerts go, with the key that says so; of a URL what holds no secret. */
function whereOf(output: string, config: Config): string {
  switch (output) {
    case "file":
      return `file_output.filename ${config.file_output.filename}`;
    case "syslog":
      return `syslog_output.address ${config.syslog_output.address}`;
    case "http":
      return `http_output.url ${URL.parse(config.http_output.url)?.host ?? ""}`.trimEnd();
    case "otlp":
      return `otlp_output.endpoint ${otlpEndpoint(config.otlp_output)}`;
    case "nats":
      return `nats_output.url ${config.nats_output.url.join(", ")}`;
    case "kafka":
      return `kafka_output.topic ${config.kafka_output.topic}`;
    case "grpc":
      return `grpc.bind_address ${config.grpc.bind_address}`;
    case "program":
      return "program_output.program";
    default:
      return output;
  }
}

function told(where: string, event: QueueEvent): string {
  switch (event.kind) {
    case "failed":
      return `Warning: Cannot write alerts to ${where}: ${event.error.message}; ` +
        "they wait, and are dropped where they become too many";
    case "refused":
      return `Warning: ${where} refuses alerts: ${event.error.message}; those are lost there`;
    case "closed":
      return `Warning: ${event.error.message}; no alert goes to ${where} any more`;
    case "stuck":
      return `Warning: ${where}: output timeout: it has taken no alert for ${event.ms} ms; ` +
        "the other outputs go on";
    case "dropping":
      return `Warning: ${where} takes alerts more slowly than they come: some are dropped there`;
    case "dropped":
      return `Warning: ${where}: alerts that were dropped there: ${priorities(event.byPriority)}`;
    case "well":
      return `${where} takes alerts again, after ${event.retries} attempts`;
  }
}

/** `12 Warning, 3 Notice`. */
function priorities(counts: readonly number[]): string {
  return counts.map((count, at) => [count, PRIORITY_NAMES[at]] as const)
    .filter(([count]) => count > 0).map((pair) => pair.join(" ")).join(", ");
}
