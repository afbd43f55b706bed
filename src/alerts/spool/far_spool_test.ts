// Spools behind their thread: what one leaves the next one finds, also in the same process; one
// that another holds, and one that is not private, are told and not waited for.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import type { Message } from "../format/message.ts";
import { SpoolThread } from "./far_spool.ts";

function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, at) => ({
    text: `${from + at}`,
    priority: 4,
    time: 1n,
    hostname: "h",
  }));
}

const numbers = (given: readonly Message[]) => given.map(({ text }) => Number(text));

function open(directory: string, troubles: string[] = []) {
  return new SpoolThread({
    directory,
    bytesMax: 1_000_000,
    clock: () => performance.now(),
    onTrouble: (output, reason) => troubles.push(`${output}: ${reason}`),
  }).spoolOf("http");
}

Deno.test("a spool that was closed is there for the next one of the same process", async () => {
  const directory = Deno.makeTempDirSync();
  const first = open(`${directory}/spool`);
  await first.ready();
  strictEqual(await first.append(messages(3, 9)), 6);
  strictEqual(await first.hold(messages(0, 3)), 3);
  first.done(1);
  await first.close(5_000);
  const second = open(`${directory}/spool`);
  await second.ready();
  strictEqual(second.pending, 8);
  deepStrictEqual(numbers(await second.read()), [1, 2]);
  second.done(2);
  deepStrictEqual(numbers(await second.read()), [3, 4, 5, 6, 7, 8]);
  const { alerts, spooled, cut } = second.stats();
  deepStrictEqual([alerts, spooled, cut], [6, 0, 0]);
  await second.close(5_000);
  for (const path of ["spool", "spool/http"]) {
    strictEqual(Deno.statSync(`${directory}/${path}`).mode! & 0o777, 0o700, path);
  }
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a spool in a directory that others can read is told and takes nothing", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.chmodSync(directory, 0o755);
  const troubles: string[] = [];
  const spool = open(directory, troubles);
  await spool.ready();
  strictEqual(await spool.append(messages(0, 3)), 0);
  deepStrictEqual(await spool.read(), []);
  match(troubles.join(), /^http: \S+ is not private: expected one of this user with mode 700$/);
  await spool.close(5_000);
  Deno.removeSync(directory, { recursive: true });
});
