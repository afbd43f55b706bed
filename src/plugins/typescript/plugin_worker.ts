// The thread of a plugin in TypeScript: its modules come in, and what it exports goes out, or it
// runs: its source gives batches, its fields are asked for columns, all over the channel. Before
// the first line of the plugin runs, the thread is left with what a plugin may have (confine.ts).
import type { ModuleText } from "./module_text.ts";
import { AUTHOR_API, AUTHOR_MODULE } from "./author_api.ts";
import { confine } from "./confine.ts";
import { Channel, Word } from "./channel.ts";
import type { Exported } from "./manifest.ts";
import { Serving } from "./serving.ts";

/** Tells what the module exports. */
export interface DescribeOrder {
  readonly kind: "describe";
  readonly files: readonly ModuleText[];
  readonly config: unknown;
  readonly params: string;
  /** One word: 1 ends the module's loops. */
  readonly stop: SharedArrayBuffer;
}

export interface RunOrder {
  readonly kind: "run";
  readonly files: readonly ModuleText[];
  readonly config: unknown;
  readonly shared: SharedArrayBuffer;
  /** Who owns the thread does not sleep on news: it wants a message. */
  readonly tells?: boolean;
}

/** 0: there is something to look at. */
export type PluginOrder = DescribeOrder | RunOrder | 0;

export type PluginAnswer =
  | { readonly kind: "described"; readonly exported: Exported }
  | { readonly kind: "failed"; readonly error: string }
  /** There is news in the channel. */
  | { readonly kind: "news" };

type Exports = Record<string, unknown>;
/** Lines that the runtime puts before the text that it makes a function of. */
const LINES_BEFORE = 2;

const scope = globalThis as unknown as {
  postMessage(message: PluginAnswer): void;
  addEventListener: typeof globalThis.addEventListener;
};
const post = scope.postMessage.bind(globalThis);
const { memoryUsage } = Deno;
const thread: { serving: Serving | undefined; log: (level: string, line: string) => void } = {
  serving: undefined,
  log: () => {},
};

globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  thread.serving?.fail(wordsOf(event.error ?? event.message));
});
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  thread.serving?.fail(wordsOf(event.reason));
});
globalThis.addEventListener("message", (event) => {
  const order = (event as MessageEvent<PluginOrder>).data;
  if (order === 0) thread.serving?.look();
  // Neither rejects: both tell what fails.
  else if (order.kind === "describe") describe(order);
  else run(order);
});

async function describe(order: DescribeOrder): Promise<void> {
  try {
    const exports = await load(order.files, new Int32Array(order.stop), 0);
    post({ kind: "described", exported: exportedOf(exports, order) });
  } catch (error) {
    post({ kind: "failed", error: wordsOf(error) });
  }
}

async function run(order: RunOrder): Promise<void> {
  const channel = new Channel(order.shared);
  if (order.tells === true) channel.onNews = () => post({ kind: "news" });
  const serving = new Serving(channel, {
    memoryKib: () => {
      const { heapUsed, external } = memoryUsage();
      return (heapUsed + external) >> 10;
    },
    wordsOf,
    config: order.config,
  });
  thread.serving = serving;
  thread.log = (level, line) => serving.log(level, line);
  try {
    serving.begin(await load(order.files, channel.words, Word.Stop));
  } catch (error) {
    serving.fail(wordsOf(error));
  }
}

/** Runs the modules, each after those that it imports; gives what the last one exports. */
async function load(
  files: readonly ModuleText[],
  words: Int32Array,
  stop: number,
): Promise<Exports> {
  // Before the plugin can put another one there.
  const look = Atomics.load;
  const goesOn = (): boolean => {
    if (look(words, stop) !== 0) throw new Error("it is ended");
    return true;
  };
  const { compile } = confine((level, line) => thread.log(level, line));
  const made = new Map<string, Exports>();
  let last: Exports = {};
  for (const { name, text, alive, imports } of files) {
    last = {};
    made.set(name, last);
    const require = (wanted: unknown): unknown => {
      if (wanted === AUTHOR_MODULE) return AUTHOR_API;
      const found = Object.hasOwn(imports, String(wanted)) ? imports[String(wanted)] : undefined;
      if (found === undefined) throw new Error(`cannot import ${String(wanted)}`);
      return made.get(found);
    };
    const module = compile(`"use strict";${text}\n//# sourceURL=${name}`, alive);
    await module(last, require, goesOn);
  }
  return last;
}

/** Plain data of what a module exports, whatever that is. */
function exportedOf(
  exports: Exports,
  { config, params }: { readonly config: unknown; readonly params: string },
): Exported {
  const { permissions, initSchema } = exports;
  const asked = typeof permissions === "function" ? permissions(config, params) : permissions;
  const fields = exports.fields as Exports | undefined;
  return {
    plugin: plain(exports.plugin),
    permissions: plain(asked),
    source: plain(exports.source, ["events", "text"]),
    fields: fields === undefined ? undefined : {
      sources: plain(fields.sources),
      types: plain(fields.types),
      reads: plain(fields.reads),
      fields: Object.fromEntries(
        Object.entries(fields.fields as Exports).map(([name, field]) => [
          name,
          { ...plain(field) as Exports, value: typeof (field as Exports).value === "function" },
        ]),
      ),
    },
    initSchema: initSchema === undefined ? undefined : JSON.stringify(initSchema),
  };
}

/** A copy without functions. */
function plain(given: unknown, functions: readonly string[] = []): unknown {
  if (given === undefined) return undefined;
  const copy = JSON.parse(JSON.stringify(given)) as Exports;
  for (const name of functions) {
    if (copy !== null && typeof (given as Exports)[name] === "function") copy[name] = true;
  }
  return copy;
}

/** What failed, in one line, with the place in the plugin where that is known. */
function wordsOf(failure: unknown): string {
  try {
    if (!(failure instanceof Error)) return `it threw ${String(failure).slice(0, 500)}`;
    const place = /(?:\(|at )((?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.m?[tj]s)(?:, <anonymous>)?:(\d+):/
      .exec(
        String(failure.stack),
      );
    const at = place === null ? "" : ` (${place[1]}:${Number(place[2]) - LINES_BEFORE})`;
    const kind = failure.name === "Error" ? "" : `${String(failure.name)}: `;
    const [first] = String(failure.message).split("\n");
    // The runtime goes on about how it was compiled.
    const message = first!.replace(/, specify the required permissions .*$/, "").slice(0, 1_000);
    return `${kind}${message}${at}`;
  } catch {
    return "it threw what cannot be told";
  }
}
