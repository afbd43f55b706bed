// Plugins in TypeScript through their port, as the engine's thread holds it: each in a thread of
// its own, with real modules on disk.
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import type { PluginColumn, PluginGrants } from "../contract.ts";
import { loadTypeScriptPlugin } from "./load_plugin.ts";
import { TypeScriptPort } from "./port.ts";

interface Given {
  readonly granted?: PluginGrants;
  readonly params?: string;
  readonly config?: unknown;
  readonly files?: Readonly<Record<string, string>>;
  readonly memoryMb?: number;
  readonly timeoutMs?: number;
}

/** Loads a module of that text. */
async function loaded(text: string, given: Given = {}) {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/it.ts`, text);
    for (const [name, other] of Object.entries(given.files ?? {})) {
      Deno.writeTextFileSync(`${directory}/${name}`, other);
    }
    const entry = {
      name: "it",
      path: `${directory}/it.ts`,
      config: given.config ?? {},
      params: given.params ?? "",
      granted: given.granted ?? {},
      memoryMb: given.memoryMb ?? 256,
    };
    return await loadTypeScriptPlugin(entry, given.timeoutMs);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function running(text: string, given: Given = {}): Promise<TypeScriptPort> {
  const port = new TypeScriptPort(await loaded(text, given));
  port.open(given.params ?? "");
  return port;
}

/** Reads until the source has ended or as many events are there; what each batch gave. */
function readAll(
  port: TypeScriptPort,
  visit: (data: readonly string[], events: readonly Uint8Array[]) => void,
  buffer = new Uint8Array(1 << 20),
): void {
  const event = new Event();
  const walk = new BlockWalk(event);
  for (let waits = 0; waits < 600;) {
    const bytes = port.read(buffer);
    if (bytes < 0) return;
    if (bytes === 0) {
      waits++;
      port.wait(50);
      continue;
    }
    const data: string[] = [];
    const events: Uint8Array[] = [];
    walk.begin(buffer, bytes);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      strictEqual(step, Step.Event);
      data.push(new TextDecoder().decode(event.bytes.subarray(event.param(1), event.end)));
      events.push(event.bytes.slice(event.offset, event.end));
    }
    visit(data, events);
  }
}

function textsOf({ counts, ends, bytes }: PluginColumn): string[][] {
  let at = 0;
  return [...counts].map((count) =>
    Array.from({ length: count }, () => {
      const from = ends[at - 1] ?? 0;
      return new TextDecoder().decode(bytes.slice(from, ends[at++]));
    })
  );
}

function numbersOf({ counts, ends, bytes }: PluginColumn): (bigint | undefined)[] {
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [...counts].map((count) =>
    count === 0 ? undefined : view.getBigUint64(ends[at++]! - 8, true)
  );
}

const LINES = `
import { at, defineFields, defineSource } from "saker/plugin";
import { level, type Level } from "./level.ts";
export const plugin = { name: "lines", version: "1.2.3", description: "lines", contact: "us" };
export const source = defineSource({
  name: "lines",
  async *events(params: string) {
    for (let n = 0; n < Number(params); n++) {
      if (n % 3 === 0) yield \`text \${n}\`;
      else if (n % 3 === 1) yield at(new Date(1_000 + n), { n, level: level(n) as Level });
      else yield new TextEncoder().encode(\`bytes \${n}\`);
    }
  },
  text: (event) => \`line of \${event.bytes.length}\`,
});
export const fields = defineFields({
  "line.text": { type: "string", desc: "the text", value: (event) => event.text },
  "line.n": { type: "uint64", desc: "n", value: (event) => event.json?.n },
  "line.part": {
    type: "string", desc: "a part", arg: "key", value: (event, key) => event.json?.[key],
  },
  "line.words": {
    type: "string", desc: "all", list: true, value: (event) => event.text.split(" "),
  },
  "line.bad": {
    type: "string", desc: "throws",
    value: (event) => { if (event.json) throw new Error("bad"); return 5 as unknown as string; },
  },
});
`;
const LEVEL = `
export type Level = "low" | "high";
export enum Kind { Low, High }
export function level(n: number): Level { return Kind[n % 2] === "Low" ? "low" : "high"; }
`;
const LINES_FILES = { files: { "level.ts": LEVEL } };

Deno.test("a plugin in TypeScript gives events and columns of its fields", async () => {
  const port = await running(LINES, { ...LINES_FILES, params: "10000" });
  const { info } = port;
  deepStrictEqual([info.name, info.version, info.source, info.id], [
    "lines",
    "1.2.3",
    "lines",
    3_789_825_596,
  ]);
  deepStrictEqual(info.fields.map(({ name }) => name).slice(0, 2), ["line.text", "line.n"]);
  const all: string[] = [];
  let looked = 0;
  readAll(port, (data, events) => {
    deepStrictEqual(textsOf(port.column(0, undefined, 0, data.length)).flat(), data);
    const from = Math.min(2, data.length - 1);
    deepStrictEqual(
      textsOf(port.column(3, undefined, from, data.length - from)),
      data.slice(from).map((text) => text.split(" ")),
    );
    const numbers = numbersOf(port.column(1, undefined, 0, data.length));
    const wanted = data.map((text) =>
      text.startsWith("{") ? BigInt(JSON.parse(text).n) : undefined
    );
    deepStrictEqual(numbers, wanted);
    if (looked++ === 0) {
      deepStrictEqual(textsOf(port.column(2, { key: "level" }, 0, 3)), [[], ["high"], []]);
      deepStrictEqual(textsOf(port.columnOf(events[1]!, 2, "lines", 0, undefined)), [[data[1]!]]);
      deepStrictEqual(textsOf(port.column(4, undefined, 0, 3)), [[], [], []]);
      strictEqual(port.eventText(events[0]!), `line of ${data[0]!.length}`);
      const view = new DataView(events[1]!.buffer);
      strictEqual(view.getBigUint64(0, true), 1_001_000_000n);
    }
    all.push(...data);
  });
  strictEqual(all.length, 10_000);
  strictEqual(all[4], '{"n":4,"level":"low"}');
  strictEqual(port.numbers().state, "ended");
  strictEqual(port.numbers().errors, 3);
  match(port.takeNotices()[0]!.line, /^field line\.bad: .*expected a text, found 5/);
  port.close();
});

Deno.test("a small buffer is given a batch in pieces, and columns of each", async () => {
  const port = await running(LINES, { ...LINES_FILES, params: "50" });
  const all: string[] = [];
  readAll(port, (data) => {
    deepStrictEqual(textsOf(port.column(0, undefined, 0, data.length)).flat(), data);
    all.push(...data);
  }, new Uint8Array(300));
  strictEqual(all.length, 50);
  port.close();
});

Deno.test("what a plugin asks for and is not granted is told, and it does not run", async () => {
  const text = `export const permissions = { net: ["a.example:443", "b.example"], env: ["X"] };
    export const source = { name: "x", events: () => [] };`;
  await rejects(loaded(text), {
    message: 'it asks for net "a.example:443", net "b.example", env "X", which ' +
      "plugins[].permissions does not grant",
  });
  const granted = { net: ["a.example", "b.example"], env: ["X"], read: ["/etc"] };
  const { permissions } = await loaded(text, { granted });
  deepStrictEqual(permissions, { net: ["a.example:443", "b.example"], read: [], env: ["X"] });
});

Deno.test("a plugin's thread can do nothing that is not granted", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/granted`, "granted");
  const port = await running(
    `
    export const permissions = (_config: unknown, params: string) => ({ read: [params] });
    const tries: Record<string, (params: string) => unknown> = {
      granted: (params) => Deno.readTextFileSync(params),
      read: () => Deno.readTextFileSync("/etc/passwd"),
      write: (params) => (Deno as any).writeTextFileSync(params, "x"),
      open: (params) => Deno.openSync(params, { write: true }),
      env: () => Deno.env.get("PATH"),
      net: () => Deno.listen({ port: 0 }),
      run: () => new (Deno as any).Command("true").outputSync(),
      ffi: () => (Deno as any).dlopen("libc.so.6", {}),
      exit: () => (Deno as any).exit(1),
      kill: () => (Deno as any).kill(1),
      internal: () => (Deno as any)[(Deno as any).internal].core,
      process: () => (globalThis as any).process.exit(1),
      worker: () => new (globalThis as any).Worker("data:text/javascript,"),
      post: () => (globalThis as any).postMessage({}),
      close: () => (globalThis as any).close(),
      eval: () => (globalThis as any).eval("1"),
      function: () => (globalThis as any).Function("return 1")(),
      constructed: () => (() => {}).constructor("return 1")(),
      generated: () => (function* () {}).constructor("yield 1"),
      awaited: () => (async () => {}).constructor("return 1")(),
      both: () => (async function* () {}).constructor("yield 1"),
      ofNative: () => (fetch as any).constructor("return 1")(),
      timer: () => (setTimeout as any)("1"),
      require: () => (globalThis as any)["requ" + "ire"]("node:fs"),
      broadcast: () => new (globalThis as any).BroadcastChannel("x"),
      caches: () => (globalThis as any).caches.open("x"),
      prompt: () => (globalThis as any).prompt("x"),
    };
    export const source = {
      name: "x",
      async *events(params: string) {
        for (const [name, attempt] of Object.entries(tries)) {
          let outcome = "";
          try { outcome = "could: " + String(await attempt(params)).slice(0, 50); }
          catch { outcome = "refused"; }
          yield name + " " + outcome;
        }
      },
    };
    `,
    { granted: { read: [directory] }, params: `${directory}/granted` },
  );
  const all: string[] = [];
  readAll(port, (data) => all.push(...data));
  port.close();
  Deno.removeSync(directory, { recursive: true });
  deepStrictEqual(all.filter((one) => !one.endsWith(" refused")), ["granted could: granted"]);
  strictEqual(all.length, 27);
});

for (
  const [text, error] of [
    ['const x = await import("node:fs");', /it\.ts:1: a plugin has imports at the top/],
    ["import\n('x');", /it\.ts:1: a plugin has imports at the top/],
    ["import/**/('x');", /it\.ts:1: a plugin has imports at the top/],
    ["console.log(import.meta.url)", /it\.ts:1: a plugin has imports at the top/],
    ['import fs from "node:fs"; fs;', /it\.ts: cannot import "node:fs"/],
    ['import x from "/etc/x.json" with { type: "json" }; x;', /it\.ts: cannot import "\/etc/],
    ['import x from "../../x.ts"; x;', /outside of the plugin's directory/],
    ['export const x = require("node:fs");', /cannot import "node:fs"/],
    ['const r = require; export const x = r("node:" + "fs");', /cannot import node:fs/],
    ["export const x: = 5;", /^it\.ts: no TypeScript: /],
    ["throw new TypeError('no\\nway');", /^TypeError: no \(it\.ts:1\)$/],
    ["", /^it exports no `source` and no `fields`$/],
    ["export const source = 5;", /^its source: expected an object$/],
    ["export const source = { name: 'syscall' };", /^its source\.name: expected a name/],
    ["export const fields = { fields: { 'a.b': { type: 'string', value() {} } } };", /no source/],
    [
      "export const source = { name: 'a' }; export const fields = { fields: { 'a.b': {} } };",
      /type/,
    ],
    ["for (;;);", /^its module did not come to its end within 2 s$/],
  ] as const
) {
  Deno.test(`a plugin that cannot be loaded is refused: ${text}`, async () => {
    await rejects(
      loaded(text, text.startsWith("for") ? { timeoutMs: 2_000 } : {}),
      (failure: Error) => {
        match(failure.message, error);
        strictEqual(failure.message.includes("\n"), false);
        return true;
      },
    );
  });
}

Deno.test("a plugin without a source begins before it is asked", async () => {
  const module = await loaded(`
    console.log("here");
    export const fields = { sources: ["k8s_audit"], fields: {
      "a.b": { type: "string", desc: "", value: () => "x" },
    } };`);
  const port = new TypeScriptPort(module);
  deepStrictEqual(port.takeNotices(), []);
  port.begin();
  deepStrictEqual(port.takeNotices().map(({ line }) => line), ["here"]);
  strictEqual(port.numbers().restarts, 0);
  port.close();
});
