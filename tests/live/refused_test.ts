// A kernel that refuses one program of the probe: its events are told to be unseen, all others are
// seen. The kernel refuses it truly, since the program is broken.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { withRefused } from "./broken_probe.ts";
import { eventually, runSaker, Saker } from "./saker.ts";
import { isRoot, Place, python, triggersOf } from "./trigger.ts";

interface Refused {
  readonly program: string;
  readonly events: readonly string[];
  readonly reason: string;
}

Deno.test({
  name: "a program that the kernel refuses is left out and named, and the rest alerts",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const binary = withRefused(place, "symlinkat");
    const file = place.file("rules.yaml");
    const rules = ["symlinkat", "mkdir"].map((name) => ({
      rule: `${name} seen`,
      desc: name,
      condition: `evt.type=${name} and ${triggersOf(place.marker)}`,
      output: "%evt.type %proc.cmdline",
      priority: "NOTICE",
    }));
    Deno.writeTextFileSync(file, JSON.stringify(rules));
    const args = ["-r", file];
    {
      await using saker = await Saker.start([place.marker], { args, binary });
      // It may see a moment before it has told what it does not see.
      const body = await eventually("saker to tell what it does not see", async () => {
        const told = (await saker.health())?.body;
        return told?.status === "degraded" ? told : undefined;
      });
      assertIncludes(`${body.reason}`, "refuses the probe's programs for symlinkat: not seen");
      const { attached, wanted, refused } = body.programs as {
        attached: number;
        wanted: number;
        refused: Refused[];
      };
      assert(attached === wanted && attached > 10, `${attached} of ${wanted}`);
      assertEquals(refused.map(({ program, events }) => [program, events]), [
        ["symlinkat", ["symlinkat"]],
      ]);
      assertIncludes(refused[0]!.reason, "verifier: ");
      const dead = body.dead_rules as { rule: string }[];
      assertEquals(dead.map(({ rule }) => rule), ["symlinkat seen"]);
      const script = "import os, sys; os.symlink('a', sys.argv[2]); os.mkdir(sys.argv[3])";
      await python(place.marker, script, [place.file("link"), place.file("made")]);
      await saker.alert("mkdir seen", place.marker);
    }
    const { code, stdout } = await runSaker(["doctor", ...args], { binary });
    assertEquals(code, 0);
    assert(/^note .*symlinkat: .*this kernel refuses it, these events are not seen/m.test(stdout));
    const json = await runSaker(["doctor", "--json", ...args], { binary });
    const { well, programs } = JSON.parse(json.stdout) as {
      well: boolean;
      programs: { name: string; refused: boolean; attached: boolean }[];
    };
    assert(well, "the rest is watched");
    assertEquals(programs.filter(({ refused }) => refused).map(({ name }) => name), ["symlinkat"]);
    assert(programs.every(({ refused, attached }) => refused !== attached), "all others work");
  },
});
