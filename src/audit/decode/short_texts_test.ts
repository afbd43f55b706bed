// Texts of bytes are what decoding gives, however often they were asked for and whatever came in
// between.
import { strictEqual } from "node:assert";
import { bytesOf, rawText } from "../../words/raw_text.ts";
import { SHORT_BYTES_MAX, ShortTexts } from "./short_texts.ts";

Deno.test("a text is that of its bytes, also where others take its place", () => {
  const texts = new ShortTexts();
  const pieces = ["", "get", "é", "\udcff", "😀", "x".repeat(SHORT_BYTES_MAX), "\0"].map(bytesOf);
  for (let number = 0; number < 20_000; number++) pieces.push(bytesOf(`name-${number % 7_000}`));
  for (const piece of pieces) {
    const inside = new Uint8Array(piece.length + 2).fill(0x22);
    inside.set(piece, 1);
    const expected = rawText(piece);
    strictEqual(texts.of(inside, 1, piece.length + 1), expected);
    strictEqual(texts.of(piece, 0, piece.length), expected);
  }
});
