// `saker plugin try FILE`: a plugin in TypeScript runs by itself, and each of its events goes out
// as a line of JSON with the fields that take no argument. What it says goes to standard error.
import { resolve } from "node:path";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import type { PluginColumn, PluginField, PluginPort } from "../../plugins/contract.ts";
import { shownValues } from "../../plugins/typescript/column_text.ts";
import { loadTypeScriptPlugin } from "../../plugins/typescript/load_plugin.ts";
import { TypeScriptPort } from "../../plugins/typescript/port.ts";
import type { Terminal } from "../terminal.ts";

export interface TryOptions {
  readonly openParams: string;
  readonly initConfig: string;
  readonly allowNet?: string;
  readonly allowRead?: string;
  readonly allowEnv?: string;
  readonly events: string;
}

const BUFFER_BYTES = 1 << 20;
const WAIT_MS = 100;
const MEMORY_MB = 1024;

export async function tryPlugin(
  file: string,
  options: TryOptions,
  terminal: Terminal,
): Promise<number> {
  const limit = Number(options.events);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new Error(`--events: expected a number from 1 on, found "${options.events}"`);
  }
  const start = await loadTypeScriptPlugin({
    name: /([^/]*?)\.m?[tj]s$/.exec(file)?.[1] ?? file,
    path: resolve(file),
    config: configOf(options.initConfig),
    params: options.openParams,
    granted: {
      net: listOf(options.allowNet),
      read: listOf(options.allowRead),
      env: listOf(options.allowEnv),
    },
    memoryMb: MEMORY_MB,
  });
  const { info } = start;
  terminal.error(
    `${info.name} ${info.version}: ${
      info.source === "" ? "no source" : `source ${info.source}`
    }, ` +
      `${info.fields.length} fields\n`,
  );
  if (info.source === "") return 0;
  const port = new TypeScriptPort(start);
  try {
    port.open(options.openParams);
    return print(port, limit, terminal);
  } finally {
    port.close();
    tell(port, terminal);
  }
}

/** Until there are as many, the source has ended, or the plugin failed. */
function print(port: PluginPort, limit: number, terminal: Terminal): number {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const event = new Event();
  const walk = new BlockWalk(event);
  const shown = port.info.fields.map((field, at) => ({ field, at }))
    .filter(({ field }) => field.argument?.isRequired !== true);
  for (let count = 0; count < limit;) {
    const bytes = port.read(buffer);
    tell(port, terminal);
    if (port.numbers().state === "pausing" || port.numbers().state === "failed") return 1;
    if (bytes < 0) return 0;
    if (bytes === 0) {
      port.wait(WAIT_MS);
      continue;
    }
    const times: bigint[] = [];
    walk.begin(buffer, bytes);
    while (walk.next() === Step.Event) times.push(event.time());
    const wanted = Math.min(times.length, limit - count);
    const lines = Array.from({ length: wanted }, (_, at) => ({
      time: new Date(Number(times[at]! / 1_000_000n)).toISOString(),
      fields: {} as Record<string, unknown>,
    }));
    for (const { field, at } of shown) fill(lines, field, port.column(at, undefined, 0, wanted));
    for (const { time, fields } of lines) terminal.out(`${JSON.stringify({ time, ...fields })}\n`);
    count += wanted;
  }
  return 0;
}

function fill(
  lines: readonly { readonly fields: Record<string, unknown> }[],
  field: PluginField,
  column: PluginColumn,
): void {
  for (const [line, values] of shownValues(field, column).entries()) {
    const { fields } = lines[line]!;
    if (field.isList) fields[field.name] = values;
    else if (values.length > 0) fields[field.name] = values[0];
  }
}

function tell(port: PluginPort, terminal: Terminal): void {
  for (const { level, line } of port.takeNotices()) {
    terminal.error(`${level === "info" ? "" : "Warning: "}${port.info.name}: ${line}\n`);
  }
}

function configOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`--init-config: expected JSON, found "${text}"`);
  }
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(",").filter((one) => one !== "");
}
