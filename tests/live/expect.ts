// What tests expect, said in one line each. Node's assert does the comparing.
export { deepStrictEqual as assertEquals, ok as assert } from "node:assert";
import { ok } from "node:assert";

export function assertIncludes(text: string, part: string): void {
  ok(text.includes(part), `expected to find ${JSON.stringify(part)} in ${JSON.stringify(text)}`);
}
