// For tests, the suite that every output passes but those whose readers are processes, the program
// (program_test) and gRPC (tests/grpc_test.ts): alerts arrive whole, in order, once; an output that
// is slow, stuck, failing or closed under way never blocks the other ones.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert } from "../format/format.ts";
import { JSON_FORMAT } from "../format/format_fixture.ts";
import { composeWith } from "../format/message.ts";
import { Outputs } from "../outputs.ts";
import type { QueueEvent } from "../queue.ts";
import type { Output } from "./output.ts";

export const compose = composeWith((one) => formatAlert(one, JSON_FORMAT));

export const PATIENCE_MS = 60_000;

export function outputsOf(
  made: readonly Output[],
  capacity: number,
  onEvent = unexpected,
): Outputs {
  return new Outputs({
    outputs: made.map((output) => ({ output, compose })),
    capacity,
    onEvent,
    random: () => 0,
    clock: () => performance.now(),
    stuckMs: 600_000,
  });
}

export const messageOf = (sequence: number) => compose(alert(sequence));

export function alert(sequence: number): Alert {
  return {
    hostname: "h",
    message: `alert ${sequence} ${"x".repeat(200)}`,
    outputFields: [],
    priority: 4,
    rule: "r",
    source: "syscall",
    tags: [],
    time: BigInt(sequence),
    sequence,
    degraded: false,
  };
}

export interface Case {
  readonly name: string;
  /** It cannot be had here. */
  readonly ignore?: boolean;
  /** Makes the output in a fresh directory. */
  make(directory: string): Made | Promise<Made>;
}

export interface Made {
  readonly output: Output;
  /** What arrived, which is to be so many lines; waits for a reader that is another process. */
  readonly arrived: (lines: number) => string | Promise<string>;
  readonly end?: () => Promise<void> | void;
}

/** An output that never finishes a write. */
function stuckOutput(): Output {
  return {
    name: "stuck",
    write: () => new Promise(() => {}),
    reopen() {},
    close() {},
  };
}

export function sequences(text: string): number[] {
  ok(text === "" || text.endsWith("\n"), "the last line is whole");
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line).seq);
}

/** The tests of one output. */
export function passesSuite({ name, make, ignore = false }: Case): void {
  const test = (says: string, body: (made: Made) => Promise<void>) => {
    const run = async () => {
      const directory = Deno.makeTempDirSync();
      const made = await make(directory);
      try {
        await body(made);
      } finally {
        made.output.close();
        await made.end?.();
        Deno.removeSync(directory, { recursive: true });
      }
    };
    Deno.test({ name: `${name}: ${says}`, ignore, fn: run });
  };

  test("every alert arrives whole, in order and once", async ({ output, arrived }) => {
    const outputs = outputsOf([output], 2000);
    for (let at = 0; at < 1000; at += 10) {
      outputs.send(Array.from({ length: 10 }, (_, one) => alert(at + one)));
    }
    await outputs.drained(PATIENCE_MS);
    deepStrictEqual(sequences(await arrived(1000)), Array.from({ length: 1000 }, (_, at) => at));
  });

  test("a stuck output beside it changes nothing", async ({ output, arrived }) => {
    const dropping = (name: string, event: QueueEvent) => {
      if (name !== "stuck" || event.kind !== "dropping") unexpected(name, event);
    };
    const outputs = outputsOf([stuckOutput(), output], 10, dropping);
    for (let at = 0; at < 100; at++) {
      outputs.send([alert(at)]);
      if (at % 5 === 4) await until(() => outputs.stats()[1]!.written === at + 1);
    }
    strictEqual(sequences(await arrived(100)).length, 100);
    const stuck = outputs.stats()[0]!;
    strictEqual(stuck.waiting, 10);
    // What the stuck write holds is neither written nor waiting.
    ok(stuck.dropped > 0 && stuck.written === 0, JSON.stringify(stuck));
    await outputs.close(1);
  });

  test("it goes on after it was reopened", async ({ output, arrived }) => {
    const outputs = outputsOf([output], 10);
    outputs.send([alert(1)]);
    await outputs.drained(PATIENCE_MS);
    outputs.reopen();
    outputs.send([alert(2)]);
    await outputs.drained(PATIENCE_MS);
    deepStrictEqual(sequences(await arrived(2)), [1, 2]);
  });
}

function unexpected(output: string, event: QueueEvent): void {
  throw new Error(`${output}: ${JSON.stringify(event)}`);
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
