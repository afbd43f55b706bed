// An engine to test: a source that gives scripted batches, the real tables, and one rule that
// matches by event code.
import { BLOCK_EVENT, BLOCK_EVENT_FLAGS } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { putMachine } from "../../events/scap/state_blocks.ts";
import {
  type EventSource,
  NEW_SNAPSHOT,
  type ProcessExcess,
  type SourceStats,
} from "../../events/source.ts";
import { codeOf, EVENTS } from "../../events/table.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import type { Alert } from "../contract/alert.ts";
import { Counters } from "../contract/counters.ts";
import type { EngineOptions, PluginEvents } from "./engine_parts.ts";
import { Engine } from "./loop.ts";
import type { Tap, TapHost } from "../captures/tap.ts";

export const CLOSE = codeOf("SYSCALL_CLOSE_X");

/** A block with a close event (result, descriptor) of the thread at so many seconds. */
export function close(
  tid: number,
  { second = 1, stateOnly = false, code = CLOSE } = {},
): Uint8Array {
  const block = new BlockBuffer(128);
  block.beginBlock(stateOnly ? BLOCK_EVENT_FLAGS : BLOCK_EVENT);
  block.u16(0);
  if (stateOnly) block.u32(1);
  block.u64(BigInt(second) * 1_000_000_000n);
  block.u64(BigInt(tid));
  block.u32(26 + 4 + 16);
  block.u16(code);
  block.u32(2);
  block.u16(8);
  block.u16(8);
  block.u64(0n);
  block.u64(3n);
  block.endBlock();
  return block.bytes;
}

function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

type Batch = readonly Uint8Array[] | "snapshot" | (() => void);

/** Gives the batches one after the other, then ends; a function runs in place of a batch. */
export class ScriptedSource implements EventSource {
  readonly name = "scripted";
  readonly source = "syscall";
  readonly #batches: Batch[];
  lost: [number, number] = [0, 0];
  snapshots = 0;
  waits = 0;
  /** How long the engine would have waited each time. */
  readonly waitedMs: number[] = [];
  excess: ProcessExcess[] = [];
  #excessTold = 0;

  constructor(batches: readonly Batch[]) {
    this.#batches = [...batches];
  }

  read(buffer: Uint8Array): number {
    const batch = this.#batches.shift();
    if (batch === undefined) return -1;
    if (batch === "snapshot") return NEW_SNAPSHOT;
    if (typeof batch === "function") {
      batch();
      return 0;
    }
    const bytes = joined(batch);
    buffer.set(bytes);
    return bytes.length;
  }

  wait(timeoutMs: number): void {
    this.waits++;
    this.waitedMs.push(timeoutMs);
  }

  stats(): SourceStats {
    const excess = this.excess.reduce((sum, one) => sum + one.lost, this.#excessTold);
    return { events: 0, lost: [...this.lost], excess, truncated: 0, programs: 2 };
  }

  takeExcess(): readonly ProcessExcess[] {
    const taken = this.excess;
    this.#excessTold += taken.reduce((sum, one) => sum + one.lost, 0);
    this.excess = [];
    return taken;
  }

  snapshot(): Uint8Array {
    this.snapshots++;
    const blocks = new BlockBuffer();
    putMachine(blocks, {
      cpus: 1,
      memoryBytes: 0n,
      pidMax: 1n,
      hostname: "there",
      bootTs: 1n,
    });
    return blocks.bytes;
  }

  setInterest(): void {}
  close(): void {}
}

/** One rule that matches each close event. */
export function rulesNamed(name: string): RuleSet {
  return {
    rules: [{
      index: 0,
      name,
      priority: 4,
      tags: ["t"],
      source: "syscall",
      capture: false,
      captureDurationMs: 0,
      render: (context) => ({
        message: `thread ${context.event.tid}`,
        fields: [["evt.num", context.event.num]],
      }),
    }],
    wanted: Uint8Array.from(EVENTS, (event) => event.code === CLOSE ? 1 : 0),
    seen: 0,
    eventNames: new Set(["close"]),
    match(_context, matched) {
      matched[0] = 0;
      return 1;
    },
  } as RuleSet;
}

export function engineOver(
  source: ScriptedSource,
  changes: Partial<EngineOptions> = {},
  tap?: (host: TapHost) => Tap,
  plugins?: PluginEvents,
) {
  const counters = new Counters();
  const posts: (readonly Alert[])[] = [];
  const clock = { nowMs: 10_000 };
  const mistakes: string[] = [];
  const losses: string[] = [];
  const machine = createMachine({
    paths: "caller",
    threadsMax: 100,
    fdsMax: 100,
    hostname: "here",
  });
  const engine = new Engine({
    source,
    machine,
    context: new Context(machine, new Event()),
    rules: rulesNamed("closed"),
    counters,
    post: (alerts) => posts.push(alerts),
    onMistake: (line) => mistakes.push(line),
    onLoss: (line) => losses.push(line),
    clock: () => clock.nowMs,
    ...(tap === undefined ? {} : { tap }),
    ...(plugins === undefined ? {} : { plugins }),
    options: {
      drops: { threshold: 0.1, rate: 1, burst: 1, alert: true, exit: false },
      patient: false,
      seconds: undefined,
      programsWanted: () => 3,
      ...changes,
    },
  });
  return {
    engine,
    counters,
    posts,
    clock,
    mistakes,
    losses,
    messages: () => posts.flat().map((one) => one.message),
  };
}
