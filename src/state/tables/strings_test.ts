// Strings: equal bytes have one id, ids hold their bytes, a sweep frees what nobody holds.
import { deepStrictEqual, strictEqual } from "node:assert";
import { rawText } from "../../words/raw_text.ts";
import { EMPTY, MISSING, Strings } from "./strings.ts";

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("equal bytes have equal ids, wherever they stand", () => {
  const strings = new Strings();
  const all = bytesOf("..abcabc..");
  const id = strings.intern(all, 2, 5);
  strictEqual(strings.intern(all, 5, 8), id);
  strictEqual(strings.intern(bytesOf("abc"), 0, 3), id);
  strictEqual(strings.internText("abc"), id);
  strictEqual(strings.text(id), "abc");
  strictEqual(strings.intern(all, 2, 6) === id, false);
});

Deno.test("no bytes are EMPTY, MISSING has no text", () => {
  const strings = new Strings();
  strictEqual(strings.intern(new Uint8Array(4), 2, 2), EMPTY);
  strictEqual(strings.text(EMPTY), "");
  strictEqual(strings.text(MISSING), undefined);
});

Deno.test("a hundred thousand strings of any bytes come back as they went in", () => {
  const strings = new Strings();
  const ids = new Map<string, number>();
  let state = 7;
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) >>> 8;
  for (let count = 0; count < 100_000; count++) {
    const bytes = Uint8Array.from({ length: 1 + random() % 12 }, () => random() % 5);
    const id = strings.intern(bytes, 0, bytes.length);
    const known = ids.get(bytes.join());
    if (known !== undefined) strictEqual(id, known);
    ids.set(bytes.join(), id);
  }
  for (const [text, id] of ids) strictEqual(strings.bytes(id).join(), text);
  strictEqual(strings.live, ids.size + 1);
});

Deno.test("a string interned from the table's own bytes is itself", () => {
  const strings = new Strings();
  const id = strings.internText("a path that is long enough to be compared");
  strictEqual(strings.intern(strings.bytes(id), 0, strings.length(id)), id);
  const part = strings.intern(strings.bytes(id), 2, 6);
  strictEqual(strings.text(part), "path");
});

Deno.test("a sweep keeps held and pinned ids and gives the others' numbers out again", () => {
  const strings = new Strings();
  const pinned = strings.internText("pinned");
  const held = strings.internPassing("held");
  const freed = strings.internPassing("freed");
  const { generation, size } = strings;
  strings.sweep((mark) => {
    mark(held);
    mark(MISSING);
  });
  deepStrictEqual([strings.text(pinned), strings.text(held)], ["pinned", "held"]);
  strictEqual(strings.internPassing("held"), held);
  strictEqual(strings.internText("pinned"), pinned);
  strictEqual(strings.live, 3);
  strictEqual(strings.liveBytes, "pinnedheld".length);
  strictEqual(strings.internPassing("another"), freed);
  strictEqual(strings.text(freed), "another");
  strictEqual(strings.size, size);
  strictEqual(strings.generation, generation + 1);
});

Deno.test("what is held stays through sweeps in which most of a burst goes", () => {
  const strings = new Strings();
  const held = new Map<number, string>();
  for (let round = 0; round < 8; round++) {
    const ids = Array.from({ length: 20_000 }, (_, at) => {
      const text = `/${"d".repeat((at * 7 + round) % 90)}/${round}-${at}`;
      return [strings.internPassing(text), text] as const;
    });
    for (const [id, text] of ids) strictEqual(strings.text(id), text);
    for (const [at, [id, text]] of ids.entries()) if (at % 97 === round) held.set(id, text);
    if (round % 3 === 2) held.delete(held.keys().next().value!);
    strings.sweep((mark) => {
      for (const id of held.keys()) mark(id);
    });
    strictEqual(strings.live, held.size + 1);
    for (const [id, text] of held) {
      strictEqual(rawText(strings.bytes(id)), text);
      strictEqual(strings.internPassing(text), id);
    }
  }
});

Deno.test("bytes are what they probably are where they are equal, and else as without it", () => {
  const strings = new Strings();
  const bytes = new TextEncoder().encode("cpuset=/init.scope cpuset=/init.slice");
  const view = new DataView(bytes.buffer);
  const scope = strings.internView(view, bytes, 0, 18);
  const slice = strings.internView(view, bytes, 19, bytes.length);
  strictEqual(strings.internView(view, bytes, 0, 18, scope), scope);
  strictEqual(strings.internView(view, bytes, 0, 18, slice), scope);
  strictEqual(strings.internView(view, bytes, 0, 18, MISSING), scope);
  strictEqual(strings.internView(view, bytes, 0, 0, scope), EMPTY);
  const shorter = strings.internView(view, bytes, 0, 17, scope);
  strictEqual(strings.text(shorter), "cpuset=/init.scop");
  strictEqual(strings.live, 4);
});
