// All checks of a field answered together say what each says alone.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Value } from "../../fields/row/field.ts";
import { Chance } from "../check/condition_fixture.ts";
import { loadTexts, ruleText } from "../load_fixture.ts";
import { decodeLossless } from "../../words/raw_text.ts";
import { OperandIndex } from "./operand_index.ts";
import { PairTable } from "./pair_table.ts";

const OPERATORS = [
  "=",
  "!=",
  "startswith",
  "endswith",
  "contains",
  "icontains",
  "glob",
  "in",
  "pmatch",
  "startswith anyof",
  "<",
];

function wordByChance(chance: Chance): string {
  const letters = Array.from({ length: chance.below(7) }, () => chance.of(LETTERS));
  return decodeLossless(letters.join(""));
}

/** Two are the bytes of é, each alone. */
const LETTERS = ["a", "b", "A", "/", "é", "💀", "\udcc3", "\udca9"];

function checkByChance(chance: Chance, field: string): string {
  const operator = chance.of(OPERATORS);
  const word = () => JSON.stringify(wordByChance(chance)).replace(/\\udc(..)/g, "\\x$1");
  if (operator === "<") return `${field} < ${chance.below(9)}`;
  const isList = /in$|pmatch|anyof/.test(operator);
  return `${field} ${operator} ${isList ? `(${word()}, ${word()})` : word()}`;
}

for (const field of ["proc.name", "proc.aname"]) {
  Deno.test(`OperandIndex says of ${field} what each check says alone`, () => {
    let held = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const chance = new Chance(seed);
      const checks = Array.from({ length: 40 }, () => checkByChance(chance, field));
      const condition = JSON.stringify(checks.join(" or "));
      const { atoms } = loadTexts([ruleText("r", condition)]).resolved.nodes;
      const index = new OperandIndex(atoms);
      for (let round = 0; round < 60; round++) {
        const words = [wordByChance(chance), wordByChance(chance)];
        const value: Value = field === "proc.aname" ? words : words[0];
        const expected = atoms.filter((atom) => atom.test(value, undefined)).map(({ id }) => id);
        deepStrictEqual(index.holding(value), expected, `seed ${seed}: ${JSON.stringify(value)}`);
        held += expected.length;
      }
      deepStrictEqual(index.holding(undefined), []);
    }
    strictEqual(held > 5_000, true, `${held} checks held: the test asks something`);
  });
}

Deno.test("OperandIndex finds numbers of either kind, and booleans", () => {
  const { atoms } = loadTexts([
    ruleText("r", "fd.num = 3 or fd.num in (3, 4) or fd.num >= 4 or fd.num != 3"),
  ]).resolved.nodes;
  const index = new OperandIndex(atoms);
  const texts = (value: Value) => index.holding(value).map((id) => atoms[id]!.text);
  deepStrictEqual(texts(3), ["fd.num = 3", "fd.num in (3, 4)"]);
  deepStrictEqual(texts(3n), ["fd.num = 3", "fd.num in (3, 4)"]);
  deepStrictEqual(texts(4), ["fd.num in (3, 4)", "fd.num >= 4", "fd.num != 3"]);
});

Deno.test("PairTable numbers pairs in order of first sight and keeps them", () => {
  const table = new PairTable();
  const numbers = new Map<string, number>();
  const chance = new Chance(1);
  for (let at = 0; at < 20_000; at++) {
    const [first, second] = [chance.below(300), chance.below(300)];
    const number = table.of(first, second);
    const known = numbers.get(`${first},${second}`) ?? numbers.size + 1;
    numbers.set(`${first},${second}`, known);
    strictEqual(number, known);
    strictEqual(table.of(first, second), number, "asked again");
    deepStrictEqual([table.first(number), table.second(number)], [first, second]);
  }
  strictEqual(table.size, numbers.size);
});
