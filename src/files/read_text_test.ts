// Files that are none, or have no end: each is refused in words, and none is waited for.
import { ok, strictEqual, throws } from "node:assert";
import { readTextFile } from "./read_text.ts";
import { reasonOf } from "./reason.ts";

function reasonFor(path: string, bytesMax = 1 << 20): string {
  try {
    readTextFile(path, bytesMax);
  } catch (error) {
    return reasonOf(error);
  }
  throw new Error(`${path} was read`);
}

async function inDirectory(test: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "saker-read-" });
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function fifoAt(path: string): void {
  strictEqual(new Deno.Command("mkfifo", { args: [path] }).outputSync().code, 0);
}

Deno.test("a file's text is read whole, its byte order mark too", () =>
  inDirectory((directory) => {
    const text = "\ufeffsome text\n".repeat(20_000);
    Deno.writeTextFileSync(`${directory}/file`, text);
    strictEqual(readTextFile(`${directory}/file`, 1 << 20), text);
  }));

Deno.test("devices, directories and what is not there are refused in words", () =>
  inDirectory((directory) => {
    strictEqual(reasonFor("/dev/zero"), "it is a device, not a file");
    strictEqual(reasonFor("/dev/tty"), "it is a device, not a file");
    strictEqual(reasonFor(directory), "it is a directory");
    strictEqual(reasonFor(`${directory}/none`), "there is no such file or directory");
    strictEqual(reasonFor("/etc/passwd/none"), "a part of its path is no directory");
    Deno.symlinkSync("loop", `${directory}/loop`);
    strictEqual(reasonFor(`${directory}/loop`), "its symbolic links go in circles");
  }));

Deno.test("a file beyond the bound is refused before it is read, also where its size says 0", () =>
  inDirectory((directory) => {
    const file = Deno.openSync(`${directory}/large`, { write: true, create: true });
    file.truncateSync(3_000_000_000);
    file.close();
    strictEqual(reasonFor(`${directory}/large`), "it has more than 1 MB");
    // Files of /proc tell no size.
    strictEqual(reasonFor("/proc/self/maps", 128), `it has more than ${128 / (1 << 20)} MB`);
  }));

Deno.test("a FIFO without a writer is given up, one with a writer is read", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/fifo`;
    fifoAt(path);
    throws(() => readTextFile(path, 100), /nothing is written to/);
    const writer = new Deno.Command("sh", { args: ["-c", `echo hello > "$0"`, path] }).spawn();
    strictEqual(readTextFile(path, 100), "hello\n");
    ok((await writer.status).success);
  });
});
