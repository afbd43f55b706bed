import { deepStrictEqual, strictEqual } from "node:assert";
import { isChoice, mutantsOf, planted } from "./mutants.ts";

Deno.test("mistakes are planted in running code, not in texts, comments, types and imports", () => {
  const text = `// A comment with true and 1 < 2.
import { a } from "./1.ts";
interface Shape {
  readonly size: 4;
}
export function f(x: number): boolean {
  const name = "true === 1";
  const known = /a < 3/.test(name);
  if (x < 12 && known) return true;
  return false;
}
`;
  deepStrictEqual(mutantsOf(text).map(({ was, becomes }) => `${was.trim()} ${becomes.trim()}`), [
    "< <=",
    "12 13",
    "&& ||",
    "true false",
    "false true",
  ]);
  const [first] = mutantsOf(text);
  strictEqual(planted(text, first!).includes("x <= 12"), true);
});

Deno.test("bounds, beginnings and the mixing of bits are choices, not mistakes", () => {
  const choices = [
    "const LEFT_MAX = 4;",
    "  if (left.size >= LEFT_MAX) return 1;",
    "  #table = new Int32Array(1 << 13);",
    "    hash ^= hash >>> 13;",
    "  return Math.imul(hash ^ unit, 0x9e3779b1) | 0;",
    "    const hash = bytes[at]! * 7 ^ bytes[at + 1]!;",
  ];
  for (const line of choices) strictEqual(isChoice(line, mutantsOf(line)[0]!), true, line);
  const others = ["const O_CREAT = 4;", "  if (left.size >= 4) return 1;", "new Uint8Array(16);"];
  for (const line of others) strictEqual(isChoice(line, mutantsOf(line)[0]!), false, line);
});
