// Rules and configuration exchanged again and again under a storm of events: every event is judged
// once, by all rules of one generation, and what is broken changes nothing.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, SAKER, Saker } from "./saker.ts";
import { has, isFile, isRoot, Place } from "./trigger.ts";

/** SAKER_TEST_RELOADS=100 is the long run. */
const RELOADS = Number(Deno.env.get("SAKER_TEST_RELOADS") ?? 8);

/** Creates numbered files without end, one after the other, with many failing opens between them,
 * until its input is closed; says how many. */
const STORM = `
import os, select, sys, time
place, number = sys.argv[2], 0
while not select.select([0], [], [], 0)[0]:
    for _ in range(50):
        number += 1
        for _ in range(40):
            try: os.open(place + "/nothing/x", os.O_RDONLY)
            except OSError: pass
        os.close(os.open("%s/n/%d" % (place, number), os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink("%s/n/%d" % (place, number))
    # No machine is too slow for what is left.
    time.sleep(0.02)
print(number)
`;

/** Two rules of one generation, both of which match each numbered file. */
function rulesOf(generation: string, place: Place): string {
  return ["one", "two"].map((half) =>
    `- rule: ${generation} ${half}
  desc: A numbered file was created.
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_create=true
    and fd.name startswith ${place.path}/n/
  output: Created %fd.name
  priority: WARNING
`
  ).join("");
}

Deno.test({
  name: "reloads under a storm lose no event and mix no rules, and a broken one is refused",
  ignore: !isRoot() || !has("python3") || !isFile(SAKER),
  async fn() {
    await using place = new Place();
    await Deno.mkdir(place.file("n"));
    const rules = place.file("rules.yaml");
    const config = place.file("saker.yaml");
    const text = (iso: boolean) =>
      `rules_files: [${rules}]\nrule_matching: all\n` +
      `watch_config_files: false\njson_output: true\ntime_format_iso_8601: ${iso}\n` +
      "outputs_queue: {capacity: 1000000}\n";
    await Deno.writeTextFile(rules, rulesOf("G0", place));
    await Deno.writeTextFile(config, text(false));
    await using saker = await Saker.start([`${place.path}/n/`], { args: ["-c", config] });
    const storm = new Deno.Command("python3", {
      args: ["-c", STORM, place.marker, place.path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = storm.stdin.getWriter();
    const printed = new Response(storm.stdout).text();
    try {
      await eventually("the storm", () => saker.alerts().length > 0 || undefined);
      for (let reload = 1; reload <= RELOADS; reload++) {
        if (reload % 4 === 2) {
          await Deno.writeTextFile(rules, "- rule: Broken\n  condition: evt.type = ");
          const refused = await asked(saker, 422);
          if (refused !== undefined) assertIncludes(String(refused["error"]), "rules.yaml:1:");
          await eventually("the refusal in /healthz", async () => {
            return (await saker.health())?.body.status === "degraded" || undefined;
          });
        }
        await Deno.writeTextFile(rules, rulesOf(`G${reload}`, place));
        // Every other one exchanges the outputs too.
        await Deno.writeTextFile(config, text(reload % 2 === 1));
        const taken = await asked(saker, 200);
        if (taken !== undefined) {
          assertEquals([taken["rules"], taken["generation"]], [2, reload + 1]);
        }
        await eventually(`generation ${reload}`, () => {
          return saker.alerts().at(-1)!.rule.startsWith(`G${reload} `) || undefined;
        });
      }
    } finally {
      await input.close();
      await storm.status;
    }
    const created = Number((await printed).trim());
    const { body } = (await saker.health())!;
    await eventually("the last alerts", () => saker.alerts().length >= 2 * created || undefined);
    const { code } = await saker.stop();
    assertEquals(code, 0);
    const byFile = new Map<number, string[]>();
    for (const { rule, output } of saker.alerts()) {
      const number = Number(/\/n\/(\d+)$/.exec(output)![1]);
      byFile.set(number, [...byFile.get(number) ?? [], rule]);
    }
    assertEquals(byFile.size, created);
    let last = 0;
    for (let number = 1; number <= created; number++) {
      const fired = byFile.get(number)!;
      const generation = Number(/^G(\d+) /.exec(fired[0]!)![1]);
      assertEquals(fired, [`G${generation} one`, `G${generation} two`]);
      assert(generation >= last, `file ${number} was judged by rules of before`);
      last = generation;
    }
    assertEquals(last, RELOADS);
    assertEquals(body["lost"], { critical: 0, bulk: 0, over_share: 0 });
  },
});

/** What POST /reload answers; undefined where this machine was too slow for an answer. */
async function asked(saker: Saker, status: number): Promise<Record<string, unknown> | undefined> {
  const response = await fetch(`http://127.0.0.1:${saker.port}/reload`, { method: "POST" });
  const body = await response.json();
  if (response.status === 202) return undefined;
  assertEquals(response.status, status);
  return body;
}
