// A plugin in TypeScript, before it runs: its path and what the configuration says of it go in;
// what it is and all that a thread needs to run it go out. Its module runs once for that, in a
// thread that may do nothing.
import type { PluginGrants, PluginModule } from "../contract.ts";
import type { ModuleText } from "./module_text.ts";
import { NO_PERMISSIONS, permitted, workerPermissions } from "./permissions.ts";
import { type Exported, readManifest } from "./manifest.ts";
import { readModules } from "./modules.ts";
import type { DescribeOrder, PluginAnswer } from "./plugin_worker.ts";

export interface TypeScriptEntry {
  /** As the configuration names it. */
  readonly name: string;
  readonly path: string;
  /** `init_config` as it stands there. */
  readonly config: unknown;
  readonly params: string;
  /** "asked": what it asks for; for plugins that are part of saker alone. */
  readonly granted: PluginGrants | "asked";
  readonly memoryMb: number;
  /** Its thread is to be in a process of its own. */
  readonly ownProcess?: boolean;
}

const DESCRIBE_MS = 30_000;
/** How often its memory is looked at meanwhile. */
const WATCH_MS = 50;
/** What the whole process takes is blamed on it: other parts may take some at the same time. */
const WATCH_MB_LEAST = 256;

/** Throws an Error of one line, without the plugin's name. */
export async function loadTypeScriptPlugin(
  entry: TypeScriptEntry,
  timeoutMs = DESCRIBE_MS,
): Promise<PluginModule> {
  const { name, path, config, params, granted, memoryMb, ownProcess = false } = entry;
  const files = await readModules(path);
  const { info, asked } = readManifest(
    await described(files, { config, params, timeoutMs, memoryMb }),
    name,
  );
  const grants = granted !== "asked" ? granted : {
    net: asked.net === true ? [] : asked.net ?? [],
    read: asked.read === true ? [] : asked.read ?? [],
    env: asked.env === true ? [] : asked.env ?? [],
  };
  return { info, files, permissions: permitted(asked, grants), config, memoryMb, ownProcess };
}

async function described(
  files: readonly ModuleText[],
  given: Pick<TypeScriptEntry, "config" | "params" | "memoryMb"> & { readonly timeoutMs: number },
): Promise<Exported> {
  const { config, params, timeoutMs, memoryMb } = given;
  const worker = new Worker(new URL("./plugin_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: workerPermissions(NO_PERMISSIONS) },
  } as WorkerOptions);
  const { promise, resolve, reject } = Promise.withResolvers<Exported>();
  const refuse = (line: string) => reject(new Error(line));
  const timer = setTimeout(
    () => refuse(`its module did not come to its end within ${timeoutMs / 1000} s`),
    timeoutMs,
  );
  worker.onmessage = ({ data }: MessageEvent<PluginAnswer>) => {
    if (data.kind === "described") resolve(data.exported);
    else if (data.kind === "failed") refuse(data.error);
  };
  worker.onmessageerror = () => refuse("what its module exports cannot be read");
  worker.onerror = (event) => {
    event.preventDefault();
    refuse(event.message);
  };
  const stop = new SharedArrayBuffer(4);
  const atFirst = Deno.memoryUsage().rss;
  const mostMb = Math.max(memoryMb, WATCH_MB_LEAST);
  const watch = setInterval(() => {
    if (Deno.memoryUsage().rss - atFirst < mostMb * (1 << 20)) return;
    refuse(`its module takes more memory than ${mostMb} MB (memory_mb)`);
  }, WATCH_MS);
  const order: DescribeOrder = { kind: "describe", files, config, params, stop };
  worker.postMessage(order);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    Atomics.store(new Int32Array(stop), 0, 1);
    worker.terminate();
  }
}
