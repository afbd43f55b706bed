// A capture like what Falco records live, from one of everything: events of calls outside Falco's
// set are left out, the rest is repeated with times moved on until there are enough.
import { BlockCopy } from "../../src/events/scap/block_copy.ts";
import { CaptureSource } from "../../src/events/scap/capture.ts";
import { NEW_SNAPSHOT } from "../../src/events/source.ts";
import { interestOf } from "../../src/engine/host/interest.ts";

/** Besides what keeps the tables right: what falco_rules.yaml asks for, and Falco's close. */
const ASKED = "chmod close creat fchmod fchmodat link linkat mkdir mkdirat open openat openat2 " +
  "ptrace rename renameat renameat2 rmdir symlink symlinkat unlink unlinkat userfaultfd";

const BATCH_BYTES = 1 << 20;
const GAP_NS = 1_000_000n;

/** Writes the capture; returns its number of events. */
export function writeLiveSet(capture: string, out: string, events: number): number {
  const names = new Set(ASKED.split(" "));
  const options = { eventNames: names, customSet: [], repair: false, all: false };
  const { codes } = interestOf(options);
  const { state, blocks, times } = liveBlocks(capture, codes);
  const all = join(blocks);
  const view = new DataView(all.buffer);
  const span = times.at(-1)![1] - times[0]![1] + GAP_NS;
  const file = Deno.openSync(out, { write: true, create: true, truncate: true });
  putAll(file, state);
  let written = 0;
  for (; written < events; written += times.length) {
    putAll(file, all);
    for (const [at] of times) view.setBigUint64(at, view.getBigUint64(at, true) + span, true);
  }
  file.close();
  return written;
}

interface LiveBlocks {
  readonly state: Uint8Array;
  readonly blocks: Uint8Array[];
  /** Where each event's time stands in the blocks joined, and what it is. */
  readonly times: (readonly [at: number, time: bigint])[];
}

function liveBlocks(capture: string, codes: ReadonlySet<number>): LiveBlocks {
  const source = new CaptureSource([capture]);
  const buffer = new Uint8Array(BATCH_BYTES);
  const copy = new BlockCopy();
  const state = source.snapshot().slice();
  const blocks: Uint8Array[] = [];
  const times: [number, bigint][] = [];
  let at = 0;
  for (let bytes = source.read(buffer); bytes !== -1; bytes = source.read(buffer)) {
    if (bytes === NEW_SNAPSHOT) {
      source.snapshot();
      continue;
    }
    copy.begin(buffer, bytes);
    while (copy.next()) {
      if (!codes.has(copy.code)) continue;
      blocks.push(buffer.slice(copy.start, copy.end));
      times.push([at + copy.event - copy.start, copy.time]);
      at += copy.end - copy.start;
    }
  }
  source.close();
  return { state, blocks, times };
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function putAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
