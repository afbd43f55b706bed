// A spool on disk: order, bounds, what a crash leaves, and what is not ours.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Message } from "../format/message.ts";
import { Segments } from "./segments.ts";

function messages(from: number, to: number, bytes = 100): Message[] {
  return Array.from({ length: to - from }, (_, at) => ({
    text: `${from + at} ${"é".repeat(bytes / 2)}`,
    priority: (from + at) % 8,
    time: BigInt(from + at),
    hostname: "h",
  }));
}

const numbers = (given: readonly Message[]) => given.map(({ text }) => Number.parseInt(text));

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** All that is there, taken out in steps of the given size. */
function taken(spool: Segments, step = 1000): number[] {
  const all: number[] = [];
  for (;;) {
    const some = spool.read().slice(0, step);
    if (some.length === 0) return all;
    all.push(...numbers(some));
    spool.done(some.length);
  }
}

function test(name: string, body: (directory: string) => void): void {
  Deno.test(`a spool on disk: ${name}`, () => {
    const directory = Deno.makeTempDirSync();
    try {
      body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

const files = (directory: string) =>
  [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) => /seg$/.test(name))
    .sort().map((name) => `${directory}/${name}`);

test("what was put in comes out, whole, in order and once, in steps of any size", (directory) => {
  const spool = new Segments(directory, 10_000_000);
  const given = messages(0, 5000, 1000);
  strictEqual(spool.append(given.slice(0, 3000)), 3000);
  strictEqual(spool.append(given.slice(3000)), 2000);
  ok(files(directory).length > 3);
  deepStrictEqual(spool.read().slice(0, 10), given.slice(0, 10));
  deepStrictEqual(taken(spool, 77), range(0, 5000));
  deepStrictEqual([spool.alerts, spool.bytes, files(directory)], [0, 0, []]);
  spool.close();
});

test("what is held comes before all else", (directory) => {
  const spool = new Segments(directory, 1_000_000);
  spool.append(messages(10, 20));
  strictEqual(spool.hold(messages(0, 10)), 10);
  spool.done(4);
  deepStrictEqual(taken(spool), range(4, 20));
  strictEqual(spool.hold(messages(0, 3)), 3);
  spool.append(messages(3, 6));
  deepStrictEqual(taken(spool), range(0, 6));
  spool.close();
});

test("a run that ends without a word leaves all but what was done", (directory) => {
  const one = new Segments(directory, 1_000_000);
  one.append(messages(0, 100));
  one.read();
  one.done(30);
  const other = new Segments(directory, 1_000_000);
  strictEqual(other.alerts, 70);
  other.append(messages(100, 110));
  deepStrictEqual(taken(other), range(30, 110));
  for (const spool of [one, other]) spool.close();
});

test("its bound refuses what comes later, and takes again when there is room", (directory) => {
  const spool = new Segments(directory, 100_000);
  const kept = spool.append(messages(0, 2000));
  ok(kept > 500 && kept < 1000, `${kept}`);
  strictEqual(spool.append(messages(kept, kept + 10)), 0);
  strictEqual(spool.hold(messages(0, 10)), 0);
  ok(spool.bytes <= 100_000);
  const first = numbers(spool.read());
  spool.done(first.length);
  const more = spool.append(messages(kept, kept + 50));
  ok(more > 0, `${more}`);
  deepStrictEqual(taken(spool), range(first.length, kept + more));
  spool.close();
});

test("a record that a crash cut off is cut and counted, wherever it was cut", (directory) => {
  const spool = new Segments(directory, 1_000_000);
  spool.append(messages(0, 3));
  const [file] = files(directory);
  const { size } = Deno.statSync(file!);
  const whole = Deno.readFileSync(file!);
  for (let cut = 1; cut < size / 3; cut += 7) {
    Deno.writeFileSync(file!, whole.subarray(0, size - cut));
    const after = new Segments(directory, 1_000_000);
    deepStrictEqual([after.alerts, after.cut], [2, 1]);
    deepStrictEqual(numbers(after.read()), [0, 1]);
    after.append(messages(7, 8));
    after.close();
    const last = new Segments(directory, 1_000_000);
    deepStrictEqual([last.alerts, last.cut], [3, 0]);
    last.close();
    for (const other of files(directory).slice(1)) Deno.removeSync(other);
  }
  spool.close();
});

test("a bit that turned takes the rest of its file and no more", (directory) => {
  const spool = new Segments(directory, 10_000_000);
  spool.append(messages(0, 3000, 1000));
  const [first, second] = files(directory);
  const bytes = Deno.readFileSync(first!);
  bytes[bytes.length >> 1]! ^= 1;
  Deno.writeFileSync(first!, bytes);
  const after = new Segments(directory, 10_000_000);
  strictEqual(after.cut, 1);
  const all = taken(after);
  deepStrictEqual(all, [...all].sort((one, other) => one - other));
  ok(all.includes(0) && all.includes(2999) && all.length < 3000 && second !== undefined);
  for (const one of [spool, after]) one.close();
});

test("its files are their owner's alone, and no link is followed", (directory) => {
  const spool = new Segments(directory, 1_000_000);
  spool.append(messages(0, 3));
  for (const { name } of Deno.readDirSync(directory)) {
    strictEqual(Deno.statSync(`${directory}/${name}`).mode! & 0o777, 0o600, name);
  }
  spool.close();
  const [file] = files(directory);
  Deno.renameSync(file!, `${directory}/elsewhere`);
  Deno.symlinkSync(`${directory}/elsewhere`, file!);
  let refused = false;
  try {
    new Segments(directory, 1_000_000);
  } catch {
    refused = true;
  }
  ok(refused);
});
