// Plugins in TypeScript that do harm, each in one way: what is told, that they come back after a
// pause, and that nobody else is held up.
import { match, ok, rejects, strictEqual } from "node:assert";
import { cpuUsage } from "node:process";
import { loadTypeScriptPlugin } from "./load_plugin.ts";
import { TypeScriptPort } from "./port.ts";

/** Less than in a watch: the test waits for it. */
const STUCK_MS = 2_500;

async function portOf(text: string, memoryMb = 256): Promise<TypeScriptPort> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(path, text);
    const granted = {};
    const name = "harm";
    const entry = { name, path, config: {}, params: "", granted, memoryMb };
    return new TypeScriptPort(await loadTypeScriptPlugin(entry), STUCK_MS);
  } finally {
    Deno.removeSync(path);
  }
}

/** Reads on until that holds; false where it never does. */
function readUntil(port: TypeScriptPort, holds: (bytes: number) => boolean, ms = 120_000): boolean {
  const buffer = new Uint8Array(1 << 20);
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const bytes = port.read(buffer);
    if (holds(bytes)) return true;
    if (bytes <= 0) port.wait(50);
  }
  return false;
}

function sourceOf(body: string, more = ""): string {
  return `
    export const source = { name: "harm", async *events() { yield "first"; ${body} } };
    export const fields = { fields: {
      "harm.text": {
        type: "string", desc: "d", value: (event: any) => { ${more} return event.text; },
      },
    } };`;
}

const BREATH = "await new Promise((go) => setTimeout(go, 20));";
const WAIT = "await new Promise((go) => setTimeout(go, 60_000));";

