// The ring of the last seconds: what it holds, in time and in bytes, and what dumps may cost.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { EventRing } from "./event_ring.ts";

const SECOND = 1_000_000_000n;

/** What is held, in one piece. */
function heldBy(ring: EventRing): { state: Uint8Array; blocks: number[] } | undefined {
  const held = ring.held();
  return held && { state: held.state, blocks: held.pieces.flatMap((piece) => [...piece]) };
}
const MIB = 1 << 20;

/** A ring that keeps ten seconds, and what its batches look like: each byte is its second. */
function ring({ bytesMax = 16 * MIB, dumpMs = 0, stateBytes = 10 } = {}) {
  const clock = { nowMs: 0 };
  const dumps: number[] = [];
  const made = new EventRing({
    keepNs: 10n * SECOND,
    bytesMax,
    dump(time): Uint8Array {
      clock.nowMs += dumpMs;
      dumps.push(Number(time / SECOND));
      return new Uint8Array(stateBytes).fill(Number(time / SECOND));
    },
    clock: () => clock.nowMs,
  });
  const pass = (second: number, bytes = 4) => {
    made.begin(BigInt(second) * SECOND, bytes);
    made.add(new Uint8Array(bytes).fill(second), bytes);
  };
  return { made, clock, dumps, pass };
}

Deno.test("a ring holds the state before its oldest event and all events since", () => {
  const { made, pass, dumps } = ring();
  strictEqual(heldBy(made), undefined);
  for (let second = 1; second <= 40; second++) pass(second);
  const { state, blocks } = heldBy(made)!;
  const oldest = state[0]!;
  ok(oldest <= 30, "what is to be kept is kept");
  ok(oldest > 20, "and not much more");
  const expected = Array.from({ length: 40 - oldest + 1 }, (_, at) => oldest + at);
  deepStrictEqual([...new Set(blocks)], expected, "no event is missing behind the state");
  strictEqual(blocks.length, expected.length * 4);
  ok(dumps.length <= 10, `${dumps.length} dumps for forty seconds`);
  strictEqual(made.overflows, 0);
});

Deno.test("a ring keeps batches larger than its pieces whole", () => {
  const { made, pass } = ring();
  pass(1, 700_001);
  pass(2, 3);
  const { blocks } = heldBy(made)!;
  strictEqual(blocks.length, 700_004);
  deepStrictEqual(blocks.slice(-4), [1, 2, 2, 2]);
  strictEqual(made.held()!.pieces.length, 1);
  pass(3, 3 * MIB);
  deepStrictEqual(made.held()!.pieces.map(({ length }) => length), [700_004, 3 * MIB]);
});

Deno.test("a ring never holds more than its bytes, and counts what it forgot for that", () => {
  const { made, pass } = ring({ bytesMax: 2 * MIB });
  for (let second = 1; second <= 60; second++) {
    pass(second, MIB / 4);
    ok(made.bytes <= 2 * MIB, `${made.bytes} bytes at second ${second}`);
    const held = made.held();
    const first = held?.pieces[0]?.[0];
    if (first !== undefined) strictEqual(held!.state[0], first);
  }
  ok(made.overflows > 0);
  ok(made.held()!.pieces[0]!.length >= MIB / 4, "the newest are there");
});

Deno.test("a batch larger than the ring leaves it empty rather than wrong", () => {
  const { made, pass } = ring({ bytesMax: MIB });
  pass(1);
  made.begin(2n * SECOND, 2 * MIB);
  strictEqual(made.bytes, 0);
  strictEqual(heldBy(made), undefined);
});

Deno.test("a ring whose dumps are slow makes fewer of them", () => {
  const { made, pass, clock, dumps } = ring({ dumpMs: 200 });
  for (let second = 1; second <= 100; second++) {
    pass(second);
    clock.nowMs += 1_000;
  }
  // A dump of 200 ms every 20 s is one per cent.
  ok(dumps.length <= 6, `${dumps.length} dumps in 100 s`);
  ok(heldBy(made) !== undefined);
});

Deno.test("a ring that is cleared begins anew", () => {
  const { made, pass } = ring();
  pass(1);
  made.clear();
  strictEqual(heldBy(made), undefined);
  strictEqual(made.bytes, 0);
  pass(2);
  strictEqual(heldBy(made)!.state[0], 2);
});

Deno.test("a ring in a flood makes room with more dumps rather than forget everything", () => {
  const { made, pass, clock } = ring({ bytesMax: 8 * MIB, dumpMs: 10 });
  let least = Infinity;
  for (let second = 1; second <= 60; second++) {
    pass(second, MIB);
    clock.nowMs += 100;
    const held = made.held()?.pieces.reduce((sum, { length }) => sum + length, 0) ?? 0;
    if (second > 8) least = Math.min(least, held);
  }
  ok(least >= 2 * MIB, `${least} bytes at the least`);
});
