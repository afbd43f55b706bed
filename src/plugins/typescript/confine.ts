// What a plugin's thread is left with before the plugin's code runs in it: the language, what
// computes, and the parts of the runtime that its permissions are checked for. The runtime checks
// permissions by itself; this closes what it does not check: code from text and imports at run time
// (the runtime reads any module and any JSON file), other threads, standard output, the messages of
// this thread.

/** What stays of the global object, besides symbols. */
const KEPT = new Set(
  ("Object Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date " +
    "Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError " +
    "TypeError URIError SuppressedError globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array " +
    "Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array " +
    "Uint8ClampedArray Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator " +
    "WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef DisposableStack " +
    "AsyncDisposableStack SharedArrayBuffer decodeURI decodeURIComponent encodeURI " +
    "encodeURIComponent escape unescape isFinite isNaN queueMicrotask AbortController " +
    "AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy CryptoKey " +
    "CustomEvent DecompressionStream DOMException ErrorEvent Event EventTarget CloseEvent " +
    "MessageEvent File FormData Headers ReadableStream ReadableStreamDefaultReader Request " +
    "Response TextDecoder TextEncoder TextDecoderStream TextEncoderStream TransformStream URL " +
    "URLPattern URLSearchParams WebSocket WritableStream WritableStreamDefaultWriter " +
    "WritableStreamDefaultController ReadableByteStreamController ReadableStreamBYOBReader " +
    "ReadableStreamBYOBRequest ReadableStreamDefaultController TransformStreamDefaultController " +
    "atob btoa crypto Crypto SubtleCrypto fetch EventSource performance Performance " +
    "structuredClone clearInterval clearTimeout setInterval setTimeout self").split(" "),
);

/** What stays of `Deno`: each asks for a permission, or does nothing outside. */
const DENO_KEPT = [
  ..."connect connectTls startTls listen listenTls listenDatagram resolveDns".split(" "),
  ..."open openSync readFile readFileSync readTextFile readTextFileSync".split(" "),
  ..."readDir readDirSync stat statSync lstat lstatSync readLink readLinkSync".split(" "),
  ..."realPath realPathSync watchFs errors SeekMode FsFile inspect upgradeWebSocket".split(" "),
] as const;

export interface Captured {
  /** Makes a function of a module's text; nothing else in the thread can. */
  readonly compile: (text: string, alive: string) => (...given: unknown[]) => Promise<unknown>;
}

/** Takes away all else; `log` gets what the plugin says. Throws where that is not possible. */
export function confine(log: (level: "info" | "warning", line: string) => void): Captured {
  const scope = globalThis as unknown as Record<PropertyKey, unknown>;
  const Async = (async () => {}).constructor as new (
    ...texts: string[]
  ) => (...given: unknown[]) => Promise<unknown>;
  const runtime = Deno;
  const ordinary = Object.getPrototypeOf(confine);
  const { setTimeout: later, setInterval: again } = globalThis;
  for (const name of Reflect.ownKeys(scope)) {
    if (typeof name === "symbol" || KEPT.has(name)) continue;
    if (Reflect.deleteProperty(scope, name)) continue;
    // Such as V8's own: it stays as a name.
    if (!Reflect.set(scope, name, undefined) || scope[name] !== undefined) {
      throw new Error(`cannot take ${name} away from the plugin`);
    }
  }
  for (
    const made of [function () {}, function* () {}, async function () {}, async function* () {}]
  ) {
    const kind = Object.getPrototypeOf(made);
    const refuse = function (): never {
      throw new TypeError("no code is made from text in a plugin");
    };
    refuse.prototype = kind;
    Object.defineProperty(kind, "constructor", { value: refuse, configurable: false });
    if (kind === ordinary) scope.Function = refuse;
  }
  scope.setTimeout = timerOf(later);
  scope.setInterval = timerOf(again);
  scope.Deno = denoOf(runtime as unknown as Record<string, unknown>);
  scope.console = consoleOf(runtime.inspect, log);
  return {
    compile: (text, alive) => new Async("exports", "require", alive, text),
  };
}

type Timer = (callback: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => number;

/** The runtime's own take text as well, which they run. */
function timerOf(timer: Timer): Timer {
  return (callback, ms, ...given) => {
    if (typeof callback !== "function") throw new TypeError("a timer takes a function");
    return timer(callback, ms, ...given);
  };
}

function denoOf(runtime: Record<string, unknown>): unknown {
  const kept: Record<string, unknown> = {};
  for (const name of DENO_KEPT) if (name in runtime) kept[name] = runtime[name];
  const { get, has } = runtime.env as typeof Deno.env;
  kept.env = Object.freeze({
    get: (name: string) => get(name),
    has: (name: string) => has(name),
  });
  kept.serve = quietServe(runtime.serve as typeof Deno.serve);
  return Object.freeze(kept);
}

/** The runtime's own writes to standard output where it listens. */
function quietServe(serve: typeof Deno.serve): unknown {
  return (first: unknown, second?: unknown) => {
    const options = typeof first === "function" ? { handler: first } : { ...first as object };
    const all = { onListen: () => {}, ...options, ...(second ? { handler: second } : {}) };
    return serve(all as unknown as Parameters<typeof serve>[0] & { handler: Deno.ServeHandler });
  };
}

function consoleOf(
  inspect: typeof Deno.inspect,
  log: (level: "info" | "warning", line: string) => void,
): unknown {
  const say = (level: "info" | "warning") => (...things: unknown[]) =>
    log(
      level,
      things.map((one) => typeof one === "string" ? one : inspect(one, { depth: 2 })).join(" "),
    );
  const [info, warning] = [say("info"), say("warning")];
  return Object.freeze({
    log: info,
    info,
    debug: info,
    trace: info,
    warn: warning,
    error: warning,
    assert: (holds: unknown, ...things: unknown[]) => holds ? undefined : warning(...things),
  });
}
