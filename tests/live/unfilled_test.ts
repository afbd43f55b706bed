// Calls that the probe tells of without their parameters: a rule that needs none matches them, one
// that does is told of at the start, by /healthz and by saker doctor.
import { assertEquals, assertIncludes } from "./expect.ts";
import { UNFILLED } from "../../src/events/filled.ts";
import { EVENTS, SYSCALLS } from "../../src/events/table.ts";
import { runSaker, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

/** What every program that starts calls, as far as the probe does not fill it yet. */
const CALLS = ["mprotect", "mmap", "pread64"].flatMap((name) => {
  const { exit } = SYSCALLS.find((call) => call.name === name)!;
  return exit !== undefined && UNFILLED.has(exit) ? [EVENTS[exit]!] : [];
});

Deno.test({
  name: "a rule that needs no parameters matches a call without them, one that does is told of",
  ignore: !isRoot() || CALLS.length === 0,
  async fn() {
    await using place = new Place();
    const file = place.file("rules.yaml");
    const rules = CALLS.flatMap(({ name, params }) => [
      [`${name} seen`, `evt.type=${name}`],
      [`${name} dead`, `evt.type=${name} and evt.arg.${params.at(-1)!.name} exists`],
      [`${name} blank`, `evt.type=${name}`, `%evt.arg.${params.at(-1)!.name}`],
    ]);
    const items = rules.map(([rule, condition, output = ""]) => ({
      rule,
      desc: rule,
      condition: `${condition} and ${triggersOf(place.marker)}`,
      output: `%evt.type ${output} %proc.cmdline`,
      priority: "NOTICE",
    }));
    Deno.writeTextFileSync(file, JSON.stringify(items));
    const args = ["-r", file, "-o", "rule_matching=all"];
    await using saker = await Saker.start([place.marker], { args });
    await shell(place.marker, "/bin/true $0");
    for (const { name } of CALLS) {
      const alert = await saker.alert(`${name} seen`, place.marker);
      assertIncludes(alert.output, `Notice ${name} `);
      const dead = `${name} comes live without parameters`;
      assertIncludes(saker.told, dead);
      const { body } = (await saker.health())!;
      for (const [key, kind] of [["dead_rules", "dead"], ["blank_outputs", "blank"]] as const) {
        const told = body[key] as { rule: string; reason: string }[];
        const own = told.filter(({ reason }) => reason.startsWith(dead));
        assertEquals(own.map(({ rule }) => rule), [`${name} ${kind}`]);
      }
    }
    const { stdout, code } = await runSaker(["doctor", ...args]);
    assertEquals(code, 0);
    for (const { name } of CALLS) {
      assertIncludes(stdout, `rule "${name} dead": ${name} comes live`);
      assertIncludes(stdout, `rule "${name} blank": ${name} comes live`);
    }
  },
});
