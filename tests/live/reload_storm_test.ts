// Rules and configuration exchanged again and again under a storm of events, by every way that
// there is: every event is judged once, by all rules of one generation, and what is broken changes
// nothing.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, SAKER, Saker } from "./saker.ts";
import { Storm, stormNumber, stormRule } from "./storm.ts";
import { has, isFile, isRoot, Place } from "./trigger.ts";

/** SAKER_TEST_RELOADS=100 is the long run. */
const RELOADS = Number(Deno.env.get("SAKER_TEST_RELOADS") ?? 6);

/** Files a second, and forty failing opens for each: far below what a busy machine can take. */
const STORM = { together: 10, pauseMs: 20, failing: 40 };

/** Two rules of one generation, both of which match each numbered file. */
function rulesOf(generation: string, place: Place): string {
  return ["one", "two"].map((half) => stormRule(`${generation} ${half}`, place)).join("");
}

/** Every other generation exchanges the outputs too. */
function configOf(reload: number, rules: string, isWatched: boolean): string {
  return `rules_files: [${rules}]\nrule_matching: all\njson_output: true\n` +
    `watch_config_files: ${isWatched}\ntime_format_iso_8601: ${reload % 2 === 1}\n` +
    "outputs_queue: {capacity: 1000000}\n";
}

const BROKEN = "- rule: Broken\n  condition: evt.type = ";

/** One way to ask for a reload, and where the files are that it reads. */
interface Way {
  readonly name: string;
  readonly isWatched: boolean;
  directory(place: Place): string;
  /** Puts the files where they are read. */
  put(place: Place, files: Readonly<Record<string, string>>): void;
  /** Asks; what is answered, where it is answered at once. */
  ask(saker: Saker): Promise<Answer | undefined>;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

function write(place: Place, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(place.file(name), text);
}

const WAYS: readonly Way[] = [
  {
    name: "POST /reload",
    isWatched: false,
    directory: (place) => place.path,
    put: write,
    async ask(saker) {
      const response = await fetch(`http://127.0.0.1:${saker.port}/reload`, { method: "POST" });
      const body = await response.json();
      // This machine was too slow for an answer.
      return response.status === 202 ? undefined : { status: response.status, body };
    },
  },
  {
    name: "SIGHUP",
    isWatched: false,
    directory: (place) => place.path,
    put: write,
    ask(saker) {
      Deno.kill(saker.pid, "SIGHUP");
      return Promise.resolve(undefined);
    },
  },
  {
    // A volume of Kubernetes: its names are links into ..data, a link to the directory of one
    // version; another version is there by one rename.
    name: "the swap of a link",
    isWatched: true,
    directory: (place) => place.file("volume"),
    put(place, files) {
      const volume = place.file("volume");
      const version = `..${crypto.randomUUID()}`;
      Deno.mkdirSync(`${volume}/${version}`, { recursive: true });
      const isFirst = [...Deno.readDirSync(volume)].every(({ name }) => name !== "..data");
      const before = isFirst ? undefined : Deno.realPathSync(`${volume}/..data`);
      for (const [name, text] of Object.entries(files)) {
        Deno.writeTextFileSync(`${volume}/${version}/${name}`, text);
      }
      Deno.symlinkSync(version, `${volume}/..data_tmp`);
      Deno.renameSync(`${volume}/..data_tmp`, `${volume}/..data`);
      if (before !== undefined) return Deno.removeSync(before, { recursive: true });
      for (const name of Object.keys(files)) {
        Deno.symlinkSync(`..data/${name}`, `${volume}/${name}`);
      }
    },
    ask: () => Promise.resolve(undefined),
  },
];

for (const way of WAYS) {
  Deno.test({
    name: `reloads by ${way.name} under a storm lose no event and mix no rules; broken is refused`,
    ignore: !isRoot() || !has("python3") || !isFile(SAKER),
    async fn() {
      await using place = new Place();
      await Deno.mkdir(way.directory(place), { recursive: true });
      const files = (reload: number, rules = rulesOf(`G${reload}`, place)) => ({
        "rules.yaml": rules,
        "saker.yaml": configOf(reload, `${way.directory(place)}/rules.yaml`, way.isWatched),
      });
      way.put(place, files(0));
      await using saker = await Saker.start([`${place.path}/n/`], {
        args: ["-c", `${way.directory(place)}/saker.yaml`],
      });
      let created: number;
      {
        await using storm = Storm.start(place, STORM);
        await eventually("the storm", () => saker.alerts().length > 0 || undefined);
        for (let reload = 1; reload <= RELOADS; reload++) {
          if (reload % 4 === 2) await refused(saker, way, place, files(reload, BROKEN));
          way.put(place, files(reload));
          const answer = await way.ask(saker);
          if (answer !== undefined) {
            assertEquals(answer.status, 200, JSON.stringify(answer.body));
            const { rules, generation } = answer.body;
            assertEquals([rules, generation], [2, reload + 1]);
          }
          await eventually(`generation ${reload}`, () => {
            return saker.alerts().at(-1)!.rule.startsWith(`G${reload} `) || undefined;
          });
        }
        created = await storm.end();
      }
      await eventually("the last alerts", () => saker.alerts().length >= 2 * created || undefined);
      const { body } = (await saker.health())!;
      const { code } = await saker.stop();
      assertEquals(code, 0);
      judgedOnce(saker, created);
      const { critical, bulk, over_share } = body["lost"] as Record<string, number>;
      assertEquals([critical, bulk, over_share], [0, 0, 0]);
    },
  });
}

async function refused(
  saker: Saker,
  way: Way,
  place: Place,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  way.put(place, files);
  const answer = await way.ask(saker);
  if (answer !== undefined) {
    assertEquals(answer.status, 422);
    assertIncludes(String(answer.body["error"]), "rules.yaml:1:");
  }
  await eventually("the refusal in /healthz", async () => {
    return (await saker.health())?.body.status === "degraded" || undefined;
  });
}

/** Each file by both rules of one generation, and never by those of an older one again. */
function judgedOnce(saker: Saker, created: number): void {
  const byFile = new Map<number, string[]>();
  for (const alert of saker.alerts()) {
    const number = stormNumber(alert);
    byFile.set(number, [...byFile.get(number) ?? [], alert.rule]);
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
}
