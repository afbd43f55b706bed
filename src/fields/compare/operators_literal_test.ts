// Constants that are numbers, at the ends of each type: what is beyond wraps, as in Falco.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { ParamType } from "../../events/table.ts";
import { type Literal, parseLiteral } from "./operators_literal.ts";

function read(text: string, type: ParamType): Literal | undefined {
  const parsed = parseLiteral(text, type, "=");
  return "value" in parsed ? parsed.value : undefined;
}

const SIGNED: readonly (readonly [type: ParamType, bits: number])[] = [
  ["INT8", 8],
  ["INT16", 16],
  ["INT32", 32],
  ["INT64", 64],
  ["FD", 64],
  ["ERRNO", 64],
  ["PID", 64],
];

const UNSIGNED: readonly (readonly [type: ParamType, bits: number])[] = [
  ["UINT8", 8],
  ["FLAGS8", 8],
  ["ENUMFLAGS8", 8],
  ["SIGTYPE", 8],
  ["UINT16", 16],
  ["FLAGS16", 16],
  ["ENUMFLAGS16", 16],
  ["SYSCALLID", 16],
  ["UINT32", 32],
  ["FLAGS32", 32],
  ["ENUMFLAGS32", 32],
  ["MODE", 32],
  ["UINT64", 64],
  ["RELTIME", 64],
  ["ABSTIME", 64],
];

/** The same number, however it is held. */
const exact = (value: Literal | undefined) => BigInt(value as number | bigint);

for (const [type, bits] of [...SIGNED, ...UNSIGNED]) {
  Deno.test(`a constant of ${type} has ${bits} bits`, () => {
    const isSigned = SIGNED.some(([other]) => other === type);
    const size = 1n << BigInt(bits);
    const least = isSigned ? -size / 2n : 0n;
    const most = least + size - 1n;
    strictEqual(exact(read(`${least}`, type)), least);
    strictEqual(exact(read(`${most}`, type)), most);
    strictEqual(exact(read(`${most + 1n}`, type)), least, "one more is the least");
    strictEqual(exact(read(`${least - 1n}`, type)), most, "one less is the most");
  });
}

Deno.test("numbers that are exact are numbers, others are big", () => {
  strictEqual(read("9007199254740991", "UINT64"), 9_007_199_254_740_991);
  strictEqual(read("9007199254740992", "UINT64"), 9_007_199_254_740_992n);
  deepStrictEqual([read(" +7", "INT32"), read("-0", "INT32")], [7, 0]);
  for (const text of ["", "x", "1x", "0x10", "1.5", "--1", "1 2"]) {
    strictEqual(read(text, "INT32"), undefined, text);
  }
});
