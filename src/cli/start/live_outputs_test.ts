// Outputs exchanged under way: every alert is written once, in order, by the old or the new ones.
import { deepStrictEqual, strictEqual } from "node:assert";
import { alertId } from "../../alerts/format/format.ts";
import { composeWith } from "../../alerts/format/message.ts";
import { Outputs } from "../../alerts/outputs.ts";
import type { Output } from "../../alerts/outputs/output.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { LiveOutputs } from "./live_outputs.ts";

function alert(sequence: number): Alert {
  return {
    hostname: "h",
    message: String(sequence),
    outputFields: [],
    priority: 4,
    rule: "r",
    source: "syscall",
    tags: [],
    time: 0n,
    sequence,
    degraded: false,
  };
}

/** Outputs of one that writes into the list, after so many rounds of the event loop or never. */
function outputsInto(written: string[], name: string, rounds: number): Outputs {
  const output: Output = {
    name,
    async write(messages): Promise<void> {
      if (rounds === Infinity) await new Promise<never>(() => {});
      for (let round = 0; round < rounds; round++) {
        await new Promise((done) => setTimeout(done, 0));
      }
      for (const { text } of messages) written.push(`${name} ${text}`);
    },
    reopen() {},
    close() {},
  };
  return new Outputs({
    outputs: [{ output, compose: composeWith(({ message }) => message) }],
    capacity: 1000,
    onEvent() {},
    random: () => 0,
    clock: () => performance.now(),
  });
}

Deno.test("alerts of an exchange are written once, in order, by the old or the new", async () => {
  const written: string[] = [];
  const heard: number[] = [];
  const outputs = new LiveOutputs(outputsInto(written, "old", 5));
  outputs.subscribe((alerts) => heard.push(...alerts.map(({ sequence }) => sequence)));
  outputs.send([alert(1), alert(2)]);
  const first = outputs.exchange(() => outputsInto(written, "new", 1), 60_000);
  outputs.send([alert(3)]);
  const second = outputs.exchange(() => outputsInto(written, "newest", 0), 60_000);
  outputs.send([alert(4)]);
  await Promise.all([first, second]);
  outputs.send([alert(5)]);
  await outputs.close(60_000);
  deepStrictEqual(written.map((line) => line.split(" ")[1]), ["1", "2", "3", "4", "5"]);
  deepStrictEqual(written.slice(0, 2), ["old 1", "old 2"]);
  strictEqual(written.at(-1), "newest 5");
  deepStrictEqual(heard, [1, 2, 3, 4, 5]);
});

Deno.test("an old output that takes nothing holds up the new one for its time only", async () => {
  const written: string[] = [];
  const outputs = new LiveOutputs(outputsInto(written, "stuck", Infinity));
  outputs.send([alert(1)]);
  const exchange = outputs.exchange(() => outputsInto(written, "new", 0), 20);
  outputs.send([alert(2)]);
  await exchange;
  await outputs.close(60_000);
  deepStrictEqual(written, ["new 2"]);
});

Deno.test("what an old output still has goes on in the new one of its name, in order", async () => {
  const written: string[] = [];
  const outputs = new LiveOutputs(outputsInto(written, "http", Infinity));
  outputs.send([alert(1)]);
  // The first one is within a write when the others come.
  await new Promise((done) => setTimeout(done, 0));
  outputs.send([alert(2), alert(3)]);
  const exchange = outputs.exchange(() => outputsInto(written, "http", 0), 20);
  outputs.send([alert(4)]);
  deepStrictEqual(await exchange, []);
  await outputs.close(60_000);
  deepStrictEqual(written, ["http 1", "http 2", "http 3", "http 4"]);
  deepStrictEqual(outputs.stats().map(({ written, dropped }) => [written, dropped]), [[4, 0]]);
});

Deno.test("what waits for an output that is no more is counted and told", async () => {
  const written: string[] = [];
  const outputs = new LiveOutputs(outputsInto(written, "http", Infinity));
  outputs.send([alert(1), alert(2)]);
  const exchange = outputs.exchange(() => outputsInto(written, "file", 0), 20);
  outputs.send([alert(3)]);
  deepStrictEqual(await exchange, [{ output: "http", alerts: 2 }]);
  await outputs.close(60_000);
  deepStrictEqual(written, ["file 3"]);
  strictEqual(outputs.stats()[0]!.dropped, 2);
});

Deno.test("dossiers are for those who listen, no output holds them", async () => {
  const written: string[] = [];
  const held: (readonly string[])[] = [];
  const outputs = outputsInto(written, "one", 0);
  const send = outputs.send.bind(outputs);
  outputs.send = (alerts) => {
    held.push(alerts.flatMap((one) => Object.keys(one)));
    send(alerts);
  };
  const live = new LiveOutputs(outputs);
  const heard: unknown[] = [];
  live.subscribe((alerts) => heard.push(...alerts.map(({ dossier }) => dossier)));
  const dossier = { none: "budget" } as const;
  live.send([{ ...alert(1), dossier }, alert(2)]);
  await live.close(1_000);
  deepStrictEqual(heard, [dossier, undefined]);
  strictEqual(held.flat().includes("dossier"), false);
  strictEqual(held.length, 1);
});

Deno.test("each alert has an id of its own, also saker's own of one moment", async () => {
  const written: string[] = [];
  const heard: string[] = [];
  const outputs = new LiveOutputs(outputsInto(written, "one", 0));
  outputs.subscribe((alerts) => heard.push(...alerts.map(alertId)));
  const own = (ms: bigint) => ({ ...alert(0), time: ms * 1_000_000n });
  outputs.send([own(5n), own(5n)]);
  outputs.send([own(5n), { ...own(5n), sequence: 7 }, own(6n)]);
  // A clock that was put back: the time is told as it is.
  outputs.send([own(4n)]);
  await outputs.close(60_000);
  deepStrictEqual(heard.map((id) => parseInt(id, 16)), [
    ...[5_000_000, 5_000_001, 5_000_002, 5_000_000, 6_000_000, 4_000_000],
  ]);
  deepStrictEqual(written.length, 6);
});
