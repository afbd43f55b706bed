// What a changed configuration asks for: a restart, other outputs, or neither.
import { deepStrictEqual, ok } from "node:assert";
import { changesOf } from "./changes.ts";
import { readConfig } from "./read_config.ts";
import { schema } from "./schema.ts";
import { isOutputKey, needsRestart } from "./uses.ts";

function config(...options: string[]) {
  return readConfig({ file: undefined, options, environment: () => undefined }).config;
}

Deno.test("keys that hold from the start are told down to the value", () => {
  const options = ["webserver.listen_port=1", "capture.mode=all_rules", "metrics.interval=1m"];
  const after = config("engine.nice=-5", "capture.enabled=true", ...options);
  deepStrictEqual(changesOf(config(), after), {
    restart: ["engine.nice", "capture.enabled"],
    outputs: false,
  });
});

Deno.test("outputs are made anew for what is about them, and for nothing else", () => {
  const isAbout = (option: string) => changesOf(config(), config(option)).outputs;
  for (
    const option of ["json_output=true", "outputs_queue.capacity=1", "stdout_output.enabled=0"]
  ) {
    ok(isAbout(option.replace("=0", "=false")), option);
  }
  for (const option of ["priority=error", "log_level=debug", "syscall_event_drops.rate=1"]) {
    ok(!isAbout(option), option);
  }
});

Deno.test("each key of the schema either waits for a restart or is taken by a reload", () => {
  const keys = Object.keys(schema.initial()) as (keyof ReturnType<typeof config>)[];
  const about = keys.filter((key) => isOutputKey(key));
  ok(about.includes("file_output") && about.includes("output_timeout"));
  ok(about.every((key) => !needsRestart([key])));
});
