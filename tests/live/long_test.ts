// Long arguments and environments on this kernel: what stands behind any padding is seen by rules,
// shown with both ends, and told as long; a recording has it too.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { recorded } from "./recording.ts";
import { runSaker, Saker } from "./saker.ts";
import { isRoot, Place, PYTHON, run, triggersOf } from "./trigger.ts";

const ARGS = "Payload in the arguments";
const ENV = "Payload in the environment";
const FORKED = "File made by a child";
const PAYLOAD = "payload-of-the-test";

function rules(place: Place): string {
  const output = "%proc.args %proc.cmdline %proc.args.length %proc.args.truncated " +
    "%proc.env.length %proc.env.truncated %proc.birth.cmdline[1]";
  const mine = triggersOf(place.marker);
  const rule = (name: string, condition: string) => ({
    rule: name,
    desc: name,
    condition: `${condition} and ${mine}`,
    output,
    priority: "NOTICE",
  });
  const file = place.file("rules.yaml");
  // JSON is YAML.
  Deno.writeTextFileSync(
    file,
    JSON.stringify([
      rule(ARGS, `evt.type in (execve, execveat) and proc.args contains ${PAYLOAD}`),
      rule(ENV, `evt.type in (execve, execveat) and proc.env contains ${PAYLOAD}`),
      rule(FORKED, `evt.type = mkdir and proc.args contains ${PAYLOAD}`),
    ]),
  );
  return file;
}

interface Case {
  readonly name: string;
  readonly args: (marker: string) => string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly rule: string;
  readonly isCut: boolean;
}

const many = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, index) => `${index}`.padEnd(bytes - 1, "x"));

const CASES: readonly Case[] = [
  {
    name: "5 KB before it",
    args: (marker) => [marker, ...many(5, 1000), PAYLOAD],
    rule: ARGS,
    isCut: false,
  },
  {
    name: "one argument of 60 KB before it",
    args: (marker) => [marker, "x".repeat(60_000), PAYLOAD],
    rule: ARGS,
    isCut: false,
  },
  {
    name: "in the middle of 64 KiB",
    args: (marker) => [marker, ...many(32, 1000), PAYLOAD, ...many(32, 1000)],
    rule: ARGS,
    isCut: false,
  },
  {
    name: "100 KB before it",
    args: (marker) => [marker, ...many(1000, 100), PAYLOAD],
    rule: ARGS,
    isCut: true,
  },
  {
    name: "a megabyte of short arguments before it",
    args: (marker) => [marker, ...many(50_000, 20), PAYLOAD],
    rule: ARGS,
    isCut: true,
  },
  {
    name: "behind 12 KB of environment",
    args: (marker) => [marker],
    env: { A_PADDING: "x".repeat(12_000), Z_PAYLOAD: PAYLOAD },
    rule: ENV,
    isCut: false,
  },
];

/** Runs `true` with arguments, and an environment of its own. */
async function executed(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code } = await new Deno.Command("/bin/true", {
    args: [...args],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  assertEquals(code, 0);
}

const lengthOf = (texts: readonly string[]) =>
  texts.reduce((sum, text) => sum + text.length + 1, 0);

Deno.test({
  name: "no padding hides what a program is given",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: ["-r", rules(place)] });
    for (const { name, args, env, rule, isCut } of CASES) {
      await t.step(name, async () => {
        const marker = place.mark(name.replaceAll(" ", "-"));
        const given = args(marker);
        await executed(given, env);
        const { output_fields: fields } = await saker.alert(rule, marker);
        assertEquals(fields["proc.args.length"], lengthOf(given));
        assertEquals(fields["proc.args.truncated"], isCut);
        const shown = String(fields["proc.args"]);
        assert(shown.startsWith(marker) && shown.length < 5000, `${shown.length}`);
        if (given.at(-1) === PAYLOAD) assertIncludes(shown.slice(-100), PAYLOAD);
        if (env !== undefined) {
          assertEquals(fields["proc.env.truncated"], false);
          assert(Number(fields["proc.env.length"]) > 12_000, `${fields["proc.env.length"]}`);
        }
      });
    }
    await t.step("a child that executes nothing has its maker's", async () => {
      const marker = place.mark("fork");
      const { code, stderr } = await run(PYTHON, forking(place.file(marker), marker));
      assertEquals(code, 0, stderr);
      const { output_fields: fields } = await saker.alert(FORKED, marker);
      assertEquals(fields["proc.args.truncated"], false);
    });
  },
});

/** Arguments of a Python whose child makes a directory. */
function forking(path: string, marker: string): string[] {
  const script = "import os, sys\npid = os.fork()\nif pid == 0:\n  os.mkdir(sys.argv[1])\n" +
    "  os._exit(0)\nos.waitpid(pid, 0)";
  return ["-I", "-S", "-c", script, path, marker, ...many(20, 1000), PAYLOAD];
}

Deno.test({
  name: "a recording has long arguments too",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const capture = place.file("trace.scap");
    const settings = ["-r", rules(place), "-o", "json_output=true"];
    const { code, stdout, told } = await recorded(capture, settings, async () => {
      await executed([place.marker, ...many(1000, 100), PAYLOAD]);
      await run(PYTHON, forking(place.file("made"), place.marker));
    });
    assertEquals(code, 0, told.join("\n"));
    const own = (json: string) => json.split("\n").filter((line) => line.includes(place.marker));
    const live = own(stdout);
    const replayed = await runSaker([...settings, "replay", capture]);
    assertEquals(own(replayed.stdout), live);
    const seen = live.map((line) => JSON.parse(line).rule);
    assertEquals(seen.filter((rule) => rule === FORKED).length, 1);
    assert(seen.filter((rule) => rule === ARGS).length >= 2, seen.join());
  },
});
