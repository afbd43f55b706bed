// The thread of all spools: disks may hang, and nobody else may wait for one. Requests of
// far_spool.ts in, one answer each out, in order.
import { mkdirSync } from "node:fs";
import { catchStrays } from "../../engine/contract/strays.ts";
import { HeapWatch } from "../../engine/thread/garbage.ts";
import { reasonOf } from "../../files/reason.ts";
import type { Message } from "../format/message.ts";
import { Segments } from "./segments.ts";

export type SpoolRequest =
  & { readonly id: number; readonly output: string }
  & (
    /** The first one of an output. */
    | { readonly kind: "open"; readonly directory: string; readonly bytesMax: number }
    | { readonly kind: "append" | "hold"; readonly messages: readonly Message[] }
    | { readonly kind: "read" }
    | { readonly kind: "done"; readonly count: number }
    | { readonly kind: "close" }
  );

export interface SpoolAnswer {
  readonly id: number;
  readonly kept: number;
  readonly messages: readonly Message[];
  readonly alerts: number;
  readonly bytes: number;
  readonly cut: number;
  readonly reason?: string;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<SpoolRequest>) => void) | null;
  postMessage(message: SpoolAnswer): void;
}

const scope = self as unknown as WorkerScope;

const SLACK_BYTES = 4 << 20;
const LOOK_MS = 10_000;

catchStrays(() => {});
const heap = new HeapWatch(SLACK_BYTES);
setInterval(() => heap.look(), LOOK_MS);

const spools = new Map<string, Segments>();
const locks = new Map<string, Deno.FsFile>();

function carryOut(request: SpoolRequest): { kept?: number; messages?: readonly Message[] } {
  if (request.kind === "open") {
    spools.set(request.output, open(request.directory, request.output, request.bytesMax));
    return {};
  }
  const spool = spools.get(request.output);
  if (spool === undefined) throw new Error("it could not be opened");
  switch (request.kind) {
    case "append":
      return { kept: spool.append(request.messages) };
    case "hold":
      return { kept: spool.hold(request.messages) };
    case "read":
      return { messages: spool.read() };
    case "done":
      spool.done(request.count);
      return {};
    case "close":
      spool.close();
      locks.get(request.output)?.close();
      return {};
  }
}

/** Throws where the directory is not ours alone. */
function open(directory: string, output: string, bytesMax: number): Segments {
  const own = `${directory}/${output}`;
  mkdirSync(own, { recursive: true, mode: 0o700 });
  for (const path of [directory, own]) {
    const { isDirectory, mode, uid } = Deno.lstatSync(path);
    if (!isDirectory) throw new Error(`${path} is no directory`);
    if (uid !== Deno.uid() || (mode! & 0o077) !== 0) {
      throw new Error(`${path} is not private: expected one of this user with mode 700`);
    }
  }
  const file = Deno.openSync(`${own}/lock`, { write: true, create: true, mode: 0o600 });
  // Waits where another process has it; the system gives it back when this one ends.
  file.lockSync(true);
  locks.set(output, file);
  return new Segments(own, bytesMax);
}

scope.onmessage = ({ data }) => {
  let outcome: { kept?: number; messages?: readonly Message[]; reason?: string };
  try {
    outcome = carryOut(data);
  } catch (error) {
    outcome = { reason: reasonOf(error) };
  }
  const { alerts = 0, bytes = 0, cut = 0 } = spools.get(data.output) ?? {};
  scope.postMessage({ id: data.id, kept: 0, messages: [], alerts, bytes, cut, ...outcome });
};
