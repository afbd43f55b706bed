// Which tests can notice a change of a file: those that import it come first, then those that reach
// it through other files.
import { importsOf } from "../structure/imports.ts";
import { isTest, type Tree } from "../structure/tree.ts";

/** The test files of src, in the two groups; of a file that no test reaches, both are empty. */
export function testsOf(path: string, tree: Tree): readonly [near: string[], far: string[]] {
  const importers = new Map<string, string[]>();
  for (const { from, to } of importsOf(tree)) {
    const known = importers.get(to);
    if (known === undefined) importers.set(to, [from]);
    else known.push(from);
  }
  const reached = new Set([path]);
  for (const file of reached) {
    for (const importer of importers.get(file) ?? []) reached.add(importer);
  }
  const tests = [...reached].filter((file) => file.startsWith("src/") && isTest(file)).sort();
  const beside = path.slice(0, path.lastIndexOf("/") + 1);
  const near = new Set(importers.get(path));
  const isNear = (test: string) => near.has(test) || test.startsWith(beside);
  return [tests.filter(isNear), tests.filter((test) => !isNear(test))];
}

/** Tests that hold a whole table of what many files do: they notice most, and come first. */
const TABLES = /\/(?:shown|kept|walk|results|variations)_test\.ts$/;

/** The tests that hold tables, and the others. */
export function tablesFirst(tests: readonly string[]): readonly [tables: string[], rest: string[]] {
  return [tests.filter((test) => TABLES.test(test)), tests.filter((test) => !TABLES.test(test))];
}

/** A test file that takes more than this share of all the time is long. */
const LONG_SHARE = 0.08;

/** Of a report in JUnit's form, the test files that take long. */
export function longTests(report: string): Set<string> {
  const seconds = new Map<string, number>();
  let all = 0;
  for (const [, file, time] of report.matchAll(/ classname="\.\/([^"]*)" time="([^"]*)"/g)) {
    seconds.set(file!, (seconds.get(file!) ?? 0) + Number(time));
    all += Number(time);
  }
  return new Set([...seconds].filter(([, time]) => time > LONG_SHARE * all).map(([file]) => file));
}
