// The client library, loaded where Kafka is asked for and not before. kafkajs 2.2.4 is made of
// JavaScript alone and uses nothing but parts of the runtime. Its last version is of 2023, so what
// is newer was tried beside it: @platformatic/kafka 1.35 is twice the size, makes code from texts,
// wants a file of WebAssembly beside it, and looks for a native module by name in the directories
// above the program, where others could put one; @confluentinc/kafka-javascript is native, which
// one executable cannot hold. What is amiss with kafkajs is mended here.
import process from "node:process";
import type { Kafka, Partitioners } from "kafkajs";

export interface Library {
  readonly Kafka: typeof Kafka;
  readonly Partitioners: typeof Partitioners;
  readonly gzip: number;
}

type Place = { require?: unknown };

export async function loadLibrary(): Promise<Library> {
  const place = globalThis as Place;
  const before = Object.getOwnPropertyDescriptor(place, "require");
  // In the bundle its calls of `require` for parts of the runtime stand as they are. Nothing but
  // such a part is had by this.
  place.require = (name: string) => builtin(name.replace(/^node:/, ""));
  try {
    const found = await import("kafkajs");
    await stopSpinning();
    // deno-lint-ignore no-explicit-any -- A bundle has all of it below `default`.
    const all: any = found.Kafka === undefined ? (found as any).default : found;
    // Read now, while it can: it reads the runtime's compression when it is first used.
    all.CompressionCodecs[all.CompressionTypes.GZIP]();
    return { Kafka: all.Kafka, Partitioners: all.Partitioners, gzip: all.CompressionTypes.GZIP };
  } finally {
    if (before === undefined) delete place.require;
    else Object.defineProperty(place, "require", before);
  }
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** Its queue of requests looks every millisecond whether one waits, and goes on doing so when its
 * connection has long ended; here it looks where one does. */
async function stopSpinning(): Promise<void> {
  const found = await import("kafkajs/src/network/requestQueue/index.js");
  const { prototype } = (found.default ?? found) as unknown as { prototype: RequestQueue };
  const look = prototype.scheduleCheckPendingRequests;
  if (Object.hasOwn(look, CHANGED)) return;
  const changed = function (this: RequestQueue): void {
    if (this.pending.length > 0) look.call(this);
  };
  prototype.scheduleCheckPendingRequests = Object.assign(changed, { [CHANGED]: true });
}

const CHANGED = Symbol("looks where one waits");

function builtin(name: string): unknown {
  const part = (process as { getBuiltinModule(name: string): unknown }).getBuiltinModule(name);
  if (part === undefined) throw new Error(`no part of the runtime: ${name}`);
  return part;
}
