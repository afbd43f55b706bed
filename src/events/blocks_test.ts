// The walk over blocks: what it finds in sound memory and that it is total on any other.
import { deepStrictEqual } from "node:assert";
import { BLOCK_EVENT, BLOCK_EVENT_FLAGS, BlockWalk, Step } from "./blocks.ts";
import { Event, OWN_FILES, OWN_LANE, OWN_PATH, OWN_PATH2, OWN_SEQUENCE } from "./event.ts";
import { eventBytes } from "./event_fixture.ts";
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

Deno.test("a capture from before the descriptors has its paths, sequence and lane", () => {
  const falco = eventBytes({ id: "SYSCALL_CHDIR_X", tid: 5, params: { res: 0, path: "d" } });
  const own = new TextEncoder().encode("/etc/d\0/b\0");
  const bytes = new Uint8Array(falco.length + own.length + 9 + 8);
  bytes.set(falco);
  bytes.set(own, falco.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(falco.length + own.length, 77n, true);
  view.setUint8(falco.length + own.length + 8, 1);
  view.setUint16(bytes.length - 8, 7, true);
  view.setUint16(bytes.length - 6, 3, true);
  view.setUint32(bytes.length - 4, 0x4e574f53, true);
  const event = new Event();
  event.bind(bytes);
  deepStrictEqual(event.moveTo(0, bytes.length), true);
  deepStrictEqual(event.hasOwn, true);
  deepStrictEqual(event.has(event.own(OWN_FILES)), false);
  deepStrictEqual(
    [event.own(OWN_PATH), event.own(OWN_PATH2)].map((own) => event.paramLength(own)),
    [
      7,
      3,
    ],
  );
  deepStrictEqual(event.uint64(event.own(OWN_SEQUENCE)), 77n);
  deepStrictEqual(event.uint8(event.own(OWN_LANE)), 1);
});
