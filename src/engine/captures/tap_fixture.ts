// For tests of what writes captures: real tables and files, batches as the engine hands them over,
// and what is in a capture that was written.
import { ok } from "node:assert";
import { BLOCK_EVENT, BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import type { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { CaptureSource } from "../../events/scap/capture.ts";
import { codeOf } from "../../events/table.ts";
import { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { createMachine } from "../../state/create_machine.ts";
import { Counters } from "../contract/counters.ts";
import { loadAddon } from "../host/addon.ts";
import { CaptureDisk } from "./capture_disk.ts";
import type { Tap } from "./tap.ts";

const ADDON = loadAddon();

const CLOSE = codeOf("SYSCALL_CLOSE_X");

/** An event of a close, by thread 7 of descriptor 3. */
export function putClose(out: BlockBuffer, timeNs: bigint, result = 0n, tid = 7n): void {
  out.beginBlock(BLOCK_EVENT);
  out.u16(0);
  out.u64(timeNs);
  out.u64(tid);
  out.u32(26 + 4 + 16);
  out.u16(CLOSE);
  out.u32(2);
  out.u16(8);
  out.u16(8);
  out.u64(result);
  out.u64(3n);
  out.endBlock();
}

/** An engine's surroundings, with a directory that goes with them. */
export class TapScene implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly counters = new Counters();
  readonly machine: MachineHost = createMachine({
    paths: "kernel",
    threadsMax: 100,
    fdsMax: 100,
    hostname: "here",
  });
  readonly context = new Context(this.machine, new Event());
  readonly notices: string[] = [];
  readonly disk = new CaptureDisk({
    addon: ADDON,
    counters: this.counters,
    notice: (line) => this.notices.push(line),
    clock: () => 0,
    isReplay: true,
  });

  /** One batch as the engine takes it, `applied` after each event; what the tap says at its end. */
  run(
    tap: Pick<Tap, "begin" | "end">,
    blocks: BlockBuffer,
    applied: (at: number) => void,
  ): boolean {
    const bytes = new Uint8Array(blocks.length + 64);
    bytes.set(blocks.bytes);
    const walk = new BlockWalk(this.context.event);
    tap.begin(bytes, blocks.length);
    walk.begin(bytes, blocks.length);
    for (let at = 0; walk.next() === Step.Event; at++) {
      this.context.event.num++;
      this.machine.apply(this.context);
      applied(at);
    }
    return tap.end(blocks.length);
  }

  /** By name, what `show` says of each event of the captures that were written. */
  written<T>(show: (event: Event) => T): Record<string, T[]> {
    this.disk.settle();
    const names = [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
    return Object.fromEntries(
      names.map((name) => [name, eventsOf(`${this.directory}/${name}`, show)]),
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function eventsOf<T>(path: string, show: (event: Event) => T): T[] {
  const source = new CaptureSource([path]);
  ok(source.snapshot().length > 0, "a capture begins with the tables");
  const buffer = new Uint8Array(1 << 20);
  const event = new Event();
  const walk = new BlockWalk(event);
  const found: T[] = [];
  for (let bytes = source.read(buffer); bytes > 0; bytes = source.read(buffer)) {
    walk.begin(buffer, bytes);
    while (walk.next() === Step.Event) found.push(show(event));
  }
  source.close();
  return found;
}
