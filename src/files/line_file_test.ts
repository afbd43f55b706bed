// A file that lines are appended to: what is told of a write that came only so far.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { openLineFile } from "./line_file.ts";
import { DescriptorReserve } from "./reserve.ts";

const BYTES = 300_000;

async function within(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a pipe that is full now and then gets every byte once", async () => {
  await within(async (directory) => {
    const path = `${directory}/fifo`;
    ok(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
    const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const reserve = new DescriptorReserve();
    const file = await openLineFile(path, reserve);
    const bytes = Uint8Array.from({ length: BYTES }, (_, at) => at % 251);
    const writing = (async () => {
      for (let at = 0; at < BYTES;) at += await file.write(bytes.subarray(at));
    })();
    const read = new Uint8Array(BYTES);
    for (let at = 0; at < BYTES;) {
      try {
        at += (await reader.read(read, at, Math.min(10_000, BYTES - at))).bytesRead;
      } catch {
        // It is empty just now.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    await writing;
    deepStrictEqual(read, bytes);
    await rejects(Promise.resolve(reader.read(new Uint8Array(1), 0, 1)), /EAGAIN|os error 11/);
    file.close();
    reserve.close();
    await reader.close();
  });
});

Deno.test({
  name: "a disk that is full says how much it took",
  ignore: Deno.uid() !== 0,
  async fn() {
    await within(async (directory) => {
      const ran = (...[command, ...args]: [string, ...string[]]) =>
        new Deno.Command(command, { args }).outputSync().success;
      ok(ran("mount", "-t", "tmpfs", "-o", "size=16k", "none", directory));
      try {
        const reserve = new DescriptorReserve();
        const file = await openLineFile(`${directory}/lines`, reserve);
        const bytes = new Uint8Array(BYTES);
        const taken = await file.write(bytes);
        strictEqual(taken, Deno.statSync(`${directory}/lines`).size);
        ok(taken > 0 && taken <= 16_384, `${taken}`);
        await rejects(file.write(bytes.subarray(taken)), /ENOSPC|os error 28/);
        file.close();
        reserve.close();
      } finally {
        ok(ran("umount", "-l", directory));
      }
    });
  },
});
