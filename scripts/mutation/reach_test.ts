import { deepStrictEqual } from "node:assert";
import { longTests, tablesFirst, testsOf } from "./reach.ts";

Deno.test("a file is reached by the tests that import it, and by those behind others", () => {
  const tree = new Map([
    ["src/a/one.ts", "export const one = 1;\n"],
    ["src/a/one_test.ts", 'import { one } from "./one.ts";\n'],
    ["src/a/two.ts", 'import { one } from "./one.ts";\n'],
    ["src/a/other_test.ts", "Deno.test();\n"],
    ["src/b/two_test.ts", 'import "../a/two.ts";\n'],
    ["src/b/three_test.ts", 'new Worker(new URL("../a/one.ts", import.meta.url));\n'],
    ["tests/all_test.ts", 'import "../src/a/two.ts";\n'],
  ]);
  deepStrictEqual(testsOf("src/a/one.ts", tree), [
    ["src/a/one_test.ts", "src/b/three_test.ts"],
    ["src/b/two_test.ts"],
  ]);
  deepStrictEqual(testsOf("src/a/gone.ts", tree), [[], []]);
});

Deno.test("test files that take a large share of the time are long", () => {
  const report = '<testcase name="a" classname="./src/a_test.ts" time="9.5"></testcase>' +
    '<testcase name="b" classname="./src/b_test.ts" time="0.2"></testcase>'.repeat(2);
  deepStrictEqual([...longTests(report)], ["src/a_test.ts"]);
});

Deno.test("tests that hold tables come before others", () => {
  const tests = ["src/a/shown_test.ts", "src/a/one_test.ts", "src/b/variations_test.ts"];
  deepStrictEqual(tablesFirst(tests), [[tests[0], tests[2]], [tests[1]]]);
});
