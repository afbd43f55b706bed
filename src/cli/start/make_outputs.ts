// Config → outputs: which ones a run has, and how alerts are written there.
import type { FormatOptions } from "../../alerts/format.ts";
import { Outputs } from "../../alerts/outputs.ts";
import { farFileOutput } from "../../alerts/outputs/far_file.ts";
import { type Output, OutputClosed } from "../../alerts/outputs/output.ts";
import { stdoutOutput } from "../../alerts/outputs/stdout.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { Terminal } from "../terminal.ts";

export interface MadeOutputs {
  readonly outputs: Outputs;
  /** One line for each output that the configuration enables and that this version lacks. */
  readonly missing: readonly string[];
}

const MISSING = "this version of saker does not have that output yet";

/** Alerts that may wait in front of each output unless `outputs_queue.capacity` says how many. */
const CAPACITY = 16_384;

/** `onClosed` is called when the reader of standard output has gone; `mayBeNone` where the run has
 * another purpose than alerts. */
export function makeOutputs(
  { config, jsonAlerts }: LoadedConfig,
  terminal: Terminal,
  onClosed: () => void,
  mayBeNone = false,
): MadeOutputs {
  const format: FormatOptions = {
    json: jsonAlerts,
    isoTime: config.time_format_iso_8601,
    outputProperty: config.json_include_output_property,
    messageProperty: config.json_include_message_property,
    outputFieldsProperty: config.json_include_output_fields_property,
    tagsProperty: config.json_include_tags_property,
    colour: false,
  };
  const made: Output[] = [];
  const { filename, keep_alive } = config.file_output;
  // Falco's order: file, stdout, then the others.
  if (config.file_output.enabled) {
    made.push(farFileOutput({ path: filename, keepAlive: keep_alive }, {
      ...format,
      json: config.json_output,
    }));
  }
  if (config.stdout_output.enabled) {
    made.push(stdoutOutput(Deno.stdout, { ...format, colour: terminal.colour }));
  }
  const missing = (["syslog_output", "program_output", "http_output"] as const)
    .filter((name) => config[name].enabled);
  const lines = missing.map((name) => `${name}: ${MISSING}; alerts do not go there`);
  if (made.length === 0 && !mayBeNone) {
    throw new Error([
      "No output configured, please make sure at least one output is configured and enabled.",
      ...lines,
    ].join(" "));
  }
  const outputs = new Outputs({
    outputs: made,
    capacity: config.outputs_queue.capacity || CAPACITY,
    onFailure(output, failure) {
      if (failure instanceof OutputClosed) return onClosed();
      const where = output === "file" ? `file_output.filename ${filename}` : output;
      terminal.error(
        `Warning: Cannot write alerts to ${where}: ${failure.message}; they are lost there\n`,
      );
    },
    missing: missing.map((name) => [name, MISSING]),
    clock: () => performance.now(),
  });
  return { outputs, missing: lines };
}
