// The default rules beside the binary: nothing in them is odd, each has a case in which it
// fires, and each file loads by itself. (The cases run as a suite of their own.)
import { assertEquals } from "./live/expect.ts";
import { runSaker } from "./live/saker.ts";

const RULES = new URL("../rules/", import.meta.url).pathname;

const names = [...Deno.readDirSync(RULES)].map(({ name }) => name).sort();
const tests = names.filter((name) => name.endsWith("_test.yaml"));
const files = names.filter((name) => name.endsWith(".yaml") && !tests.includes(name));

Deno.test("each file of default rules has its cases beside it", () => {
  assertEquals(tests, files.map((name) => name.replace(".yaml", "_test.yaml")));
});

Deno.test("every default rule has a case in which it fires", () => {
  const fires = tests.flatMap((name) =>
    [
      ...Deno.readTextFileSync(RULES + name).matchAll(/^ {4}fires: \[(.*)\]$/gm),
    ].flatMap(([, list]) => list!.split(", "))
  );
  const rules = files.flatMap((name) =>
    [
      ...Deno.readTextFileSync(RULES + name).matchAll(/^- rule: (.*)$/gm),
    ].map(([, rule]) => rule!)
  );
  assertEquals([...new Set(fires)].sort(), rules.sort());
});

Deno.test("nothing in the default rules is odd", async () => {
  const { code, stdout } = await runSaker([
    ...["rules", "lint"],
    ...files.map((name) => RULES + name),
  ]);
  assertEquals([code, stdout.startsWith("0 findings")], [0, true], stdout);
});

Deno.test("each file of default rules loads by itself without a warning", async () => {
  for (const name of files) {
    const { code, stdout, stderr } = await runSaker(["-V", RULES + name]);
    assertEquals(code, 0, stderr);
    assertEquals(/warning/i.test(stdout + stderr), false, stdout + stderr);
  }
});
