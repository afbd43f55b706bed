// What a reload takes besides rules and outputs, while saker watches: keys of `capture`; what takes
// a restart is told with its key.
import { assertEquals, assertIncludes } from "./expect.ts";
import { eventually, SAKER, Saker } from "./saker.ts";
import { isFile, isRoot, Place, shell } from "./trigger.ts";

const RULE = "Reloaded keys";

Deno.test({
  name: "captures of alerts go by the keys of the configuration in force",
  ignore: !isRoot() || !isFile(SAKER),
  async fn() {
    await using place = new Place();
    const rules = place.file("rules.yaml");
    const secret = place.file("secret");
    await Deno.writeTextFile(secret, "");
    await Deno.writeTextFile(
      rules,
      `- {rule: ${RULE}, desc: d, priority: WARNING, capture: true, ` +
        `condition: "evt.type in (open, openat) and fd.name = ${secret}", ` +
        `output: "Opened %fd.name"}\n`,
    );
    const configure = (prefix: string, more = "") =>
      Deno.writeTextFile(
        place.file("saker.yaml"),
        `rules_files: [${rules}]\njson_output: true\nwatch_config_files: false\n` +
          `capture: {enabled: true, path_prefix: ${place.file(prefix)}, default_duration: 1}\n` +
          more,
      );
    await configure("first");
    await using saker = await Saker.start([secret], { args: ["-c", place.file("saker.yaml")] });
    const captured = (prefix: string) =>
      eventually(`a capture ${prefix}`, async () => {
        await shell(place.marker, `cat ${secret}`);
        const names = [...Deno.readDirSync(place.path)].map(({ name }) => name);
        return names.some((name) => name.startsWith(`${prefix}_`)) || undefined;
      });
    await captured("first");
    await configure("second", "engine: {nice: -5}\n");
    const url = `http://127.0.0.1:${saker.port}/reload`;
    const response = await fetch(url, { method: "POST" });
    const { restart } = await response.json();
    // 202: a busy machine takes longer than an answer waits.
    if (response.status === 200) assertEquals(restart, ["engine.nice"]);
    await eventually("the reload", () => saker.told.includes("Reloaded: ") || undefined);
    assertIncludes(saker.told, "engine.nice: the change takes a restart");
    await captured("second");
    assertEquals((await saker.stop()).code, 0);
  },
});
