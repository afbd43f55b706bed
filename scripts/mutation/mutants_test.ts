import { deepStrictEqual, strictEqual } from "node:assert";
import { mutantsOf, planted } from "./mutants.ts";

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
