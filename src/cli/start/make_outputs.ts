// Config → outputs: which ones a run has, and how alerts are written there.
import { formatAlert, type FormatOptions } from "../../alerts/format/format.ts";
import { composeWith } from "../../alerts/format/message.ts";
import { type OutputPlan, Outputs } from "../../alerts/outputs.ts";
import { farFileOutput } from "../../alerts/outputs/far_file.ts";
import { stdoutOutput } from "../../alerts/outputs/stdout.ts";
import type { QueueEvent } from "../../alerts/queue.ts";
import type { Config } from "../../config/schema.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { Terminal } from "../terminal.ts";

export interface MadeOutputs {
  readonly outputs: Outputs;
  /** One line for each output that the configuration enables and that this version lacks. */
  readonly missing: readonly string[];
}

export interface MakeOptions {
  readonly terminal: Terminal;
  /** The reader of standard output has gone. */
  readonly onClosed: () => void;
  /** The run has another purpose than alerts. */
  readonly mayBeNone: boolean;
  /** It waits for its outputs: one that is slow is waited for and not told of. */
  readonly patient: boolean;
}

const MISSING = "this version of saker does not have that output yet";

/** Alerts that may wait in front of each output unless `outputs_queue.capacity` says how many. */
const CAPACITY = 16_384;
/** With `buffered_outputs`, alerts wait so long for others to be written with. */
const LINGER_MS = 1_000;

export function makeOutputs(
  { config, jsonAlerts }: LoadedConfig,
  { terminal, onClosed, mayBeNone, patient }: MakeOptions,
): MadeOutputs {
  const plans = plansOf(config, formatOf(config, jsonAlerts), terminal);
  const missing = (["syslog_output", "program_output", "http_output"] as const)
    .filter((name) => config[name].enabled);
  const lines = missing.map((name) => `${name}: ${MISSING}; alerts do not go there`);
  if (plans.length === 0 && !mayBeNone) {
    throw new Error([
      "No output configured, please make sure at least one output is configured and enabled.",
      ...lines,
    ].join(" "));
  }
  const outputs = new Outputs({
    outputs: plans,
    capacity: config.outputs_queue.capacity || CAPACITY,
    onEvent(output, event) {
      if (event.kind === "closed" && output === "stdout") return onClosed();
      if (patient && (event.kind === "stuck" || event.kind === "dropping")) return;
      terminal.error(`${told(whereOf(output, config), event)}\n`);
    },
    missing: missing.map((name) => [name, MISSING]),
    ...(config.output_timeout === 0 ? {} : { stuckMs: config.output_timeout }),
    random: Math.random,
    clock: () => performance.now(),
  });
  return { outputs, missing: lines };
}

function formatOf(config: Config, json: boolean): FormatOptions {
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
function plansOf(config: Config, stdout: FormatOptions, terminal: Terminal): OutputPlan[] {
  const format = { ...stdout, json: config.json_output };
  const compose = composeWith((alert) => formatAlert(alert, format));
  const lingerMs = config.buffered_outputs ? LINGER_MS : 0;
  const plans: OutputPlan[] = [];
  const { filename, keep_alive } = config.file_output;
  if (config.file_output.enabled) {
    const output = farFileOutput({ path: filename, keepAlive: keep_alive });
    plans.push({ output, compose, lingerMs });
  }
  if (config.stdout_output.enabled) {
    const shown = { ...stdout, colour: terminal.colour };
    plans.push({
      output: stdoutOutput(Deno.stdout),
      compose: composeWith((alert) => formatAlert(alert, shown)),
      lingerMs,
    });
  }
  return plans;
}

/** Where alerts go, with the key that says so. */
function whereOf(output: string, config: Config): string {
  return output === "file" ? `file_output.filename ${config.file_output.filename}` : output;
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
    case "well":
      return `${where} takes alerts again, after ${event.retries} attempts`;
  }
}
