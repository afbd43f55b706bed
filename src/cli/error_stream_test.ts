// Standard error whose reader stops: nothing waits for it, and what was lost is told.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { ErrorStream } from "./error_stream.ts";

/** A reader that stops, and reads again when the test says so. */
class StoppedReader {
  text = "";
  now = 0;
  #gate = Promise.withResolvers<void>();

  writeSync(bytes: Uint8Array): number {
    this.now++;
    return this.#take(bytes);
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#gate.promise;
    return this.#take(bytes.subarray(0, 1_000));
  }

  readAgain(): void {
    this.#gate.resolve();
  }

  #take(bytes: Uint8Array): number {
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("what is told is written at once, until a run watches", async () => {
  const reader = new StoppedReader();
  const stream = new ErrorStream(reader);
  stream.write(bytes("first\n"));
  strictEqual(reader.text, "first\n");
  stream.detach();
  stream.write(bytes("second\n"));
  strictEqual(reader.text, "first\n");
  await stream.flushed(1);
  strictEqual(reader.text, "first\n");
  reader.readAgain();
  await stream.flushed(10_000);
  deepStrictEqual([reader.text, reader.now], ["first\nsecond\n", 1]);
});

Deno.test("a reader that stops bounds what waits, and is told what it missed", async () => {
  const reader = new StoppedReader();
  const stream = new ErrorStream(reader);
  stream.detach();
  const line = `${"x".repeat(1_023)}\n`;
  for (let count = 0; count < 300; count++) stream.write(bytes(line));
  reader.readAgain();
  await stream.flushed(10_000);
  strictEqual(reader.text.startsWith(line.repeat(256)), true);
  match(reader.text.slice(256 * 1_024), /^Warning: 44 messages were not written here: .*\n$/);
  stream.write(bytes("again\n"));
  await stream.flushed(10_000);
  strictEqual(reader.text.endsWith("read them\nagain\n"), true);
});

Deno.test("a reader that has gone is nobody's mistake", async () => {
  const gone = () => Promise.reject(new Deno.errors.BrokenPipe());
  const stream = new ErrorStream({
    write: gone,
    writeSync: () => {
      throw new Deno.errors.BrokenPipe();
    },
  });
  stream.write(bytes("a"));
  stream.detach();
  stream.write(bytes("b"));
  await stream.flushed(10_000);
});

Deno.test("writing nothing, and a sink that fails at once, hold up nothing later", async () => {
  const reader = new StoppedReader();
  reader.readAgain();
  let fails = true;
  const stream = new ErrorStream({
    writeSync: (bytes) => reader.writeSync(bytes),
    write(bytes) {
      if (fails) throw new Deno.errors.BrokenPipe();
      return reader.write(bytes);
    },
  });
  stream.detach();
  stream.write(bytes("lost\n"));
  await stream.flushed(10_000);
  fails = false;
  stream.write(bytes(""));
  await stream.flushed(10_000);
  stream.write(bytes("told\n"));
  await stream.flushed(10_000);
  strictEqual(reader.text, "told\n");
});
