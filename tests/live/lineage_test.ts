// The ancestors that a process was born with, on this kernel: whatever it does to be rid of its
// parent, an alert of saker's names who made it, and so does the replay of a recording.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { recorded } from "./recording.ts";
import { runSaker, Saker } from "./saker.ts";
import { compiled, has, isRoot, Place, run, triggersOf } from "./trigger.ts";

const RULE = "Program executed";

function rules(place: Place): string {
  const file = place.file("rules.yaml");
  const output = "%proc.pid %proc.birth.ancestry %proc.birth.seen %proc.birth.name " +
    "%proc.birth.name[1] %proc.birth.exepath[1] %proc.birth.cmdline[1] %proc.birth.pid[1] " +
    "%proc.birth.pid[2] %proc.birth.pid[200] %proc.aname %proc.apid[1] %proc.apid[2] %proc.cmdline";
  const condition = `evt.type in (execve, execveat) and proc.name = true and ` +
    `proc.birth.exepath endswith "/shed" and ${triggersOf(place.marker)}`;
  // JSON is YAML.
  Deno.writeTextFileSync(
    file,
    JSON.stringify([{ rule: RULE, desc: RULE, condition, output, priority: "NOTICE" }]),
  );
  return file;
}

interface Way {
  readonly way: string;
  /** Which ancestor the process is that the test itself started; 0: none that is named so. */
  readonly level: number;
  /** Names of the nearest ancestors. */
  readonly names: readonly string[];
  /** Whether the kernel still tells of the process that the test started. */
  readonly isKept?: boolean;
}

const WAYS: readonly Way[] = [
  { way: "double-fork", level: 2, names: ["shed", "shed"] },
  { way: "setsid", level: 2, names: ["shed", "shed"] },
  { way: "subreaper", level: 2, names: ["shed", "shed"], isKept: true },
  { way: "clone-parent", level: 2, names: ["shed", "shed"], isKept: true },
  { way: "vfork", level: 2, names: ["shed", "shed"], isKept: true },
  { way: "another-program", level: 1, names: ["shed"], isKept: true },
];

const UNSUPPORTED = 77;

Deno.test({
  name: "a process keeps the ancestors that it was born with",
  ignore: !isRoot() || !has("cc"),
  async fn(t) {
    await using place = new Place();
    const program = await compiled(place, "shed");
    await using saker = await Saker.start([place.marker], { args: ["-r", rules(place)] });
    const fieldsOf = async (way: string) => {
      const marker = place.mark(way);
      const { code, pid, stderr } = await run(program, [way, "/bin/true", marker]);
      if (code === UNSUPPORTED) return undefined;
      assertEquals(code, 0, stderr);
      return { pid, fields: (await saker.alert(RULE, marker)).output_fields };
    };
    for (const { way, level, names, isKept } of WAYS) {
      await t.step(way, async () => {
        const seen = await fieldsOf(way);
        if (seen === undefined) return;
        const { pid, fields } = seen;
        assertEquals(fields[`proc.birth.pid[${level}]`], pid);
        assertEquals(fields["proc.birth.name[1]"], names[0]!);
        assertEquals(fields["proc.birth.exepath[1]"], program);
        assertIncludes(String(fields["proc.birth.cmdline[1]"]), place.mark(way));
        const shown = String(fields["proc.birth.name"]);
        assert(shown.startsWith(`${names.join(" ")} `), shown);
        // The test's own process, which was there before saker.
        assertIncludes(String(fields["proc.birth.ancestry"]), `(${Deno.pid})`);
        assert(Number(fields["proc.birth.seen"]) >= level, `${fields["proc.birth.seen"]}`);
        if (isKept !== true) {
          assertEquals([fields["proc.apid[1]"], fields["proc.apid[2]"]].includes(pid), false);
        }
      });
    }
    await t.step("many forks", async () => {
      const seen = await fieldsOf("many-forks");
      const { pid, fields } = seen!;
      const ancestry = String(fields["proc.birth.ancestry"]);
      assertIncludes(ancestry, `shed(${pid})`);
      assertIncludes(ancestry, `(${Deno.pid})`);
      assertIncludes(ancestry, "?");
      assertEquals(fields["proc.birth.pid[200]"], null);
    });
    const { body } = (await saker.health())!;
    assert(["ok", "degraded"].includes(body.status), body.reason);
  },
});

Deno.test({
  name: "a recording tells the same ancestors, and engine.lineage has Falco's fields show them",
  ignore: !isRoot() || !has("cc"),
  async fn() {
    await using place = new Place();
    const program = await compiled(place, "shed");
    const capture = place.file("trace.scap");
    const settings = ["-r", rules(place), "-o", "json_output=true"];
    let pid = 0;
    const { code, stdout, told } = await recorded(capture, settings, async () => {
      ({ pid } = await run(program, ["double-fork", "/bin/true", place.marker]));
    });
    assertEquals(code, 0, told.join("\n"));
    const own = (json: string) => json.split("\n").filter((line) => line.includes(place.marker));
    const live = own(stdout);
    const replayed = await runSaker([...settings, "replay", capture]);
    assertEquals(live.length, 1);
    assertEquals(own(replayed.stdout), live);
    const byBirth = await runSaker([
      ...settings,
      ...["-o", "engine.lineage=birth", "replay", capture],
    ]);
    const { output_fields } = JSON.parse(own(byBirth.stdout)[0]!);
    assertEquals(output_fields["proc.apid[2]"], pid);
    assertEquals(output_fields["proc.aname"], output_fields["proc.birth.name"]);
  },
});
