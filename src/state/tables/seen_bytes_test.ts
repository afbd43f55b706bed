// Equal bytes are one array, others are not, and what was handed out stays as it is.
import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert";
import { NO_BYTES, SeenBytes } from "./seen_bytes.ts";

function of(seen: SeenBytes, text: string, before = 0, held = NO_BYTES): Uint8Array {
  const bytes = new TextEncoder().encode("x".repeat(before) + text + "y");
  const view = new DataView(bytes.buffer);
  const found = seen.of(view, bytes, before, bytes.length - 1 - before, held);
  bytes.fill(0);
  return found;
}

Deno.test("equal bytes are one array, wherever they stood in an event", () => {
  const seen = new SeenBytes();
  const first = of(seen, "-c\0make all\0");
  deepStrictEqual(first, new TextEncoder().encode("-c\0make all\0"));
  for (const before of [0, 1, 2, 3, 17]) strictEqual(of(seen, "-c\0make all\0", before), first);
  notStrictEqual(of(seen, "-c\0make alm\0"), first);
  deepStrictEqual(of(seen, "-c\0make alm\0"), new TextEncoder().encode("-c\0make alm\0"));
});

Deno.test("what is held already is taken before any other", () => {
  const held = new TextEncoder().encode("same");
  strictEqual(of(new SeenBytes(), "same", 0, held), held);
  notStrictEqual(of(new SeenBytes(), "sane", 0, held), held);
  strictEqual(of(new SeenBytes(), ""), NO_BYTES);
});

Deno.test("any number of arrays is right, and long ones are not held", () => {
  const seen = new SeenBytes();
  for (let index = 0; index < 5000; index++) {
    const text = `argument ${index % 2500}`;
    strictEqual(new TextDecoder().decode(of(seen, text)), text);
  }
  const long = "z".repeat(5000);
  notStrictEqual(of(seen, long), of(seen, long));
});
