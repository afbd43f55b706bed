// `saker tune` against a running saker: alerts of programs that the test starts become exceptions
// under which the next saker is quiet about them, and tells of another program as before.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { type Alert, eventually, runSaker, Saker } from "./saker.ts";
import { has, isRoot, Place, shell } from "./trigger.ts";

/** Alerts that tell all that an exception needs. */
const DOSSIERS = 3;

/** A rule about one file of the test's own. */
function rules(place: Place): string {
  return `- rule: Cache read
  desc: For a test.
  condition: evt.type in (open, openat, openat2) and fd.name = ${place.path}/cache
  output: Cache read (file=%fd.name program=%proc.exepath)
  priority: WARNING
`;
}

/** A program of root's own that no table knows, and one that does what its caller says. */
const LDCONFIG = 'exec ldconfig -p -C "$1" > /dev/null 2>&1';
const CAT = 'exec cat "$1" > /dev/null';

interface Held {
  readonly alerts: number;
  /** A saker under load leaves dossiers out. */
  readonly dossiers: number;
  readonly programs: readonly string[];
}

async function heldOf(saker: Saker): Promise<Held> {
  const answer = await fetch(`http://127.0.0.1:${saker.port}/alerts/recent?rule=Cache+read`);
  const { alerts } = await answer.json();
  const rows = alerts as readonly { dossier: boolean; alert: Alert }[];
  return {
    alerts: rows.length,
    dossiers: rows.filter(({ dossier }) => dossier).length,
    programs: rows.map(({ alert }) => String(alert.output_fields["proc.exepath"])),
  };
}

Deno.test({
  name: "saker tune makes exceptions of what a running saker holds, and they hold",
  ignore: !isRoot() || !has("ldconfig"),
  async fn() {
    await using place = new Place();
    await Deno.writeTextFile(place.file("rules.yaml"), rules(place));
    await Deno.writeTextFile(place.file("cache"), "");
    const read = (script: string) => shell(place.marker, script, [place.file("cache")]);
    {
      await using saker = await Saker.start([place.marker], {
        args: ["-r", place.file("rules.yaml")],
      });
      await eventually("alerts with dossiers", async () => {
        await read(LDCONFIG);
        return (await heldOf(saker)).dossiers >= DOSSIERS ? true : undefined;
      });
      await read(CAT);
      // What came before it was judged before it.
      const { alerts: all } = await eventually("the alert of cat", async () => {
        const held = await heldOf(saker);
        return held.programs.some((program) => program.endsWith("/cat")) ? held : undefined;
      });
      const { code, stdout, stderr } = await runSaker([
        ...["tune", `http://127.0.0.1:${saker.port}`, "-r", place.file("rules.yaml")],
      ]);
      assertEquals(code, 0, stderr);
      const silenced = Number(/^\d+ alerts: (\d+) silenced by 1 exceptions/.exec(stderr)?.[1]);
      assert(silenced >= DOSSIERS && silenced < all, stderr);
      assertIncludes(stdout, "fields: [container.id, proc.exepath");
      assert(/\/ldconfig(, |\])/.test(stdout), stdout);
      assert(/Not proposed\n# 1 of "Cache read" by \S*\/cat: /.test(stdout), stdout);
      await Deno.writeTextFile(place.file("exceptions.yaml"), stdout);
    }
    await using saker = await Saker.start([place.marker], {
      args: ["-r", place.file("rules.yaml"), "-r", place.file("exceptions.yaml")],
    });
    await read(LDCONFIG);
    await read(CAT);
    await eventually(
      "the other program's alert",
      async () => (await heldOf(saker)).alerts > 0 ? true : undefined,
    );
    // What came before it was judged before it.
    assertEquals((await heldOf(saker)).alerts, 1);
  },
});

Deno.test("saker tune says in one line that no saker answers, or what is no address", async () => {
  for (
    const [address, expected] of [
      ["http://127.0.0.1:1", "Cannot read the alerts of http://127.0.0.1:1: "],
      ["http://127.0.0.1:1/path", "expected http://HOST:PORT"],
    ] as const
  ) {
    const { code, stdout, stderr } = await runSaker(["tune", address]);
    assertEquals([code, stdout], [1, ""]);
    assertIncludes(stderr, expected);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
});
