// Calls that the probe tells of without their parameters: a rule that needs none matches them, one
// that does is told of at the start, by /healthz and by saker doctor. The probe fills them all
// today, so this runs saker's source with a shorter list of what is filled.
import { assertEquals, assertIncludes } from "./expect.ts";
import { EVENTS, SYSCALLS } from "../../src/events/table.ts";
import { runSaker, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

const ROOT = new URL("../../", import.meta.url);

/** What every program that starts calls. */
const CALLS = ["mprotect", "mmap", "pread64"].map((name) =>
  EVENTS[SYSCALLS.find((call) => call.name === name)!.exit!]!
);

/** A program that is saker, but for the list of the events that its probe fills. */
function withoutCalls(place: Place): string {
  const list = new URL("probe-rs/fillers.json", ROOT);
  const { filled } = JSON.parse(Deno.readTextFileSync(list)) as { filled: string[] };
  const short = place.file("fillers.json");
  const left = filled.filter((id) => !CALLS.some((call) => call.id === id));
  Deno.writeTextFileSync(short, JSON.stringify({ filled: left }));
  const { imports } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const map = place.file("imports.json");
  const more = { [list.href]: `file://${short}` };
  Deno.writeTextFileSync(map, JSON.stringify({ imports: { ...imports, ...more } }));
  const program = place.file("saker");
  const run = [Deno.execPath(), "run", "-A", "--quiet", "--no-check", "--frozen"];
  const options = ["--config", new URL("deno.json", ROOT).pathname, "--import-map", map];
  const main = new URL("src/main.ts", ROOT).pathname;
  Deno.writeTextFileSync(program, `#!/bin/sh\nexec ${[...run, ...options, main].join(" ")} "$@"\n`);
  Deno.chmodSync(program, 0o755);
  return program;
}

Deno.test({
  name: "a rule that needs no parameters matches a call without them, one that does is told of",
  ignore: !isRoot(),
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
    const binary = withoutCalls(place);
    await using saker = await Saker.start([place.marker], { args, binary });
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
    const { stdout, code } = await runSaker(["doctor", ...args], { binary });
    assertEquals(code, 0);
    for (const { name } of CALLS) {
      assertIncludes(stdout, `rule "${name} dead": ${name} comes live`);
      assertIncludes(stdout, `rule "${name} blank": ${name} comes live`);
    }
  },
});
