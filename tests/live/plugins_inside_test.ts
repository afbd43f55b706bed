// Plugins in saker's own process: one that needs a column of another in the table of threads is
// loaded after it, and refused before it, as in Falco; what they print is no alert.
import { cPlugin } from "../plugins/build.ts";
import { assertEquals, assertIncludes } from "./expect.ts";
import { runSaker } from "./saker.ts";
import { Place } from "./trigger.ts";

Deno.test("a plugin that needs a column of another loads after it, and not before", async () => {
  await using place = new Place();
  const giver = await cPlugin("picky", { PICKY_NAME: '"giver"', PICKY_ADDS: '"given"' });
  const taker = await cPlugin("picky", { PICKY_NAME: '"taker"', PICKY_NEEDS: '"given"' });
  const owner = await cPlugin("picky", { PICKY_NAME: '"owner"', PICKY_NEEDS: '"container_id"' });
  const plugins = [
    { name: "giver", library_path: giver },
    { name: "taker", library_path: taker },
    { name: "owner", library_path: owner },
  ];
  const config = place.file("falco.yaml");
  const rules = place.file("rules.yaml");
  const rule = { rule: "Any", desc: "d", condition: "evt.type = execve", output: "x" };
  Deno.writeTextFileSync(rules, JSON.stringify([{ ...rule, priority: "NOTICE" }]));
  const started = async (...names: string[]) => {
    Deno.writeTextFileSync(config, JSON.stringify({ plugins, load_plugins: names }));
    const args = ["-c", config, "-r", rules, "--dry-run"];
    const { code, stderr } = await runSaker(args);
    return [code, stderr.split("\n").find((line) => line.startsWith("Error"))];
  };
  assertEquals(await started("giver", "taker"), [0, undefined]);
  // Of saker's own part, in the place of Falco's container plugin.
  assertEquals(await started("owner"), [0, undefined]);
  assertEquals(await started("taker", "giver"), [
    1,
    "Error: Plugin 'taker': could not initialize plugin: it lacks a column",
  ]);
});

Deno.test("what a plugin in saker's own process prints is not among the alerts", async () => {
  await using place = new Place();
  const lines = await cPlugin("lines", { LINES_PRINTS: "1" });
  const plugin = {
    name: "lines",
    library_path: lines,
    in_process: true,
    open_params: "count=3 end=eof",
  };
  const config = { plugins: [plugin], json_output: true, webserver: { enabled: false } };
  Deno.writeTextFileSync(place.file("falco.yaml"), JSON.stringify(config));
  const rule = { rule: "Line", desc: "d", condition: "lines.number >= 0", output: "%lines.text" };
  Deno.writeTextFileSync(
    place.file("rules.yaml"),
    JSON.stringify([{ ...rule, priority: "NOTICE", source: "lines" }]),
  );
  const args = ["-c", place.file("falco.yaml"), "-r", place.file("rules.yaml")];
  const { code, stdout, stderr } = await runSaker([...args, "--disable-source", "syscall"]);
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim().split("\n").map((line) => JSON.parse(line).rule), [
    ...["Line", "Line", "Line"],
  ]);
  assertIncludes(stderr, "printed by a plugin\n");
});
