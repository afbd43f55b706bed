// A host on which processes begin, execute, open and end all the time, while saker starts. In: the
// trigger's numbered processes. Out: no alert shows another process than the one that acted, and
// from the moment that saker watches every act is told, with the program that did it.
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { compiled, has, isRoot, Place } from "./trigger.ts";
import { rulesOfWays } from "./ways.ts";

const RULE = "Numbered file";
const STARTS = 3;

/** What alerts of one number must show. */
interface Shown {
  readonly kind: string;
  readonly number: number;
  readonly exepath: unknown;
  readonly cmdline: string;
  readonly parent: unknown;
}

interface Told {
  readonly lost: { readonly critical: number; readonly bulk: number };
  readonly alerts_dropped: number;
}

Deno.test({
  name: "what begins and ends while saker starts is neither unknown nor another",
  ignore: !isRoot() || !has("cc"),
  async fn() {
    await using place = new Place();
    const first = await compiled(place, "starting");
    const second = place.file("second");
    await Deno.copyFile(first, second);
    await Deno.chmod(second, 0o755);
    const rules = rulesOfWays(
      place,
      { [RULE]: "evt.type in (open, openat) and fd.name startswith PLACE/p" },
      "%fd.name %proc.exepath %proc.ppid %proc.birth.pid[1]",
    );
    for (let start = 0; start < STARTS; start++) {
      const driver = new Deno.Command(first, {
        args: [place.path, place.marker, second],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      try {
        await using saker = await Saker.start([place.marker], { args: ["-r", rules] });
        const watchedFrom = newest(place);
        await new Promise((resolve) => setTimeout(resolve, 500));
        await driver.stdin.close();
        const made = Number((await new Response(driver.stdout).text()).trim());
        assertEquals((await driver.status).code, 0);
        assert(made > watchedFrom, `${made} ${watchedFrom}`);
        await eventually(
          "the last number",
          () =>
            shownOf(saker, place).some(({ kind, number }) => kind === "post" && number === made) ||
            undefined,
        );
        const shown = shownOf(saker, place);
        const program = { pre: first, post: second } as Record<string, string>;
        const wrong = shown.filter(({ kind, number, exepath, cmdline, parent }) =>
          // What was done before the look at /proc may be told after it, by a process that has
          // executed its second program meanwhile: the README's limits.
          (exepath !== program[kind] && !(kind === "pre" && number <= watchedFrom)) ||
          parent !== driver.pid || kind === "post" && !cmdline.endsWith(` last ${number}`)
        );
        assertEquals(wrong, []);
        for (const kind of ["pre", "post"]) {
          const numbers = new Set(
            shown.filter((one) => one.kind === kind).map((one) => one.number),
          );
          const missing = Array.from(
            { length: made - watchedFrom },
            (_, at) => watchedFrom + 1 + at,
          )
            .filter((number) => !numbers.has(number));
          // A machine that is beyond its limits loses events, and tells it.
          const { lost, alerts_dropped } = (await saker.health())!.body as unknown as Told;
          if (lost.critical + lost.bulk + alerts_dropped === 0) assertEquals(missing, []);
        }
      } finally {
        // Where it was closed already, the process has ended.
        await driver.stdin.close().catch(() => {});
        await driver.status;
      }
      for (const { name } of Deno.readDirSync(place.path)) {
        if (/^(pre|post)-/.test(name)) Deno.removeSync(place.file(name));
      }
    }
  },
});

/** The number of the newest process that has begun. */
function newest(place: Place): number {
  const numbers = [...Deno.readDirSync(place.path)]
    .map(({ name }) => Number(/^pre-(\d+)$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

function shownOf(saker: Saker, place: Place): Shown[] {
  return saker.alertsWith(place.marker).flatMap(({ output_fields: fields }) => {
    const [, kind, number] = /\/(pre|post)-(\d+)$/.exec(String(fields["fd.name"])) ?? [];
    if (kind === undefined) return [];
    return [{
      kind,
      number: Number(number),
      exepath: fields["proc.exepath"],
      cmdline: String(fields["proc.cmdline"]),
      parent: fields["proc.birth.pid[1]"] ?? fields["proc.ppid"],
    }];
  });
}
