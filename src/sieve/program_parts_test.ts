// What is left of parts once a program is known: exact facts and formulas, by program and
// container.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Thread } from "../state/tables/thread.ts";
import { and, type Formula, or } from "./formula.ts";
import { type PlacedPart, ProgramParts } from "./program_parts.ts";

const NAME = 0;
const ARGS = 1;

function atom(place: number, negated = false): Formula {
  return { kind: "thread", place, negated };
}

function parts(...formulas: Formula[]): PlacedPart[] {
  return formulas.map((formula, at) => ({ formula, word: at % 2, mask: 1 << at }));
}

function thread(comm: number, containerId = 5): Thread {
  const made = new Thread(1, 1);
  made.comm = comm;
  made.exe = 20;
  made.exepath = 30;
  made.containerId = containerId;
  return made;
}

/** The program's name holds or does not; arguments are not decided. */
function named(holds: boolean): (place: number) => boolean | undefined {
  return (place) => place === NAME ? holds : undefined;
}

Deno.test("a part that the program decides is a fact, or nothing is left of it", () => {
  const all = parts(atom(NAME), atom(NAME, true), and([atom(NAME), atom(ARGS)]), atom(ARGS));
  const holding = new ProgramParts().learn(thread(1), all, named(true));
  deepStrictEqual(holding.facts, [1, 0]);
  deepStrictEqual(holding.parts, [
    { formula: atom(ARGS), word: 0, mask: 4 },
    { formula: atom(ARGS), word: 1, mask: 8 },
  ]);
  const failing = new ProgramParts().learn(thread(1), all, named(false));
  deepStrictEqual(failing.facts, [0, 2]);
  deepStrictEqual(failing.parts, [{ formula: atom(ARGS), word: 1, mask: 8 }]);
});

Deno.test("of an or that the program does not settle, the rest is left", () => {
  const all = parts(or([atom(NAME), and([atom(NAME, true), atom(ARGS, true)])]));
  deepStrictEqual(new ProgramParts().learn(thread(1), all, named(true)).facts, [1, 0]);
  const { facts, parts: left } = new ProgramParts().learn(thread(1), all, named(false));
  deepStrictEqual(facts, [0, 0]);
  deepStrictEqual(left, [{ formula: atom(ARGS, true), word: 0, mask: 1 }]);
});

Deno.test("what was learnt holds of the same program in the same container alone", () => {
  const programs = new ProgramParts();
  strictEqual(programs.of(thread(1)), undefined);
  const learnt = programs.learn(thread(1), parts(atom(NAME)), named(true));
  strictEqual(programs.of(thread(1)), learnt);
  strictEqual(programs.of(thread(1, 6)), undefined);
  for (let comm = 2; comm < 3_000; comm++) strictEqual(programs.of(thread(comm)), undefined);
  programs.forget();
  strictEqual(programs.of(thread(1)), undefined);
});

Deno.test("any number of programs is right: a newer one takes an older one's place", () => {
  const programs = new ProgramParts();
  for (let comm = 0; comm < 1_000; comm++) {
    const learnt = programs.learn(thread(comm), parts(atom(NAME)), named(comm % 2 === 0));
    strictEqual(programs.of(thread(comm)), learnt);
    deepStrictEqual(learnt.facts, [comm % 2 === 0 ? 1 : 0, 0]);
  }
  const known = Array.from({ length: 1_000 }, (_, comm) => programs.of(thread(comm)));
  for (const [comm, learnt] of known.entries()) {
    if (learnt !== undefined) deepStrictEqual(learnt.facts, [comm % 2 === 0 ? 1 : 0, 0]);
  }
});
