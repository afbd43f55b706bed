// `saker rules test` says what is wrong with the files that it is given, and fails.
import { strictEqual } from "node:assert";
import { FieldSet } from "../../fields/field_set.ts";
import { testRules } from "./test_rules.ts";

function tested(files: Readonly<Record<string, string>>, name: string): string {
  const directory = Deno.makeTempDirSync();
  try {
    for (const [path, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${directory}/${path}`, text);
    }
    let said = "";
    const options = {
      files: [`${directory}/${name}`],
      load: { fields: new FieldSet() },
      paths: "both" as const,
      verbose: false,
    };
    const code = testRules(options, (text) => said += text);
    return `${code}: ${said.replaceAll(`${directory}/`, "")}`;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a file of tests that is not there fails", () => {
  strictEqual(
    tested({}, "a_test.yaml"),
    "1: FAIL a_test.yaml: cannot be read\n0 passed, 1 failed\n",
  );
});

Deno.test("a rules file that is not there fails its tests, by name", () => {
  const said = tested({ "a_test.yaml": "rules: [other.yaml]\ntests: []\n" }, "a_test.yaml");
  strictEqual(said.includes("the rules file other.yaml cannot be read"), true, said);
  strictEqual(said.startsWith("1: FAIL a_test.yaml\n"), true, said);
  const beside = tested({ "b_test.yaml": "tests: []\n" }, "b_test.yaml");
  strictEqual(beside.includes("the rules file b.yaml cannot be read"), true, beside);
});
