// What an event costs in the product, by the number of rules: the built saker replays a capture as
// Falco records it live, sieve and all, and the same tables without an event. Sets of rules come
// in; nanoseconds of the whole process's CPU for each event of the capture go out.
import type { RulesText } from "../../src/rules/load.ts";
import { SAKER } from "../../tests/live/saker.ts";
import { timed } from "../live_bench/workloads.ts";
import { writeLiveSet } from "../replay_bench/live_set.ts";

export interface GrowthOptions {
  /** The capture that the events are of. */
  readonly capture: string;
  readonly events: number;
  /** Replays of each set, in turn with the others; the median counts. */
  readonly rounds: number;
}

export interface EventCost {
  readonly name: string;
  /** Seconds of a replay without events. */
  readonly start: number;
  readonly nsAnEvent: number;
}

export interface RulesCase {
  readonly name: string;
  readonly files: readonly RulesText[];
  /** With the rules that the files leave out. */
  readonly isWhole: boolean;
}

export async function eventCosts(
  sets: readonly RulesCase[],
  { capture, events, rounds }: GrowthOptions,
): Promise<EventCost[]> {
  const directory = await Deno.makeTempDir({ prefix: "saker-bench-" });
  try {
    const whole = `${directory}/whole.scap`;
    const empty = `${directory}/empty.scap`;
    const count = writeLiveSet(capture, whole, events);
    writeLiveSet(capture, empty, 0);
    const rules = sets.map(({ files }, at) => files.map((file, part) => written(file, at, part)));
    const costs = sets.map((): { start: number; whole: number }[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [at, files] of rules.entries()) {
        const { isWhole } = sets[at]!;
        const start = await cpuOf(empty, files, isWhole);
        costs[at]!.push({ start, whole: await cpuOf(whole, files, isWhole) });
      }
    }
    return sets.map(({ name }, at) => {
      const start = median(costs[at]!.map((cost) => cost.start));
      const all = median(costs[at]!.map((cost) => cost.whole));
      return { name, start, nsAnEvent: (all - start) * 1e9 / count };
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }

  function written({ text }: RulesText, at: number, part: number): string {
    const file = `${directory}/${at}-${part}.yaml`;
    Deno.writeTextFileSync(file, text);
    return file;
  }
}

async function cpuOf(
  capture: string,
  rules: readonly string[],
  isWhole: boolean,
): Promise<number> {
  const { cpu } = await timed(SAKER, [
    ...["-o", "engine.kind=replay", "-o", `engine.replay.capture_file=${capture}`],
    ...isWhole ? ["-o", "rules[].enable.rule=*"] : [],
    ...rules.flatMap((file) => ["-r", file]),
  ]);
  return cpu;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
