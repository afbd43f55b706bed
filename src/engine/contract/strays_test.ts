// A program of two threads that leaves failures to nobody, in each way that there is, and goes on.
import { deepStrictEqual } from "node:assert";

/** Runs the text as a program and gives what it printed. */
async function run(program: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", file],
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return decoder.decode(stdout) + decoder.decode(stderr);
  } finally {
    await Deno.remove(file);
  }
}

const MODULE = JSON.stringify(import.meta.resolve("./strays.ts"));
const LEAVE = `
  Promise.reject(new Error("first"));
  setTimeout(() => { throw new Error("second"); }, 1);
  setTimeout(async () => { await 0; throw new Error("third"); }, 2);
`;

Deno.test("what nobody waits for does not end the program, and is counted", async () => {
  const program = `
    import { catchStrays } from ${MODULE};
    const strays = catchStrays((failure) => console.log("told", failure.message));
    ${LEAVE}
    setTimeout(() => console.log("count", strays.count()), 50);
  `;
  deepStrictEqual((await run(program)).trim().split("\n"), ["told first", "count 3"]);
});

Deno.test("a worker's strays do not reach the program that it belongs to", async () => {
  const worker = `
    import { catchStrays } from ${MODULE};
    const strays = catchStrays(() => {});
    ${LEAVE}
    setTimeout(() => self.postMessage(strays.count()), 50);
  `;
  const program = `
    const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(worker)}])),
      { type: "module" });
    worker.onmessage = ({ data }) => { console.log("count", data); worker.terminate(); };
  `;
  deepStrictEqual((await run(program)).trim().split("\n"), ["count 3"]);
});