for (
  const [what, text, error] of [
    ["throws", sourceOf("throw new RangeError('over');"), /^RangeError: over \(\S+\.ts:2\); it is/],
    ["rejects", sourceOf(`Promise.reject(new Error("no")); ${WAIT}`), /^no \(/],
    [
      "throws in a timer",
      sourceOf(`setTimeout(() => { throw new Error("late"); }, 0); ${WAIT}`),
      /^late \(/,
    ],
    ["throws no error", sourceOf("throw 5;"), /^it threw 5;/],
    ["gives what is no event", sourceOf("yield 5;"), /expected a text, bytes or an object/],
    ["gives a circle", sourceOf("const a: any = {}; a.a = a; yield a;"), /circular/],
    ["gives a time that is none", sourceOf("yield at(NaN, '');"), /at is not defined/],
    [
      "loops",
      sourceOf(`${BREATH} for (;;);`),
      /^its thread has not come round for 2.5 s; it is started anew/,
    ],
    [
      "fills its heap",
      sourceOf(`${BREATH} const all = []; for (;;) all.push(new Array(1000).fill(all.length));`),
      /^it has more memory than 64 MB \(memory_mb\)/,
    ],
    [
      "leaks in steps",
      sourceOf(`const all = [];
        for (;;) { ${BREATH} all.push(new Uint8Array(1 << 21).fill(1)); }`),
      /^it has more memory than 64 MB \(memory_mb\)/,
    ],
  ] as const
) {
  Deno.test(`a plugin that ${what} is ended, told, and started anew`, async () => {
    const port = await portOf(text, 64);
    port.open("");
    ok(readUntil(port, () => port.numbers().state === "pausing"), "it was not ended");
    match(port.takeNotices().at(-1)!.line, error);
    const { restarts, lastError, errors } = port.numbers();
    strictEqual(restarts, 0);
    ok(errors > 0);
    match(lastError!, /./);
    // It comes back after the pause, and gives its first event again.
    ok(readUntil(port, (bytes) => bytes > 0), "it did not come back");
    strictEqual(port.numbers().restarts, 1);
    port.close();
  });
}

Deno.test("a field that loops ends its plugin within a second, and has no value", async () => {
  const port = await portOf(sourceOf(WAIT, "for (;;);"));
  port.open("");
  ok(readUntil(port, (bytes) => bytes > 0));
  const beganMs = performance.now();
  const { counts } = port.column(0, undefined, 0, 1);
  ok(performance.now() - beganMs < 60_000);
  strictEqual(counts[0], 0);
  match(
    port.takeNotices().at(-1)!.line,
    /^it did not answer within 1 s; it is started anew in 1 s$/,
  );
  strictEqual(port.numbers().timeouts, 1);
  port.close();
});

/** Events that were counted as lost, where the plugin had that time to fill both batches. */
async function lostAfter(ms: number): Promise<number> {
  const fill = `const kib = "x".repeat(1024); for (let n = 0; n < 4096; n++) yield kib;`;
  const port = await portOf(sourceOf(`${fill} ${WAIT}`, "for (;;);"));
  port.open("");
  // Some of the first batch are read.
  ok(readUntil(port, (bytes) => bytes > 0));
  await new Promise((resolve) => setTimeout(resolve, ms));
  port.column(0, undefined, 0, 1);
  ok(readUntil(port, () => port.numbers().state === "pausing"));
  const { dropped } = port.numbers();
  port.close();
  return dropped;
}

Deno.test("events that go with a plugin that is ended are counted, of both batches", async () => {
  let lost = 0;
  // A batch has a MiB, of a KiB an event; a busy machine may need its time for both.
  for (let ms = 200; lost <= 1024 && ms < 10_000; ms *= 2) lost = await lostAfter(ms);
  ok(lost > 1024, `${lost} were counted`);
});

Deno.test("a plugin that floods is read as fast as we go, its log is bounded", async () => {
  const flood = `for (let n = 0;; n++) { console.log("line", n); yield "x"; }`;
  const port = await portOf(sourceOf(flood));
  port.open("");
  let events = 0;
  ok(readUntil(port, (bytes) => (events += Math.max(bytes, 0)) > 4 << 20));
  const notices = port.takeNotices();
  ok(notices.length <= 100);
  match(notices.at(-1)!.line, /^it said \d+ lines more than were taken$/);
  strictEqual(port.numbers().state, "running");
  port.close();
});

Deno.test("a plugin that ends its thread's own parts harms itself alone", async () => {
  const port = await portOf(sourceOf(`
    Atomics.load = () => 77; Array.prototype.push = () => { throw new Error("mine"); };
    Uint8Array.prototype.set = () => {}; JSON.parse = () => { throw 1; };
    (Promise.prototype as any).then = undefined; yield { a: 1 }; yield "second";`));
  port.open("");
  readUntil(port, () => port.numbers().state === "pausing", 12_000);
  const { counts } = port.column(0, undefined, 0, 1);
  ok(counts[0]! <= 1);
  port.close();
});

Deno.test("threads of plugins that loop and fill memory are gone once they are ended", async () => {
  /** Seconds of CPU that this process has taken. */
  const taken = () => {
    const { user, system } = cpuUsage();
    return (user + system) / 1e6;
  };
  const grow = "const all: any[] = []; const more = () => all.push(new Array(1000).fill(1));";
  const loops = [
    "for (;;) all.push(new Array(1000).fill(all.length));",
    "while (true) try { for (;;) more(); } catch {}",
    "do all.push(new Array(1000).fill(1)); while (true)",
    "if (all) for (const one of (all.push(1), all)) all.push(new Array(1000).fill(one)); else 1;",
  ];
  for (const loop of loops) {
    const port = await portOf(sourceOf(`${BREATH} ${grow} ${loop}`), 64);
    port.open("");
    ok(readUntil(port, () => port.numbers().state === "pausing"), loop);
    port.close();
    // A thread that goes on takes all of a CPU, and a gigabyte a second.
    for (let waits = 0;; waits++) {
      ok(waits < 120, `${loop}: its thread goes on`);
      const before = taken();
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (taken() - before < 0.2) break;
    }
  }
});

Deno.test("a module that fills memory before it is known is refused", async () => {
  const text = "const all: any[] = []; for (;;) all.push(new Array(1000).fill(1));";
  await rejects(
    portOf(text, 64),
    /^Error: its module takes more memory than 256 MB \(memory_mb\)$/,
  );
});
