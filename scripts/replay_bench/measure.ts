// One capture through source, tables and rules in this process: time, CPU, memory, counters.
import process from "node:process";
import { compileRules } from "../../src/engine/compile_rules.ts";
import { BlockWalk, Step } from "../../src/events/blocks.ts";
import { Event } from "../../src/events/event.ts";
import { CaptureSource } from "../../src/events/scap/capture.ts";
import { NEW_SNAPSHOT } from "../../src/events/source.ts";
import type { RuleSet } from "../../src/rules/rule_set.ts";
import { Context } from "../../src/state/contract/context.ts";
import { createMachine } from "../../src/state/create_machine.ts";
import type { MachineStats } from "../../src/state/tables/tables.ts";

export interface Measured {
  readonly events: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Resident memory at its highest, and what of it was there before the capture. */
  readonly residentBytes: number;
  readonly startBytes: number;
  readonly matches: number;
  readonly stats: MachineStats;
}

const BATCH_BYTES = 256 << 10;

export function measure(capture: string, ruleFiles: readonly string[]): Measured {
  const rules = ruleFiles.length === 0 ? undefined : load(ruleFiles);
  const startBytes = Deno.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const started = performance.now();
  const source = new CaptureSource([capture]);
  const machine = createMachine({
    paths: "kernel",
    threadsMax: 262_144,
    fdsMax: 4_194_304,
    hostname: "box",
  });
  const event = new Event();
  const context = new Context(machine, event);
  const walk = new BlockWalk(event);
  const buffer = new Uint8Array(BATCH_BYTES);
  const matched = new Int32Array(rules === undefined ? 0 : rules.rules.length);
  let events = 0;
  let matches = 0;
  let residentBytes = 0;
  let batches = 0;
  const loadState = () => {
    const blocks = source.snapshot();
    walk.begin(blocks, blocks.length);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.State) machine.load(walk.type, blocks, walk.start, walk.end);
    }
  };
  loadState();
  for (let bytes = source.read(buffer); bytes !== -1; bytes = source.read(buffer)) {
    if (bytes === NEW_SNAPSHOT) {
      loadState();
      continue;
    }
    walk.begin(buffer, bytes);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step !== Step.Event) continue;
      event.num = ++events;
      machine.apply(context);
      if (rules === undefined || event.stateOnly || rules.wanted[event.code] === 0) continue;
      matches += rules.match(context, matched);
    }
    if ((++batches & 63) === 0) {
      residentBytes = Math.max(residentBytes, Deno.memoryUsage().rss);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  source.close();
  return {
    events,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    residentBytes: Math.max(residentBytes, Deno.memoryUsage().rss),
    startBytes,
    matches,
    stats: machine.stats(),
  };
}

function load(files: readonly string[]): RuleSet {
  return compileRules({
    files: files.map((name) => ({ name, text: Deno.readTextFileSync(name) })),
    priority: 7,
    matching: "first",
    selections: [],
    appendOutput: [],
    staticFields: {},
    base64: false,
  }).rules;
}
