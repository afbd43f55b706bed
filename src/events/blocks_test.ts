// The walk over blocks: what it finds in sound memory and that it is total on any other.
import { deepStrictEqual } from "node:assert";
import { BLOCK_EVENT, BLOCK_EVENT_FLAGS, BlockWalk, Step } from "./blocks.ts";
import { Event } from "./event.ts";
import { codeOf } from "./table.ts";

const CLOSE = codeOf("SYSCALL_CLOSE_X");

/** A block of a close event with one parameter of eight bytes. */
function closeBlock(type: number, { flags = 0, code = CLOSE, tid = 7 } = {}): number[] {
  const withFlags = type === BLOCK_EVENT_FLAGS;
  const event = [
    ...little(1n, 8),
    ...little(BigInt(tid), 8),
    ...little(36n, 4),
    ...little(BigInt(code), 2),
    ...little(1n, 4),
    ...little(8n, 2),
    ...little(0n, 8),
  ];
  const body = [...little(3n, 2), ...(withFlags ? little(BigInt(flags), 4) : []), ...event];
  return block(type, body);
}

function block(type: number, body: number[]): number[] {
  const padded = [...body, ...Array((4 - body.length % 4) % 4).fill(0)];
  const length = little(BigInt(padded.length + 12), 4);
  return [...little(BigInt(type), 4), ...length, ...padded, ...length];
}

function little(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Number(value >> BigInt(8 * at) & 0xffn));
}

/** All steps of a walk, told as text. */
function walk(bytes: number[]): string[] {
  const event = new Event();
  const blocks = new BlockWalk(event);
  const memory = Uint8Array.from(bytes);
  blocks.begin(memory, memory.length);
  const steps: string[] = [];
  for (;;) {
    const step = blocks.next();
    if (step === Step.End) return steps;
    if (step === Step.Malformed) steps.push("malformed");
    if (step === Step.State) steps.push(`state ${blocks.type}: ${blocks.end - blocks.start}`);
    if (step === Step.Event) {
      steps.push(`${event.code} of ${event.tid}${event.stateOnly ? ", state only" : ""}`);
    }
  }
}

Deno.test("a walk finds events, their flags and blocks of state in order", () => {
  deepStrictEqual(
    walk([
      ...block(0x215, [1, 2, 3, 4]),
      ...closeBlock(BLOCK_EVENT),
      ...closeBlock(BLOCK_EVENT_FLAGS, { flags: 1 }),
      ...closeBlock(BLOCK_EVENT_FLAGS, { flags: 2, tid: 9 }),
    ]),
    ["state 533: 4", `${CLOSE} of 7`, `${CLOSE} of 7, state only`, `${CLOSE} of 9`],
  );
});

Deno.test("a walk goes on behind an event that is not sound", () => {
  deepStrictEqual(
    walk([...closeBlock(BLOCK_EVENT, { code: 60_000 }), ...closeBlock(BLOCK_EVENT)]),
    ["malformed", `${CLOSE} of 7`],
  );
});

Deno.test("a walk ends at a frame that does not fit", () => {
  deepStrictEqual(walk([1, 2, 3]), ["malformed"]);
  deepStrictEqual(walk([...closeBlock(BLOCK_EVENT).slice(0, -1)]), ["malformed"]);
  deepStrictEqual(walk([...little(0x216n, 4), ...little(0n, 4), 0, 0, 0, 0]), ["malformed"]);
  deepStrictEqual(walk(block(BLOCK_EVENT_FLAGS, [0, 0])), ["malformed"]);
  deepStrictEqual(walk([]), []);
});

Deno.test("a walk over any bytes ends", () => {
  let seed = 42;
  const random = () => (seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0) >>> 16;
  for (let round = 0; round < 500; round++) {
    const bytes = [...closeBlock(BLOCK_EVENT), ...closeBlock(BLOCK_EVENT_FLAGS)];
    for (let change = 0; change < 4; change++) bytes[random() % bytes.length] = random() & 0xff;
    walk(bytes);
  }
});
