// A plugin in TypeScript whose thread is in a process of its own, through the port that all go
// through: what it gives comes over, and whatever it does ends its process alone.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { shownValues } from "./column_text.ts";
import { loadTypeScriptPlugin } from "./load_plugin.ts";
import { TypeScriptPort } from "./port.ts";

const BATCH_BYTES = 1 << 20;

async function portOf(text: string, memoryMb = 512, config: unknown = {}): Promise<TypeScriptPort> {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/plugin.ts`, text);
  const granted = { read: [directory], env: ["SAKER_PLUGIN_TEST"] };
  const entry = { name: "p", path: `${directory}/plugin.ts`, config, params: directory, granted };
  const start = await loadTypeScriptPlugin({ ...entry, memoryMb, ownProcess: true });
  Deno.removeSync(directory, { recursive: true });
  return new TypeScriptPort(start);
}

/** Reads until that holds; events so far. Waits that are without an end fail the test. */
function readUntil(
  port: TypeScriptPort,
  holds: (events: number, batch: number) => boolean,
): boolean {
  const buffer = new Uint8Array(BATCH_BYTES);
  const untilMs = performance.now() + 60_000;
  for (let events = 0; performance.now() < untilMs;) {
    const bytes = port.read(buffer);
    const walk = new BlockWalk(new Event());
    walk.begin(buffer, Math.max(bytes, 0));
    let batch = 0;
    while (walk.next() === Step.Event) batch++;
    events += batch;
    if (holds(events, batch)) return true;
    if (bytes < 0) return false;
    if (bytes === 0) port.wait(50);
  }
  return false;
}

const NUMBERS = `
export const permissions = { env: ["SAKER_PLUGIN_TEST"] };
export const source = {
  name: "numbers",
  *events(params, _signal, config) {
    console.log("opened", config.word, Deno.env.has("SAKER_PLUGIN_TEST"));
    for (let n = 0; n < 20_000; n++) yield { n, pad: "x".repeat(n % 300) };
  },
  text: (event) => "number " + event.json.n,
};
export const fields = { fields: {
  "num.n": { type: "uint64", desc: "", value: ({ json }) => json.n },
  "num.key": { type: "string", desc: "", arg: "key", value: ({ json }, key) => key + json.n },
  "num.all": { type: "string", desc: "", list: true, value: ({ json }) => ["a", String(json.n)] },
} };
`;

Deno.test("a plugin in a process of its own gives events, columns, texts and lines", async () => {
  const port = await portOf(NUMBERS, 512, { word: "here" });
  port.open("");
  let next = 0;
  const ended = readUntil(port, (events, batch) => {
    if (batch > 0) {
      const [numbers, keys, lists] = [[0], [1, { key: "é=" }], [2]].map(([field, argument]) =>
        shownValues(
          port.info.fields[field as number]!,
          port.column(field as number, argument as { key: string } | undefined, 0, batch),
        )
      );
      const wanted = Array.from({ length: batch }, (_, at) => next + at);
      deepStrictEqual(numbers!.flat(), wanted);
      deepStrictEqual(keys!.flat(), wanted.map((n) => `é=${n}`));
      deepStrictEqual(lists!.slice(-1), [["a", `${next + batch - 1}`]]);
      next += batch;
    }
    return events === 20_000;
  });
  ok(ended, `there were ${next} events`);
  const alone = new Uint8Array(38 + 7);
  alone.set(new TextEncoder().encode('{"n":5}'), 38);
  deepStrictEqual(
    shownValues(port.info.fields[0]!, port.columnOf(alone, 1, "other", 0, undefined)),
    [
      [5],
    ],
  );
  strictEqual(port.eventText(alone), "number 5");
  ok(port.takeNotices().some(({ line }) => line === "opened here false"));
  ok(readUntil(port, () => port.numbers().state === "ended"), "it did not end");
  ok(port.numbers().residentBytes > 0);
  port.close();
});

const PAUSE = "await new Promise((go) => setTimeout(go, 20));";
const sourceOf = (body: string) =>
  `export const source = { name: "p", async *events() { yield "first"; ${PAUSE} ${body} } };`;

for (
  const [what, text, error] of [
    ["throws", sourceOf("throw new Error('over');"), /^over/],
    // In a thread V8 does not end it: it goes on without end, and takes all memory.
    [
      "grows in one call of a built-in function",
      sourceOf("const all = new Set([0]); all.forEach((n) => all.add(n + 1));"),
      /^it has more memory than 128 MB|^its process ended with SIG/,
    ],
    [
      "keeps what hangs on its heap",
      sourceOf("const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));"),
      /^it has more memory than 128 MB \(memory_mb\)/,
    ],
    ["gives what is no event", sourceOf("yield 5;"), /^TypeError: expected a text/],
  ] as const
) {
  Deno.test(`a plugin in a process of its own that ${what} ends that alone`, async () => {
    const port = await portOf(text, 128);
    port.open("");
    ok(readUntil(port, () => port.numbers().state === "pausing"), "it was not ended");
    match(port.numbers().lastError!, error);
    ok(port.numbers().errors > 0);
    // It comes back after the pause, and gives its first event again.
    ok(readUntil(port, (events) => events > 0), "it did not come back");
    strictEqual(port.numbers().restarts, 1);
    port.close();
  });
}
